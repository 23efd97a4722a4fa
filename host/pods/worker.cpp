// What a worker does with one pod: decide and take on a job under the lock, perform it without.
#include "pods/engine.hpp"
#include "pods/host_status.hpp"

#include <algorithm>
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

void PodEngine::work_on(const std::string& uid) {
  Job job;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      return;
    }
    calls_.withdraw(uid);
    deletes_.withdraw(uid);
    if (const StatePtr state = find_state(uid)) {
      offer_write(uid, *state);
      job = next_job(uid, state);
    }
    wake_waiting();
  }
  perform(job);
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
  job.action =
      decide(*state, settings_,
             {parts_.clock->steady_now(), parts_.clock->wall_now(),
              parts_.provider->capabilities().updates, parts_.provider->capabilities().pushes});
  if (job.action.kind == ActionKind::Nothing || job.action.kind == ActionKind::Wait) {
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
  switch (job.action.kind) {
    case ActionKind::Create:
      if (waits_for_namesake(uid, *state)) {
        state->last_error = failed_precondition(
            "the pod of the same name that was deleted before still has to leave the back end");
        job.action = {};  // its end queues this pod again
        break;
      }
      [[fallthrough]];
    case ActionKind::Update:
      if (may_call(job, calls_)) {
        state->call = job.action.kind == ActionKind::Create ? CallKind::Create : CallKind::Update;
        state->call_cancel = job.cancel = std::make_shared<CancelSource>(stop_.token());
        state->changed_material = 0;  // resolved after this; what changes meanwhile counts again
      }
      break;
    case ActionKind::Delete:
      if (may_call(job, deletes_)) {
        state->call = CallKind::Delete;
      }
      break;
    default:
      break;
  }
  return job;
}

bool PodEngine::may_call(Job& job, CallSlots& slots) {
  job.permit = slots.ask(job.uid, parts_.clock->steady_now());
  if (job.permit.granted) {
    return true;
  }
  if (job.permit.until) {
    PodState& state = *job.state;
    state.last_error = slots.fault();
    state.next_try_wall =
        parts_.clock->wall_now() + std::chrono::duration_cast<WallTime::duration>(
                                       *job.permit.until - parts_.clock->steady_now());
    state.next_try = *job.permit.until;
    job.action.kind = ActionKind::Wait;
    job.action.until = *job.permit.until;
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
    case ActionKind::Forget:
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

void PodEngine::fail_lost(const Job& job) {
  std::string observed;
  Status loss;
  {
    const MutexLock lock(mutex_);
    observed = job.state->observed_status;
    loss = job.state->loss;
  }
  LossReport lost = lost_status(*job.pod, observed, loss, parts_.clock->wall_now());
  {
    const MutexLock lock(mutex_);
    PodState& state = *job.state;
    if (state.backend != Backend::Lost && state.backend != Backend::Gone) {
      return;  // seen again meanwhile
    }
    state.observed_status = std::move(lost.status_json);
    state.loss_handled = true;
    queue_status(job.uid, state);
  }
  tell({{job.pod, EventType::Warning, lost.reason, lost.message}});
}

void PodEngine::remove_api(const Job& job) {
  const Status status = parts_.api->remove_pod(*job.pod, stop_.token());
  const MutexLock lock(mutex_);
  PodState& state = *job.state;
  if (status.is_ok()) {
    // The watch tells when it is gone; finalizers may keep it for long.
    state.removal_sent_at = parts_.clock->steady_now();
    note_success(state);
  } else if (status.code() == StatusCode::NotFound) {
    state.removed_from_api = true;
    note_success(state);
  } else if (!stop_.is_cancelled()) {
    note_failure(state, status);
  }
  queue_.add(job.uid);
}

// ---- Outcomes

void PodEngine::note_failure(PodState& state, const Status& status) {
  state.last_error = status;
  state.failures = std::max(state.failures, std::exchange(state.accepted_failures, 0)) + 1;
  const auto delay = status.retry() == Retry::After
                         ? std::max(status.retry_after(), std::chrono::milliseconds{1})
                         : backoff_delay(settings_.backoff, state.failures, *parts_.random);
  state.next_try = parts_.clock->steady_now() + delay;
  state.next_try_wall = parts_.clock->wall_now() + delay;
}

void PodEngine::note_success(PodState& state) {
  state.last_error = Status::ok();
  state.failures = 0;
  state.next_try = SteadyTime{};
  state.retry_when_changed = false;
}

// Accepted is not done: when the work fails after all, the back-off goes on where it was.
void PodEngine::note_accepted(PodState& state, CallKind call) {
  state.accepted = call;
  state.accepted_failures = std::max(state.accepted_failures, state.failures);
  note_success(state);
}

void PodEngine::tell(const Reports& reports) {
  for (const Report& report : reports) {
    parts_.events->pod_event(*report.pod, report.type, report.reason, report.message);
    if (report.type == EventType::Warning) {
      parts_.log.warn(report.message, {{"pod", report.pod->display_name()},
                                       {"uid", report.pod->uid},
                                       {"reason", report.reason}});
    }
  }
}

// One announcement at a time, so that the last one told is the last one true.
void PodEngine::announce_fault() {
  while (true) {
    Status fault;
    {
      const MutexLock lock(mutex_);
      fault = calls_.fault();
      if (announcing_ || announced_ == fault.to_string()) {
        return;
      }
      announcing_ = true;
      announced_ = fault.to_string();
    }
    parts_.faults->provider_fault(fault);
    const MutexLock lock(mutex_);
    announcing_ = false;
  }
}

}  // namespace vkhost::pods
