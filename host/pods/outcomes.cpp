// What the outcome of a call means for the pod: when it is tried next, and what shows it (the condition
// vkhost.io/Provider, the node). Events are in telling.cpp.
#include "pods/engine.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace vkhost::pods {
namespace {

constexpr const char* kProviderCondition = "vkhost.io/Provider";

}  // namespace

void PodEngine::note_failure(PodState& state, const Status& status) {
  if (status.retry() != Retry::Never || state.is_ending()) {  // a deletion is asked for in any case
    note_retry(status);
  }
  state.last_error = status;
  state.unready = 0;
  state.failures = std::max(state.failures, std::exchange(state.accepted_failures, 0)) + 1;
  const auto delay = status.retry() == Retry::After
                         ? std::max(status.retry_after(), std::chrono::milliseconds{1})
                         : backoff_delay(settings_->backoff, state.failures, *parts_.random);
  state.next_try = parts_.clock->steady_now() + delay;
  state.next_try_wall = parts_.clock->wall_now() + delay;
}

// The first time in a row costs no delay; one that comes again and again does, money included.
void PodEngine::note_absence(PodState& state) {
  constexpr std::chrono::seconds kRanWell{60};
  const SteadyTime now = parts_.clock->steady_now();
  if (state.running_since && now - *state.running_since >= kRanWell) {
    state.absences = 0;
  }
  state.running_since.reset();
  ++state.absences;
  state.last_error =
      state.loss.is_ok() ? unavailable("the workload is not there any more") : state.loss;
  std::chrono::milliseconds delay{0};
  if (state.loss.retry() == Retry::After) {
    delay = state.loss.retry_after();
  } else if (state.absences > 1) {
    delay = backoff_delay(settings_->backoff, state.absences - 1, *parts_.random);
  }
  if (delay.count() > 0) {
    state.next_try = now + delay;
    state.next_try_wall = parts_.clock->wall_now() + delay;
  }
}

void PodEngine::note_success(PodState& state) {
  state.last_error = Status::ok();
  state.failures = 0;
  state.unready = 0;
  state.next_try = SteadyTime{};
  state.retry_when_changed = false;
}

// Accepted is not done: when the work fails after all, the back-off goes on where it was.
void PodEngine::note_accepted(PodState& state, CallKind call) {
  state.accepted = call;
  state.accepted_failures = std::max(state.accepted_failures, state.failures);
  note_success(state);
}

// The condition is written from the first failure on only: who never fails never pays for it.
void PodEngine::show_trouble(const std::string& uid,
                             PodState& state,
                             const Status& error,
                             std::string_view outlook) {
  if (!state.pod || state.removed_from_api) {
    return;
  }
  constexpr std::size_t kMaxMessage = 4096;
  auto trouble = std::make_shared<HostCondition>();
  trouble->type = kProviderCondition;
  trouble->reason = error.reason().empty() ? "ProviderFailed" : error.reason();
  trouble->message = error.message();
  if (std::size_t space = kMaxMessage - outlook.size() - 2; trouble->message.size() > space) {
    while (space > 0 && (static_cast<unsigned char>(trouble->message[space]) & 0xC0U) == 0x80U) {
      --space;  // not within a character
    }
    trouble->message.resize(space);
  }
  trouble->message += "; " + std::string(outlook);
  state.trouble = std::move(trouble);
  queue_status(uid, state);
}

void PodEngine::show_failure(const std::string& uid, PodState& state, const Status& error) {
  show_trouble(uid, state, error, outlook_of(state));
}

void PodEngine::show_recovery(const std::string& uid, PodState& state) {
  if (!state.pod || state.removed_from_api) {
    return;
  }
  const bool is_shown =
      state.trouble ? !state.trouble->is_true
                    : state.pod->status_json().find(kProviderCondition) != std::string_view::npos;
  if (!is_shown) {
    return;
  }
  auto recovered = std::make_shared<HostCondition>();
  recovered->type = kProviderCondition;
  recovered->is_true = true;
  recovered->reason = "Recovered";
  state.trouble = std::move(recovered);
  queue_status(uid, state);
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
