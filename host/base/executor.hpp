// Executor: runs tasks in the order in which they came, on a limited number of threads that all its
// users share. One thread stays, so that there is always somebody to do it; the others come one by
// one, when a task has waited for `patience`, and leave when there is none.
//
// A task must not throw. Tasks may add tasks. What has not begun when this object ends is dropped:
// users wait for the end of their own tasks before. [any-thread] [no-block], the destructor
// [may-block]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "base/thread_pool.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>

namespace vkhost {

class Executor {
 public:
  // `name` is that of the threads. Throws std::system_error when not even one can be started.
  Executor(const std::string& name,
           std::size_t max_threads,
           const Clock& clock,
           std::chrono::milliseconds patience = {});
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  void submit(std::function<void()> task);

 private:
  struct Task {
    std::function<void()> work;
    SteadyTime since{};
  };

  std::function<void()> take() VKHOST_REQUIRES(mutex_);
  void stay();
  void help();
  void wait_until_needed() VKHOST_REQUIRES(mutex_);
  [[nodiscard]] bool wants_helper() VKHOST_REQUIRES(mutex_);
  void start_helper();

  const Clock& clock_;
  const std::size_t max_helpers_;
  const std::chrono::milliseconds patience_;
  Mutex mutex_;
  CondVar arrived_;
  CondVar stopped_;
  bool stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  bool is_idle_ VKHOST_GUARDED_BY(mutex_) = false;  // the thread that stays
  std::size_t helping_ VKHOST_GUARDED_BY(mutex_) = 0;
  bool has_newcomer_ VKHOST_GUARDED_BY(mutex_) = false;  // a helper that has no task yet
  std::deque<Task> waiting_ VKHOST_GUARDED_BY(mutex_);
  // Last: their threads use all of the above.
  ThreadPool helpers_;
  Thread thread_;
};

}  // namespace vkhost
