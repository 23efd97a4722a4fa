// The desired side and the life of the engine; workers are in worker.cpp, calls of the provider in
// provider_calls.cpp, what follows from their outcome in outcomes.cpp, who hears of it in telling.cpp,
// what it pushes in observed.cpp, what it lists in listing.cpp, admission in admitting.cpp, the end of
// pods in endings.cpp, what comes before a call in readiness.cpp, evictions and deadlines in
// evictions.cpp, changes of pods that run in updates.cpp, the writing of statuses in status_writer.cpp,
// what is measured in measuring.cpp.
#include "pods/engine.hpp"

#include "base/check.hpp"
#include "base/failure_point.hpp"
#include "base/planted.hpp"
#include "pods/pod_metadata.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {
namespace {

std::string name_key(std::string_view pod_namespace, std::string_view name) {
  return std::string(pod_namespace) + "/" + std::string(name);
}

std::string name_key(const PodState& state) {
  return state.pod ? name_key(state.pod->pod_namespace, state.pod->name)
                   : name_key(state.orphan_ref.pod_namespace, state.orphan_ref.name);
}

}  // namespace

PodEngine::PodEngine(Settings settings, EngineParts parts)
    : settings_(std::move(settings)),
      parts_(std::move(parts)),
      parallel_calls_(std::max<std::size_t>(
          1, std::min(settings_->workers, parts_.provider->capabilities().max_parallel_calls))),
      field_rules_(parts_.provider->capabilities().fields),
      metrics_(parts_.metrics == nullptr ? nullptr
                                         : std::make_unique<EngineMetrics>(*parts_.metrics)),
      calls_(parallel_calls_, settings_->backoff),
      deletes_(parallel_calls_, settings_->backoff),
      announced_(Status::ok().to_string()),
      queue_(parts_.clock),
      writes_(parts_.clock),
      polls_(parts_.clock) {
  parts_.material->listen(this);
}

PodEngine::~PodEngine() { stop(); }

// ---- Desired pods

void PodEngine::pods_listed(std::vector<kube::PodPtr> pods) {
  Cancels cancels;
  {
    const MutexLock lock(mutex_);
    if (!listed_ && parts_.node != nullptr) {
      sort_oldest_first(pods);  // in this order they are judged
    }
    std::unordered_set<std::string_view> present;
    present.reserve(pods.size());
    for (const kube::PodPtr& pod : pods) {
      present.insert(pod->uid);
      apply_desired(pod, true, &cancels);
    }
    // A delete that happened while no watch was open shows only as an absence here.
    for (const auto& [uid, state] : pods_) {
      if (!state->is_orphan && !present.contains(uid)) {
        mark_removed(*state, &cancels);
        queue_.add(uid);
      }
    }
    relisted_ = relisted_ || listed_;
    listed_ = true;
    polls_.add(kPoll);
  }
  for (const auto& cancel : cancels) {
    cancel->cancel();
  }
}

void PodEngine::pod_applied(kube::PodPtr pod) {
  Cancels cancels;
  {
    const MutexLock lock(mutex_);
    apply_desired(pod, false, &cancels);
  }
  for (const auto& cancel : cancels) {
    cancel->cancel();
  }
}

void PodEngine::pod_removed(const std::string& uid) {
  Cancels cancels;
  {
    const MutexLock lock(mutex_);
    const StatePtr state = find_state(uid);
    if (state && !state->is_orphan && !VKHOST_PLANTED(TombstoneIgnored)) {
      note_event(*state);
      mark_removed(*state, &cancels);
      queue_.add(uid);
    }
  }
  for (const auto& cancel : cancels) {
    cancel->cancel();
  }
}

