// WorkQueue: keys that need a look, each at most once, each with the earliest moment asked for.
//
// One key is never worked on twice at a time: a key added while it is worked on is handed out again
// when that is done. Adding a key that waits moves it forward, never back. Ready keys come in the
// order in which they became ready, urgent ones before the others: of which one comes now and then
// nevertheless, so that none waits for ever. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/mutex.hpp"
#include "base/timers.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace vkhost::pods {

enum class Urgency : std::uint8_t { Urgent, Patient };

class WorkQueue {
 public:
  using Work = std::function<void(const std::string& key)>;

  explicit WorkQueue(std::shared_ptr<const Clock> clock);
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  void add(const std::string& key, Urgency urgency = Urgency::Urgent) {
    add_at(key, SteadyTime::min(), urgency);
  }
  void add_at(const std::string& key, SteadyTime when, Urgency urgency = Urgency::Urgent);

  // From now on every key that is due is given to `work` on a thread of `executor`, so many at a
  // time. Both must outlive close(). Once.
  void run(Executor& executor, Timers& timers, std::size_t parallel, Work work);
  // Takes a key that is due, for a caller that moves the clock itself. It ends with done().
  std::optional<std::string> try_take();
  void done(const std::string& key);

  // When the next waiting key is due, if there is one.
  [[nodiscard]] std::optional<SteadyTime> next_due();
  [[nodiscard]] std::size_t size();
  // Keys that are due and were not handed out yet.
  [[nodiscard]] std::size_t depth();
  // Keys that wait are dropped; waits for the work that has begun. [may-block]
  void close();

 private:
  // The keys stand in entries_, which never moves them.
  using Timed = std::multimap<SteadyTime, const std::string*>;
  using Ready = std::map<std::pair<Urgency, std::uint64_t>, const std::string*>;
  struct Entry {
    std::optional<Timed::iterator> timed;  // set: waits for its time
    std::optional<Ready::iterator> ready;  // set: waits for its turn
    bool working = false;
    Urgency urgency = Urgency::Patient;
    std::optional<SteadyTime> again_at;  // added while working
  };

  void schedule(const std::string& key, Entry& entry, SteadyTime when) VKHOST_REQUIRES(mutex_);
  void make_urgent(const std::string& key, Entry& entry) VKHOST_REQUIRES(mutex_);
  void make_ready(const std::string& key, Entry& entry) VKHOST_REQUIRES(mutex_);
  void promote_due() VKHOST_REQUIRES(mutex_);
  std::optional<std::string> take_ready() VKHOST_REQUIRES(mutex_);
  Ready::iterator next_turn() VKHOST_REQUIRES(mutex_);
  void finish(const std::string& key) VKHOST_REQUIRES(mutex_);
  void send_turns() VKHOST_REQUIRES(mutex_);
  void set_alarm() VKHOST_REQUIRES(mutex_);
  void take_turn();
  void wake_up();

  const std::shared_ptr<const Clock> clock_;
  Mutex mutex_;
  CondVar turn_ended_;
  bool closed_ VKHOST_GUARDED_BY(mutex_) = false;
  Ready ready_ VKHOST_GUARDED_BY(mutex_);
  std::uint64_t last_ready_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::uint32_t urgent_turns_ VKHOST_GUARDED_BY(mutex_) = 0;  // since a patient one had one
  std::unordered_map<std::string, Entry> entries_ VKHOST_GUARDED_BY(mutex_);
  Timed timed_ VKHOST_GUARDED_BY(mutex_);

  // Set by run(). A turn is a task of the executor that does one key.
  Executor* executor_ VKHOST_GUARDED_BY(mutex_) = nullptr;
  std::size_t parallel_ VKHOST_GUARDED_BY(mutex_) = 0;
  Work work_;
  std::size_t turns_ VKHOST_GUARDED_BY(mutex_) = 0;    // sent and not ended
  std::size_t working_ VKHOST_GUARDED_BY(mutex_) = 0;  // of them, those that have a key
  std::unique_ptr<Timer> alarm_ VKHOST_GUARDED_BY(mutex_);
  std::optional<SteadyTime> alarm_at_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::pods
