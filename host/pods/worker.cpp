// What a worker does with one pod: decide, act without a lock, note the outcome.
#include "pods/engine.hpp"
#include "pods/status_merge.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {

void PodEngine::worker_loop() {
  while (auto uid = queue_.take()) {
    work_on(*uid);
    queue_.done(*uid);
  }
}

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
  Action action;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end() || stopping_) {
      return;
    }
    PodState& state = *found->second;
    if (state.status_dirty && !state.status_writing && !state.create_in_flight) {
      // A write that failed comes back through this queue, which knows about time.
      if (parts_.clock->steady_now() >= state.write_again_at) {
        dirty_.put(uid, true);
      } else {
        queue_.add_at(uid, state.write_again_at);
      }
    }
    action = decide(state, settings_,
                    {parts_.clock->steady_now(), parts_.clock->wall_now(),
                     parts_.provider->capabilities().updates});
  }
  switch (action.kind) {
    case ActionKind::Nothing:
      return;
    case ActionKind::Wait:
      return queue_.add_at(uid, action.until);
    case ActionKind::Create:
      return do_create(uid, action);
    case ActionKind::Update:
      return do_update(uid, action);
    case ActionKind::Delete:
      return do_delete(uid, action);
    case ActionKind::Inspect:
      return do_inspect(uid);
    case ActionKind::FailLost:
      return do_fail_lost(uid);
    case ActionKind::RemoveApi:
      return do_remove_api(uid);
    case ActionKind::Forget:
      return forget(uid);
  }
}

bool PodEngine::may_call_provider(SteadyTime now, SteadyTime* until) {
  MutexLock lock(mutex_);
  if (!held_until_) {
    return true;
  }
  if (now >= *held_until_ && !probing_) {
    probing_ = true;
    return true;
  }
  // While the probe is under way the others look again a moment later.
  *until = std::max(*held_until_, now + std::chrono::seconds{1});
  return false;
}

void PodEngine::note_provider_outcome(const Status& status) {
  const bool is_fault = !status.is_ok() && status.scope() == Scope::Provider;
  {
    MutexLock lock(mutex_);
    if (!is_fault) {
      // Whatever else went wrong, the account works again.
      probing_ = false;
      if (!held_until_) {
        return;
      }
      held_until_.reset();
      provider_failures_ = 0;
    } else {
      probing_ = false;
      auto delay = status.retry() == Retry::After
                       ? std::max(status.retry_after(), std::chrono::milliseconds{1})
                       : backoff_delay(settings_.backoff, ++provider_failures_, *parts_.random);
      held_until_ = parts_.clock->steady_now() + delay;
    }
  }
  parts_.faults->provider_fault(is_fault ? status : Status::ok());
}

void PodEngine::note_failure(PodState& state, const Status& status) {
  state.last_error = status;
  ++state.failures;
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

void PodEngine::do_create(const std::string& uid, const Action& action) {
  SteadyTime until{};
  if (!may_call_provider(parts_.clock->steady_now(), &until)) {
    return queue_.add_at(uid, until);
  }
  kube::PodPtr pod;
  plugin::PodRef ref;
  std::shared_ptr<CancelSource> cancel;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end() || found->second->pod->is_deleting()) {
      probing_ = false;
      return queue_.add(uid);
    }
    PodState& state = *found->second;
    pod = state.pod;
    ref = ref_of(state);
    cancel = std::make_shared<CancelSource>(stop_.token());
    state.create_in_flight = true;
    state.create_cancel = cancel;
  }
  plugin::CreateOutcome outcome;
  auto material = parts_.material->material(*pod, cancel->token());
  bool called = false;
  if (material.is_ok()) {
    {
      MutexLock lock(mutex_);
      pods_.at(uid)->create_attempted = true;
    }
    called = true;
    outcome = parts_.provider->create_pod({ref, pod->raw, *material, action.create_reason},
                                          call_options(cancel->token()));
  } else {
    outcome.status = material.status();
  }
  if (called) {
    note_provider_outcome(outcome.status);
  } else {
    MutexLock lock(mutex_);
    probing_ = false;
  }
  finish_create(uid, pod, std::move(outcome));
}

