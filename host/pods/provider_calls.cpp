// create_pod and delete_pod: the calls themselves, without a lock, and what follows from their outcome.
// The end of each call queues the pod again. update_pod is in updates.cpp.
#include "base/failure_point.hpp"
#include "base/planted.hpp"
#include "pods/engine.hpp"
#include "pods/host_status.hpp"

#include <utility>

namespace vkhost::pods {
namespace {

std::uint64_t hash_of(std::uint64_t spec_hash, std::uint64_t metadata_hash) {
  return spec_hash * 31 + metadata_hash;
}

}  // namespace

// The call is over; `outcome` is what it says about the account (OK when it was not made).
void PodEngine::end_call(const Job& job, const Status& outcome) {
  PodState& state = *job.state;
  CallSlots& slots = state.call == CallKind::Delete ? deletes_ : calls_;
  const SteadyTime now = parts_.clock->steady_now();
  if (state.call == CallKind::Delete) {
    slots.give_back(job.permit);
    const bool is_outdated = deletes_.is_outdated(job.permit);
    if (!outcome.is_ok() && outcome.scope() == Scope::Provider && !is_outdated) {
      calls_.note_fault(outcome, now, *parts_.random);
    }
  } else {
    slots.withdraw(job.uid);
    slots.finish(job.permit, outcome, now, *parts_.random);
  }
  state.call = CallKind::None;
  state.call_cancel.reset();
  wake_waiting();
  queue_.add(job.uid);
}

// ---- Create

void PodEngine::create(Job& job) {
  tell_scheduled(job);
  plugin::CreateOutcome outcome;
  const auto material = parts_.material->material(*job.pod, std::nullopt, job.cancel->token());
  const bool called = material.is_ok() && !job.cancel->is_cancelled();
  if (!begin_create(job, called, called ? marks_of(*material) : MaterialMarks())) {
    return;
  }
  if (called) {
    VKHOST_FAILURE_POINT(BeforeCreateCall);
    outcome =
        parts_.provider->create_pod({job.ref, job.pod->raw, *material, job.action.create_reason},
                                    call_options(job.cancel->token()));
    VKHOST_FAILURE_POINT(AfterCreateCall);
  } else {
    outcome.status = material.is_ok() ? cancelled("the pod was deleted") : material.status();
  }
  finish_create(job, std::move(outcome), called);
}

// False: that was it. What began to run while its material was resolved, by a call that had failed,
// may have ended as well, and what is gone may have run: that is asked first.
bool PodEngine::begin_create(Job& job, bool is_called, const MaterialMarks& marks) {
  const MutexLock lock(mutex_);
  PodState& state = *job.state;
  const bool is_gone = std::exchange(state.early_gone, false);
  const bool is_again = job.action.create_reason == plugin::CreateReason::Lost;
  state.early_error.reset();  // of the work before this call, which goes on from there
  if (state.order || (state.ever_started && !job.had_started) ||
      (is_gone && !is_again && state.may_have_run())) {
    end_call(job, cancelled("not called"));
    state.backend = Backend::Unknown;
    if (state.status_dirty) {
      schedule_write(job.uid, state);  // held back while the call was in flight
    }
    return false;
  }
  if (is_gone) {
    state.begun_hash = 0;
  }
  if (is_called) {
    if (!take_slot(job)) {
      if (state.status_dirty) {
        schedule_write(job.uid, state);
      }
      return false;
    }
    note_call(job, CallKind::Create);
    if (job.event_at) {
      state.created_event_at = job.event_at;
    }
    // A call that fails may have left work behind, with this material or that of the call before.
    state.told_material = state.begun_hash == 0 ? marks : MaterialMarks();
    state.create_attempted = !VKHOST_PLANTED(CreateAttemptForgotten);
    state.named = true;
    state.told_grace.reset();
    state.accepted = CallKind::Create;
  }
  return true;
}

// What the provider has been told: this pod, or another one by a call before that had failed.
void PodEngine::note_created(const Job& job) {
  PodState& state = *job.state;
  const bool is_new =
      state.begun_hash == 0 || state.begun_hash == hash_of(job.pod->spec_hash, job.metadata_hash);
  state.created_spec_hash = is_new ? job.pod->spec_hash : 0;
  state.created_metadata_hash = is_new ? job.metadata_hash : 0;
  state.begun_hash = 0;
  state.resize.reset();
  state.ephemeral_refusal.reset();
  state.deferred = 0;
  state.observed_generation = is_new ? job.pod->generation : 0;
  if (is_new) {
    state.told.accept(kPodParts, {job.pod->parts, job.metadata_hash});
  } else {
    state.told.forget(kPodParts);
  }
}

// Spec 0: nobody knows which.
void PodEngine::note_begun(PodState& state, std::uint64_t spec_hash, std::uint64_t metadata_hash) {
  const std::uint64_t hash =
      spec_hash == 0 ? PodState::kUnknownPod : hash_of(spec_hash, metadata_hash);
  state.begun_hash =
      state.begun_hash == 0 || state.begun_hash == hash ? hash : PodState::kUnknownPod;
  state.created_spec_hash = 0;
  state.created_metadata_hash = 0;
  state.told.forget(kPodParts);
}

void PodEngine::finish_create(const Job& job, plugin::CreateOutcome outcome, bool was_called) {
  const Status& status = outcome.status;
  Reports reports;
  PodEvents pulling = status.is_ok() && tells_normal() ? pulling_events(*job.pod) : PodEvents();
  {
    const MutexLock lock(mutex_);
    PodState& state = *job.state;
    end_call(job, was_called ? status : cancelled("not called"));
    if (was_called && status.retry() == Retry::Never && calls_.is_outdated(job.permit)) {
      outcome.status = std::move(outcome.status).with_retry(Retry::Backoff);
    }
    state.create_returned_at = ++event_counter_;
    if (outcome.handle) {
      note_handle(job.uid, state, std::move(*outcome.handle));
    }
    if (status.is_ok()) {
      note_accepted(state, CallKind::Create);
      show_recovery(job.uid, state);
      state.backend = Backend::Present;
      state.was_accepted = true;
      if (!state.early_gone) {
        state.loss = Status::ok();
      }
      state.wanted_again = false;
      state.loss_handled = false;
      if (job.action.create_reason == plugin::CreateReason::Lost) {
        state.told_marks = ToldMarks();
      }
      note_created(job);
      note_told(job.uid, state);
      reports.push_back({job.pod, EventType::Normal, "ProviderCreateSuccess",
                         "Create pod in provider successfully"});
      add_reports(job.pod, std::move(pulling), state, &reports);
      take_early_news(job.uid, state, &reports);
    } else {
      // Until a new handle stands for the new attempt, whoever reported it.
      state.wanted_again =
          job.action.create_reason == plugin::CreateReason::Lost && state.handle == job.ref.handle;
      if (was_called) {
        if (status.retry() != Retry::Never) {
          note_begun(state, job.pod->spec_hash, job.metadata_hash);
        }
        set_wanted(state);
      }
      if (!state.is_ending() && !stop_.is_cancelled()) {
        const Tried tried{job.pod->spec_hash, job.metadata_hash};
        if (was_called) {
          create_failed(job.uid, state, status, tried, &reports);
        } else {
          create_not_ready(job.uid, state, status, tried, &reports);
        }
      }
      state.early_error.reset();
      state.early_gone = false;
    }
    if (state.status_dirty) {
      schedule_write(job.uid, state);  // held back while the call was in flight
    }
  }
  tell(reports);
  announce_fault();
}

// What ran once is not created again because of an error: whether it is still there has to be asked.
void PodEngine::set_wanted(PodState& state) {
  state.backend = state.ever_started && !state.wanted_again ? Backend::Unknown : Backend::Wanted;
}

void PodEngine::create_failed(const std::string& uid,
                              PodState& state,
                              const Status& status,
                              const Tried& tried,
                              Reports* reports) {
  if (status.scope() == Scope::Provider) {
    // Not this pod's fault: it neither backs off on its own nor is told off for it.
    note_retry(status);
    state.last_error = status;
    return;
  }
  note_failure(state, status);
  const bool is_final = note_rejection(state, status, tried);
  const std::string outlook = "; " + outlook_of(state);
  reports->push_back(
      {state.pod, EventType::Warning, "ProviderCreateFailed", status.message(), outlook});
  reports->push_back(
      {state.pod, EventType::Warning, "FailedCreate", status.message(), outlook, "", "", true});
  show_rejection(uid, state, status, is_final);
  show_failure(uid, state, status);
}

bool PodEngine::note_rejection(PodState& state, const Status& status, const Tried& tried) {
  state.retry_when_changed = status.retry() == Retry::Never;
  if (!state.retry_when_changed) {
    return false;
  }
  state.rejected_spec_hash = tried.spec_hash;
  state.rejected_metadata_hash = tried.metadata_hash;
  const bool has_changed_since =
      state.pod->spec_hash != tried.spec_hash || state.metadata_hash != tried.metadata_hash;
  // A pod that may run once only has no second chance: its owner must hear of it.
  return state.pod->restart_policy == "Never" && !has_changed_since;
}

void PodEngine::show_rejection(const std::string& uid,
                               PodState& state,
                               const Status& status,
                               bool is_final) {
  if (state.ever_started) {
    return;  // what ran has a status of its own, which says more
  }
  const std::string reason = status.reason().empty() ? "ProviderFailed" : status.reason();
  state.observed_status = rejected_status(*state.pod, reason, status.message(), is_final);
  state.observed_final = false;
  queue_status(uid, state);
}

// ---- Delete

void PodEngine::remove(Job& job) {
  const std::string_view document = job.pod ? std::string_view(job.pod->raw) : std::string_view();
  VKHOST_FAILURE_POINT(BeforeDeleteCall);
  note_call(job, CallKind::Delete);
  const Status status = parts_.provider->delete_pod(
      {job.ref, document, job.action.grace, job.action.delete_reason}, call_options(stop_.token()));
  VKHOST_FAILURE_POINT(AfterDeleteCall);
  finish_delete(job, status);
}

void PodEngine::finish_delete(const Job& job, const Status& status) {
  Reports reports;
  PodEvents killing =
      status.is_ok() && job.pod && tells_normal() ? killing_events(*job.pod) : PodEvents();
  {
    const MutexLock lock(mutex_);
    PodState& state = *job.state;
    end_call(job, status);
    if (status.is_ok() || status.code() == StatusCode::NotFound ||
        VKHOST_PLANTED(FailedDeleteForgotten)) {
      note_accepted(state, CallKind::Delete);
      show_recovery(job.uid, state);
      delete_accepted(job.action.grace, state);
      reports.push_back({job.pod, EventType::Normal, "ProviderDeleteSuccess",
                         "Delete pod in provider successfully"});
      add_reports(job.pod, std::move(killing), state, &reports);
      take_early_news(job.uid, state, &reports);
      if (!status.is_ok()) {
        state.backend = Backend::Gone;
      }
    } else if (!stop_.is_cancelled()) {
      note_failure(state, status);
      if (status.scope() != Scope::Provider) {
        show_failure(job.uid, state, status);
      }
      reports.push_back({job.pod, EventType::Warning, "ProviderDeleteFailed", status.message(),
                         "; " + outlook_of(state)});
      state.early_error.reset();
      take_early_news(job.uid, state, &reports);
    }
  }
  if (job.pod) {
    tell(reports);
  } else if (!status.is_ok() && status.code() != StatusCode::NotFound) {
    parts_.log.warn("deleting an orphan failed", {{"uid", job.uid}, observe::error_field(status)});
  }
  announce_fault();
}

void PodEngine::delete_accepted(std::chrono::milliseconds grace, PodState& state) {
  const SteadyTime now = parts_.clock->steady_now();
  state.told_grace = grace;
  state.delete_accepted_at = now;
  state.overdue_deletes += state.is_let_go() ? 1U : 0U;
  if (!state.is_ending()) {
    return;
  }
  // The first grace that the provider took on counts, and then only a shorter one.
  const SteadyTime limit = now + grace + settings_->deletion_limit;
  if (!std::exchange(state.delete_was_accepted, true) || limit < state.give_up_at) {
    state.give_up_at = limit;
  }
}

// News that overtook the return of the call that they belong to.
void PodEngine::take_early_news(const std::string& uid, PodState& state, Reports* reports) {
  const std::optional<Status> error = std::exchange(state.early_error, std::nullopt);
  if (std::exchange(state.early_gone, false)) {
    take_absence(uid, state);
  } else if (error) {
    take_error(uid, state, *error, reports);
  }
}

}  // namespace vkhost::pods
