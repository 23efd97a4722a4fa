// TimedCache: what was read a moment ago, so that pods which come together and refer to the same
// object do not each ask for it. Bounded in age and in bytes. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace vkhost::resolve {

inline constexpr std::size_t kEntryBytes = 256;  // an entry's own needs, roughly

template <typename T, typename Key = std::string>
class TimedCache {
 public:
  using Ptr = std::shared_ptr<const T>;

  // `clock` outlives the cache. With an age of 0 nothing is kept.
  TimedCache(const Clock& clock, std::chrono::milliseconds max_age, std::size_t max_bytes)
      : clock_(clock), max_age_(max_age), max_bytes_(max_bytes) {}

  // Null when there is none that is young enough.
  [[nodiscard]] Ptr find(const Key& key) const {
    const MutexLock lock(mutex_);
    const auto found = entries_.find(key);
    return found == entries_.end() || is_old(found->second) ? nullptr : found->second.value;
  }
  // `since` is when reading began: nothing older than that can be in it.
  void put(const Key& key, Ptr value, std::size_t bytes, SteadyTime since) {
    Entry entry{std::move(value), bytes, since};
    const MutexLock lock(mutex_);
    drop_old();
    if (is_old(entry) || bytes > max_bytes_) {
      return;
    }
    drop(entries_.find(key));
    while (bytes_ + bytes > max_bytes_) {
      drop(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
        return a.second.since < b.second.since;
      }));
    }
    bytes_ += bytes;
    entries_.emplace(key, std::move(entry));
  }
  void forget(const Key& key) {
    const MutexLock lock(mutex_);
    drop(entries_.find(key));
  }
  void drop_expired() {
    const MutexLock lock(mutex_);
    drop_old();
  }
  [[nodiscard]] std::size_t size() const {
    const MutexLock lock(mutex_);
    return entries_.size();
  }

 private:
  struct Entry {
    Ptr value;
    std::size_t bytes = 0;
    SteadyTime since;
  };
  using Entries = std::map<Key, Entry>;

  [[nodiscard]] bool is_old(const Entry& entry) const {
    return clock_.steady_now() - entry.since >= max_age_;
  }
  typename Entries::iterator drop(typename Entries::iterator at) VKHOST_REQUIRES(mutex_) {
    if (at == entries_.end()) {
      return at;
    }
    bytes_ -= at->second.bytes;
    return entries_.erase(at);
  }
  void drop_old() VKHOST_REQUIRES(mutex_) {
    for (auto at = entries_.begin(); at != entries_.end();) {
      at = is_old(at->second) ? drop(at) : std::next(at);
    }
  }

  const Clock& clock_;
  const std::chrono::milliseconds max_age_;
  const std::size_t max_bytes_;
  mutable Mutex mutex_;
  Entries entries_ VKHOST_GUARDED_BY(mutex_);
  std::size_t bytes_ VKHOST_GUARDED_BY(mutex_) = 0;
};

}  // namespace vkhost::resolve
