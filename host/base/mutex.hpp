// Mutex, MutexLock and CondVar: libstdc++'s own, with the annotations that let clang check that
// guarded members are only touched under their lock. Waits are written as loops
// (`while (!ready) cv.wait(mutex_)`), since the analysis cannot see into predicate lambdas.
#pragma once

#include "base/thread_annotations.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace vkhost {

class VKHOST_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  ~Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() VKHOST_ACQUIRE() { mutex_.lock(); }
  void unlock() VKHOST_RELEASE() { mutex_.unlock(); }
  bool try_lock() VKHOST_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class VKHOST_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) VKHOST_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() VKHOST_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // The caller holds `mutex`; it is released while waiting and held again on return.
  void wait(Mutex& mutex) VKHOST_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when `until` passed first.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point until)
      VKHOST_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool woken = condition_.wait_until(lock, until) == std::cv_status::no_timeout;
    lock.release();
    return woken;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace vkhost