PodEngine::StatePtr& PodEngine::state_for(const kube::PodPtr& pod) {
  StatePtr& state = pods_[pod->uid];
  if (!state) {
    state = std::make_shared<PodState>();
    // A pod that appears after recovery was never given to the provider by an earlier process
    // unless it says so itself: by its handle, or by a container that ran.
    const bool may_exist = !pod->handle.empty() || pod->ever_started;
    state->backend = listed_ && !may_exist ? Backend::None : Backend::Unknown;
    state->create_attempted = may_exist;
    state->handle = pod->handle;
    if (may_exist || !listed_) {
      restore_told(*pod, *state);
    }
    names_.emplace(name_key(pod->pod_namespace, pod->name), pod->uid);
  } else if (state->is_orphan) {
    unindex(pod->uid, *state);
    names_.emplace(name_key(pod->pod_namespace, pod->name), pod->uid);
  }
  return state;
}

void PodEngine::apply_desired(const kube::PodPtr& pod, bool listed_again, Cancels* cancels) {
  PodState& state = *state_for(pod);
  const kube::PodPtr before = std::exchange(state.pod, pod);
  const bool was_ending = before == nullptr || state.is_orphan || state.removed_from_api
                              ? false
                              : before->is_deleting();
  const bool came_back = state.is_orphan || state.removed_from_api;
  state.is_orphan = false;
  state.removed_from_api = false;
  state.ever_started = state.ever_started || pod->ever_started;
  if (!before) {
    state.order = order_of_earlier_process(*pod, parts_.provider->capabilities().native_deadline);
  }
  const std::uint64_t metadata_before = state.metadata_hash;
  if (!before || before->metadata_hash != pod->metadata_hash) {
    state.metadata_hash = user_metadata_hash(*pod, settings_->annotation_prefixes);
    state.own_policy = own_loss_policy(*pod);
  }
  if (pod->is_terminal() && !state.finished_at) {
    state.finished_at = parts_.clock->steady_now();
    parts_.material->forget(pod->uid);
  }
  if (before && before->spec_hash != pod->spec_hash) {
    state.refused_status = 0;
  }
  note_wanted(before.get(), state);
  if (before) {
    note_new_files(*before, metadata_before, state);
  }
  keep_seat(state, before && before->spec_hash != pod->spec_hash);
  const bool deletion_moved = !before || before->deletion_timestamp != pod->deletion_timestamp;
  if (pod->is_deleting() && (!was_ending || deletion_moved)) {
    begin_ending(state, cancels);
  }
  if (came_back || deletion_moved || before->spec_hash != pod->spec_hash ||
      before->metadata_hash != pod->metadata_hash || before->phase != pod->phase ||
      (pod->active_deadline_seconds && before->start_time != pod->start_time)) {
    if (!listed_again) {
      note_event(state);
    }
    queue_.add(pod->uid);
  }
  const bool status_moved = before && before->status_hash != pod->status_hash;
  bool compare = false;
  if (listed_again) {
    state.echo.relisted();
    static_cast<void>(state.echo.object_seen(pod->resource_version, false));
    compare = before && before->resource_version != pod->resource_version;
  } else {
    compare = state.echo.object_seen(pod->resource_version, status_moved);
  }
  const bool is_new_spec = before && before->generation != pod->generation && !pod->is_deleting();
  if ((compare || came_back || is_new_spec) && state.has_news_to_compare()) {
    // Somebody else wrote the status, or our write was not the last: compare again. Or the API waits
    // to hear that its spec was seen.
    queue_status(pod->uid, state);
  }
}

void PodEngine::mark_removed(PodState& state, Cancels* cancels) {
  VKHOST_FAILURE_POINT(AfterRemovalSeen);
  if (!std::exchange(state.removed_from_api, true)) {
    begin_ending(state, cancels);
  }
  state.status_dirty = false;
  state.handle_dirty = false;
  state.seat.reset();
}

// A deletion waits for nothing that went wrong before it was asked for.
void PodEngine::begin_ending(PodState& state, Cancels* cancels) {
  state.failures = 0;
  state.accepted_failures = 0;
  state.next_try = SteadyTime{};
  state.write_patience_ends.reset();
  if (state.call_cancel) {
    cancels->push_back(state.call_cancel);
  }
}

