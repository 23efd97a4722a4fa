// The observed side: news pushed by the provider, lists asked of it, and workloads without a pod.
//
// Orphans. A workload is deleted only if it bears this node's marks and a UID, the API has no pod of
// that UID by a fresh read, and that was so in two lists in a row. A workload that was matched
// without a UID (legacy) is never touched. The default is to report.
#include "pods/engine.hpp"
#include "pods/status_merge.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {

Status PodEngine::pod_changed(plugin::PodChange change) {
  MutexLock lock(mutex_);
  if (stopping_) {
    return cancelled("the host is stopping");
  }
  const auto found = pods_.find(change.uid);
  if (found == pods_.end()) {
    return not_found("no pod with UID " + change.uid + " belongs to this node");
  }
  PodState& state = *found->second;
  for (auto& [name, value] : change.annotations) {
    state.pending_annotations[name] = std::move(value);
  }
  if (!change.annotations.empty()) {
    queue_status(change.uid, state);
  }
  if (change.status_json) {
    take_status(state, change.seq, std::move(*change.status_json));
  }
  if (change.gone && change.seq >= state.seq) {
    state.seq = change.seq;
    mark_absent(state);
    if (state.told_grace || state.removed_from_api || state.is_orphan) {
      state.backend = Backend::Gone;
    }
    queue_.add(change.uid);
  } else if (change.error && !state.create_in_flight) {
    note_failure(state, *change.error);
    if (!state.told_grace) {
      state.backend = Backend::Wanted;
    } else {
      state.told_grace.reset();  // the deletion accepted earlier has failed: it is asked again
    }
    queue_.add(change.uid);
  }
  return Status::ok();
}

void PodEngine::take_status(PodState& state, std::uint64_t seq, std::string status_json) {
  if (seq < state.seq) {
    return;  // a slow read of the back end, overtaken
  }
  state.seq = seq;
  if (status_json == state.observed_status) {
    return;
  }
  state.ever_started = state.ever_started || shows_started_container(status_json);
  state.observed_status = std::move(status_json);
  if (state.pod && !state.removed_from_api) {
    queue_status(state.pod->uid, state);
  }
}

void PodEngine::mark_absent(PodState& state) {
  state.backend = state.ever_started ? Backend::Lost : Backend::None;
}

void PodEngine::poll_loop() {
  const auto interval =
      parts_.provider->capabilities().pushes
          ? settings_.resync_interval
          : std::min(settings_.resync_interval, parts_.provider->capabilities().poll_interval);
  SteadyTime next_full = parts_.clock->steady_now();
  while (true) {
    bool full = false;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && inspect_.empty() && !relisted_ &&
             parts_.clock->steady_now() < next_full) {
        poll_changed_.wait_until(mutex_, next_full);
      }
      if (stopping_) {
        return;
      }
      full = relisted_ || parts_.clock->steady_now() >= next_full;
    }
    if (full) {
      reconcile_with_list();
      next_full = parts_.clock->steady_now() + interval;
    } else {
      inspect_waiting();
    }
  }
}

void PodEngine::reconcile_with_list() {
  std::uint64_t began_at = 0;
  {
    MutexLock lock(mutex_);
    relisted_ = false;
    began_at = event_counter_;
  }
  auto list = parts_.provider->list_pods({}, call_options(stop_.token()));
  if (!list.is_ok()) {
    if (!stop_.is_cancelled()) {
      parts_.log.warn("the provider could not list its pods",
                      {observe::error_field(list.status())});
    }
    return;  // 'no answer' changes nothing; the timer asks again
  }
  apply_list(*list, {}, began_at);
  settle_orphans();
}

void PodEngine::inspect_waiting() {
  std::vector<std::string> uids;
  std::uint64_t began_at = 0;
  {
    MutexLock lock(mutex_);
    uids.assign(inspect_.begin(), inspect_.end());
    inspect_.clear();
    began_at = event_counter_;
  }
  if (uids.empty()) {
    return;
  }
  auto list = parts_.provider->list_pods(uids, call_options(stop_.token()));
  if (list.is_ok()) {
    apply_list(*list, uids, began_at);
  }
  MutexLock lock(mutex_);
  for (const std::string& uid : uids) {
    const auto found = pods_.find(uid);
    if (found == pods_.end()) {
      continue;
    }
    PodState& state = *found->second;
    const bool still_there = state.told_grace && state.backend == Backend::Present;
    if (!list.is_ok()) {
      note_failure(state, list.status());
    } else if (state.backend == Backend::Unknown) {
      note_failure(state, unavailable("the provider cannot tell whether this pod exists"));
    }
    // A deletion under way is looked at again later; everything else is decided anew now.
    constexpr std::chrono::seconds kAskAgain{5};
    queue_.add_at(uid, still_there ? parts_.clock->steady_now() + kAskAgain : SteadyTime::min());
  }
}

void PodEngine::apply_verdict(PodState& state, const plugin::ListedPod& item) {
  switch (item.verdict) {
    case plugin::ListVerdict::Present:
      take_status(state, item.seq, item.status_json);
      [[fallthrough]];
    case plugin::ListVerdict::PresentStatusUnknown:
      state.create_attempted = true;
      if (state.backend == Backend::Unknown || state.backend == Backend::Lost) {
        state.backend = Backend::Present;
        state.told_spec_hash = state.pod->spec_hash;
        state.told_metadata_hash = state.pod->metadata_hash;
      }
      break;
    case plugin::ListVerdict::Absent:
      // A create that failed is tried again anyway; absence tells nothing new about it.
      if (state.backend == Backend::Present || state.backend == Backend::Unknown) {
        mark_absent(state);
      }
      break;
    case plugin::ListVerdict::Unknown:
      break;
  }
}

