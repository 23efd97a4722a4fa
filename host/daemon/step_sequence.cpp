#include "daemon/step_sequence.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::daemon {
namespace {

constexpr BackoffLimits kBackoff{std::chrono::milliseconds{250}, std::chrono::seconds{30}};
constexpr std::chrono::milliseconds kLongestAdvice{std::chrono::minutes{10}};

}  // namespace

StepSequence::StepSequence(std::vector<SequenceStep> steps, Parts parts)
    : steps_(std::move(steps)), parts_(std::move(parts)), gate_(std::make_shared<Gate>()) {}

StepSequence::~StepSequence() { stop(); }

void StepSequence::start() {
  {
    const MutexLock lock(mutex_);
    again_ = std::make_unique<Timer>(*parts_.timers, [this] {
      if (end_rest()) {
        submit();
      }
    });
  }
  submit();
}

void StepSequence::stop() {
  std::unique_ptr<Timer> again;  // ends without the lock
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    again = std::move(again_);
  }
  again.reset();
  gate_->close();
}

void StepSequence::submit() {
  const Gate::Pass pass = gate_->enter();  // the executor is there until stop() has returned
  if (!pass) {
    return;
  }
  parts_.executor->submit([this, gate = gate_] {
    if (const Gate::Pass inside = gate->enter()) {
      run();
    }
  });
}

void StepSequence::resume() {
  {
    const MutexLock lock(mutex_);
    if (!std::exchange(waits_, false)) {
      was_resumed_ = true;  // a step may be about to wait
      return;
    }
  }
  submit();
}

bool StepSequence::end_rest() {
  const MutexLock lock(mutex_);
  return std::exchange(rests_, false);
}

void StepSequence::retry() {
  {
    const MutexLock lock(mutex_);
    if (!std::exchange(rests_, false)) {
      retry_asked_ = true;  // the step at work may have begun too early
      return;
    }
  }
  submit();
}

bool StepSequence::is_stopping() const {
  const MutexLock lock(mutex_);
  return stopping_;
}

void StepSequence::run() {
  while (at_ < steps_.size() && !is_stopping()) {
    const std::optional<Status> status = steps_[at_].run();
    if (is_stopping() || !(status ? go_on_after(*status) : !wait_unless_resumed())) {
      return;
    }
  }
}

bool StepSequence::wait_unless_resumed() {
  const MutexLock lock(mutex_);
  waits_ = !std::exchange(was_resumed_, false);
  return waits_;
}

bool StepSequence::go_on_after(const Status& status) {
  const SequenceStep& step = steps_[at_];
  const bool refuses = step.may_refuse && status.retry() == Retry::Never;
  parts_.report(step, status, !status.is_ok() && refuses);
  if (status.is_ok()) {
    ++at_;
    failures_ = 0;
    const MutexLock lock(mutex_);
    retry_asked_ = false;
    return true;
  }
  const auto delay = std::max(backoff_delay(kBackoff, ++failures_, *parts_.random),
                              std::min(status.retry_after(), kLongestAdvice));
  const MutexLock lock(mutex_);
  if (std::exchange(retry_asked_, false)) {
    return true;
  }
  rests_ = true;
  if (again_ && !refuses) {
    again_->set(parts_.clock->steady_now() + delay);
  }
  return false;
}

}  // namespace vkhost::daemon
