// Scheduler: one thread for all instances of this library, which runs each task when it is due and
// sleeps in between. It lives from init to shutdown. [any-thread]
#pragma once

#include "workload.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace vkhost::mock {

// Milliseconds since 1970.
[[nodiscard]] Millis now_millis();

class Scheduler {
 public:
  class Task {
   public:
    Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;
    // On the scheduler's thread. Returns when it is due again. Must not throw.
    virtual std::optional<Millis> run(Millis now) noexcept = 0;

   protected:
    ~Task() = default;
  };

  Scheduler();
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void add(Task& task, Millis due);
  // The task is due at that time at the latest; says nothing when it was not added.
  void wake(Task& task, Millis due);
  // The task is not running any more when this returns. Not from within a task.
  void remove(Task& task);

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Task*, std::optional<Millis>> tasks_;
  Task* running_ = nullptr;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace vkhost::mock
