// StepSequence: steps that follow one another, each repeated with back-off until it succeeds, on threads
// that it shares with other sequences and holds only while a step is at work.
//
// Steps and reports are called by one thread at a time, and may block. [any-thread] [no-block], stop()
// and the destructor [may-block]
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/gate.hpp"
#include "base/mutex.hpp"
#include "base/status.hpp"
#include "base/timers.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::daemon {

struct SequenceStep {
  std::string what;  // for people: "starting the provider"
  // Nothing: it waits for resume(), and is called again then.
  std::function<std::optional<Status>()> run;
  // Whether the advice never to try again ends the sequence.
  bool may_refuse = false;
};

class StepSequence {
 public:
  struct Parts {
    Executor* executor = nullptr;  // both outlive stop()
    Timers* timers = nullptr;
    std::shared_ptr<const Clock> clock;
    std::shared_ptr<Random> random;
    // After each step that has ended; `is_final` when it refuses and nothing follows.
    std::function<void(const SequenceStep& step, const Status& status, bool is_final)> report;
  };

  StepSequence(std::vector<SequenceStep> steps, Parts parts);
  ~StepSequence();
  StepSequence(const StepSequence&) = delete;
  StepSequence& operator=(const StepSequence&) = delete;

  void start();   // once
  void resume();  // what a step waits for may have come
  // Why a step failed, or refused for good, may be over: it is tried again at once, or once more if it is
  // at work.
  void retry();
  // No step begins any more; waits for the one at work.
  void stop();

 private:
  void submit();
  void run();
  [[nodiscard]] bool is_stopping() const;
  // False when the sequence waits now.
  bool go_on_after(const Status& status);
  bool wait_unless_resumed();
  // Whether it was the caller who ended the rest after a failure.
  bool end_rest();

  const std::vector<SequenceStep> steps_;
  const Parts parts_;
  // Only touched by the thread at work.
  std::size_t at_ = 0;
  std::uint32_t failures_ = 0;

  // Shared with tasks that wait in the executor: they may come after this object is gone.
  const std::shared_ptr<Gate> gate_;
  mutable Mutex mutex_;
  bool stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  bool waits_ VKHOST_GUARDED_BY(mutex_) = false;
  bool was_resumed_ VKHOST_GUARDED_BY(mutex_) = false;
  bool rests_ VKHOST_GUARDED_BY(mutex_) = false;  // after a failure, be it for good
  bool retry_asked_ VKHOST_GUARDED_BY(mutex_) = false;
  std::unique_ptr<Timer> again_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::daemon
