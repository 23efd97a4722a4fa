// The end of pods: lost ones, deletions that nobody confirms, and the removal of API objects.
#include "base/failure_point.hpp"
#include "pods/engine.hpp"
#include "pods/host_status.hpp"

#include <string>
#include <utility>

namespace vkhost::pods {

// ---- Lost pods

void PodEngine::fail_lost(const Job& job) {
  VKHOST_FAILURE_POINT(BeforeLossFails);
  std::string observed;
  Status loss;
  std::string problem;
  {
    const MutexLock lock(mutex_);
    observed = job.state->observed_status;
    loss = job.state->loss;
    problem = job.state->own_policy.problem;
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
    state.shows_loss = false;
    queue_status(job.uid, state);
  }
  if (!problem.empty()) {
    lost.message += "; " + problem;
  }
  tell({{job.pod, EventType::Warning, lost.reason, lost.message}});
}

// The pod goes on, or waits: nobody should send it requests meanwhile.
void PodEngine::show_lost(const Job& job) {
  VKHOST_FAILURE_POINT(BeforeLossShows);
  Report report{job.pod, EventType::Warning, "", ""};
  {
    const MutexLock lock(mutex_);
    PodState& state = *job.state;
    if (state.backend != Backend::Lost && state.backend != Backend::Gone) {
      return;  // seen again meanwhile
    }
    state.loss_handled = true;
    state.shows_loss = true;
    queue_status(job.uid, state);
    queue_.add(job.uid);
    report.reason = state.loss.reason().empty() ? "ProviderLost" : state.loss.reason();
    report.message = loss_message(state);
  }
  tell({report});
}

std::string PodEngine::loss_message(const PodState& state) {
  std::string message = "The workload of this pod does not exist any more";
  for (const std::string& more : {state.loss.message(), state.own_policy.problem}) {
    message += more.empty() ? more : "; " + more;
  }
  return message;
}

// ---- Deletions

void PodEngine::conclude(const Job& job) {
  VKHOST_FAILURE_POINT(BeforeConclusion);
  write_end(job, Status::ok());
}

// A terminal status of the host's own, where there is none. False: the pod came back meanwhile.
bool PodEngine::write_end(const Job& job, const Status& why) {
  std::string observed;
  {
    const MutexLock lock(mutex_);
    observed = job.state->observed_status;
  }
  std::string status_json = concluded_status(*job.pod, observed, why, parts_.clock->wall_now());
  const MutexLock lock(mutex_);
  PodState& state = *job.state;
  queue_.add(job.uid);
  if (!state.is_ending()) {
    return false;
  }
  state.concluded = true;
  const bool has_last_word = state.observed_final && !state.is_status_refused();
  if (!state.pod->is_terminal() && !has_last_word && !state.removed_from_api) {
    state.observed_status = std::move(status_json);
    state.observed_final = true;
    queue_status(job.uid, state);
  }
  return true;
}

void PodEngine::give_up_deletion(const Job& job) {
  Status last_error;
  {
    const MutexLock lock(mutex_);
    last_error = job.state->last_error;
  }
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(settings_->deletion_limit);
  std::string message = "The provider has not confirmed the deletion within " +
                        std::to_string(limit.count()) +
                        " s after the grace period; the object is removed and the workload is "
                        "deleted on";
  if (!last_error.is_ok()) {
    message += ": " + last_error.message();
  }
  if (!write_end(job, deadline_exceeded(message).with_reason("DeletionTimeout"))) {
    return;
  }
  {
    const MutexLock lock(mutex_);
    PodState& state = *job.state;
    state.overdue = true;
    state.failures = 0;
    state.next_try = SteadyTime{};
    wake_namesakes(state);
  }
  tell({{job.pod, EventType::Warning, "DeletionTimeout", message}});
}

void PodEngine::remove_api(const Job& job) {
  VKHOST_FAILURE_POINT(BeforeRemoval);
  const Status status = parts_.api->remove_pod(*job.pod, stop_.token());
  VKHOST_FAILURE_POINT(AfterRemoval);
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
    if (!is_answer(status)) {
      state.write_patience_ends.reset();  // not the status alone: it still goes first
    }
  }
  queue_.add(job.uid);
}

}  // namespace vkhost::pods