void PodEngine::apply_list(const plugin::PodList& list,
                           const std::vector<std::string>& asked,
                           std::uint64_t began_at) {
  MutexLock lock(mutex_);
  const bool is_full = asked.empty();
  std::unordered_set<std::string> named;
  std::unordered_set<std::string> orphans;
  for (const plugin::ListedPod& item : list.pods) {
    named.insert(item.ref.uid);
    const auto found = pods_.find(item.ref.uid);
    if (found == pods_.end()) {
      note_orphan(item, &orphans);
      continue;
    }
    PodState& state = *found->second;
    if (!state.create_in_flight && !state.is_orphan) {
      apply_verdict(state, item);
    } else if (state.is_orphan && item.verdict == plugin::ListVerdict::Absent) {
      state.backend = Backend::Gone;
    }
    queue_.add(item.ref.uid);
  }
  if (is_full) {
    orphans_seen_ = std::move(orphans);
  }
  if (!list.complete) {
    return;
  }
  for (const auto& [uid, state] : pods_) {
    const bool was_asked = is_full || std::find(asked.begin(), asked.end(), uid) != asked.end();
    if (!was_asked || named.contains(uid) || state->create_in_flight ||
        state->create_returned_at > began_at) {
      continue;
    }
    if (state->is_orphan) {
      state->backend = Backend::Gone;
      queue_.add(uid);
    } else if (state->backend == Backend::Present || state->backend == Backend::Unknown) {
      mark_absent(*state);
      queue_.add(uid);
    }
  }
}

void PodEngine::note_orphan(const plugin::ListedPod& item, std::unordered_set<std::string>* seen) {
  if (!listed_ || item.marks != plugin::Marks::Ours || item.ref.uid.empty() ||
      item.verdict == plugin::ListVerdict::Absent || item.verdict == plugin::ListVerdict::Unknown) {
    return;
  }
  seen->insert(item.ref.uid);
  if (orphans_seen_.contains(item.ref.uid)) {
    orphans_due_[item.ref.uid] = item.ref;
  }
}

void PodEngine::settle_orphans() {
  std::unordered_map<std::string, plugin::PodRef> due;
  {
    MutexLock lock(mutex_);
    due.swap(orphans_due_);
  }
  std::size_t deletions = 0;
  for (const auto& [uid, ref] : due) {
    auto fresh = parts_.api->read_pod(ref.pod_namespace, ref.name, stop_.token());
    const bool is_gone =
        fresh.is_ok() ? (*fresh)->uid != uid : fresh.status().code() == StatusCode::NotFound;
    if (!is_gone) {
      continue;  // it exists after all, or nobody can tell: the next list brings it back
    }
    MutexLock lock(mutex_);
    if (stopping_ || pods_.contains(uid)) {
      continue;
    }
    if (settings_.orphans == Orphans::Report) {
      if (orphans_reported_.insert(uid).second) {
        parts_.log.warn(
            "the provider runs a workload whose pod is gone; set policies.orphans to "
            "\"delete\" to have such workloads removed",
            {{"pod", ref.pod_namespace + "/" + ref.name}, {"uid", uid}});
      }
      continue;
    }
    if (++deletions > settings_.max_orphan_deletions) {
      parts_.log.warn("more orphans than one sweep may delete; the next one goes on");
      return;
    }
    auto state = std::make_shared<PodState>();
    state->is_orphan = true;
    state->orphan_ref = ref;
    state->backend = Backend::Present;
    state->create_attempted = true;
    state->removed_from_api = true;
    pods_[uid] = std::move(state);
    queue_.add(uid);
    parts_.log.info("deleting a workload whose pod is gone",
                    {{"pod", ref.pod_namespace + "/" + ref.name}, {"uid", uid}});
  }
}

Status PodEngine::save_handle(const std::string& uid, const std::string& handle) {
  kube::PodPtr pod;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end() || !found->second->pod) {
      return not_found("no pod with UID " + uid + " belongs to this node");
    }
    if (found->second->handle == handle && found->second->pod->handle == handle) {
      return Status::ok();
    }
    pod = found->second->pod;
  }
  StatusPatch patch;
  const bool removes = handle.empty();
  patch.annotations[std::string(kube::kHandleAnnotation)] =
      removes ? std::nullopt : std::optional(handle);
  patch.annotations[std::string(kube::kHandleUidAnnotation)] =
      removes ? std::nullopt : std::optional(uid);
  auto written = parts_.api->patch_status(*pod, patch, stop_.token());
  if (!written.is_ok()) {
    return written.status().while_doing("saving the handle of pod " + pod->display_name());
  }
  MutexLock lock(mutex_);
  if (const auto found = pods_.find(uid); found != pods_.end()) {
    found->second->handle = handle;
    found->second->pending_annotations.erase(std::string(kube::kHandleAnnotation));
    found->second->pending_annotations.erase(std::string(kube::kHandleUidAnnotation));
  }
  return Status::ok();
}

}  // namespace vkhost::pods
