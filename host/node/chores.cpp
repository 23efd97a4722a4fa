#include "node/chores.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::node {

Chores::Chores(std::shared_ptr<const Clock> clock, std::chrono::milliseconds slack)
    : clock_(std::move(clock)), slack_(slack), gate_(std::make_shared<Gate>()) {}

Chores::~Chores() { stop(); }

Chores::Id Chores::add(std::optional<std::chrono::milliseconds> every, std::function<void()> work) {
  const MutexLock lock(mutex_);
  chores_.push_back({every, std::move(work), nullptr, std::nullopt, false, false});
  return chores_.size() - 1;
}

void Chores::start(Timers& timers, const std::vector<Executor*>& executors) {
  {
    const MutexLock lock(mutex_);
    for (Id id = 0; id < chores_.size(); ++id) {
      chores_[id].executor = executors.at(id);
    }
    alarm_ = std::make_unique<Timer>(timers, [this] { wake_up(); });
    runs_ = true;
  }
  begin_due();
}

void Chores::stop() {
  std::unique_ptr<Timer> alarm;  // ends without the lock: its callback takes it
  {
    const MutexLock lock(mutex_);
    runs_ = false;
    alarm = std::move(alarm_);
  }
  alarm.reset();
  gate_->close();
}

void Chores::run_now(Id id) {
  {
    const MutexLock lock(mutex_);
    chores_[id].is_wanted_now = true;
  }
  begin_due();
}

void Chores::run_by(Id id, SteadyTime when) {
  {
    const MutexLock lock(mutex_);
    chores_[id].due = std::min(chores_[id].due.value_or(when), when);
  }
  begin_due();
}

bool Chores::is_due(const Chore& chore, SteadyTime by) const {
  return !chore.is_busy && (chore.is_wanted_now || (chore.due && *chore.due <= by));
}

void Chores::begin_due() {
  const Gate::Pass pass = gate_->enter();  // the executors are there until stop() has returned
  if (!pass) {
    return;
  }
  // Without the lock, for which the threads that take them would only wait.
  for (auto& [executor, task] : take_due()) {
    executor->submit(std::move(task));
  }
}

std::vector<Chores::Begun> Chores::take_due() {
  const MutexLock lock(mutex_);
  std::vector<Begun> begun;
  if (!runs_) {
    return begun;
  }
  const SteadyTime now = clock_->steady_now();
  bool wakes = false;  // for the sake of one whose time has come
  for (const Chore& chore : chores_) {
    wakes = wakes || (!chore.is_wanted_now && is_due(chore, now));
  }
  for (Id id = 0; id < chores_.size(); ++id) {
    if (is_due(chores_[id], wakes ? now + slack_ : now)) {
      begun.push_back(begin(id, now));
    }
  }
  set_alarm();
  return begun;
}

Chores::Begun Chores::begin(Id id, SteadyTime now) {
  Chore& chore = chores_[id];
  chore.is_busy = true;
  chore.is_wanted_now = false;
  chore.due = chore.every ? std::optional(now + *chore.every) : std::nullopt;
  return {chore.executor, [this, id, gate = gate_] {
            if (const Gate::Pass pass = gate->enter()) {
              perform(id);
            }
          }};
}

// One alarm, for the earliest; one that is set too early only looks. The next time of a chore that has
// just begun counts too: were the alarm moved at its end, that would wake the timer thread once more.
void Chores::set_alarm() {
  const SteadyTime now = clock_->steady_now();
  std::optional<SteadyTime> next;
  for (const Chore& chore : chores_) {
    if (chore.due && (!chore.is_busy || *chore.due > now)) {
      next = std::min(next.value_or(*chore.due), *chore.due);
    }
  }
  if (next && (!alarm_at_ || *next < *alarm_at_)) {
    alarm_at_ = next;
    alarm_->set(*next);
  }
}

void Chores::perform(Id id) {
  std::function<void()> work;
  {
    const MutexLock lock(mutex_);
    work = chores_[id].work;
  }
  work();
  {
    const MutexLock lock(mutex_);
    chores_[id].is_busy = false;
  }
  begin_due();
}

void Chores::wake_up() {
  {
    const MutexLock lock(mutex_);
    alarm_at_.reset();
  }
  begin_due();
}

}  // namespace vkhost::node
