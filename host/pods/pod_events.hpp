// The Events that users know from every kubelet (Scheduled, Pulling, Pulled, Started, Killing, BackOff),
// read off what is known of a pod anyway. What happened is what differs between two statuses; what an
// earlier process told is in the API's already. Cuts documents instead of parsing them: it runs for
// each status. Pure. [any-thread] [no-block]
#pragma once

#include "kube/pod_record.hpp"
#include "pods/interfaces.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::pods {

struct PodEvent {
  EventType type = EventType::Normal;
  std::string reason;
  std::string message;
  std::string field_path;
  std::string key;
  std::uint64_t mark = 0;  // equal for what must not be told twice in one process
};

// None when the scheduler has said it.
[[nodiscard]] std::optional<PodEvent> scheduled_event(const kube::PodRecord& pod);
// The provider has accepted the pod: one for each container that is to run from the beginning.
[[nodiscard]] std::vector<PodEvent> pulling_events(const kube::PodRecord& pod);
// From what the API has of the pod to `status_json`.
[[nodiscard]] std::vector<PodEvent> container_events(const kube::PodRecord& pod,
                                                     std::string_view status_json);
// One for each container that runs by the API's word.
[[nodiscard]] std::vector<PodEvent> killing_events(const kube::PodRecord& pod);
// Whether container_events() may find a Warning: a first, cheap look.
[[nodiscard]] bool may_warn(std::string_view status_json);

// The last marks of one pod.
class ToldMarks {
 public:
  // False when it was told before.
  bool add(std::uint64_t mark);

 private:
  std::vector<std::uint64_t> marks_;
  std::size_t next_ = 0;
};

}  // namespace vkhost::pods
