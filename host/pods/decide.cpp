#include "pods/decide.hpp"

#include "base/planted.hpp"

#include <algorithm>

namespace vkhost::pods {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How long after its grace a deletion is asked about whose end should have been pushed, and how long
// after its acceptance one that nobody pushes.
constexpr seconds kAskAfterGrace{5};
constexpr seconds kAskWhenPolled{2};
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
  // Who tracks finished pods (a Job's controller) looks at terminal ones only.
  const bool has_last_word = state.observed_final && !state.is_status_refused();
  if (!state.concluded && !state.pod->is_terminal() && !has_last_word) {
    return act(ActionKind::Conclude);
  }
  if (state.status_dirty || state.status_writing) {
    if (!state.write_patience_ends) {
      return {};  // the status writer comes first and queues this pod again
    }
    if (context.now < *state.write_patience_ends) {
      return wait_until(*state.write_patience_ends);
    }
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

// Deletions that were given up come at growing distances.
milliseconds slack_of(const PodState& state, const Settings& settings) {
  const milliseconds longest = std::max(settings.deletion_slack, settings.backoff.cap);
  const std::uint32_t doublings = std::min(state.overdue_deletes, 10U);
  return std::min(settings.deletion_slack * (1U << doublings), longest);
}

milliseconds whole_grace(const PodState& state, const DecideContext& context) {
  if (state.removed_from_api || state.is_orphan) {
    return milliseconds{0};
  }
  return state.order && !state.is_ending() ? state.order->grace.value_or(own_grace(*state.pod))
                                           : remaining_grace(*state.pod, context.wall_now);
}

plugin::DeleteReason delete_reason(const PodState& state) {
  if (state.is_orphan) {
    return plugin::DeleteReason::Orphan;
  }
  if (state.is_ending()) {
    return plugin::DeleteReason::Deleted;
  }
  if (state.rejected) {
    return plugin::DeleteReason::Rejected;
  }
  if (!state.order) {
    return plugin::DeleteReason::Finished;
  }
  return state.order->why == EndOrder::Why::Eviction ? plugin::DeleteReason::Evicted
                                                     : plugin::DeleteReason::Deadline;
}

Action decide_deletion(const PodState& state,
                       const Settings& settings,
                       const DecideContext& context) {
  if (context.now < state.next_try) {
    return wait_until(state.next_try);
  }
  milliseconds grace = whole_grace(state, context);
  if (state.told_grace && !user_insists(state, grace)) {
    const SteadyTime grace_ends = state.delete_accepted_at + *state.told_grace;
    if (context.now < grace_ends + slack_of(state, settings)) {
      const SteadyTime ask_at =
          context.pushes ? grace_ends + kAskAfterGrace : state.delete_accepted_at + kAskWhenPolled;
      return context.now < ask_at ? wait_until(ask_at) : act(ActionKind::Inspect);
    }
    grace = milliseconds{0};
  }
  Action action = act(ActionKind::Delete);
  action.grace = grace;
  action.delete_reason = delete_reason(state);
  return action;
}

Action sooner(const Action& one, const Action& other) {
  if (one.kind != ActionKind::Wait) {
    return one.kind == ActionKind::Nothing ? other : one;
  }
  return other.kind == ActionKind::Nothing ||
                 (other.kind == ActionKind::Wait && one.until < other.until)
             ? one
             : other;
}

Action decide_ending(const PodState& state,
                     const Settings& settings,
                     const DecideContext& context) {
  if (!state.needs_delete()) {
    return decide_removal(state, context);
  }
  const Action deletion = decide_deletion(state, settings, context);
  if (state.is_orphan || state.removed_from_api) {
    return deletion;
  }
  if (state.overdue) {
    const Action removal = decide_removal(state, context);
    return removal.kind == ActionKind::RemoveApi ? removal : sooner(deletion, removal);
  }
  if (settings.deletion_limit.count() == 0 || !state.give_up_at) {
    return deletion;
  }
  return context.now >= *state.give_up_at ? act(ActionKind::GiveUp)
                                          : sooner(deletion, wait_until(*state.give_up_at));
}

// Of a pod that has ended the provider keeps what it likes (logs), until its object goes or for as
// long as is set.
Action decide_finished(const PodState& state,
                       const Settings& settings,
                       const DecideContext& context) {
  if (state.rejected) {
    // An earlier process may have begun with it.
    return state.needs_delete() ? decide_deletion(state, settings, context) : Action{};
  }
  const bool may_be_kept = state.backend == Backend::Present || state.backend == Backend::Unknown;
  if (settings.keep_finished.count() == 0 || !may_be_kept || !state.pod->is_terminal() ||
      !state.finished_at) {
    return {};
  }
  const SteadyTime due = *state.finished_at + settings.keep_finished;
  return context.now < due ? wait_until(due) : decide_deletion(state, settings, context);
}

// A pod that has to end though its object stays. Its last status waits for the end of its containers or
// of the grace, not for the end of the workload.
Action decide_ordered(const PodState& state,
                      const Settings& settings,
                      const DecideContext& context) {
  const EndOrder& order = *state.order;
  const bool grace_runs = state.told_grace.has_value();
  const SteadyTime grace_ends =
      state.delete_accepted_at + state.told_grace.value_or(milliseconds{0}) + kAskAfterGrace;
  // Before it is told to end, a container that has ended may be about to start again.
  const bool is_over = (order.containers_ended && grace_runs) || !state.needs_delete() ||
                       state.backend == Backend::None || state.backend == Backend::Lost ||
                       (grace_runs && context.now >= grace_ends);
  if (is_over && !order.is_concluded) {
    return act(ActionKind::EndAsOrdered);
  }
  if (!order.is_marked && !VKHOST_PLANTED(EvictionNotMarked)) {
    if (!state.write_patience_ends) {
      return {};  // the status writer comes first and queues this pod again
    }
    if (context.now < *state.write_patience_ends) {
      return wait_until(*state.write_patience_ends);
    }
  }
  if (!state.needs_delete()) {
    return {};
  }
  const Action deletion = decide_deletion(state, settings, context);
  return grace_runs && !order.is_concluded ? sooner(deletion, wait_until(grace_ends)) : deletion;
}

Action decide_deadline(const PodState& state, const DecideContext& context) {
  constexpr std::chrono::minutes kClocksMayMove{10};
  const auto due = context.native_deadline ? std::nullopt : active_deadline(*state.pod);
  if (!due) {
    return {};
  }
  if (context.wall_now < *due) {
    return wait_until(context.now +
                      std::min<SteadyTime::duration>(*due - context.wall_now, kClocksMayMove));
  }
  // Whether it has ended in time is for the provider to say.
  const bool may_have_ended =
      (state.backend == Backend::Present || state.backend == Backend::Unknown) &&
      (!context.pushes || state.observed_status.empty());
  if (may_have_ended && state.deadline_question != DeadlineQuestion::Answered) {
    return context.now < state.next_try ? wait_until(state.next_try) : act(ActionKind::Inspect);
  }
  return act(ActionKind::OrderEnd);
}

Action decide_update(const PodState& state, const DecideContext& context) {
  std::uint64_t changed =
      (state.told.changed(state.parts()) | state.changed_material) & context.supported_updates;
  if (changed == 0) {
    return {};
  }
  if (context.now < state.quiet_until) {
    changed &= ~state.quiet_material;
    if (changed == 0) {
      return wait_until(state.quiet_until);
    }
  }
  if (context.now < state.next_try) {
    changed &= state.unready == 0 ? std::uint64_t{0} : ~state.unready;
    if (changed == 0) {
      return wait_until(state.next_try);
    }
  }
  if (context.now < state.deferred_until) {
    changed &= ~state.deferred;
  }
  if (changed == 0) {
    return wait_until(state.deferred_until);
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
  if (context.admits && !state.admitted) {
    return act(ActionKind::Admit);
  }
  Action action = act(ActionKind::Create);
  action.create_reason = why;
  return action;
}

Action decide_lost(const PodState& state, const Settings& settings, const DecideContext& context) {
  const OnLost policy = state.own_policy.on_lost.value_or(settings.on_lost);
  // A pod that must not run twice is failed, whatever the policy says.
  const bool recreate = policy == OnLost::Recreate &&
                        (state.pod->restart_policy != "Never" || VKHOST_PLANTED(NeverPodRunAgain));
  if (!recreate && policy != OnLost::Wait) {
    return state.loss_handled && !state.shows_loss ? Action{} : act(ActionKind::FailLost);
  }
  if (!state.loss_handled) {
    return act(ActionKind::ShowLost);
  }
  // While it waits, a list or a push that shows it again is what changes something.
  return recreate ? decide_create(state, plugin::CreateReason::Lost, context) : Action{};
}

// What a pod needs that lives, as far as anybody knows.
Action decide_life(const PodState& state, const Settings& settings, const DecideContext& context) {
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
      return state.may_have_run() ? decide_lost(state, settings, context)
                                  : decide_create(state, plugin::CreateReason::Retry, context);
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
    return decide_ending(state, settings, context);
  }
  if (state.order) {
    return decide_ordered(state, settings, context);
  }
  if (state.pod->is_terminal() || state.observed_final || state.end_sent) {
    return decide_finished(state, settings, context);
  }
  const Action deadline = decide_deadline(state, context);
  const bool is_due = deadline.kind == ActionKind::OrderEnd || deadline.kind == ActionKind::Inspect;
  return is_due ? deadline : sooner(decide_life(state, settings, context), deadline);
}

}  // namespace vkhost::pods
