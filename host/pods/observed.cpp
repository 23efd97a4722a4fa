// What the provider pushes: statuses and `gone` in the order of their seq, annotations and errors
// always. What arrives while a call for the pod is under way and belongs to its end waits for it.
#include "base/failure_point.hpp"
#include "base/planted.hpp"
#include "pods/engine.hpp"
#include "pods/host_status.hpp"

#include <memory>
#include <utility>

namespace vkhost::pods {

Status PodEngine::pod_changed(plugin::PodChange change) {
  const StatusFacts facts = status_facts(change.status_json.value_or(""));  // parses: no lock yet
  Reports reports;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      return cancelled("the host is stopping");
    }
    const StatePtr found = find_state(change.uid);
    if (!found) {
      return not_found("no pod with UID " + change.uid + " belongs to this node");
    }
    PodState& state = *found;
    for (auto& [name, value] : change.annotations) {
      state.pending_annotations[name] = std::move(value);
    }
    if (!change.annotations.empty()) {
      queue_status(change.uid, state);
    }
    const bool is_current = change.seq >= state.seq || VKHOST_PLANTED(StalePushWins);
    if (is_current && change.status_json) {
      state.seq = change.seq;
      take_status(change.uid, state, std::move(*change.status_json), facts);
    } else if (facts.started && !state.ever_started) {
      take_old_start(change.uid, state);
    }
    if (change.gone) {
      if (is_current) {
        state.seq = change.seq;
        state.loss = change.error.value_or(Status::ok());
        take_absence(change.uid, state);
      }
    } else if (change.error) {
      take_error(change.uid, state, *change.error, &reports);
    }
  }
  tell(reports);
  announce_fault();
  return Status::ok();
}

void PodEngine::take_status(const std::string& uid,
                            PodState& state,
                            std::string status_json,
                            const StatusFacts& facts) {
  if (facts.started) {
    state.ever_started = true;
    state.accepted_failures = 0;  // it got somewhere
    if (!facts.final) {
      take_presence(uid, state);
      if (state.backend == Backend::Present && !state.running_since) {
        state.running_since = parts_.clock->steady_now();
      }
    }
  }
  const bool has_ended = state.end_sent || (state.order && state.order->is_concluded);
  if (state.rejected || (has_ended && !facts.final)) {
    return;  // no pod comes back from its end, and a rejected one keeps the reason that it has
  }
  if (facts.final && outlived_deadline(state, status_json)) {
    // An earlier process stopped it and ended before it could say so.
    auto order = std::make_shared<EndOrder>(deadline_order());
    order->was_called = true;
    state.order = std::move(order);
  }
  if (state.order) {
    note_ordered_status(state, facts, &status_json);
  }
  if (state.order && state.order->containers_ended && !state.order->is_concluded) {
    queue_.add(uid);
  }
  const bool showed_loss = std::exchange(state.shows_loss, false);
  if (status_json == state.observed_status && !showed_loss) {
    return;
  }
  state.observed_status = std::move(status_json);
  state.observed_final = facts.final;
  if (!state.removed_from_api) {
    note_news(state);
    queue_status(uid, state);
  }
}

void PodEngine::take_error(const std::string& uid,
                           PodState& state,
                           const Status& error,
                           Reports* reports) {
  if (state.call != CallKind::None) {
    state.early_error = error;
    return;
  }
  if (error.scope() == Scope::Provider) {
    calls_.note_fault(error, parts_.clock->steady_now(), *parts_.random);
    wake_waiting();
  }
  queue_.add(uid);
  if (state.accepted == CallKind::Delete) {
    state.told_grace.reset();  // the deletion is asked for again
    note_failure(state, error);
    if (state.pod) {
      reports->push_back({state.pod, EventType::Warning, "ProviderDeleteFailed", error.message(),
                          "; " + outlook_of(state)});
      if (error.scope() != Scope::Provider) {
        show_failure(uid, state, error);
      }
    }
  } else if (state.is_ending() || state.end_sent || state.order || state.rejected) {
    state.last_error = error;  // its deletion comes anyway, or it has ended
  } else if (state.accepted == CallKind::Update) {
    update_work_failed(uid, state, error, reports);
  } else {
    state.create_attempted = true;  // by an earlier process, it may be
    Tried tried{state.created_spec_hash, state.created_metadata_hash};
    note_begun(state, tried.spec_hash, tried.metadata_hash);
    set_wanted(state);
    if (tried.spec_hash == 0) {  // not known: as if it were the present one
      tried = {state.pod->spec_hash, state.metadata_hash};
    }
    create_failed(uid, state, error, tried, reports);
  }
}

// Overtaken by newer news, but a start stays true: whether it still runs has to be asked before it is
// created again.
void PodEngine::take_old_start(const std::string& uid, PodState& state) {
  state.ever_started = true;
  if (state.backend == Backend::None || (state.backend == Backend::Wanted && !state.wanted_again)) {
    state.backend = Backend::Unknown;
    queue_.add(uid);
  }
}

// Nothing of it is left. After a deletion that is the end of it, else the workload is lost.
void PodEngine::take_absence(const std::string& uid, PodState& state) {
  if (state.call != CallKind::None) {
    state.early_gone = !VKHOST_PLANTED(EarlyGoneDropped);
    return;
  }
  VKHOST_FAILURE_POINT(AfterAbsence);
  state.begun_hash = 0;
  if (state.told_grace || state.is_orphan) {
    state.backend = Backend::Gone;
  } else if (state.backend != Backend::Gone) {
    const bool never_began =
        !state.ever_started && !state.loss.is_ok() && state.loss.effect() == Effect::None;
    const bool is_news = state.backend == Backend::Present || state.backend == Backend::Unknown;
    state.backend = state.may_have_run() && !never_began ? Backend::Lost : Backend::None;
    if (is_news && !state.is_ending()) {
      note_absence(state);
    }
  }
  queue_.add(uid);
}

void PodEngine::take_presence(const std::string& uid, PodState& state) {
  state.create_attempted = true;
  state.was_accepted = true;
  keep_seat(state, false);
  if (state.backend == Backend::Present || state.backend == Backend::Gone ||
      state.call == CallKind::Create) {
    return;
  }
  if (state.backend == Backend::Wanted && !state.ever_started) {
    return;  // work on it failed: create_pod is due, whatever is left of it
  }
  state.backend = Backend::Present;
  state.loss = Status::ok();
  state.loss_handled = false;
  if (std::exchange(state.shows_loss, false)) {
    queue_status(uid, state);
  }
  state.wanted_again = false;
  note_success(state);
  show_recovery(uid, state);
  queue_.add(uid);
}

}  // namespace vkhost::pods