PodEngine::StatePtr PodEngine::find_state(const std::string& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : found->second;
}

bool PodEngine::waits_for_namesake(const std::string& uid, const PodState& state) const {
  const auto [begin, end] = names_.equal_range(name_key(state));
  return std::any_of(begin, end, [&](const auto& entry) VKHOST_REQUIRES(mutex_) {
    const StatePtr other = entry.second == uid ? nullptr : find_state(entry.second);
    return other && other->is_ending() && !other->overdue && !VKHOST_PLANTED(NamesakeIgnored);
  });
}

void PodEngine::unindex(const std::string& uid, const PodState& state) {
  const auto [begin, end] = names_.equal_range(name_key(state));
  const auto own = std::find_if(begin, end, [&](const auto& entry) { return entry.second == uid; });
  if (own != end) {
    names_.erase(own);
  }
}

void PodEngine::adopt_orphan(const plugin::PodRef& ref) {
  auto state = std::make_shared<PodState>();
  state->is_orphan = true;
  state->orphan_ref = ref;
  state->backend = Backend::Present;
  state->create_attempted = true;
  state->named = true;
  state->removed_from_api = true;
  names_.emplace(name_key(*state), ref.uid);
  pods_[ref.uid] = std::move(state);
  queue_.add(ref.uid);
}

void PodEngine::forget(const std::string& uid, const PodState& state) {
  VKHOST_FAILURE_POINT(BeforeForgotten);
  unindex(uid, state);
  wake_namesakes(state);
  parts_.material->forget(uid);
  pods_.erase(uid);
}

// A pod of the same name may have waited for the end of this one.
void PodEngine::wake_namesakes(const PodState& state) {
  const auto [begin, end] = names_.equal_range(name_key(state));
  for (auto entry = begin; entry != end; ++entry) {
    queue_.add(entry->second);
  }
}

// ---- Start and stop

Status PodEngine::recover(const CancelToken& cancel) {
  std::vector<std::pair<kube::PodPtr, plugin::PodRef>> known;
  {
    const MutexLock lock(mutex_);
    VKHOST_CHECK(listed_, "recover() is called after the first pods_listed()");
    known.reserve(pods_.size());
    for (const auto& [uid, state] : pods_) {
      known.emplace_back(state->pod, ref_of(*state));
    }
  }
  constexpr std::size_t kBatch = 500;
  std::size_t begin = 0;
  do {
    const std::size_t end = std::min(known.size(), begin + kBatch);
    std::vector<plugin::RecoverPod> batch;
    batch.reserve(end - begin);
    for (std::size_t i = begin; i < end; ++i) {
      batch.push_back({known[i].second, known[i].first->raw});
    }
    VKHOST_FAILURE_POINT(BeforeRecovery);
    auto verdicts = parts_.provider->recover_pods(batch, end == known.size(), call_options(cancel));
    VKHOST_FAILURE_POINT(AfterRecovery);
    if (!verdicts.is_ok()) {
      return verdicts.status().while_doing("recovering pods");
    }
    const MutexLock lock(mutex_);
    for (std::size_t i = begin; i < end; ++i) {
      if (const StatePtr state = find_state(known[i].first->uid)) {
        apply_recovery(*state, i - begin < verdicts->size() ? (*verdicts)[i - begin]
                                                            : plugin::RecoverVerdict::Unknown);
      }
    }
    begin = end;
  } while (begin < known.size());
  return Status::ok();
}