void PodEngine::finish_create(const std::string& uid,
                              const kube::PodPtr& pod,
                              plugin::CreateOutcome outcome) {
  const Status status = outcome.status;
  bool rejected = false;
  bool is_final = false;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end()) {
      return;
    }
    PodState& state = *found->second;
    state.create_in_flight = false;
    state.create_cancel.reset();
    state.create_returned_at = ++event_counter_;
    if (outcome.handle && *outcome.handle != state.handle) {
      state.handle = *outcome.handle;
      state.pending_annotations[std::string(kube::kHandleAnnotation)] = state.handle;
      state.pending_annotations[std::string(kube::kHandleUidAnnotation)] = uid;
      queue_status(uid, state);
    }
    if (status.is_ok()) {
      note_success(state);
      // News that a provider pushed before its call returned may be further on already.
      if (state.backend != Backend::Gone) {
        state.backend = Backend::Present;
      }
      state.told_spec_hash = pod->spec_hash;
      state.told_metadata_hash = pod->metadata_hash;
    } else {
      state.backend = Backend::Wanted;
      if (!stop_.is_cancelled()) {
        note_failure(state, status);
      }
      rejected = status.code() != StatusCode::Cancelled && !state.removed_from_api &&
                 !state.pod->is_deleting();
      if (status.retry() == Retry::Never) {
        state.retry_when_changed = true;
        state.rejected_spec_hash = pod->spec_hash;
        // A pod that may run once only has no second chance: its owner must hear of it.
        is_final = pod->restart_policy == "Never";
      }
    }
    if (state.status_dirty) {
      dirty_.put(uid, true);  // held back while the call was in flight
    }
  }
  if (status.is_ok()) {
    parts_.events->pod_event(*pod, EventType::Normal, "ProviderCreateSuccess",
                             "Create pod in provider successfully");
  } else if (rejected) {
    parts_.log.warn("creating a pod failed",
                    {{"pod", pod->display_name()}, {"uid", uid}, observe::error_field(status)});
    parts_.events->pod_event(*pod, EventType::Warning, "ProviderCreateFailed", status.message());
    reject(uid, status, is_final);
  }
  queue_.add(uid);
}

void PodEngine::reject(const std::string& uid, const Status& status, bool is_final) {
  const std::string reason = status.reason().empty() ? "ProviderFailed" : status.reason();
  MutexLock lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end() || found->second->ever_started) {
    return;  // what ran has a status of its own, which says more
  }
  PodState& state = *found->second;
  state.observed_status = rejected_status(*state.pod, reason, status.message(), is_final);
  queue_status(uid, state);
}

void PodEngine::do_update(const std::string& uid, const Action& action) {
  SteadyTime until{};
  if (!may_call_provider(parts_.clock->steady_now(), &until)) {
    return queue_.add_at(uid, until);
  }
  kube::PodPtr pod;
  plugin::PodRef ref;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end()) {
      probing_ = false;
      return;
    }
    pod = found->second->pod;
    ref = ref_of(*found->second);
  }
  Status status;
  std::vector<plugin::UpdateAnswer> answers;
  auto material = parts_.material->material(*pod, stop_.token());
  if (material.is_ok()) {
    auto updated = parts_.provider->update_pod({ref, pod->raw, *material, action.changed},
                                               call_options(stop_.token()));
    status = updated.status();
    if (updated.is_ok()) {
      answers = std::move(*updated);
    }
    note_provider_outcome(status);
  } else {
    status = material.status();
    MutexLock lock(mutex_);
    probing_ = false;
  }
  std::string refused;
  std::uint64_t deferred = 0;
  for (const plugin::UpdateAnswer& answer : answers) {
    if (answer.outcome == plugin::UpdateOutcome::Deferred) {
      deferred |= answer.changed & action.changed;
    } else if (answer.outcome != plugin::UpdateOutcome::Applied &&
               answer.outcome != plugin::UpdateOutcome::AppliedByRestart && !answer.text.empty()) {
      refused += (refused.empty() ? "" : "; ") + answer.text;
    }
  }
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end()) {
      return;
    }
    PodState& state = *found->second;
    if (status.is_ok() && deferred == 0) {
      note_success(state);
      state.told_spec_hash = pod->spec_hash;
      state.told_metadata_hash = pod->metadata_hash;
    } else {
      if (status.code() == StatusCode::NotFound) {
        state.backend = Backend::Unknown;  // ask before anything is concluded
      }
      note_failure(state,
                   status.is_ok() ? unavailable("the provider deferred the update") : status);
      if (status.retry() == Retry::Never && !status.is_ok()) {
        state.told_spec_hash = pod->spec_hash;  // not until it changes again
        state.told_metadata_hash = pod->metadata_hash;
      }
    }
  }
  if (!status.is_ok()) {
    parts_.events->pod_event(*pod, EventType::Warning, "ProviderUpdateFailed", status.message());
  } else if (!refused.empty()) {
    parts_.events->pod_event(*pod, EventType::Warning, "ProviderUpdateRefused", refused);
  } else if (deferred == 0) {
    parts_.events->pod_event(*pod, EventType::Normal, "ProviderUpdateSuccess",
                             "Update pod in provider successfully");
  }
  queue_.add(uid);
}

