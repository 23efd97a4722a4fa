// Optional abilities of a provider: derive from these beside Provider, and the entry table offers
// the extension; what is not derived from is not offered. That one pod or setting lacks an ability
// is Error(Code::Unimplemented, …) from the call. Thread contracts as in the C headers.
#pragma once

#include <vkhost/cpp/abi.hpp>
#include <vkhost/cpp/call.hpp>
#include <vkhost/cpp/error.hpp>
#include <vkhost/cpp/requests.hpp>
#include <vkhost/cpp/stream.hpp>
#include <vkhost/ext/attach.h>
#include <vkhost/ext/containers.h>
#include <vkhost/ext/exec.h>
#include <vkhost/ext/explain.h>
#include <vkhost/ext/logs.h>
#include <vkhost/ext/port_forward.h>
#include <vkhost/ext/reserve.h>
#include <vkhost/ext/stats.h>
#include <vkhost/provider.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vkhost::sdk {

// What the interfaces have in common: never destroyed through one of them.
class Ability {
 public:
  Ability(const Ability&) = delete;
  Ability& operator=(const Ability&) = delete;

 protected:
  Ability() = default;
  ~Ability() = default;
};

struct LogsRequest {
  explicit LogsRequest(const vkp_logs_request& raw)
      : ref(*raw.ref),
        container(view(read(raw, &vkp_logs_request::container))),
        container_id(view(read(raw, &vkp_logs_request::container_id))),
        tail(read(raw, &vkp_logs_request::tail)),
        since_unix_ns(read(raw, &vkp_logs_request::since_unix_ns)),
        follow(read(raw, &vkp_logs_request::follow)),
        previous(read(raw, &vkp_logs_request::previous)) {}

  PodRef ref;
  std::string_view container;
  std::string_view container_id;  // which run; empty: the current one
  std::int64_t tail;              // last lines wanted; -1: all
  std::int64_t since_unix_ns;     // 0: from the beginning
  bool follow;
  bool previous;
};

class LogsProvider : public Ability {
 public:
  // [any-thread] [may-block] until the session is over.
  virtual void logs(const Call& call, const LogsRequest& request, const Stream& stream) = 0;

 protected:
  ~LogsProvider() = default;
};

// How a command ended.
struct Exit {
  static Exit exited(std::int32_t code) { return {VKP_EXIT_EXITED, code}; }
  static Exit signalled(std::int32_t signal) { return {VKP_EXIT_SIGNALLED, signal}; }
  static Exit unknown() { return {VKP_EXIT_UNKNOWN, 0}; }

  std::int32_t kind;
  std::int32_t value;
};

[[nodiscard]] inline std::optional<TerminalSize> first_size(const vkp_terminal_size* raw) {
  if (raw == nullptr) {
    return std::nullopt;
  }
  return TerminalSize{raw->columns, raw->rows};
}

struct ExecRequest {
  explicit ExecRequest(const vkp_exec_request& raw)
      : ref(*raw.ref),
        container(view(raw.container)),
        container_id(view(raw.container_id)),
        terminal(first_size(raw.terminal)),
        tty(raw.tty),
        stdin_open(raw.stdin_open),
        stdout_open(raw.stdout_open),
        stderr_open(raw.stderr_open) {
    arguments.reserve(raw.argument_count);
    for (std::size_t index = 0; index < raw.argument_count; ++index) {
      arguments.push_back(view(raw.arguments[index]));
    }
  }

  PodRef ref;
  std::string_view container;
  std::string_view container_id;
  std::vector<std::string_view> arguments;
  std::optional<TerminalSize> terminal;  // with tty: first size, if known by then
  bool tty;
  bool stdin_open;
  bool stdout_open;
  bool stderr_open;
};

class ExecProvider : public Ability {
 public:
  // [any-thread] [may-block] until the session is over. A cancel ends the command where possible.
  virtual Exit exec(const Call& call, const ExecRequest& request, const Stream& stream) = 0;

 protected:
  ~ExecProvider() = default;
};

struct AttachRequest {
  explicit AttachRequest(const vkp_attach_request& raw)
      : ref(*raw.ref),
        container(view(raw.container)),
        container_id(view(raw.container_id)),
        terminal(first_size(raw.terminal)),
        tty(raw.tty),
        stdin_open(raw.stdin_open),
        stdout_open(raw.stdout_open),
        stderr_open(raw.stderr_open) {}

  PodRef ref;
  std::string_view container;
  std::string_view container_id;
  std::optional<TerminalSize> terminal;
  bool tty;
  bool stdin_open;
  bool stdout_open;
  bool stderr_open;
};

