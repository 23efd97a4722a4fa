#include "pods/decide.hpp"

#include <algorithm>

namespace vkhost::pods {
namespace {

// How long the host waits between questions about a workload whose state it does not know.
constexpr std::chrono::seconds kInspectInterval{5};

Action nothing() { return {}; }

Action wait_until(SteadyTime until) {
  Action action;
  action.kind = ActionKind::Wait;
  action.until = until;
  return action;
}

Action kind(ActionKind kind) {
  Action action;
  action.kind = kind;
  return action;
}

// The workload has to go: either the API object is being deleted, or it is gone already.
Action decide_deletion(const PodState& state,
                       const Settings& settings,
                       const DecideContext& context) {
  const bool backend_is_empty = state.backend == Backend::Gone || state.backend == Backend::None ||
                                state.backend == Backend::Lost;
  if (backend_is_empty) {
    if (state.removed_from_api) {
      return kind(ActionKind::Forget);
    }
    if (state.status_dirty) {
      return nothing();  // the status writer comes first and queues this pod again
    }
    return context.now < state.next_try ? wait_until(state.next_try) : kind(ActionKind::RemoveApi);
  }
  if (!state.create_attempted && state.backend == Backend::Wanted) {
    return kind(state.removed_from_api ? ActionKind::Forget : ActionKind::RemoveApi);
  }
  if (context.now < state.next_try) {
    return wait_until(state.next_try);
  }
  auto grace = state.removed_from_api || state.is_orphan
                   ? std::chrono::milliseconds{0}
                   : remaining_grace(*state.pod, context.wall_now);
  if (state.told_grace) {
    const bool insists =
        grace + std::chrono::seconds{1} < *state.told_grace &&
        (state.removed_from_api || !state.pod ||
         std::chrono::seconds{state.pod->deletion_grace_seconds} < *state.told_grace);
    const auto patience = state.delete_accepted_at + *state.told_grace + settings.deletion_slack;
    if (!insists && context.now < patience) {
      // The provider pushes `gone`; asking is for those that do not, or whose push was lost.
      const auto ask_at = state.delete_accepted_at + *state.told_grace + kInspectInterval;
      return context.now < ask_at ? wait_until(ask_at) : kind(ActionKind::Inspect);
    }
    grace = insists ? grace : std::chrono::milliseconds{0};
  }
  Action action = kind(ActionKind::Delete);
  action.grace = grace;
  action.delete_reason =
      state.is_orphan ? plugin::DeleteReason::Orphan : plugin::DeleteReason::Deleted;
  return action;
}

Action decide_update(const PodState& state, const DecideContext& context) {
  std::uint64_t changed = 0;
  if (state.pod->spec_hash != state.told_spec_hash) {
    // The mutable parts of a spec; which of them it was, the provider sees in the document.
    changed |= plugin::kChangedImage | plugin::kChangedResources |
               plugin::kChangedEphemeralContainers | plugin::kChangedDeadline;
  }
  if (state.pod->metadata_hash != state.told_metadata_hash) {
    changed |= plugin::kChangedMetadata;
  }
  changed &= context.supported_updates;
  if (changed == 0) {
    return nothing();
  }
  if (context.now < state.next_try) {
    return wait_until(state.next_try);
  }
  Action action = kind(ActionKind::Update);
  action.changed = changed;
  return action;
}

Action decide_create(const PodState& state, const DecideContext& context) {
  if (state.retry_when_changed && state.pod->spec_hash == state.rejected_spec_hash) {
    return nothing();
  }
  if (context.now < state.next_try) {
    return wait_until(state.next_try);
  }
  Action action = kind(ActionKind::Create);
  if (state.backend == Backend::Lost) {
    action.create_reason = plugin::CreateReason::Lost;
  } else if (state.create_attempted) {
    action.create_reason = plugin::CreateReason::Retry;
  }
  return action;
}

Action decide_lost(const PodState& state, const Settings& settings, const DecideContext& context) {
  switch (settings.on_lost) {
    case OnLost::Wait:
      return wait_until(context.now + settings.resync_interval);
    case OnLost::Recreate:
      // A pod that must not run twice is failed, whatever the policy says.
      if (state.pod->restart_policy != "Never") {
        return decide_create(state, context);
      }
      [[fallthrough]];
    case OnLost::Fail:
      return state.final_status_written ? nothing() : kind(ActionKind::FailLost);
  }
  return nothing();
}

}  // namespace

std::chrono::milliseconds remaining_grace(const kube::PodRecord& pod, WallTime now) {
  const std::chrono::milliseconds asked = std::chrono::seconds{pod.deletion_grace_seconds};
  const auto ends = parse_time(pod.deletion_timestamp);
  if (!ends) {
    return std::max(asked, std::chrono::milliseconds{0});
  }
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*ends - now);
  return std::clamp(left, std::chrono::milliseconds{0},
                    std::max(asked, std::chrono::milliseconds{0}));
}

Action decide(const PodState& state, const Settings& settings, const DecideContext& context) {
  if (state.create_in_flight) {
    return nothing();  // its return queues the pod again; a deletion has cancelled it
  }
  if (state.is_orphan || state.removed_from_api || state.pod->is_deleting()) {
    if (state.backend == Backend::Unknown && !state.create_attempted && !state.is_orphan &&
        !state.pod->ever_started && state.handle.empty() && !state.removed_from_api) {
      return kind(ActionKind::Inspect);
    }
    return decide_deletion(state, settings, context);
  }
  if (state.pod->is_terminal()) {
    return nothing();
  }
  switch (state.backend) {
    case Backend::Unknown:
      return context.now < state.next_try ? wait_until(state.next_try) : kind(ActionKind::Inspect);
    case Backend::None:
    case Backend::Wanted:
      return decide_create(state, context);
    case Backend::Lost:
      return decide_lost(state, settings, context);
    case Backend::Present:
      return decide_update(state, context);
    case Backend::Gone:
      // Gone without a deletion: what ran is lost, what never ran is created again.
      return state.ever_started ? decide_lost(state, settings, context)
                                : decide_create(state, context);
  }
  return nothing();
}

}  // namespace vkhost::pods
