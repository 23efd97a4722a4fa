// Timers: one thread that calls whoever is due. A Timer is one alarm of it, set and set again.
//
// Callbacks run on that thread and must not block; what takes time goes to an Executor. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/thread.hpp"

#include <functional>
#include <map>

namespace vkhost {

class Timer;

class Timers {
 public:
  explicit Timers(const Clock& clock) : clock_(clock) {}
  ~Timers();  // after all its Timer objects [may-block]
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

 private:
  friend class Timer;
  void loop();

  const Clock& clock_;
  Mutex mutex_;
  CondVar changed_;  // for the thread: something is due earlier
  CondVar called_;   // a callback has returned
  std::multimap<SteadyTime, Timer*> due_ VKHOST_GUARDED_BY(mutex_);
  const Timer* calling_ VKHOST_GUARDED_BY(mutex_) = nullptr;
  bool stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  Thread thread_ VKHOST_GUARDED_BY(mutex_);  // from the first alarm on
};

class Timer {
 public:
  Timer(Timers& timers, std::function<void()> callback)
      : timers_(timers), callback_(std::move(callback)) {}
  // Once it has returned, the callback is not running and will not. [may-block]
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Calls back once at `when`, in place of the time set before. Throws std::system_error when the
  // thread can't be started. [no-block]
  void set(SteadyTime when);

 private:
  friend class Timers;
  Timers& timers_;
  const std::function<void()> callback_;
  // Guarded by the mutex of timers_.
  std::multimap<SteadyTime, Timer*>::iterator place_;
  bool is_set_ = false;
};

}  // namespace vkhost
