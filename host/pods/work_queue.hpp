// WorkQueue: pod UIDs that need a look, each at most once, each with the earliest moment asked for.
//
// One key is never worked on by two workers: a key added while a worker has it is handed out again
// when that worker is done. Adding a key that waits moves it forward, never back. Ready keys come in
// the order in which they became ready. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace vkhost::pods {

class WorkQueue {
 public:
  explicit WorkQueue(std::shared_ptr<const Clock> clock);

  void add(const std::string& key) { add_at(key, SteadyTime::min()); }
  void add_at(const std::string& key, SteadyTime when);

  // Waits for a key that is due; nothing after close(). The caller ends with done(). [may-block]
  std::optional<std::string> take();
  // The same without waiting, for a caller that moves the clock itself.
  std::optional<std::string> try_take();
  void done(const std::string& key);

  // When the next waiting key is due, if there is one.
  [[nodiscard]] std::optional<SteadyTime> next_due();
  [[nodiscard]] std::size_t size();
  // Keys that wait are dropped, waiting takers return.
  void close();

 private:
  // The keys stand in entries_, which never moves them.
  using Timer = std::multimap<SteadyTime, const std::string*>;
  struct Entry {
    std::optional<Timer::iterator> timer;  // set: waits for its time
    bool ready = false;
    bool working = false;
    std::optional<SteadyTime> again_at;  // added while working
  };

  void schedule(const std::string& key, Entry& entry, SteadyTime when) VKHOST_REQUIRES(mutex_);
  void make_ready(const std::string& key, Entry& entry) VKHOST_REQUIRES(mutex_);
  void promote_due() VKHOST_REQUIRES(mutex_);
  std::optional<std::string> take_ready() VKHOST_REQUIRES(mutex_);

  const std::shared_ptr<const Clock> clock_;
  Mutex mutex_;
  CondVar changed_;
  bool closed_ VKHOST_GUARDED_BY(mutex_) = false;
  // Only one taker sleeps until the next due time, the others until they are needed: a timer that
  // fires wakes one thread.
  bool timer_watched_ VKHOST_GUARDED_BY(mutex_) = false;
  std::deque<std::string> ready_ VKHOST_GUARDED_BY(mutex_);
  std::unordered_map<std::string, Entry> entries_ VKHOST_GUARDED_BY(mutex_);
  Timer timed_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::pods
