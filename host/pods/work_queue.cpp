#include "pods/work_queue.hpp"

#include "base/planted.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {
namespace {

// Between two turns of patient keys.
constexpr std::uint32_t kUrgentTurns = 7;

}  // namespace

WorkQueue::WorkQueue(std::shared_ptr<const Clock> clock) : clock_(std::move(clock)) {}

WorkQueue::~WorkQueue() { close(); }

void WorkQueue::add_at(const std::string& key, SteadyTime when, Urgency urgency) {
  const MutexLock lock(mutex_);
  if (closed_) {
    return;
  }
  const auto entry = entries_.try_emplace(key).first;
  if (urgency == Urgency::Urgent) {
    make_urgent(entry->first, entry->second);
  }
  if (entry->second.working) {
    when = VKHOST_PLANTED(DirtyWhileWorkingDropped) ? SteadyTime::max() : when;
    entry->second.again_at = std::min(entry->second.again_at.value_or(when), when);
  } else {
    schedule(entry->first, entry->second, when);
  }
}

void WorkQueue::schedule(const std::string& key, Entry& entry, SteadyTime when) {
  if (entry.ready || (entry.timed && (*entry.timed)->first <= when)) {
    return;
  }
  if (entry.timed) {
    timed_.erase(*entry.timed);
    entry.timed.reset();
  }
  if (when <= clock_->steady_now()) {
    make_ready(key, entry);
    send_turns();
  } else {
    entry.timed = timed_.emplace(when, &key);
    set_alarm();
  }
}

void WorkQueue::make_ready(const std::string& key, Entry& entry) {
  entry.ready = ready_.try_emplace({entry.urgency, ++last_ready_}, &key).first;
}

void WorkQueue::make_urgent(const std::string& key, Entry& entry) {
  if (std::exchange(entry.urgency, Urgency::Urgent) == Urgency::Patient && entry.ready) {
    ready_.erase(*entry.ready);
    make_ready(key, entry);
  }
}

void WorkQueue::promote_due() {
  const SteadyTime now = clock_->steady_now();
  while (!timed_.empty() && timed_.begin()->first <= now) {
    const std::string& key = *timed_.begin()->second;
    Entry& entry = entries_.at(key);
    timed_.erase(timed_.begin());
    entry.timed.reset();
    make_ready(key, entry);
  }
}

std::optional<std::string> WorkQueue::take_ready() {
  promote_due();
  if (ready_.empty()) {
    return std::nullopt;
  }
  const auto turn = next_turn();
  std::string key = *turn->second;
  ready_.erase(turn);
  Entry& entry = entries_.at(key);
  entry.ready.reset();
  entry.working = true;
  entry.urgency = Urgency::Patient;  // as long as nobody says otherwise
  return key;
}

WorkQueue::Ready::iterator WorkQueue::next_turn() {
  const auto first = ready_.begin();
  const auto patient = ready_.lower_bound({Urgency::Patient, 0});
  if (patient == first || patient == ready_.end()) {
    urgent_turns_ = 0;
    return first;
  }
  if (urgent_turns_ >= kUrgentTurns) {
    urgent_turns_ = 0;
    return patient;
  }
  ++urgent_turns_;
  return first;
}

std::optional<std::string> WorkQueue::try_take() {
  const MutexLock lock(mutex_);
  return closed_ ? std::nullopt : take_ready();
}

void WorkQueue::done(const std::string& key) {
  const MutexLock lock(mutex_);
  finish(key);
}

void WorkQueue::finish(const std::string& key) {
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

// ---- Turns

void WorkQueue::run(Executor& executor, Timers& timers, std::size_t parallel, Work work) {
  const MutexLock lock(mutex_);
  if (closed_) {
    return;
  }
  executor_ = &executor;
  parallel_ = std::max<std::size_t>(1, parallel);
  work_ = std::move(work);
  alarm_ = std::make_unique<Timer>(timers, [this] { wake_up(); });
  promote_due();
  send_turns();
  set_alarm();
}

void WorkQueue::send_turns() {
  if (executor_ == nullptr) {
    return;
  }
  while (turns_ < parallel_ && turns_ - working_ < ready_.size()) {
    ++turns_;
    executor_->submit([this] { take_turn(); });
  }
}

// One alarm, for the earliest; one that is set too early only looks.
void WorkQueue::set_alarm() {
  if (alarm_ == nullptr || timed_.empty()) {
    return;
  }
  const SteadyTime next = timed_.begin()->first;
  if (!alarm_at_ || next < *alarm_at_) {
    alarm_at_ = next;
    alarm_->set(next);
  }
}

void WorkQueue::wake_up() {
  const MutexLock lock(mutex_);
  alarm_at_.reset();
  if (!closed_) {
    promote_due();
    send_turns();
    set_alarm();
  }
}

void WorkQueue::take_turn() {
  std::optional<std::string> key;
  {
    const MutexLock lock(mutex_);
    key = closed_ ? std::nullopt : take_ready();
    working_ += key ? 1U : 0U;
  }
  if (key) {
    work_(*key);
  }
  const MutexLock lock(mutex_);
  --turns_;
  if (key) {
    --working_;
    finish(*key);
    send_turns();
  }
  turn_ended_.notify_all();
}

std::optional<SteadyTime> WorkQueue::next_due() {
  const MutexLock lock(mutex_);
  if (!ready_.empty()) {
    return clock_->steady_now();
  }
  return timed_.empty() ? std::nullopt : std::optional(timed_.begin()->first);
}

std::size_t WorkQueue::size() {
  const MutexLock lock(mutex_);
  return entries_.size();
}

std::size_t WorkQueue::depth() {
  const MutexLock lock(mutex_);
  return ready_.size();
}

void WorkQueue::close() {
  std::unique_ptr<Timer> alarm;  // ends without the lock: its callback takes it
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    alarm = std::move(alarm_);
    while (turns_ > 0) {
      turn_ended_.wait(mutex_);
    }
  }
}

}  // namespace vkhost::pods
