// ThreadPool: threads that come with the work and leave when there is none.
//
// A task gets an idle thread or a new one; none ever waits for another. One that a task does not give
// back, as code of a plugin may, is left behind when this object ends: its stack must stay, as that
// code still stands on it. Asynchronous signals are blocked on all threads.
// [any-thread] [no-block], the destructor [may-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace vkhost {

struct ThreadPoolSettings {
  std::string name = "pool";  // of the threads
  std::size_t max_threads = 2048;
  std::size_t kept_idle = 2;                     // these wait for ever
  std::chrono::milliseconds idle_limit{10'000};  // the others leave after this
  std::chrono::milliseconds end_limit{2'000};    // the destructor's patience
};

class ThreadPool {
 public:
  explicit ThreadPool(const Clock& clock, ThreadPoolSettings settings = {});
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Runs `task` soon. It must not throw. RESOURCE_EXHAUSTED when there can be no further thread; then
  // it has not run and will not.
  Status run(std::function<void()> task);

  [[nodiscard]] std::size_t threads() const;  // idle ones included

 private:
  struct Worker;
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace vkhost
