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

Executor::Executor(const std::string& name,
                   std::size_t max_threads,
                   const Clock& clock,
                   std::chrono::milliseconds patience)
    : clock_(clock),
      max_helpers_(std::max<std::size_t>(1, max_threads) - 1),
      patience_(patience),
      helpers_(clock, helper_settings(name)),
      thread_(name, [this] { stay(); }) {}

Executor::~Executor() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    arrived_.notify_all();
    stopped_.notify_all();
  }
  thread_.join();
}

void Executor::submit(std::function<void()> task) {
  bool wakes = false;
  {
    const MutexLock lock(mutex_);
    waiting_.push_back({std::move(task), clock_.steady_now()});
    wakes = std::exchange(is_idle_, false);
    if (!wakes && !wants_helper()) {
      return;
    }
  }
  if (wakes) {
    arrived_.notify_one();  // without the lock, for which it would only wait
  } else {
    start_helper();
  }
}

bool Executor::wants_helper() {
  if (has_newcomer_ || helping_ >= max_helpers_) {
    return false;
  }
  ++helping_;
  return has_newcomer_ = true;
}

void Executor::start_helper() {
  if (!helpers_.run([this] { help(); }).is_ok()) {
    const MutexLock lock(mutex_);  // no further thread can be had: those that are there take it
    --helping_;
    has_newcomer_ = false;
  }
}

std::function<void()> Executor::take() {
  std::function<void()> task = std::move(waiting_.front().work);
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
  for (bool is_new = true;; is_new = false) {
    std::function<void()> task;
    bool is_not_enough = false;
    {
      const MutexLock lock(mutex_);
      if (is_new) {
        wait_until_needed();
        has_newcomer_ = false;
      }
      if (waiting_.empty()) {
        --helping_;
        return;
      }
      task = take();
      is_not_enough = is_new && !waiting_.empty() && wants_helper();
    }
    if (is_not_enough) {
      start_helper();
    }
    task();
  }
}

void Executor::wait_until_needed() {
  const SteadyTime came = clock_.steady_now();
  while (!waiting_.empty()) {
    const SteadyTime needed = std::max(came, waiting_.front().since) + patience_;
    if (clock_.steady_now() >= needed) {
      return;
    }
    static_cast<void>(stopped_.wait_until(mutex_, needed));
  }
}

}  // namespace vkhost
