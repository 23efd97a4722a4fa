#include "pods/work_queue.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {

WorkQueue::WorkQueue(std::shared_ptr<const Clock> clock) : clock_(std::move(clock)) {}

void WorkQueue::add_at(const std::string& key, SteadyTime when) {
  MutexLock lock(mutex_);
  if (closed_) {
    return;
  }
  Entry& entry = entries_[key];
  if (entry.working) {
    entry.again = true;
    entry.again_at = std::min(entry.again_at, when);
    return;
  }
  schedule(key, entry, when);
}

void WorkQueue::schedule(const std::string& key, Entry& entry, SteadyTime when) {
  if (entry.ready || entry.when <= when) {
    return;
  }
  if (when <= clock_->steady_now()) {
    entry.ready = true;
    entry.when = SteadyTime::max();
    ready_.push_back(key);
    changed_.notify_one();
    return;
  }
  entry.when = when;
  const bool is_next = timed_.empty() || when < timed_.top().when;
  timed_.push({when, key});
  if (is_next) {
    // The one that watches the timer has to look at the new time; which one it is nobody knows.
    changed_.notify_all();
  }
}

void WorkQueue::promote_due() {
  const SteadyTime now = clock_->steady_now();
  while (!timed_.empty() && timed_.top().when <= now) {
    Timed timed = timed_.top();
    timed_.pop();
    const auto found = entries_.find(timed.key);
    // An entry that was moved forward leaves its old time behind; only the current one counts.
    if (found == entries_.end() || found->second.when != timed.when || found->second.ready) {
      continue;
    }
    found->second.when = SteadyTime::max();
    found->second.ready = true;
    ready_.push_back(std::move(timed.key));
  }
}

std::optional<std::string> WorkQueue::take_ready() {
  promote_due();
  if (ready_.empty()) {
    return std::nullopt;
  }
  std::string key = std::move(ready_.front());
  ready_.pop_front();
  Entry& entry = entries_[key];
  entry.ready = false;
  entry.working = true;
  if (!ready_.empty()) {
    changed_.notify_one();
  }
  return key;
}

std::optional<std::string> WorkQueue::try_take() {
  MutexLock lock(mutex_);
  return closed_ ? std::nullopt : take_ready();
}

std::optional<std::string> WorkQueue::take() {
  MutexLock lock(mutex_);
  while (!closed_) {
    if (auto key = take_ready()) {
      return key;
    }
    if (timed_.empty() || timer_watched_) {
      changed_.wait(mutex_);
      continue;
    }
    timer_watched_ = true;
    changed_.wait_until(mutex_, timed_.top().when);
    timer_watched_ = false;
    if (!timed_.empty()) {
      // Whoever leaves the watch passes it on.
      changed_.notify_one();
    }
  }
  return std::nullopt;
}

void WorkQueue::done(const std::string& key) {
  MutexLock lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    return;
  }
  Entry& entry = found->second;
  entry.working = false;
  if (!entry.again || closed_) {
    entries_.erase(found);
    return;
  }
  entry.again = false;
  schedule(key, entry, std::exchange(entry.again_at, SteadyTime::max()));
}

std::optional<SteadyTime> WorkQueue::next_due() {
  MutexLock lock(mutex_);
  if (!ready_.empty()) {
    return clock_->steady_now();
  }
  return timed_.empty() ? std::nullopt : std::optional(timed_.top().when);
}

std::size_t WorkQueue::size() {
  MutexLock lock(mutex_);
  return entries_.size();
}

void WorkQueue::close() {
  MutexLock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

}  // namespace vkhost::pods
