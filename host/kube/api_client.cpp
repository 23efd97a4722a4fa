#include "kube/api_client.hpp"

#include "base/mutex.hpp"
#include "base/version.hpp"
#include "kube/api_error.hpp"
#include "kube/api_metrics.hpp"
#include "kube/paths.hpp"
#include "kube/watch_lines.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;

// A lease that is not renewed takes every pod off its node, so one request may ask again this soon.
constexpr std::chrono::seconds kLongestLeaseHold{2};
constexpr std::size_t kErrorBodyBytes = std::size_t{64} * 1024;

struct Tunnel {
  std::shared_ptr<const http::ClientTls> tls;  // what it was made with
  std::shared_ptr<http::Transport> transport;
};

std::string_view content_type(PatchType type) {
  switch (type) {
    case PatchType::Merge:
      return "application/merge-patch+json";
    case PatchType::StrategicMerge:
      return "application/strategic-merge-patch+json";
    case PatchType::Json:
      break;
  }
  return "application/json-patch+json";
}

http::Request make_request(std::string_view method,
                           std::string target,
                           std::string_view body_type,
                           std::string body) {
  http::Request request;
  request.method = method;
  request.target = std::move(target);
  request.headers = {{"User-Agent", "vkhost/" + std::string(daemon_version())},
                     {"Accept", "application/json"}};
  if (!body.empty()) {
    request.headers.emplace_back("Content-Type", body_type);
  }
  request.body = std::move(body);
  return request;
}

bool is_success(int status) { return status >= 200 && status < 300; }

// The body of an error answer to a watch; what can't be read is left out, the code says enough.
http::Response read_error_body(http::ResponseStream& stream, Deadline deadline) {
  http::Response answer{stream.status(), stream.headers(), {}};
  std::array<char, 4096> chunk{};
  while (answer.body.size() < kErrorBodyBytes) {
    const auto count = stream.read(chunk.data(), chunk.size(), deadline);
    if (!count.is_ok() || *count == 0) {
      break;
    }
    answer.body.append(chunk.data(), *count);
  }
  return answer;
}

class ApiClient final : public Client {
 public:
  ApiClient(ClientSettings settings, ClientParts parts)
      : settings_(std::move(settings)),
        parts_(std::move(parts)),
        metrics_(parts_.metrics == nullptr ? nullptr
                                           : std::make_unique<ApiMetrics>(*parts_.metrics)),
        lease_(settings_.widths.lease, parts_.clock, kLongestLeaseHold),
        node_(settings_.widths.node, parts_.clock),
        status_(settings_.widths.status, parts_.clock),
        normal_(settings_.widths.normal, parts_.clock),
        events_(settings_.widths.events, parts_.clock) {}

  Result<std::string> get(std::string_view path,
                          const Query& query,
                          const CallOptions& options) override {
    return call(make_request("GET", std::string(path) + query_string(query), {}, {}), options,
                Access::Read);
  }
  Result<std::string> create(std::string_view path,
                             std::string body,
                             const CallOptions& options) override {
    return write("POST", path, "application/json", std::move(body), options,
                 options.repeatable ? Access::Repeatable : Access::Write);
  }
  Result<std::string> update(std::string_view path,
                             std::string body,
                             const CallOptions& options) override {
    return write("PUT", path, "application/json", std::move(body), options, Access::Repeatable);
  }
  Result<std::string> patch(std::string_view path,
                            PatchType type,
                            std::string body,
                            const CallOptions& options) override {
    // The other types say what shall be, not what shall be done.
    const bool repeatable = options.repeatable || type != PatchType::Json;
    return write("PATCH", path, content_type(type), std::move(body), options,
                 repeatable ? Access::Repeatable : Access::Write);
  }
  Result<std::string> remove(std::string_view path,
                             std::string body,
                             const CallOptions& options) override {
    return write("DELETE", path, "application/json", std::move(body), options, Access::Repeatable);
  }
  Result<std::unique_ptr<WatchStream>> watch(std::string_view path,
                                             const Query& query,
                                             const CallOptions& options) override;

 private:
  // One try: the transport and headers of the moment.
  struct Session {
    std::shared_ptr<http::Transport> transport;
    std::uint64_t generation = 0;
  };

