// What a changed configuration means for an engine that runs: settings are replaced, and what waits under
// the old ones is looked at again.
#include "pods/engine.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {

void PodEngine::change_settings(Settings settings) {
  const auto before = settings_.now();
  settings.workers = before->workers;
  settings.status_writers = before->status_writers;
  settings.handle_timeout = before->handle_timeout;
  settings.annotation_prefixes = before->annotation_prefixes;
  settings.host_ip = before->host_ip;
  const BackoffLimits backoff = settings.backoff;
  const auto resync_interval = settings.resync_interval;
  settings_.replace(std::move(settings));
  const MutexLock lock(mutex_);
  calls_.set_backoff(backoff);
  deletes_.set_backoff(backoff);
  for (const auto& [uid, state] : pods_) {
    queue_.add(uid);
  }
  if (resync_interval != before->resync_interval && next_full_list_ != SteadyTime::min()) {
    next_full_list_ = std::min(next_full_list_, parts_.clock->steady_now() + resync_interval);
    polls_.add(kPoll);
  }
}

// A pod that waits for the time its provider named, or for its material, waits on: that was not about the
// configuration. So does an update that was put off.
void PodEngine::provider_reconfigured() {
  {
    const MutexLock lock(mutex_);
    calls_.forgive();
    deletes_.forgive();
    for (const auto& [uid, state] : pods_) {
      const Status& error = state->last_error;
      const bool is_own_time = error.retry() == Retry::After && error.scope() != Scope::Provider;
      if (error.is_ok() || is_own_time || state->call != CallKind::None) {
        continue;
      }
      state->retry_when_changed = false;
      state->next_try = SteadyTime{};
      queue_.add(uid);
    }
    wake_waiting();
    polls_.add(kPoll);
  }
  announce_fault();
}

}  // namespace vkhost::pods