void PodEngine::apply_recovery(PodState& state, plugin::RecoverVerdict verdict) {
  state.named = true;
  // An earlier process may have tried, and ended before it could say so.
  state.create_attempted = true;
  switch (verdict) {
    case plugin::RecoverVerdict::Attached:
      state.backend = Backend::Present;
      state.was_accepted = true;
      break;
    case plugin::RecoverVerdict::Create:
      // It may stand half made, by a create call of an earlier process; a deletion has to reach that.
      state.create_attempted = true;
      state.begun_hash = PodState::kUnknownPod;
      // What ran once is not started again on this word alone.
      state.backend = state.ever_started ? Backend::Unknown : Backend::Wanted;
      break;
    case plugin::RecoverVerdict::Absent:
      state.backend = state.may_have_run() ? Backend::Lost : Backend::None;
      if (state.order && state.order->is_concluded) {
        state.backend = Backend::Gone;  // nothing is left of what had to end
      }
      break;
    case plugin::RecoverVerdict::Unknown:
      state.backend = VKHOST_PLANTED(NoAnswerMeansAbsent) ? Backend::Lost : Backend::Unknown;
      break;
  }
  keep_seat(state, false);
}

void PodEngine::start(const EngineThreads& threads) {
  VKHOST_FAILURE_POINT(BeforeWork);
  {
    const MutexLock lock(mutex_);
    timers_ = threads.timers;
  }
  // A few more at a time than calls in parallel and pods that get ready for one: when the provider is slow
  // to create, there is still somebody to delete, to decide and to talk to the API server.
  queue_.run(*threads.calls, *threads.timers,
             parallel_calls_ + CallSlots::ahead_of(parallel_calls_) +
                 std::max<std::size_t>(1, parallel_calls_ / 4),
             [this](const std::string& uid) { work_on(uid); });
  writes_.run(*threads.writes, *threads.timers, settings_->status_writers,
              [this](const std::string& uid) { write_status(uid); });
  polls_.run(*threads.calls, *threads.timers, 1, [this](const std::string&) { poll(); });
  polls_.add(kPoll);
}

void PodEngine::stop() {
  stop_.cancel();
  parts_.material->listen(nullptr);
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    write_done_.notify_all();
  }
  polls_.close();
  queue_.close();
  writes_.close();
}

// ---- Views

std::vector<PodView> PodEngine::pods() const {
  const MutexLock lock(mutex_);
  std::vector<PodView> views;
  views.reserve(pods_.size());
  for (const auto& [uid, state] : pods_) {
    if (state->pod && (!state->removed_from_api || state->overdue)) {
      views.push_back(view_of(*state));
    }
  }
  return views;
}

std::optional<PodView> PodEngine::find(const std::string& uid) const {
  const MutexLock lock(mutex_);
  const StatePtr state = find_state(uid);
  return state && state->pod ? std::optional(view_of(*state)) : std::nullopt;
}

std::size_t PodEngine::footprint() {
  const MutexLock lock(mutex_);
  return static_cast<std::size_t>(seats_.pods()) + pods_.size() + names_.size() + inspect_.size() +
         orphans_.size() + calls_.waiting() + deletes_.waiting() + queue_.size() + writes_.size();
}

PodEngine::OrphanCounts PodEngine::orphans() const {
  const MutexLock lock(mutex_);
  return {orphans_.count(true), orphans_.count(false)};
}

PodView PodEngine::view_of(const PodState& state) {
  PodView view;
  view.pod = state.pod;
  view.runs_in_backend =
      state.backend == Backend::Present && !state.is_ending() && !state.pod->is_terminal();
  view.last_error = state.last_error;
  view.failures = state.failures;
  view.is_overdue = state.overdue;
  if (!state.last_error.is_ok() && !state.retry_when_changed &&
      (state.next_try != SteadyTime{} || state.deferred != 0)) {
    view.next_try = state.next_try_wall;
  }
  return view;
}

plugin::CallOptions PodEngine::call_options(const CancelToken& cancel) const {
  plugin::CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, settings_->call_timeout);
  options.cancel = cancel;
  return options;
}

plugin::PodRef PodEngine::ref_of(const PodState& state) {
  if (state.is_orphan) {
    return state.orphan_ref;
  }
  return {state.pod->pod_namespace, state.pod->name, state.pod->uid, state.handle};
}

}  // namespace vkhost::pods
