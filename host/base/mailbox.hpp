// Mailbox: keeps only the newest value under each key, in the order in which the keys first became
// pending. A producer never waits, and a burst for one key costs one entry. [any-thread]
#pragma once

#include "base/mutex.hpp"

#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

namespace vkhost {

template <typename Key, typename Value>
class Mailbox {
 public:
  // Replaces what was pending under `key`. False after close().
  bool put(const Key& key, Value value) {
    MutexLock lock(mutex_);
    if (closed_) {
      return false;
    }
    if (auto found = values_.find(key); found != values_.end()) {
      found->second = std::move(value);
      return true;
    }
    values_.emplace(key, std::move(value));
    order_.push_back(key);
    arrived_.notify_one();
    return true;
  }

  // Waits for an entry; nothing after close() once all are taken. [may-block]
  std::optional<std::pair<Key, Value>> take() {
    MutexLock lock(mutex_);
    while (order_.empty()) {
      if (closed_) {
        return std::nullopt;
      }
      arrived_.wait(mutex_);
    }
    return take_front();
  }

  std::optional<std::pair<Key, Value>> try_take() {
    MutexLock lock(mutex_);
    if (order_.empty()) {
      return std::nullopt;
    }
    return take_front();
  }

  void close() {
    MutexLock lock(mutex_);
    closed_ = true;
    arrived_.notify_all();
  }

 private:
  std::optional<std::pair<Key, Value>> take_front() VKHOST_REQUIRES(mutex_) {
    auto node = values_.extract(order_.front());
    order_.pop_front();
    return std::pair<Key, Value>(std::move(node.key()), std::move(node.mapped()));
  }

  Mutex mutex_;
  CondVar arrived_;
  bool closed_ VKHOST_GUARDED_BY(mutex_) = false;
  std::deque<Key> order_ VKHOST_GUARDED_BY(mutex_);
  std::unordered_map<Key, Value> values_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost
