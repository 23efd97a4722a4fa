// What a worker does with one pod: decide and take on a job under the lock, perform it without.
#include "pods/engine.hpp"

#include <exception>
#include <optional>
#include <utility>

namespace vkhost::pods {

bool PodEngine::step_worker() {
  auto uid = queue_.try_take();
  if (!uid) {
    return false;
  }
  work_on(*uid);
  queue_.done(*uid);
  return true;
}

// Whatever escapes (a library's exception) costs this pod a back-off, and nobody else anything.
void PodEngine::work_on(const std::string& uid) {
  Job job;
  try {
    look_at(uid, &job);
    if (job.action.kind == ActionKind::Admit && admit(job)) {
      job = Job();
      look_at(uid, &job);
    }
    tell(job.reports);
    perform(job);
  } catch (const std::exception& error) {
    give_up_job(job, error.what());
  }
}

void PodEngine::give_up_job(const Job& job, std::string_view what) {
  parts_.log.error("working on a pod failed, it is tried again",
                   {{"uid", job.uid}, {"error", std::string(what)}});
  const MutexLock lock(mutex_);
  if (!job.state) {
    return queue_.add_at(job.uid, parts_.clock->steady_now() + settings_->backoff.cap);
  }
  const Status status = internal_error(std::string(what));
  if (job.state->call != CallKind::None && (job.cancel || job.permit.granted)) {
    end_call(job, cancelled("the call was not made or its outcome was lost"));
  }
  note_failure(*job.state, status);
  queue_.add(job.uid);
}

void PodEngine::look_at(const std::string& uid, Job* job) {
  job->uid = uid;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      return;
    }
    calls_.withdraw(uid);
    deletes_.withdraw(uid);
    if (const StatePtr state = find_state(uid)) {
      offer_write(uid, *state);
      *job = next_job(uid, state);
    }
    wake_waiting();
  }
}

// What was dirty and had to wait (for time, or for a failure's back-off) comes back through the work
// queue, which knows about time.
void PodEngine::offer_write(const std::string& uid, PodState& state) {
  if (state.handle_dirty && !state.status_dirty) {
    if (parts_.clock->steady_now() >= state.write_handle_at) {
      state.status_dirty = true;
    } else {
      queue_.add_at(uid, state.write_handle_at);
    }
  }
  if (state.status_dirty) {
    schedule_write(uid, state);
  }
}

PodEngine::Job PodEngine::next_job(const std::string& uid, const StatePtr& state) {
  Job job;
  job.uid = uid;
  job.state = state;
  refuse_unsupported(uid, *state, &job.reports);
  const plugin::Capabilities& capabilities = parts_.provider->capabilities();
  job.action = decide(*state, *settings_.now(),
                      {parts_.clock->steady_now(), parts_.clock->wall_now(), capabilities.updates,
                       capabilities.pushes, capabilities.native_deadline, parts_.node != nullptr});
  if (job.action.kind == ActionKind::Nothing || job.action.kind == ActionKind::Wait) {
    if (state->call == CallKind::None) {
      state->event_at.reset();  // it asked for nothing, or for something that has its time
    }
    return job;
  }
  if (job.action.kind == ActionKind::Forget) {
    forget(uid, *state);  // at once: an instant later the API might show the pod again
    job.action = {};
    return job;
  }
  job.pod = state->pod;
  job.ref = ref_of(*state);
  job.metadata_hash = state->metadata_hash;
  job.had_started = state->ever_started;
  switch (job.action.kind) {
    case ActionKind::Create:
      if (waits_for_namesake(uid, *state)) {
        wait_for_namesake(job);
        break;
      }
      state->waits_since.reset();
      [[fallthrough]];
    case ActionKind::Update:
      if (may_prepare(job)) {
        state->call = job.action.kind == ActionKind::Create ? CallKind::Create : CallKind::Update;
        job.event_at = std::exchange(state->event_at, std::nullopt);
        state->call_cancel = job.cancel = std::make_shared<CancelSource>(stop_.token());
        job.taken_material = state->changed_material;
        state->has_material_news = false;
        // Resolved after this; what changes meanwhile counts again. A create call does not bring it
        // to work that stands already.
        if (job.action.kind == ActionKind::Update) {
          state->changed_material &= ~job.action.changed;
        } else if (state->begun_hash == 0) {
          state->changed_material = 0;
        }
      }
      break;
    case ActionKind::Delete:
      if (!state->give_up_at && state->is_ending()) {
        state->give_up_at =
            parts_.clock->steady_now() + job.action.grace + settings_->deletion_limit;
      }
      if (may_call(job, deletes_)) {
        state->call = CallKind::Delete;
        job.event_at = std::exchange(state->event_at, std::nullopt);
        if (state->order) {
          state->order->was_called = true;
        }
      }
      break;
    case ActionKind::OrderEnd:
      order_for_deadline(job);
      break;
    case ActionKind::Inspect:
      if (state->backend == Backend::Present && !state->told_grace) {
        state->deadline_question = DeadlineQuestion::Asked;
      }
      break;
    default:
      break;
  }
  return job;
}

