#include "pods/decide.hpp"

#include <algorithm>

namespace vkhost::pods {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How long after its grace a deletion is asked about whose end should have been pushed, and how long
// after its acceptance one that nobody pushes.
constexpr seconds kAskAfterGrace{5};
constexpr seconds kAskWhenPolled{2};
// A status that cannot be written holds up the removal of its object for so many tries.
constexpr std::uint32_t kPatientWrites = 3;
// An object that stays although its removal was accepted (finalizers hold it) is removed again.
constexpr seconds kRemoveAgain{60};

Action wait_until(SteadyTime until) {
  Action action;
  action.kind = ActionKind::Wait;
  action.until = until;
  return action;
}

Action act(ActionKind kind) {
  Action action;
  action.kind = kind;
  return action;
}

// Nothing is left in the back end: the API object goes, and then what is known here.
Action decide_removal(const PodState& state, const DecideContext& context) {
  if (state.removed_from_api) {
    return act(ActionKind::Forget);
  }
  if ((state.status_dirty || state.status_writing) && state.write_failures < kPatientWrites) {
    return {};  // the status writer comes first and queues this pod again
  }
  if (state.removal_sent_at && context.now < *state.removal_sent_at + kRemoveAgain) {
    return wait_until(*state.removal_sent_at + kRemoveAgain);
  }
  if (context.now < state.next_try) {
    return wait_until(state.next_try);
  }
  return act(ActionKind::RemoveApi);
}

bool user_insists(const PodState& state, milliseconds grace) {
  // The grace that is left shrinks by itself; only a shorter one that was asked for is news.
  return grace + seconds{1} < *state.told_grace &&
         (state.removed_from_api || seconds{state.pod->deletion_grace_seconds} < *state.told_grace);
}

Action decide_deletion(const PodState& state,
                       const Settings& settings,
                       const DecideContext& context) {
  if (context.now < state.next_try) {
    return wait_until(state.next_try);
  }
  milliseconds grace = state.removed_from_api || state.is_orphan
                           ? milliseconds{0}
                           : remaining_grace(*state.pod, context.wall_now);
  if (state.told_grace && !user_insists(state, grace)) {
    const SteadyTime grace_ends = state.delete_accepted_at + *state.told_grace;
    if (context.now < grace_ends + settings.deletion_slack) {
      const SteadyTime ask_at =
          context.pushes ? grace_ends + kAskAfterGrace : state.delete_accepted_at + kAskWhenPolled;
      return context.now < ask_at ? wait_until(ask_at) : act(ActionKind::Inspect);
    }
    grace = milliseconds{0};
  }
  Action action = act(ActionKind::Delete);
  action.grace = grace;
  action.delete_reason =
      state.is_orphan ? plugin::DeleteReason::Orphan : plugin::DeleteReason::Deleted;
  return action;
}

Action decide_update(const PodState& state, const DecideContext& context) {
  std::uint64_t changed = state.changed_material;
  if (state.pod->spec_hash != state.told_spec_hash) {
    // The mutable parts of a spec; which of them it was, the provider sees in the document.
    changed |= plugin::kChangedImage | plugin::kChangedResources |
               plugin::kChangedEphemeralContainers | plugin::kChangedDeadline;
  }
  if (state.metadata_hash != state.told_metadata_hash) {
    changed |= plugin::kChangedMetadata;
  }
  changed &= context.supported_updates;
  if (changed == 0) {
    return {};
  }
  if (context.now < state.next_try) {
    return wait_until(state.next_try);
  }
  Action action = act(ActionKind::Update);
  action.changed = changed;
  return action;
}

Action decide_create(const PodState& state,
                     plugin::CreateReason why,
                     const DecideContext& context) {
  const bool is_unchanged = state.pod->spec_hash == state.rejected_spec_hash &&
                            state.metadata_hash == state.rejected_metadata_hash;
  if (state.retry_when_changed && is_unchanged) {
    return {};
  }
  if (context.now < state.next_try && !state.retry_when_changed) {
    return wait_until(state.next_try);
  }
  Action action = act(ActionKind::Create);
  action.create_reason = why;
  return action;
}

Action decide_lost(const PodState& state, const Settings& settings, const DecideContext& context) {
  switch (settings.on_lost) {
    case OnLost::Wait:
      return {};  // a list or a push that shows it again is what changes something
    case OnLost::Recreate:
      // A pod that must not run twice is failed, whatever the policy says.
      if (state.pod->restart_policy != "Never") {
        return decide_create(state, plugin::CreateReason::Lost, context);
      }
      [[fallthrough]];
    case OnLost::Fail:
      return state.loss_handled ? Action{} : act(ActionKind::FailLost);
  }
  return {};
}

}  // namespace

milliseconds remaining_grace(const kube::PodRecord& pod, WallTime now) {
  // What no clock can count is more patience than anybody has.
  constexpr std::int64_t kLongest = std::int64_t{366} * 24 * 3600;
  const milliseconds asked =
      seconds{std::clamp(pod.deletion_grace_seconds, std::int64_t{0}, kLongest)};
  const auto ends = parse_time(pod.deletion_timestamp);
  if (!ends) {
    return asked;
  }
  if (*ends <= now) {
    return milliseconds{0};
  }
  return std::min(asked, std::chrono::duration_cast<milliseconds>(*ends - now));
}

Action decide(const PodState& state, const Settings& settings, const DecideContext& context) {
  if (state.call != CallKind::None) {
    return {};  // its return queues the pod again; a deletion has cancelled it
  }
  if (state.is_ending()) {
    return state.needs_delete() ? decide_deletion(state, settings, context)
                                : decide_removal(state, context);
  }
  if (state.pod->is_terminal() || state.observed_final) {
    return {};
  }
  switch (state.backend) {
    case Backend::Unknown:
      return context.now < state.next_try ? wait_until(state.next_try) : act(ActionKind::Inspect);
    case Backend::None:
    case Backend::Wanted:
      return decide_create(state,
                           state.wanted_again       ? plugin::CreateReason::Lost
                           : state.create_attempted ? plugin::CreateReason::Retry
                                                    : plugin::CreateReason::First,
                           context);
    case Backend::Present:
      return decide_update(state, context);
    case Backend::Lost:
      return decide_lost(state, settings, context);
    case Backend::Gone:
      // Deleted, and wanted after all: what ran is lost, what never ran is created again.
      return state.ever_started ? decide_lost(state, settings, context)
                                : decide_create(state, plugin::CreateReason::Retry, context);
  }
  return {};
}

}  // namespace vkhost::pods
