#include "base/executor.hpp"

#include <algorithm>
#include <utility>

namespace vkhost {
namespace {

ThreadPoolSettings helper_settings(const std::string& name) {
  ThreadPoolSettings settings;
  settings.name = name;
  settings.kept_idle = 0;
  settings.idle_limit = std::chrono::seconds{1};
  settings.end_limit = std::chrono::hours{24};  // tasks are the host's own: they do end
  return settings;
}

}  // namespace

Executor::Executor(const std::string& name, std::size_t max_threads, const Clock& clock)
    : max_helpers_(std::max<std::size_t>(1, max_threads) - 1),
      helpers_(clock, helper_settings(name)),
      thread_(name, [this] { stay(); }) {}

Executor::~Executor() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    arrived_.notify_all();
  }
  thread_.join();
}

void Executor::submit(std::function<void()> task) {
  bool wakes = false;
  {
    const MutexLock lock(mutex_);
    waiting_.push_back(std::move(task));
    wakes = std::exchange(is_idle_, false);
    if (!wakes) {
      if (helping_ >= max_helpers_) {
        return;
      }
      ++helping_;
    }
  }
  if (wakes) {
    arrived_.notify_one();  // without the lock, for which it would only wait
    return;
  }
  if (!helpers_.run([this] { help(); }).is_ok()) {
    const MutexLock lock(mutex_);  // no further thread can be had: those that are there take it
    --helping_;
  }
}

std::function<void()> Executor::take() {
  std::function<void()> task = std::move(waiting_.front());
  waiting_.pop_front();
  return task;
}

void Executor::stay() {
  for (;;) {
    std::function<void()> task;
    {
      const MutexLock lock(mutex_);
      while (waiting_.empty() && !stopping_) {
        is_idle_ = true;
        arrived_.wait(mutex_);
      }
      is_idle_ = false;
      if (stopping_) {
        return;
      }
      task = take();
    }
    task();
  }
}

void Executor::help() {
  for (;;) {
    std::function<void()> task;
    {
      const MutexLock lock(mutex_);
      if (waiting_.empty()) {
        --helping_;
        return;
      }
      task = take();
    }
    task();
  }
}

}  // namespace vkhost