  Result<std::string> write(std::string_view method,
                            std::string_view path,
                            std::string_view body_type,
                            std::string body,
                            const CallOptions& options,
                            Access access) {
    return call(make_request(method, std::string(path), body_type, std::move(body)), options,
                access);
  }
  Result<std::string> call(http::Request request, const CallOptions& options, Access access);
  Result<std::string> try_call(http::Request& request,
                               Deadline deadline,
                               const CallOptions& options,
                               Access access,
                               std::optional<std::uint64_t>& rejected);
  Result<std::unique_ptr<WatchStream>> try_watch(http::Request& request,
                                                 Deadline deadline,
                                                 const CallOptions& options,
                                                 std::optional<std::uint64_t>& rejected);
  Result<Session> prepare(http::Request& request, Deadline deadline, const CancelToken& cancel);
  Result<Tunnel> tunnel_for(const Identity& identity);
  Result<Tunnel> make_tunnel(std::shared_ptr<const http::ClientTls> tls);
  void hold(Lane lane, const Status& refusal, const http::Response& answer);
  [[nodiscard]] LaneGate& gate(Lane lane);
  [[nodiscard]] Deadline bounded(Deadline deadline) const {
    return deadline.is_never() ? Deadline::after(*parts_.clock, settings_.request_timeout)
                               : deadline;
  }

  // What became of one try that was sent at `began`.
  template <typename Answer>
  void note_try(Verb verb, const Result<Answer>& answer, SteadyTime began) {
    if (metrics_) {
      const auto took = parts_.clock->steady_now() - began;
      answer.is_ok() ? metrics_->answered(verb, status_of(*answer), took)
                     : metrics_->failed(verb, answer.status().code(), took);
    }
  }
  static int status_of(const http::Response& answer) { return answer.status; }
  static int status_of(const std::unique_ptr<http::ResponseStream>& answer) {
    return answer->status();
  }
  void note_repeat(Verb verb, const Status& failure) {
    if (metrics_) {
      metrics_->repeated(verb, failure.code());
    }
  }

  const ClientSettings settings_;
  const ClientParts parts_;
  const std::unique_ptr<ApiMetrics> metrics_;  // or null
  LaneGate lease_;
  LaneGate node_;
  LaneGate status_;
  LaneGate normal_;
  LaneGate events_;
  Mutex mutex_;
  Tunnel tunnel_ VKHOST_GUARDED_BY(mutex_);
  std::shared_ptr<const http::ClientTls> unusable_tls_ VKHOST_GUARDED_BY(mutex_);
};

LaneGate& ApiClient::gate(Lane lane) {
  switch (lane) {
    case Lane::Lease:
      return lease_;
    case Lane::Node:
      return node_;
    case Lane::Status:
      return status_;
    case Lane::Events:
      return events_;
    case Lane::Normal:
      break;
  }
  return normal_;
}

Result<Tunnel> ApiClient::make_tunnel(std::shared_ptr<const http::ClientTls> tls) {
  http::TransportSettings settings;
  settings.url = settings_.server;
  settings.proxy_url = settings_.proxy_url;
  settings.tls = *tls;
  settings.max_connections = settings_.widths.total();
  VKHOST_TRY_ASSIGN(std::shared_ptr<http::Transport> transport,
                    parts_.make_transport(std::move(settings)));
  return Tunnel{std::move(tls), std::move(transport)};
}

Result<Tunnel> ApiClient::tunnel_for(const Identity& identity) {
  Tunnel old;
  {
    const MutexLock lock(mutex_);
    const bool is_known_bad = tunnel_.tls && identity.tls == unusable_tls_;
    if (tunnel_.tls == identity.tls || is_known_bad) {
      return tunnel_;
    }
    old = tunnel_;
  }
  auto made = make_tunnel(identity.tls);  // loads certificates, so not under the lock
  if (!made.is_ok()) {
    if (!old.tls) {
      return made.status();
    }
    // Half of a rotated pair, most likely: the next reading of the files brings the other half.
    parts_.log.warn("New certificates for the API server can't be used, the old ones stay",
                    {observe::error_field(made.status())});
    const MutexLock lock(mutex_);
    unusable_tls_ = identity.tls;
    return old;
  }
  const MutexLock lock(mutex_);
  if (tunnel_.tls != identity.tls) {  // another thread may have been faster
    tunnel_ = std::move(*made);
  }
  return tunnel_;
}

Result<ApiClient::Session> ApiClient::prepare(http::Request& request,
                                              Deadline deadline,
                                              const CancelToken& cancel) {
  VKHOST_TRY_ASSIGN(const Identity identity, parts_.credentials->current(deadline, cancel));
  VKHOST_TRY_ASSIGN(Tunnel tunnel, tunnel_for(identity));
  std::erase_if(request.headers, [](const auto& header) {
    return header.first == "Authorization" || header.first.rfind("Impersonate-", 0) == 0;
  });
  if (!identity.authorization.empty()) {
    request.headers.emplace_back("Authorization", identity.authorization.reveal());
  }
  request.headers.insert(request.headers.end(), identity.impersonation.begin(),
                         identity.impersonation.end());
  return Session{std::move(tunnel.transport), identity.generation};
}

