// TimedCache: remembers answers for a while, asks once for several that want the same, and forgets
// the oldest when it is full. `ask` runs without a lock, on the thread that wanted the answer first;
// an answer with a lifetime of zero is given to those who wait and not kept. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace vkhost::kubelet {

template <typename Answer>
class TimedCache {
 public:
  struct Timed {
    Answer answer;
    std::chrono::milliseconds lifetime{0};
  };

  TimedCache(std::size_t limit, std::shared_ptr<const Clock> clock)
      : limit_(limit), clock_(std::move(clock)) {}

  // [may-block] for `ask`, which must not throw
  Answer get(const std::string& key, const std::function<Timed()>& ask) {
    std::shared_ptr<Entry> entry;
    {
      MutexLock lock(mutex_);
      auto found = entries_.find(key);
      if (found != entries_.end() && found->second->is_ready &&
          clock_->steady_now() >= found->second->expires) {
        drop(key);
        found = entries_.end();
      }
      if (found != entries_.end()) {
        entry = found->second;
        while (!entry->is_ready) {
          answered_.wait(mutex_);
        }
        return *entry->answer;
      }
      entry = std::make_shared<Entry>();
      order_.push_back(key);
      entry->place = std::prev(order_.end());
      entries_.emplace(key, entry);
      if (entries_.size() > limit_) {
        drop(order_.front());
      }
    }
    Timed timed = ask();
    MutexLock lock(mutex_);
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

 private:
  struct Entry {
    bool is_ready = false;
    SteadyTime expires{};
    std::unique_ptr<Answer> answer;
    std::list<std::string>::iterator place;
  };

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