void PodEngine::do_delete(const std::string& uid, const Action& action) {
  kube::PodPtr pod;
  plugin::PodRef ref;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end()) {
      return;
    }
    pod = found->second->pod;
    ref = ref_of(*found->second);
  }
  const std::string_view document = pod ? std::string_view(pod->raw) : std::string_view();
  const Status status = parts_.provider->delete_pod(
      {ref, document, action.grace, action.delete_reason}, call_options(stop_.token()));
  const bool not_there = status.code() == StatusCode::NotFound;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end()) {
      return;
    }
    PodState& state = *found->second;
    if (status.is_ok() || not_there) {
      note_success(state);
      state.told_grace = action.grace;
      state.delete_accepted_at = parts_.clock->steady_now();
      if (not_there) {
        state.backend = Backend::Gone;
      }
    } else if (!stop_.is_cancelled()) {
      note_failure(state, status);
    }
  }
  if (pod && !status.is_ok() && !not_there && !stop_.is_cancelled()) {
    parts_.events->pod_event(*pod, EventType::Warning, "ProviderDeleteFailed", status.message());
  } else if (pod && (status.is_ok() || not_there)) {
    parts_.events->pod_event(*pod, EventType::Normal, "ProviderDeleteSuccess",
                             "Delete pod in provider successfully");
  }
  queue_.add(uid);
}

void PodEngine::do_inspect(const std::string& uid) {
  // list_pods is asked by one thread only, for all that wait for an answer at once.
  MutexLock lock(mutex_);
  inspect_.insert(uid);
  poll_changed_.notify_all();
}

void PodEngine::do_fail_lost(const std::string& uid) {
  kube::PodPtr pod;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end()) {
      return;
    }
    PodState& state = *found->second;
    pod = state.pod;
    state.observed_status = lost_status(*pod, parts_.clock->wall_now());
    state.final_status_written = true;
    queue_status(uid, state);
  }
  parts_.events->pod_event(*pod, EventType::Warning, "ProviderLost",
                           "The workload of this pod was started once and does not exist any more");
}

void PodEngine::do_remove_api(const std::string& uid) {
  kube::PodPtr pod;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end()) {
      return;
    }
    pod = found->second->pod;
  }
  const Status status = parts_.api->remove_pod(*pod, stop_.token());
  MutexLock lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end()) {
    return;
  }
  PodState& state = *found->second;
  if (status.is_ok() || status.code() == StatusCode::NotFound) {
    state.removed_from_api = true;
    note_success(state);
  } else if (!stop_.is_cancelled()) {
    note_failure(state, status);
  }
  queue_.add(uid);
}

void PodEngine::forget(const std::string& uid) {
  MutexLock lock(mutex_);
  pods_.erase(uid);
  orphans_seen_.erase(uid);
}

}  // namespace vkhost::pods
