// Chores: what one node does again and again, each chore at most once at a time, on threads that all
// nodes of the process share. One that hangs holds up itself only.
//
// Chores that are due within a moment of one another begin with one wake of the timer, so that an
// idle node sleeps. Work may call all functions but stop(). [any-thread] [no-block], stop() and the
// destructor [may-block]
#pragma once

#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/gate.hpp"
#include "base/mutex.hpp"
#include "base/timers.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace vkhost::node {

class Chores {
 public:
  using Id = std::size_t;

  Chores(std::shared_ptr<const Clock> clock, std::chrono::milliseconds slack);
  ~Chores();
  Chores(const Chores&) = delete;
  Chores& operator=(const Chores&) = delete;

  // Before start(); `every` is measured from one beginning to the next.
  Id add(std::optional<std::chrono::milliseconds> every, std::function<void()> work);
  // One executor for each chore, in the order of their ids. All outlive stop(). Once.
  void start(Timers& timers, const std::vector<Executor*>& executors);
  // What has not begun never does; waits for what has.
  void stop();

  void run_now(Id id);  // or once more, when it is running
  void run_by(Id id, SteadyTime when);

 private:
  struct Chore {
    std::optional<std::chrono::milliseconds> every;
    std::function<void()> work;
    Executor* executor = nullptr;
    std::optional<SteadyTime> due;
    bool is_wanted_now = false;
    bool is_busy = false;
  };
  [[nodiscard]] bool is_due(const Chore& chore, SteadyTime by) const VKHOST_REQUIRES(mutex_);
  using Begun = std::pair<Executor*, std::function<void()>>;
  void begin_due();
  [[nodiscard]] std::vector<Begun> take_due();
  [[nodiscard]] Begun begin(Id id, SteadyTime now) VKHOST_REQUIRES(mutex_);
  void set_alarm() VKHOST_REQUIRES(mutex_);
  void perform(Id id);
  void wake_up();

  const std::shared_ptr<const Clock> clock_;
  const std::chrono::milliseconds slack_;
  // Shared with the tasks that wait in executors: they may come after this object is gone.
  const std::shared_ptr<Gate> gate_;
  Mutex mutex_;
  bool runs_ VKHOST_GUARDED_BY(mutex_) = false;
  std::vector<Chore> chores_ VKHOST_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> alarm_ VKHOST_GUARDED_BY(mutex_);
  std::optional<SteadyTime> alarm_at_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::node
