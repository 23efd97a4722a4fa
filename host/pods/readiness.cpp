// Getting ready for a call: the material comes first, then the slot. What happens when it cannot be made,
// and when it is not any more what the provider was given.
#include "pods/engine.hpp"

#include <functional>
#include <optional>
#include <utility>

namespace vkhost::pods {

// Creates and updates get their material before they take a slot: a slow API server keeps no slot from
// those who are ready, and does not pass for the provider.
bool PodEngine::may_prepare(Job& job) {
  const SteadyTime now = parts_.clock->steady_now();
  return is_let_in(job, now < calls_.quiet_until()
                            ? CallSlots::Permit{.until = calls_.quiet_until()}
                            : calls_.reserve(job.uid, now));
}

// For a call that is ready. False: others were faster, or the provider has a fault by now; the pod waits
// in line, and its material is made anew, of objects that are mostly at hand.
bool PodEngine::take_slot(Job& job) {
  const SteadyTime now = parts_.clock->steady_now();
  if (now >= calls_.quiet_until()) {
    job.permit = calls_.ask(job.uid, now);
  }
  if (!job.permit.granted) {
    PodState& state = *job.state;
    state.changed_material |= job.taken_material;
    if (job.event_at) {
      state.event_at = job.event_at;  // it still waits for its call
    }
    end_call(job, cancelled("not called"));
  }
  return job.permit.granted;
}

// Of a call that was not made since its material is not there. Whether it is may show nowhere, so it is
// looked for more often than a provider would like to be asked.
void PodEngine::note_unready(PodState& state, const Status& status, std::uint64_t parts) {
  constexpr std::chrono::seconds kLookAgain{60};
  const SteadyTime latest = parts_.clock->steady_now() + kLookAgain;
  note_failure(state, status);
  if (state.has_material_news) {
    state.next_try = {};  // perhaps of what was looked for a moment too early
    state.next_try_wall = parts_.clock->wall_now();
    return;
  }
  state.unready = parts;
  if (state.next_try > latest) {
    state.next_try_wall -= std::chrono::duration_cast<WallTime::duration>(state.next_try - latest);
    state.next_try = latest;
  }
}

// Nobody has asked the provider, so nothing is said of it.
void PodEngine::create_not_ready(const std::string& uid,
                                 PodState& state,
                                 const Status& status,
                                 const Tried& tried,
                                 Reports* reports) {
  note_unready(state, status, PodState::kEverything);
  const bool is_final = note_rejection(state, status, tried);
  reports->push_back({state.pod, EventType::Warning, "Failed", "Error: " + status.message(),
                      "; " + outlook_of(state)});
  show_rejection(uid, state, status, is_final);
}

// False: that was it. What the provider has already is not told again.
bool PodEngine::begin_update(Job& job, const MaterialMarks& marks) {
  const MutexLock lock(mutex_);
  PodState& state = *job.state;
  const std::uint64_t needless = needless_parts(job.action.changed, marks, state.told_material);
  state.told_material.take(marks, needless);
  state.quiet_material &= ~needless;
  state.deferred &= ~needless;
  job.taken_material &= ~needless;
  job.action.changed &= ~needless;
  if (job.action.changed != 0) {
    return take_slot(job);
  }
  if (state.unready != 0) {
    note_success(state);
  }
  end_call(job, cancelled("not called"));
  return false;
}

// The material of an update could not be made. What needs less of it does not wait for that.
void PodEngine::update_not_ready(const Job& job, const Status& status) {
  Reports reports;
  {
    const MutexLock lock(mutex_);
    PodState& state = *job.state;
    end_call(job, cancelled("not called"));
    state.changed_material |= job.taken_material;
    if (state.is_ending() || state.order || stop_.is_cancelled()) {
      return;  // the end of the pod waits for nothing that went wrong before
    }
    const std::uint64_t starting = job.action.changed & kStartingParts;
    const bool is_mixed = starting != 0 && starting != job.action.changed;
    const std::uint64_t parts = is_mixed ? starting : job.action.changed;
    if (status.retry() == Retry::Never && !is_mixed) {
      state.told.refuse(parts, {job.pod->parts, job.metadata_hash});
      state.changed_material &= ~parts;
      note_refused_parts(state, parts, job.pod->generation, status.message(), status.message());
      state.observed_generation = job.pod->generation;
    }
    if ((parts & kSpecParts) != 0 && state.has_news_to_compare()) {
      queue_status(job.uid, state);
    }
    note_unready(state, status, state.unready | parts);
    const std::size_t failure = std::hash<std::string>()(status.message());
    if (std::exchange(state.warned_of, failure) != failure) {
      reports.push_back({state.pod, EventType::Warning, "Failed", "Error: " + status.message(),
                         "; " + outlook_of(state)});
    }
    note_told(job.uid, state);
    take_early_news(job.uid, state, &reports);
  }
  tell(reports);
  announce_fault();
}

// Files may show the pod to itself (downwardAPI): then what changes of it changes them. Whether it does is
// seen when they are made.
void PodEngine::note_new_files(const kube::PodRecord& before,
                               std::uint64_t metadata_before,
                               PodState& state) {
  const bool may_show =
      metadata_before != state.metadata_hash ||
      (changed_parts(before.parts, state.pod->parts) & plugin::kChangedResources) != 0;
  if (may_show && state.pod->raw.find(R"("downwardAPI")") != std::string::npos) {
    state.changed_material |= plugin::kChangedFiles;
  }
}

void PodEngine::material_changed(const std::string& uid, std::uint64_t changed) {
  const MutexLock lock(mutex_);
  if (const StatePtr state = find_state(uid)) {
    state->changed_material |= changed;
    state->has_material_news = true;
    if (std::exchange(state->unready, 0) != 0) {
      state->next_try = {};  // this may be what it waited for
    }
    queue_.add(uid);
  }
}

}  // namespace vkhost::pods
