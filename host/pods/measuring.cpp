// What the engine measures of a pod: from the watch event to the call, and from news to their write.
#include "pods/engine.hpp"

#include <utility>

namespace vkhost::pods {

// Of several events that one call answers, the first counts.
void PodEngine::note_event(PodState& state) const {
  if (metrics_ && !state.event_at) {
    state.event_at = parts_.clock->steady_now();
  }
}

void PodEngine::note_call(const Job& job, CallKind call) const {
  if (metrics_ && job.event_at) {
    metrics_->called(call, parts_.clock->steady_now() - *job.event_at);
  }
}

void PodEngine::note_retry(const Status& failure) const {
  if (metrics_) {
    metrics_->retried(failure.code());
  }
}

void PodEngine::note_news(PodState& state) const {
  if (metrics_ && !state.news_at) {
    state.news_at = parts_.clock->steady_now();
  }
}

void PodEngine::note_written(PodState& state, std::optional<SteadyTime> news_at) const {
  if (!metrics_) {
    return;
  }
  const SteadyTime now = parts_.clock->steady_now();
  if (news_at) {
    metrics_->news_written(now - *news_at);
  }
  if (const auto created = std::exchange(state.created_event_at, std::nullopt)) {
    metrics_->status_written(now - *created);
  }
}

PodEngine::Load PodEngine::load() {
  Load load;
  load.due = queue_.depth();
  load.unwritten = writes_.depth();
  const MutexLock lock(mutex_);
  load.waiting_for_call = calls_.waiting() + deletes_.waiting();
  load.is_held = !calls_.fault().is_ok();
  return load;
}

}  // namespace vkhost::pods
