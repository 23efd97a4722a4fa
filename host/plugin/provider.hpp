// Provider: one provider instance as the host sees it; the ABI behind it stays in this room.
//
// `pods`, `node` and `kubelet` call it; the adapter implements it on the C tables and FakeProvider
// does in tests. The adapter enforces each deadline (a call that outlives it by five seconds is
// abandoned: DEADLINE_EXCEEDED with reason PluginHung), turns everything invalid that comes back
// into an ordinary error of that plugin, and holds no lock meanwhile. All calls [may-block]; which
// may run beside which is the caller's duty: create, update and delete of one pod one at a time,
// node, ping and list_pods at most one each.
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/status.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::plugin {

struct CallOptions {
  Deadline deadline = Deadline::never();
  CancelToken cancel;
  std::string traceparent;  // W3C trace context, or empty
};

struct PodRef {
  std::string pod_namespace;
  std::string name;
  std::string uid;
  std::string handle;
};

enum class CreateReason : std::int32_t { First = 0, Retry = 1, Lost = 2 };
enum class DeleteReason : std::int32_t {
  Deleted = 0,
  Evicted = 1,
  Finished = 2,
  Deadline = 3,
  Orphan = 4,
  Rejected = 5,
};
enum class RecoverVerdict : std::int32_t { Unknown = 0, Attached = 1, Create = 2, Absent = 3 };
enum class ListVerdict : std::int32_t {
  Unknown = 0,
  Present = 1,
  PresentStatusUnknown = 2,
  Absent = 3
};
enum class Marks : std::int32_t { Legacy = 0, Ours = 1 };
enum class UpdateOutcome : std::int32_t {
  Deferred = 0,
  Applied = 1,
  AppliedByRestart = 2,
  Infeasible = 3,
  Unsupported = 4,
};

// Bits of UpdatePod::changed and UpdateAnswer::changed.
inline constexpr std::uint64_t kChangedMetadata = 1U << 0U;
inline constexpr std::uint64_t kChangedImage = 1U << 1U;
inline constexpr std::uint64_t kChangedResources = 1U << 2U;
inline constexpr std::uint64_t kChangedEphemeralContainers = 1U << 3U;
inline constexpr std::uint64_t kChangedDeadline = 1U << 4U;
inline constexpr std::uint64_t kChangedFiles = 1U << 5U;
inline constexpr std::uint64_t kChangedTokens = 1U << 6U;
inline constexpr std::uint64_t kChangedPullCredentials = 1U << 7U;

// The node as it came to be: the name that the API server knows, and the ownership mark made of it.
struct StartNode {
  std::string node_name;
  std::string owner_key;
};

// Documents are passed as views that live for the call: pods are large and shared.
struct RecoverPod {
  PodRef ref;
  std::string_view pod_json;
};

struct CreatePod {
  PodRef ref;
  std::string_view pod_json;
  std::string_view material_json;
  CreateReason why = CreateReason::First;
};

struct CreateOutcome {
  Status status;
  std::optional<std::string> handle;  // counts also when the call failed
};

struct UpdatePod {
  PodRef ref;
  std::string_view pod_json;
  std::string_view material_json;
  std::uint64_t changed = 0;
};

struct UpdateAnswer {
  std::uint64_t changed = 0;
  UpdateOutcome outcome = UpdateOutcome::Unsupported;
  std::string text;
};

struct DeletePod {
  PodRef ref;
  std::string_view pod_json;  // empty for an orphan
  std::chrono::milliseconds grace{0};
  DeleteReason reason = DeleteReason::Deleted;
};

struct ListedPod {
  PodRef ref;
  std::uint64_t seq = 0;
  std::string status_json;  // with Present
  Marks marks = Marks::Legacy;
  ListVerdict verdict = ListVerdict::Unknown;
};

struct PodList {
  std::vector<ListedPod> pods;
  bool complete = false;
  Status status;  // not OK: the call failed, never complete; what was listed before counts
};

// News of one pod, pushed by the provider; validated by the adapter.
struct PodChange {
  std::string uid;
  std::uint64_t seq = 0;
  std::optional<std::string> status_json;                         // a JSON object
  std::map<std::string, std::optional<std::string>> annotations;  // nullopt removes
  std::optional<Status> error;
  bool gone = false;
};

// The provider wants a pod to go: its capacity is withdrawn.
struct Eviction {
  std::string uid;
  std::string reason;  // one CamelCase word, or empty
  std::string message;
  std::optional<std::chrono::milliseconds> grace;  // none: the pod's own
};

// What a provider wants users to hear about a pod, or about the node.
struct ProviderEvent {
  std::string pod_uid;  // empty: about the node
  std::string reason;   // one CamelCase word
  std::string message;
  std::string key;                   // names the occurrence: the same again is none; or empty
  std::optional<WallTime> occurred;  // none: now
  bool is_warning = false;
};

// What an instance tells the host, at any time and from any thread. Implemented by `daemon`, which
// hands it on to pods and node. All but save_handle return at once.
class ProviderListener {
 public:
  ProviderListener() = default;
  ProviderListener(const ProviderListener&) = delete;
  ProviderListener& operator=(const ProviderListener&) = delete;
  virtual ~ProviderListener() = default;

  virtual Status pod_changed(PodChange change) = 0;
  virtual Status node_changed() = 0;
  virtual Status save_handle(const std::string& uid, const std::string& handle) = 0;
  // OK also when repeated; NOT_FOUND for a pod that is unknown, or ends anyway.
  virtual Status evict(Eviction eviction) = 0;
  // NOT_FOUND: no such pod.
  virtual Status emit(ProviderEvent event) = 0;
};

// What becomes of a field of a pod that is not honoured as it is written.
enum class FindingKind : std::int32_t { Ignored = 0, Changed = 1, Refused = 2 };
struct Finding {
  FindingKind kind = FindingKind::Ignored;
  std::string pointer;  // RFC 6901, into the pod
  std::string text;

  bool operator==(const Finding&) const = default;
};
// The same for every pod; `path` is like "spec.containers[].lifecycle".
struct FieldRule {
  std::string path;
  bool is_refused = false;  // else ignored

  bool operator==(const FieldRule&) const = default;
};

struct Capabilities {
  bool pushes = false;
  std::chrono::milliseconds poll_interval{std::chrono::seconds{10}};
  std::size_t max_parallel_calls = 16;
  std::uint64_t updates = 0;  // kChanged… bits worth a call
  bool uses_env = false;
  bool uses_files = false;
  bool uses_tokens = false;
  bool uses_pull_credentials = false;
  bool uses_storage = false;
  bool names_node = false;
  bool late_env = false;
  bool native_probes = false;
  bool native_deadline = false;
  bool reserves_always = false;                 // with vkp.reserve/1: for every pod
  std::vector<std::string> secret_annotations;  // keys whose value names a Secret of the pod
  std::vector<FieldRule> fields;                // what it does not honour
};

class Provider {
 public:
  Provider() = default;
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  virtual ~Provider() = default;

  [[nodiscard]] virtual const Capabilities& capabilities() const = 0;

  virtual Result<std::string> node(std::string_view node_name, const CallOptions& options) = 0;
  virtual Status ping(const CallOptions& options) = 0;
  // One verdict for each pod, in the same order. `last` ends a round; after a failure a new one
  // begins with the first batch. A node without pods: one empty batch, the last.
  virtual Result<std::vector<RecoverVerdict>> recover_pods(const std::vector<RecoverPod>& pods,
                                                           bool last,
                                                           const CallOptions& options) = 0;
  virtual Status start(const StartNode& node, const CallOptions& options) = 0;
  virtual CreateOutcome create_pod(const CreatePod& request, const CallOptions& options) = 0;
  virtual Result<std::vector<UpdateAnswer>> update_pod(const UpdatePod& request,
                                                       const CallOptions& options) = 0;
  // NotFound: nothing of it is left, which counts as success and as `gone`.
  virtual Status delete_pod(const DeletePod& request, const CallOptions& options) = 0;
  // No UIDs: everything under this owner key.
  virtual Result<PodList> list_pods(const std::vector<std::string>& uids,
                                    const CallOptions& options) = 0;
  // What the provider will make of a pod; may be asked without start. Nothing where it cannot say.
  virtual Result<std::vector<Finding>> explain(std::string_view /*pod_json*/,
                                               const CallOptions& /*options*/) {
    return std::vector<Finding>();
  }
  // The whole configuration as it is to be from now on, checked as for create; all of it is taken or
  // nothing. One at a time, beside all other calls, also before start. UNIMPLEMENTED: the provider takes
  // none while it runs; FAILED_PRECONDITION: not this one.
  virtual Status reconfigure(std::string_view /*config_json*/, const CallOptions& /*options*/) {
    return unimplemented("the provider takes its settings at the start only");
  }
  // Calls in flight have returned before; nothing but log comes from the instance afterwards.
  virtual Status stop(const CallOptions& options) = 0;
};

}  // namespace vkhost::plugin
