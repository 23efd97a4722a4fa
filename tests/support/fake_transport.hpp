// FakeTransport: an http::Transport that plays answers written by the test and records the requests.
//
// send() and open() take the scripted steps in order, whichever of the two comes first; with no step
// left, send() fails loudly and open() gives a stream that stays silent until it is cancelled. As
// the real one, it fails at once when the call is already cancelled or its deadline (read on the
// system's clock) is past. Copies of `FakeServer` share one script, so that transports made one after
// the other continue it. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "http/client.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vkhost::testing {

// What a stream does next when it is read.
struct StreamEnd {};      // the proper end
struct StreamSilence {};  // waits until cancelled or past the deadline
using StreamStep = std::variant<std::string, Status, StreamEnd, StreamSilence>;

class FakeServer {
 public:
  // Each adds one step to the script.
  void answer(int status, std::string body, http::Headers headers = {});
  void fail(Status failure);
  void stream(std::vector<StreamStep> steps);  // a 200 whose body plays these, then is silent
  void hang();                                 // no head of an answer until cancelled

  [[nodiscard]] std::vector<http::Request> requests() const;
  // Waits until that many requests have come; false after `patience`.
  [[nodiscard]] bool wait_for_requests(std::size_t count,
                                       std::chrono::seconds patience = std::chrono::seconds{20});
  [[nodiscard]] std::size_t steps_left() const;

  struct Step {
    std::optional<Status> failure;
    bool hangs = false;
    http::Response response;
    std::vector<StreamStep> body;  // for open(); empty: response.body, then the end
  };
  std::optional<Step> take(const http::Request& request);

 private:
  void add(Step step);

  mutable Mutex mutex_;
  CondVar arrived_;
  std::deque<Step> steps_ VKHOST_GUARDED_BY(mutex_);
  std::vector<http::Request> requests_ VKHOST_GUARDED_BY(mutex_);
};

class FakeTransport final : public http::Transport {
 public:
  explicit FakeTransport(std::shared_ptr<FakeServer> server) : server_(std::move(server)) {}

  Result<http::Response> send(const http::Request& request,
                              Deadline deadline,
                              const CancelToken& cancel) override;
  Result<std::unique_ptr<http::ResponseStream>> open(const http::Request& request,
                                                     Deadline deadline,
                                                     const CancelToken& cancel) override;

 private:
  std::shared_ptr<FakeServer> server_;
};

}  // namespace vkhost::testing
