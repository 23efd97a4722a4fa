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
  const auto entry = entries_.try_emplace(key).first;
  if (entry->second.working) {
    entry->second.again_at = std::min(entry->second.again_at.value_or(when), when);
  } else {
    schedule(entry->first, entry->second, when);
  }
}

void WorkQueue::schedule(const std::string& key, Entry& entry, SteadyTime when) {
  if (entry.ready || (entry.timer && (*entry.timer)->first <= when)) {
    return;
  }
  if (entry.timer) {
    timed_.erase(*entry.timer);
    entry.timer.reset();
  }
  if (when <= clock_->steady_now()) {
    make_ready(key, entry);
    changed_.notify_one();
    return;
  }
  entry.timer = timed_.emplace(when, &key);
  if (*entry.timer == timed_.begin()) {
    // The one that watches the timer has to look at the new time; which one it is nobody knows.
    changed_.notify_all();
  }
}

void WorkQueue::make_ready(const std::string& key, Entry& entry) {
  entry.ready = true;
  ready_.push_back(key);
}

void WorkQueue::promote_due() {
  const SteadyTime now = clock_->steady_now();
  while (!timed_.empty() && timed_.begin()->first <= now) {
    const std::string& key = *timed_.begin()->second;
    Entry& entry = entries_.at(key);
    timed_.erase(timed_.begin());
    entry.timer.reset();
    make_ready(key, entry);
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
    changed_.wait_until(mutex_, timed_.begin()->first);
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
  if (!entry.again_at || closed_) {
    entries_.erase(found);
    return;
  }
  const SteadyTime when = *entry.again_at;
  entry.again_at.reset();
  schedule(found->first, entry, when);
}

std::optional<SteadyTime> WorkQueue::next_due() {
  MutexLock lock(mutex_);
  if (!ready_.empty()) {
    return clock_->steady_now();
  }
  return timed_.empty() ? std::nullopt : std::optional(timed_.begin()->first);
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
