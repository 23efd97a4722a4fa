#include "scheduler.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>

namespace vkhost::mock {

Millis now_millis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Scheduler::Scheduler() : thread_([this] { loop(); }) {}

Scheduler::~Scheduler() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Scheduler::add(Task& task, Millis due) {
  {
    const std::lock_guard lock(mutex_);
    tasks_[&task] = due;
  }
  changed_.notify_all();
}

void Scheduler::wake(Task& task, Millis due) {
  const std::lock_guard lock(mutex_);
  const auto found = tasks_.find(&task);
  if (found != tasks_.end() && (!found->second || due < *found->second)) {
    found->second = due;
    changed_.notify_all();
  }
}

void Scheduler::remove(Task& task) {
  std::unique_lock lock(mutex_);
  tasks_.erase(&task);
  changed_.wait(lock, [&] { return running_ != &task; });
}

void Scheduler::loop() {
  pthread_setname_np(pthread_self(), "mock-scheduler");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    auto next = tasks_.end();
    for (auto task = tasks_.begin(); task != tasks_.end(); ++task) {
      if (task->second && (next == tasks_.end() || *task->second < *next->second)) {
        next = task;
      }
    }
    if (next == tasks_.end()) {
      changed_.wait(lock);
      continue;
    }
    const Millis now = now_millis();
    if (*next->second > now) {
      // The wall clock: what happens while nobody watches is reckoned by it as well. An hour at a
      // time, as the clock counts nanoseconds and could not tell any instant.
      const Millis until = std::min(*next->second, now + Millis{3'600'000});
      changed_.wait_until(lock,
                          std::chrono::system_clock::time_point(std::chrono::milliseconds(until)));
      continue;
    }
    running_ = next->first;
    next->second.reset();
    lock.unlock();
    const std::optional<Millis> due = running_->run(now);
    lock.lock();
    // It may have been removed, or woken, while it ran.
    const auto found = tasks_.find(running_);
    if (due && found != tasks_.end() && (!found->second || *due < *found->second)) {
      found->second = due;
    }
    running_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace vkhost::mock
