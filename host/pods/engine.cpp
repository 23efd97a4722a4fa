// The desired side and the life of the engine; workers are in worker.cpp, what the provider reports
// in observed.cpp, writing of statuses in status_writer.cpp.
#include "pods/engine.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {

PodEngine::PodEngine(Settings settings, EngineParts parts)
    : settings_(std::move(settings)), parts_(std::move(parts)), queue_(parts_.clock) {}

PodEngine::~PodEngine() { stop(); }

void PodEngine::pods_listed(std::vector<kube::PodPtr> pods) {
  MutexLock lock(mutex_);
  std::unordered_set<std::string> present;
  present.reserve(pods.size());
  for (const kube::PodPtr& pod : pods) {
    present.insert(pod->uid);
    apply_desired(pod);
  }
  // A delete that happened while no watch was open shows only as an absence here.
  for (const auto& [uid, state] : pods_) {
    if (!state->is_orphan && !present.contains(uid)) {
      mark_removed(*state);
      queue_.add(uid);
    }
  }
  relisted_ = listed_;
  listed_ = true;
  poll_changed_.notify_all();
}

void PodEngine::pod_applied(kube::PodPtr pod) {
  MutexLock lock(mutex_);
  apply_desired(pod);
}

void PodEngine::pod_removed(const std::string& uid) {
  MutexLock lock(mutex_);
  const auto found = pods_.find(uid);
  if (found != pods_.end() && !found->second->is_orphan) {
    mark_removed(*found->second);
    queue_.add(uid);
  }
}

void PodEngine::apply_desired(const kube::PodPtr& pod) {
  StatePtr& state = pods_[pod->uid];
  if (!state) {
    state = std::make_shared<PodState>();
    // A pod that appears after recovery was never given to the provider by an earlier process
    // unless it says so itself: by its handle, or by a container that ran.
    const bool may_exist = !pod->handle.empty() || pod->ever_started;
    state->backend = listed_ && !may_exist ? Backend::None : Backend::Unknown;
    state->create_attempted = may_exist;
  }
  const bool is_echo = state->pod && !state->written_resource_version.empty() &&
                       state->written_resource_version == pod->resource_version;
  const bool decides_anew =
      !state->pod || state->is_orphan || state->removed_from_api ||
      state->pod->spec_hash != pod->spec_hash || state->pod->metadata_hash != pod->metadata_hash ||
      state->pod->deletion_timestamp != pod->deletion_timestamp || state->pod->phase != pod->phase;
  const bool status_moved = !state->pod || state->pod->status_hash != pod->status_hash;
  state->pod = pod;
  state->is_orphan = false;
  state->removed_from_api = false;
  state->ever_started = state->ever_started || pod->ever_started;
  if (state->handle.empty()) {
    state->handle = pod->handle;
  }
  if (pod->is_deleting() && state->create_cancel) {
    state->create_cancel->cancel();
  }
  if (decides_anew) {
    queue_.add(pod->uid);
  }
  if (status_moved && !is_echo && !state->observed_status.empty()) {
    // Somebody else wrote the status, or our write was not the last: compare again.
    queue_status(pod->uid, *state);
  }
}

void PodEngine::mark_removed(PodState& state) {
  state.removed_from_api = true;
  state.status_dirty = false;
  if (state.create_cancel) {
    state.create_cancel->cancel();
  }
}

Status PodEngine::recover(const CancelToken& cancel) {
  std::vector<std::pair<kube::PodPtr, plugin::PodRef>> known;
  {
    MutexLock lock(mutex_);
    VKHOST_CHECK(listed_, "recover() is called after the first pods_listed()");
    for (const auto& [uid, state] : pods_) {
      known.emplace_back(state->pod, ref_of(*state));
    }
  }
  constexpr std::size_t kBatch = 500;
  std::size_t begin = 0;
  do {
    const std::size_t end = std::min(known.size(), begin + kBatch);
    std::vector<plugin::RecoverPod> batch;
    for (std::size_t i = begin; i < end; ++i) {
      batch.push_back({known[i].second, known[i].first->raw});
    }
    auto verdicts = parts_.provider->recover_pods(batch, end == known.size(), call_options(cancel));
    if (!verdicts.is_ok()) {
      return verdicts.status().while_doing("recovering pods");
    }
    MutexLock lock(mutex_);
    for (std::size_t i = begin; i < end; ++i) {
      const auto found = pods_.find(known[i].first->uid);
      if (found == pods_.end()) {
        continue;
      }
      PodState& state = *found->second;
      switch ((*verdicts)[i - begin]) {
        case plugin::RecoverVerdict::Attached:
          state.backend = Backend::Present;
          state.create_attempted = true;
          state.create_returned_at = ++event_counter_;
          state.told_spec_hash = state.pod->spec_hash;
          state.told_metadata_hash = state.pod->metadata_hash;
          break;
        case plugin::RecoverVerdict::Create:
          state.backend = Backend::Wanted;
          break;
        case plugin::RecoverVerdict::Absent:
          state.backend = state.ever_started ? Backend::Lost : Backend::None;
          break;
        case plugin::RecoverVerdict::Unknown:
          state.backend = Backend::Unknown;
          break;
      }
    }
    begin = end;
  } while (begin < known.size());
  return Status::ok();
}

void PodEngine::start() {
  const std::size_t workers = std::max<std::size_t>(
      1, std::min(settings_.workers, parts_.provider->capabilities().max_parallel_calls));
  for (std::size_t i = 0; i < workers; ++i) {
    threads_.emplace_back("reconcile-" + std::to_string(i), [this] { worker_loop(); });
  }
  for (std::size_t i = 0; i < std::max<std::size_t>(1, settings_.status_writers); ++i) {
    threads_.emplace_back("status-" + std::to_string(i), [this] { writer_loop(); });
  }
  threads_.emplace_back("pods-list", [this] { poll_loop(); });
}

void PodEngine::stop() {
  stop_.cancel();
  queue_.close();
  dirty_.close();
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    poll_changed_.notify_all();
  }
  threads_.clear();  // joins
}

std::vector<PodView> PodEngine::pods() const {
  MutexLock lock(mutex_);
  std::vector<PodView> views;
  views.reserve(pods_.size());
  for (const auto& [uid, state] : pods_) {
    if (state->pod && !state->removed_from_api) {
      views.push_back(view_of(*state));
    }
  }
  return views;
}

std::optional<PodView> PodEngine::find(const std::string& uid) const {
  MutexLock lock(mutex_);
  const auto found = pods_.find(uid);
  if (found == pods_.end() || !found->second->pod) {
    return std::nullopt;
  }
  return view_of(*found->second);
}

PodView PodEngine::view_of(const PodState& state) const {
  PodView view;
  view.pod = state.pod;
  view.runs_in_backend = state.backend == Backend::Present && !state.pod->is_deleting() &&
                         !state.removed_from_api && !state.pod->is_terminal();
  view.last_error = state.last_error;
  view.failures = state.failures;
  if (state.failures > 0 && !state.retry_when_changed) {
    view.next_try = state.next_try_wall;
  }
  return view;
}

plugin::CallOptions PodEngine::call_options(const CancelToken& cancel) const {
  plugin::CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, settings_.call_timeout);
  options.cancel = cancel;
  return options;
}

plugin::PodRef PodEngine::ref_of(const PodState& state) const {
  if (state.is_orphan) {
    return state.orphan_ref;
  }
  return {state.pod->pod_namespace, state.pod->name, state.pod->uid, state.handle};
}

}  // namespace vkhost::pods
