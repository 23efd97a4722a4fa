// PodRecord: one pod as the API server gave it: its own bytes and the few fields that decisions
// need.
//
// Immutable and shared between threads without a lock. A document model is built from `raw` only
// where one is needed, used inside one function, and dropped. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "kube/spec_parts.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::kube {

// Annotations that the host owns on a pod.
inline constexpr std::string_view kHandleAnnotation = "vkhost.io/handle";  // provider's handle
inline constexpr std::string_view kHandleUidAnnotation = "vkhost.io/handle-uid";  // whose it is
inline constexpr std::string_view kToldAnnotation = "vkhost.io/told";  // see pods/pod_diff.hpp
// Why the pod is being evicted, and which pod it is: for the next process.
inline constexpr std::string_view kEvictionAnnotation = "vkhost.io/eviction";

[[nodiscard]] inline bool is_host_annotation(std::string_view key) {
  return key == kHandleAnnotation || key == kHandleUidAnnotation || key == kToldAnnotation ||
         key == kEvictionAnnotation;
}

struct PodRecord {
  std::string raw;  // metadata.managedFields cut out, otherwise byte for byte
  std::string pod_namespace;
  std::string name;
  std::string uid;
  std::string resource_version;
  std::string node_name;           // spec.nodeName
  std::string restart_policy;      // Always when absent
  std::string phase;               // status.phase, or empty
  std::string start_time;          // status.startTime, or empty
  std::string deletion_timestamp;  // empty: not being deleted
  std::int64_t deletion_grace_seconds = 0;
  std::int64_t generation = 0;
  std::optional<std::int64_t> active_deadline_seconds;  // spec.activeDeadlineSeconds
  bool is_daemon_set_pod = false;                       // its controller is a DaemonSet
  bool is_mirror_pod = false;                           // annotation kubernetes.io/config.mirror
  bool ever_started = false;  // some container status shows a run, past or present
  std::string handle;         // kHandleAnnotation, if kHandleUidAnnotation names this UID
  std::vector<std::string> containers;
  std::vector<std::string> init_containers;
  std::vector<std::string> sidecars;  // init containers with restartPolicy Always
  std::vector<std::string> ephemeral_containers;
  std::vector<std::string> readiness_gates;  // spec.readinessGates[].conditionType
  // The slice of `raw` that is status ("{}" when absent): its place, so that nothing is stored twice.
  std::size_t status_offset = 0;
  std::size_t status_size = 0;
  // Hashes over the raw slices; equal slices mean "nothing to tell the provider".
  std::uint64_t spec_hash = 0;
  std::uint64_t metadata_hash = 0;  // labels and annotations, the host's own excluded; stable
  std::uint64_t status_hash = 0;
  SpecParts parts;

  [[nodiscard]] std::string_view status_json() const {
    return status_size == 0 ? std::string_view("{}")
                            : std::string_view(raw).substr(status_offset, status_size);
  }
  [[nodiscard]] bool is_deleting() const { return !deletion_timestamp.empty(); }
  [[nodiscard]] bool is_terminal() const { return phase == "Succeeded" || phase == "Failed"; }
  [[nodiscard]] std::string display_name() const { return pod_namespace + "/" + name; }
};

using PodPtr = std::shared_ptr<const PodRecord>;

// INVALID_ARGUMENT when it is not a complete JSON object, lacks metadata.name, namespace or uid, or
// a field has the wrong type; the message names the field.
Result<PodPtr> parse_pod(std::string_view json);

// Pods of one node as they change. Called by one thread at a time, in order; must return soon.
class PodListener {
 public:
  PodListener() = default;
  PodListener(const PodListener&) = delete;
  PodListener& operator=(const PodListener&) = delete;
  virtual ~PodListener() = default;

  // The complete set at one instant: at first, and again after every relist. What is missing here
  // has been deleted meanwhile.
  virtual void pods_listed(std::vector<PodPtr> pods) = 0;
  virtual void pod_applied(PodPtr pod) = 0;              // added or modified
  virtual void pod_removed(const std::string& uid) = 0;  // deleted
};

}  // namespace vkhost::kube