Result<std::string> ApiClient::try_call(http::Request& request,
                                        Deadline deadline,
                                        const CallOptions& options,
                                        Access access,
                                        std::optional<std::uint64_t>& rejected) {
  VKHOST_TRY_ASSIGN(const Session session, prepare(request, deadline, options.cancel));
  const SteadyTime queued = parts_.clock->steady_now();
  VKHOST_TRY_ASSIGN(const LaneGate::Pass pass, gate(options.lane).enter(deadline, options.cancel));
  const SteadyTime began = parts_.clock->steady_now();
  if (metrics_) {
    metrics_->waited(options.lane, began - queued);
  }
  auto sent = session.transport->send(request, deadline, options.cancel);
  note_try(verb_of(request.method), sent, began);
  VKHOST_TRY_ASSIGN(http::Response answer, std::move(sent));
  if (is_success(answer.status)) {
    return std::move(answer.body);
  }
  if (answer.status == 401) {
    rejected = session.generation;
  }
  Status failure = api_error(answer, access);
  if (answer.status == 429 && !options.once) {
    hold(options.lane, failure, answer);
  }
  return failure;
}

// The header names whose rules they are, so that an administrator can find them.
void ApiClient::hold(Lane lane, const Status& refusal, const http::Response& answer) {
  if (gate(lane).refused(refusal.retry_after())) {
    parts_.log.warn("The API server asks for fewer requests, those of this lane wait",
                    {{"lane", std::string(name_of(lane))},
                     {"wait_ms", std::to_string(refusal.retry_after().count())},
                     {"flow_schema_uid", std::string(http::find_header(
                                             answer.headers, "X-Kubernetes-PF-FlowSchema-UID"))},
                     observe::error_field(refusal)});
  }
}

Result<std::string> ApiClient::call(http::Request request,
                                    const CallOptions& options,
                                    Access access) {
  const Deadline deadline = bounded(options.deadline);
  const std::string what = request.method + " " + request.target;
  request.repeatable = access != Access::Write;
  bool renewed = false;
  for (std::uint32_t tries = 1;; ++tries) {
    std::optional<std::uint64_t> rejected;
    auto answer = try_call(request, deadline, options, access, rejected);
    if (answer.is_ok()) {
      return answer;
    }
    if (rejected && !renewed) {
      renewed = true;
      parts_.credentials->reject(*rejected);
      note_repeat(verb_of(request.method), answer.status());
      continue;
    }
    const Status failure = answer.status();
    const auto delay = retry_delay(failure, access, tries, options.once ? 1 : settings_.max_tries,
                                   settings_.retry, *parts_.random);
    if (!delay || *delay >= deadline.remaining(parts_.clock->steady_now())) {
      return failure.while_doing(what);
    }
    if (options.cancel.wait_for(*delay)) {
      return cancelled("stopped while waiting to repeat it").while_doing(what);
    }
    note_repeat(verb_of(request.method), failure);
  }
}

Result<std::unique_ptr<WatchStream>> ApiClient::try_watch(http::Request& request,
                                                          Deadline deadline,
                                                          const CallOptions& options,
                                                          std::optional<std::uint64_t>& rejected) {
  VKHOST_TRY_ASSIGN(const Session session, prepare(request, deadline, options.cancel));
  const SteadyTime began = parts_.clock->steady_now();
  auto opened = session.transport->open(request, deadline, options.cancel);
  note_try(Verb::Watch, opened, began);
  VKHOST_TRY_ASSIGN(std::unique_ptr<http::ResponseStream> body, std::move(opened));
  if (!is_success(body->status())) {
    if (body->status() == 401) {
      rejected = session.generation;
    }
    return api_error(read_error_body(*body, deadline), Access::Read);
  }
  return std::unique_ptr<WatchStream>(
      std::make_unique<WatchLines>(std::move(body), session.transport));
}

// Not repeated here except after 401: who watches has to decide from where to go on.
Result<std::unique_ptr<WatchStream>> ApiClient::watch(std::string_view path,
                                                      const Query& query,
                                                      const CallOptions& options) {
  const Deadline deadline = bounded(options.deadline);
  Query all = query;
  all.emplace_back("watch", "true");
  http::Request request = make_request("GET", std::string(path) + query_string(all), {}, {});
  std::optional<std::uint64_t> rejected;
  auto stream = try_watch(request, deadline, options, rejected);
  if (rejected) {
    parts_.credentials->reject(*rejected);
    note_repeat(Verb::Watch, stream.status());
    stream = try_watch(request, deadline, options, rejected);
  }
  if (!stream.is_ok()) {
    return stream.status().while_doing("watching " + request.target);
  }
  return stream;
}

}  // namespace

std::unique_ptr<Client> make_client(ClientSettings settings, ClientParts parts) {
  return std::make_unique<ApiClient>(std::move(settings), std::move(parts));
}

}  // namespace vkhost::kube