class AttachProvider : public Ability {
 public:
  // [any-thread] [may-block] until the session is over. A cancel only detaches.
  virtual Exit attach(const Call& call, const AttachRequest& request, const Stream& stream) = 0;

 protected:
  ~AttachProvider() = default;
};

class PortForwardProvider : public Ability {
 public:
  // One connection, on Channel::Data. [any-thread] [may-block] until it is over. A refused one is
  // Code::Unavailable.
  virtual void port_forward(const Call& call,
                            const PodRef& ref,
                            std::uint16_t port,
                            const Stream& stream) = 0;

 protected:
  ~PortForwardProvider() = default;
};

class StatsSink {
 public:
  explicit StatsSink(const vkp_stats_sink* raw) noexcept : raw_(raw) {}
  // False: the host knows no such pod.
  bool put(std::string_view uid, std::string_view pod_stats_json) const {
    const vkp_code answer =
        raw_->put(raw_, uid.data(), uid.size(), pod_stats_json.data(), pod_stats_json.size());
    if (answer != VKP_NOT_FOUND) {
      require(answer, "handing over stats of a pod");
    }
    return answer == VKP_OK;
  }

 private:
  const vkp_stats_sink* raw_;
};

class StatsProvider : public Ability {
 public:
  // [node-serial]. From what is at hand, never one back-end call for each pod.
  virtual void stats(const Call& call, const StatsSink& out) = 0;

 protected:
  ~StatsProvider() = default;
};

struct ReservePod {
  explicit ReservePod(const vkp_reserve_pod_request& raw)
      : ref(*raw.ref),
        pod_json(view(read(raw, &vkp_reserve_pod_request::pod_json))),
        why(static_cast<CreateReason>(read(raw, &vkp_reserve_pod_request::why))) {}

  PodRef ref;
  std::string_view pod_json;
  CreateReason why;
};

class ReserveProvider : public Ability {
 public:
  // [pod-serial], under the rules of create_pod; the addresses follow as podIPs in a push.
  virtual void reserve_pod(const Call& call, const ReservePod& request, const TextSink& handle) = 0;

 protected:
  ~ReserveProvider() = default;
};

enum class Finding : std::int32_t {
  Ignored = VKP_FINDING_IGNORED,
  Changed = VKP_FINDING_CHANGED,
  Refused = VKP_FINDING_REFUSED,
};

class FindingSink {
 public:
  explicit FindingSink(const vkp_finding_sink* raw) noexcept : raw_(raw) {}
  // `pointer` is an RFC 6901 JSON pointer into the pod.
  void put(Finding kind, std::string_view pointer, std::string_view text) const {
    auto finding = sized<vkp_finding>();
    finding.pointer = str(pointer);
    finding.text = str(text);
    finding.kind = static_cast<std::int32_t>(kind);
    require(raw_->put(raw_, &finding), "reporting a finding");
  }

 private:
  const vkp_finding_sink* raw_;
};

class ExplainProvider : public Ability {
 public:
  // [any-thread] [no-block]. Pure: no back-end call, the same answer every time.
  virtual void explain(const Call& call, std::string_view pod_json, const FindingSink& out) = 0;

 protected:
  ~ExplainProvider() = default;
};

class ReconfigureProvider : public Ability {
 public:
  // [node-serial], beside all other calls and also before start. The whole new configuration, which
  // differs from the present one in settings that the schema marks as x-reloadable; all of it is
  // taken, or Error is thrown and nothing is. Code::FailedPrecondition: needs a restart.
  virtual void reconfigure(const Call& call, std::string_view config_json) = 0;

 protected:
  ~ReconfigureProvider() = default;
};

class RetireProvider : public Ability {
 public:
  // [node-serial]. Removes what belongs to the node and not to a pod. Idempotent.
  virtual void retire(const Call& call) = 0;

 protected:
  ~RetireProvider() = default;
};

struct ContainerRun {
  explicit ContainerRun(const vkp_container_run& raw)
      : ref(*raw.ref), container(view(raw.container)), attempt(raw.attempt) {}

  PodRef ref;
  std::string_view container;
  std::uint32_t attempt;  // 0 for the first run
};

class ContainersProvider : public Ability {
 public:
  // [pod-serial]. Idempotent for one run.
  virtual void start_container(const Call& call,
                               const ContainerRun& run,
                               std::string_view pod_json,
                               std::string_view material_json) = 0;
  // [pod-serial]. The end is pushed; stopping what does not run is fine.
  virtual void stop_container(const Call& call,
                              const ContainerRun& run,
                              std::chrono::milliseconds grace) = 0;
  // [any-thread] [may-block] until that run has ended.
  virtual Exit wait_container(const Call& call, const ContainerRun& run) = 0;

 protected:
  ~ContainersProvider() = default;
};

}  // namespace vkhost::sdk
