// TimedCache: remembers answers for a while, asks once for several that want the same, and forgets
// the oldest when it is full. `ask` runs without a lock, on the thread that wanted the answer first;
// an answer with a lifetime of zero is given to those who wait and not kept. When the one who asks
// is cancelled, that concerns nobody else: the next one asks. [any-thread]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/status.hpp"

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace vkhost::kubelet {

// `Answer` is a Result.
template <typename Answer>
class TimedCache {
 public:
  struct Timed {
    Answer answer;
    std::chrono::milliseconds lifetime{0};
  };

  TimedCache(std::size_t limit, std::shared_ptr<const Clock> clock)
      : limit_(limit), clock_(std::move(clock)) {}

  // CANCELLED when `cancel` comes before the answer. `ask` must not throw. [may-block]
  Answer get(const std::string& key, const CancelToken& cancel, const std::function<Timed()>& ask) {
    const CancelCallback wake(cancel, [this] {
      const MutexLock lock(mutex_);
      answered_.notify_all();
    });
    for (;;) {
      bool is_first = false;
      const std::shared_ptr<Entry> entry = join(key, is_first);
      if (is_first) {
        return settle(key, entry, ask());
      }
      const MutexLock lock(mutex_);
      while (!entry->is_ready && !cancel.is_cancelled()) {
        answered_.wait(mutex_);
      }
      if (!entry->is_ready) {
        return Answer(cancelled("waiting for an answer that another request asked for"));
      }
      if (entry->answer->is_ok() || entry->answer->status().code() != StatusCode::Cancelled) {
        return *entry->answer;
      }
    }
  }

 private:
  struct Entry {
    bool is_ready = false;
    SteadyTime expires{};
    std::unique_ptr<Answer> answer;
    std::list<std::string>::iterator place;
  };

  // The entry under that key, made by this call when there was none that still counts.
  std::shared_ptr<Entry> join(const std::string& key, bool& is_first) {
    const MutexLock lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) {
      if (!found->second->is_ready || clock_->steady_now() < found->second->expires) {
        return found->second;
      }
      drop(key);
    }
    is_first = true;
    auto entry = std::make_shared<Entry>();
    order_.push_back(key);
    entry->place = std::prev(order_.end());
    entries_.emplace(key, entry);
    if (entries_.size() > limit_) {
      drop(order_.front());
    }
    return entry;
  }

  Answer settle(const std::string& key, const std::shared_ptr<Entry>& entry, Timed timed) {
    const MutexLock lock(mutex_);
    entry->answer = std::make_unique<Answer>(std::move(timed.answer));
    entry->expires = clock_->steady_now() + timed.lifetime;
    entry->is_ready = true;
    const auto found = entries_.find(key);
    if (timed.lifetime <= std::chrono::milliseconds{0} && found != entries_.end() &&
        found->second == entry) {
      drop(key);
    }
    answered_.notify_all();
    return *entry->answer;
  }

  // Those who wait for a dropped entry still get its answer: they hold it.
  void drop(const std::string& key) VKHOST_REQUIRES(mutex_) {
    const auto found = entries_.find(key);
    const auto place = found->second->place;
    entries_.erase(found);
    order_.erase(place);
  }

  const std::size_t limit_;
  const std::shared_ptr<const Clock> clock_;
  Mutex mutex_;
  CondVar answered_;
  std::list<std::string> order_ VKHOST_GUARDED_BY(mutex_);  // oldest first
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::kubelet
