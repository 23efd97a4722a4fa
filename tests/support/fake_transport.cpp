#include "support/fake_transport.hpp"

#include "support/loopback.hpp"

#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

namespace vkhost::testing {
namespace {

Status wait_for_end(Deadline deadline, const CancelToken& cancel) {
  return cancel.wait_until(deadline.when()) ? cancelled("cancelled")
                                            : deadline_exceeded("the deadline passed");
}

Status check_call(Deadline deadline, const CancelToken& cancel) {
  if (cancel.is_cancelled()) {
    return cancelled("cancelled");
  }
  if (deadline.is_past(SystemClock().steady_now())) {
    return deadline_exceeded("the deadline passed");
  }
  return Status::ok();
}

class FakeStream final : public http::ResponseStream {
 public:
  FakeStream(int status, http::Headers headers, std::vector<StreamStep> steps, CancelToken cancel)
      : status_(status),
        headers_(std::move(headers)),
        steps_(steps.begin(), steps.end()),
        cancel_(std::move(cancel)) {}

  [[nodiscard]] int status() const override { return status_; }
  [[nodiscard]] const http::Headers& headers() const override { return headers_; }

  Result<std::size_t> read(char* buffer, std::size_t capacity, Deadline deadline) override {
    VKHOST_TRY(check_call(deadline, cancel_));
    VKHOST_TRY_ASSIGN(const auto count, try_read(buffer, capacity));
    if (!count) {
      return wait_for_end(deadline, cancel_);
    }
    return *count;
  }

  Result<std::optional<std::size_t>> try_read(char* buffer, std::size_t capacity) override {
    if (cancel_.is_cancelled()) {
      return cancelled("cancelled");
    }
    if (is_silent()) {
      eventfd_t count = 0;
      static_cast<void>(::eventfd_read(readable_.get(), &count));
      return std::optional<std::size_t>();
    }
    return take(buffer, capacity);
  }

  [[nodiscard]] int descriptor() const override { return readable_.get(); }

 private:
  [[nodiscard]] bool is_silent() const {
    return steps_.empty() || std::holds_alternative<StreamSilence>(steps_.front());
  }

  Result<std::optional<std::size_t>> take(char* buffer, std::size_t capacity) {
    if (std::holds_alternative<StreamEnd>(steps_.front())) {
      return std::optional<std::size_t>(0);
    }
    if (const auto* failure = std::get_if<Status>(&steps_.front())) {
      return *failure;
    }
    auto& bytes = std::get<std::string>(steps_.front());
    const std::size_t count = std::min(capacity, bytes.size());
    std::copy_n(bytes.data(), count, buffer);
    bytes.erase(0, count);
    if (bytes.empty()) {
      steps_.pop_front();
    }
    return std::optional<std::size_t>(count);
  }

  const Descriptor readable_{::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
  int status_;
  http::Headers headers_;
  std::deque<StreamStep> steps_;
  CancelToken cancel_;
};

}  // namespace

void FakeServer::add(Step step) {
  const MutexLock lock(mutex_);
  steps_.push_back(std::move(step));
}

void FakeServer::answer(int status, std::string body, http::Headers headers) {
  add({.failure = std::nullopt,
       .hangs = false,
       .response = {status, std::move(headers), std::move(body)},
       .body = {}});
}

void FakeServer::fail(Status failure) {
  add({.failure = std::move(failure), .hangs = false, .response = {}, .body = {}});
}

void FakeServer::stream(std::vector<StreamStep> steps) {
  add({.failure = std::nullopt,
       .hangs = false,
       .response = {200, {}, {}},
       .body = std::move(steps)});
}

void FakeServer::hang() {
  add({.failure = std::nullopt, .hangs = true, .response = {}, .body = {}});
}

std::vector<http::Request> FakeServer::requests() const {
  const MutexLock lock(mutex_);
  return requests_;
}

bool FakeServer::wait_for_requests(std::size_t count, std::chrono::seconds patience) {
  const SteadyTime until = std::chrono::steady_clock::now() + patience;
  const MutexLock lock(mutex_);
  while (requests_.size() < count) {
    if (!arrived_.wait_until(mutex_, until) && requests_.size() < count) {
      return false;
    }
  }
  return true;
}

std::size_t FakeServer::steps_left() const {
  const MutexLock lock(mutex_);
  return steps_.size();
}

std::optional<FakeServer::Step> FakeServer::take(const http::Request& request) {
  const MutexLock lock(mutex_);
  requests_.push_back(request);
  arrived_.notify_all();
  if (steps_.empty()) {
    return std::nullopt;
  }
  Step step = std::move(steps_.front());
  steps_.pop_front();
  return step;
}

Result<http::Response> FakeTransport::send(const http::Request& request,
                                           Deadline deadline,
                                           const CancelToken& cancel) {
  VKHOST_TRY(check_call(deadline, cancel));
  const auto step = server_->take(request);
  if (!step) {
    return internal_error("the test has no answer for " + request.method + " " + request.target);
  }
  if (step->hangs) {
    return wait_for_end(deadline, cancel);
  }
  if (step->failure) {
    return *step->failure;
  }
  return step->response;
}

Result<std::unique_ptr<http::ResponseStream>> FakeTransport::open(const http::Request& request,
                                                                  Deadline deadline,
                                                                  const CancelToken& cancel) {
  VKHOST_TRY(check_call(deadline, cancel));
  auto step = server_->take(request);
  if (!step) {
    step.emplace().response.status = 200;
    step->body = {StreamSilence{}};
  }
  if (step->hangs) {
    return wait_for_end(deadline, cancel);
  }
  if (step->failure) {
    return *step->failure;
  }
  if (step->body.empty()) {
    if (!step->response.body.empty()) {
      step->body.emplace_back(step->response.body);
    }
    step->body.emplace_back(StreamEnd{});
  }
  return std::unique_ptr<http::ResponseStream>(std::make_unique<FakeStream>(
      step->response.status, step->response.headers, std::move(step->body), cancel));
}

}  // namespace vkhost::testing
