// decide: what to do next for one pod, from its desired and observed state alone. A pure function, so
// that every rule of the pod engine is a table test without threads, sockets or time.
#pragma once

#include "base/clock.hpp"
#include "plugin/provider.hpp"
#include "pods/pod_state.hpp"
#include "pods/settings.hpp"

#include <chrono>
#include <cstdint>

namespace vkhost::pods {

enum class ActionKind {
  Nothing,       // until something changes
  Wait,          // look again at `until`
  Admit,         // may it run here at all
  Create,        // create_pod with `create_reason`
  Update,        // update_pod with `changed`
  Delete,        // delete_pod with `grace` and `delete_reason`
  Inspect,       // ask list_pods about this UID
  FailLost,      // write the terminal status of a lost pod
  ShowLost,      // show the loss of a pod that goes on
  Conclude,      // write a terminal status before the object goes
  GiveUp,        // the object waits no longer for the end of its workload
  OrderEnd,      // activeDeadlineSeconds are over
  EndAsOrdered,  // write the terminal status of a pod that had to end
  RemoveApi,     // remove the API object
  Forget,        // drop the state
};

struct Action {
  ActionKind kind = ActionKind::Nothing;
  SteadyTime until{};
  plugin::CreateReason create_reason = plugin::CreateReason::First;
  std::uint64_t changed = 0;
  std::chrono::milliseconds grace{0};
  plugin::DeleteReason delete_reason = plugin::DeleteReason::Deleted;
};

struct DecideContext {
  SteadyTime now;
  WallTime wall_now;
  std::uint64_t supported_updates = 0;  // Capabilities::updates
  bool pushes = true;                   // Capabilities::pushes
  bool native_deadline = false;         // Capabilities::native_deadline
  bool admits = false;                  // somebody judges new pods
};

[[nodiscard]] Action decide(const PodState& state,
                            const Settings& settings,
                            const DecideContext& context);

// The grace that is left to a pod being deleted: never more than the API asked for, and no more than
// the time until its deletionTimestamp.
[[nodiscard]] std::chrono::milliseconds remaining_grace(const kube::PodRecord& pod, WallTime now);

}  // namespace vkhost::pods
