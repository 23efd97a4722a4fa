// Writing statuses: the newest observed status of each pod becomes at most one PATCH at a time.
#include "pods/engine.hpp"
#include "pods/status_merge.hpp"

#include <utility>

namespace vkhost::pods {

void PodEngine::queue_status(const std::string& uid, PodState& state) {
  state.status_dirty = true;
  // What a provider pushes from within create_pod waits for its return: then status and handle go
  // in one request.
  if (!state.create_in_flight && !state.status_writing) {
    dirty_.put(uid, true);
  }
}

void PodEngine::writer_loop() {
  while (auto next = dirty_.take()) {
    if (stop_.is_cancelled()) {
      return;
    }
    write_status(next->first);
  }
}

bool PodEngine::step_status_writer() {
  auto next = dirty_.try_take();
  if (!next) {
    return false;
  }
  write_status(next->first);
  return true;
}

void PodEngine::write_status(const std::string& uid) {
  kube::PodPtr pod;
  std::string observed;
  StatusPatch patch;
  {
    MutexLock lock(mutex_);
    const auto found = pods_.find(uid);
    if (found == pods_.end() || !found->second->status_dirty) {
      return;
    }
    PodState& state = *found->second;
    if (state.status_writing || state.create_in_flight) {
      return;  // whoever is at it queues the pod again
    }
    if (state.removed_from_api || !state.pod) {
      state.status_dirty = false;
      return;
    }
    state.status_dirty = false;
    state.status_writing = true;
    pod = state.pod;
    observed = state.observed_status;
    patch.annotations = std::exchange(state.pending_annotations, {});
  }

  Status status;
  std::string resource_version;
  if (!observed.empty()) {
    auto merged = merge_status({*pod, observed, settings_.host_ip, parts_.clock->wall_now()});
    if (merged.is_ok()) {
      patch.status_json = std::move(*merged);
    } else {
      // The plugin's mistake, and final: the same status again would be as wrong.
      parts_.log.warn(
          "the provider reported a status that cannot be used",
          {{"pod", pod->display_name()}, {"uid", uid}, observe::error_field(merged.status())});
      parts_.events->pod_event(*pod, EventType::Warning, "ProviderStatusInvalid",
                               merged.status().message());
      MutexLock lock(mutex_);
      if (const auto found = pods_.find(uid); found != pods_.end()) {
        found->second->last_error = merged.status();
      }
    }
  }
  const bool has_news = !patch.status_json.empty() || !patch.annotations.empty();
  if (has_news) {
    auto written = parts_.api->patch_status(*pod, patch, stop_.token());
    status = written.status();
    if (written.is_ok()) {
      resource_version = std::move(*written);
    }
  }
  finish_write(uid, status, std::move(resource_version), std::move(patch.annotations));
}

void PodEngine::finish_write(const std::string& uid,
                             const Status& status,
                             std::string resource_version,
                             Annotations annotations) {
  MutexLock lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end()) {
    return;
  }
  PodState& state = *found->second;
  state.status_writing = false;
  if (status.is_ok()) {
    state.write_failures = 0;
    if (!resource_version.empty()) {
      state.written_resource_version = std::move(resource_version);
    }
    if (state.status_dirty) {
      dirty_.put(uid, true);
    } else if (state.told_grace || state.pod->is_deleting()) {
      queue_.add(uid);  // a deletion may have waited for this write
    }
    return;
  }
  if (status.code() == StatusCode::NotFound || stop_.is_cancelled()) {
    queue_.add(uid);  // the object is gone; its removal arrives by the watch
    return;
  }
  // Nothing is lost: what newer news did not replace is written by the next try.
  for (auto& [name, value] : annotations) {
    state.pending_annotations.try_emplace(name, std::move(value));
  }
  state.status_dirty = true;
  const auto delay = status.retry() == Retry::After
                         ? status.retry_after()
                         : backoff_delay(settings_.backoff, ++state.write_failures, *parts_.random);
  state.write_again_at = parts_.clock->steady_now() + delay;
  queue_.add_at(uid, state.write_again_at);
  parts_.log.debug(
      "writing a pod status failed",
      {{"pod", state.pod->display_name()}, {"uid", uid}, observe::error_field(status)});
}

}  // namespace vkhost::pods
