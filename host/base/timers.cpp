#include "base/timers.hpp"

#include <utility>

namespace vkhost {

Timers::~Timers() {
  Thread ended;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    ended = std::move(thread_);
  }
}

void Timers::loop() {
  const MutexLock lock(mutex_);
  while (!stopping_) {
    if (due_.empty()) {
      changed_.wait(mutex_);
      continue;
    }
    const auto next = due_.begin();
    if (clock_.steady_now() < next->first) {
      static_cast<void>(changed_.wait_until(mutex_, next->first));
      continue;
    }
    Timer& timer = *next->second;
    due_.erase(next);
    timer.is_set_ = false;
    calling_ = &timer;
    mutex_.unlock();
    timer.callback_();
    mutex_.lock();
    calling_ = nullptr;
    called_.notify_all();
  }
}

Timer::~Timer() {
  const MutexLock lock(timers_.mutex_);
  if (std::exchange(is_set_, false)) {
    timers_.due_.erase(place_);
  }
  while (timers_.calling_ == this) {
    timers_.called_.wait(timers_.mutex_);
  }
  if (std::exchange(is_set_, false)) {  // by its own callback
    timers_.due_.erase(place_);
  }
}

void Timer::set(SteadyTime when) {
  const MutexLock lock(timers_.mutex_);
  if (std::exchange(is_set_, false)) {
    timers_.due_.erase(place_);
  }
  place_ = timers_.due_.emplace(when, this);
  is_set_ = true;
  if (!timers_.thread_.joinable() && !timers_.stopping_) {
    timers_.thread_ = Thread("timers", [timers = &timers_] { timers->loop(); });
  } else if (place_ == timers_.due_.begin()) {
    timers_.changed_.notify_one();
  }
}

}  // namespace vkhost
