// FakeClock: stands still until a test moves it; steady and wall time move together, unless the wall
// clock is set. Starts at 2026-01-02T03:04:05Z. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"

#include <chrono>

namespace vkhost::testing {

class FakeClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override {
    MutexLock lock(mutex_);
    return SteadyTime(std::chrono::hours{1000}) + passed_;
  }
  [[nodiscard]] WallTime wall_now() const override {
    MutexLock lock(mutex_);
    return WallTime(std::chrono::seconds{1'767'323'045}) + passed_ + set_by_;
  }

  void advance(std::chrono::milliseconds by) {
    MutexLock lock(mutex_);
    passed_ += by;
  }
  // The wall clock alone, forward or back: somebody has set it, or the machine slept.
  void set_wall_by(std::chrono::milliseconds by) {
    MutexLock lock(mutex_);
    set_by_ += by;
  }
  // Never back.
  void advance_to(SteadyTime when) {
    MutexLock lock(mutex_);
    const auto passed = when - SteadyTime(std::chrono::hours{1000});
    if (passed > passed_) {
      passed_ = std::chrono::ceil<std::chrono::milliseconds>(passed);
    }
  }

 private:
  mutable Mutex mutex_;
  std::chrono::milliseconds passed_ VKHOST_GUARDED_BY(mutex_){0};
  std::chrono::milliseconds set_by_ VKHOST_GUARDED_BY(mutex_){0};
};

}  // namespace vkhost::testing
