// EndOrder: a pod has to end although nobody deleted its object: its provider wants it evicted, or its
// activeDeadlineSeconds are over. The workload is deleted, the object stays and becomes Failed.
//
// An eviction is known to nobody else, so it is written to the pod before anything is stopped; a
// deadline can be read from the pod at any time. Pure. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "kube/pod_record.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::pods {

struct EndOrder {
  enum class Why { Eviction, Deadline };

  Why why = Why::Eviction;
  std::string reason;  // of the status that the pod ends with
  std::string message;
  std::optional<std::chrono::milliseconds> grace;  // none: the pod's own
  bool is_marked = false;   // the next process will know it, or could not be told
  bool was_called = false;  // delete_pod was called because of it, by an earlier process perhaps
  bool containers_ended = false;  // by the provider's word
  bool is_concluded = false;      // its last status was made
  bool was_overtaken = false;     // it had succeeded by itself before anybody was stopped
};

[[nodiscard]] EndOrder deadline_order();

// The value of kube::kEvictionAnnotation: what order_of_earlier_process() reads.
[[nodiscard]] std::string eviction_mark(const kube::PodRecord& pod, const EndOrder& order);
// What is left to do of an order that an earlier process began to carry out; null: nothing. Where the
// provider keeps deadlines itself, they are none of the host's.
[[nodiscard]] std::shared_ptr<EndOrder> order_of_earlier_process(const kube::PodRecord& pod,
                                                                 bool native_deadline);

// When activeDeadlineSeconds end; none without them, or before the pod has begun.
[[nodiscard]] std::optional<WallTime> active_deadline(const kube::PodRecord& pod);
// spec.terminationGracePeriodSeconds.
[[nodiscard]] std::chrono::milliseconds own_grace(const kube::PodRecord& pod);
// When the last of its regular containers ended by that status; none while one has not, or nobody says.
[[nodiscard]] std::optional<WallTime> last_end(const kube::PodRecord& pod,
                                               std::string_view status_json);
// Whether that status shows each regular container of the pod terminated.
[[nodiscard]] bool have_containers_ended(const kube::PodRecord& pod, std::string_view status_json);

}  // namespace vkhost::pods