// The end of the other one queues this pod again.
void PodEngine::wait_for_namesake(Job& job) {
  constexpr std::chrono::seconds kNotWorthAWord{1};
  PodState& state = *job.state;
  const SteadyTime now = parts_.clock->steady_now();
  if (!state.waits_since) {
    state.waits_since = now;
  }
  const bool is_told = state.last_error.reason() == "WaitsForNamesake" && state.trouble;
  state.event_at.reset();
  state.last_error =
      failed_precondition(
          "the pod of the same name that was deleted before still has to leave the back end")
          .with_reason("WaitsForNamesake");
  job.action = {};
  if (now < *state.waits_since + kNotWorthAWord) {
    job.action.kind = ActionKind::Wait;
    job.action.until = *state.waits_since + kNotWorthAWord;
  } else if (!is_told) {
    show_trouble(job.uid, state, state.last_error, "created as soon as it has");
    job.reports.push_back(
        {state.pod, EventType::Warning, "WaitsForNamesake", state.last_error.message()});
  }
}

bool PodEngine::may_call(Job& job, CallSlots& slots) {
  const SteadyTime now = parts_.clock->steady_now();
  job.permit = now < calls_.quiet_until() ? CallSlots::Permit{.until = calls_.quiet_until()}
                                          : slots.ask(job.uid, now);
  return is_let_in(job, job.permit);
}

bool PodEngine::is_let_in(Job& job, const CallSlots::Permit& permit) {
  if (permit.granted) {
    return true;
  }
  if (permit.until) {
    const auto left = *permit.until - parts_.clock->steady_now();
    PodState& state = *job.state;
    state.event_at.reset();
    state.last_error = calls_.fault();
    state.unready = 0;
    state.next_try_wall =
        parts_.clock->wall_now() + std::chrono::duration_cast<WallTime::duration>(left);
    state.next_try = *permit.until;
    job.action.kind = ActionKind::Wait;
    job.action.until = *permit.until;
  } else {
    job.action = {};  // a call that ends hands its slot on
  }
  return false;
}

void PodEngine::wake_waiting() {
  for (CallSlots* slots : {&calls_, &deletes_}) {
    for (const std::string& uid : slots->wake()) {
      queue_.add(uid);
    }
  }
}

void PodEngine::perform(Job& job) {
  switch (job.action.kind) {
    case ActionKind::Nothing:
    case ActionKind::OrderEnd:
    case ActionKind::Forget:
    case ActionKind::Admit:  // and rejected, or it would be a create by now
      return;
    case ActionKind::Wait:
      return queue_.add_at(job.uid, job.action.until);
    case ActionKind::Create:
      return create(job);
    case ActionKind::Update:
      return update(job);
    case ActionKind::Delete:
      return remove(job);
    case ActionKind::Inspect:
      return inspect(job);
    case ActionKind::FailLost:
      return fail_lost(job);
    case ActionKind::ShowLost:
      return show_lost(job);
    case ActionKind::Conclude:
      return conclude(job);
    case ActionKind::GiveUp:
      return give_up_deletion(job);
    case ActionKind::EndAsOrdered:
      return end_as_ordered(job);
    case ActionKind::RemoveApi:
      return remove_api(job);
  }
}

void PodEngine::inspect(const Job& job) {
  constexpr std::chrono::seconds kAskAgain{5};
  const MutexLock lock(mutex_);
  if (job.state->named) {
    // list_pods is asked by one at a time, for all that wait for an answer at once.
    inspect_.insert(job.uid);
  } else {
    // The provider knows no such UID, so only a list of everything can tell.
    relisted_ = true;
    job.state->next_try = parts_.clock->steady_now() + kAskAgain;
    queue_.add_at(job.uid, job.state->next_try);
  }
  polls_.add(kPoll);
}

}  // namespace vkhost::pods
