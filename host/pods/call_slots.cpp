#include "pods/call_slots.hpp"

#include "base/planted.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {

CallSlots::Permit CallSlots::reserve(const std::string& key, SteadyTime now) {
  Permit permit;
  if (held_until_ && now < *held_until_) {
    held_.insert(key);
    permit.until = held_until_;
    return permit;
  }
  const std::size_t limit = held_until_ ? 1 : limit_;
  const std::size_t ahead = held_until_ ? 0 : ahead_of(limit_);
  offered_.erase(key);
  if (used_ >= limit || used_ + offered_.size() >= limit + ahead) {
    wait(key);
    return permit;
  }
  is_waiting_.erase(key);
  offered_.insert(key);
  permit.granted = true;
  return permit;
}

CallSlots::Permit CallSlots::ask(const std::string& key, SteadyTime now) {
  Permit permit;
  offered_.erase(key);
  if (held_until_ && now < *held_until_) {
    held_.insert(key);
    permit.until = held_until_;
    return permit;
  }
  if (used_ >= (held_until_ ? 1 : limit_)) {
    wait(key);
    return permit;
  }
  is_waiting_.erase(key);
  ++used_;
  permit.granted = true;
  permit.is_probe = held_until_.has_value();
  permit.era = era_;
  return permit;
}

void CallSlots::wait(const std::string& key) {
  if (is_waiting_.insert(key).second) {
    waiting_.push_back(key);
  }
}

void CallSlots::finish(const Permit& permit,
                       const Status& outcome,
                       SteadyTime now,
                       Random& random) {
  give_back(permit);
  if (is_outdated(permit)) {
    return;
  }
  if (!outcome.is_ok() && outcome.scope() == Scope::Provider) {
    if (permit.is_probe) {
      held_until_.reset();
    }
    note_fault(outcome, now, random);
    return;
  }
  // A call that was cut short says nothing about the account, and neither does one that began before
  // the fault was known.
  const bool says_something =
      outcome.code() != StatusCode::Cancelled && outcome.code() != StatusCode::DeadlineExceeded;
  if (permit.is_probe && says_something) {
    release();
  }
}

void CallSlots::give_back(const Permit& permit) {
  used_ -= permit.granted && !VKHOST_PLANTED(SlotNotGivenBack) ? 1U : 0U;
}

void CallSlots::note_fault(const Status& fault, SteadyTime now, Random& random) {
  if (fault.retry() == Retry::After) {
    quiet_until_ = std::max(quiet_until_, now + fault.retry_after());
  }
  if (!held_until_) {
    hold(fault, now, random);
  } else if (fault.retry() == Retry::After) {
    // One of many calls that met the same fault: it counts once, the longest wait holds.
    held_until_ = std::max(*held_until_, now + fault.retry_after());
  }
}

void CallSlots::hold(const Status& fault, SteadyTime now, Random& random) {
  switch (fault.retry()) {
    case Retry::After:
      held_until_ = now + std::max(fault.retry_after(), std::chrono::milliseconds{1});
      break;
    case Retry::Never:
      held_until_ = now + backoff_.cap;  // somebody has to act, perhaps where no host hears of it
      break;
    case Retry::Backoff:
      held_until_ = now + backoff_delay(backoff_, ++failures_, random);
      break;
  }
  fault_ = fault;
}

void CallSlots::release() {
  held_until_.reset();
  fault_ = Status::ok();
  failures_ = 0;
}

void CallSlots::forgive() {
  ++era_;
  quiet_until_ = SteadyTime{};
  release();
}

void CallSlots::note_health(SteadyTime now) {
  if (held_until_ && now >= *held_until_ && used_ == 0 && waiting_.empty() && offered_.empty() &&
      held_.empty()) {
    release();
  }
}

void CallSlots::withdraw(const std::string& key) {
  offered_.erase(key);
  held_.erase(key);
}

std::vector<std::string> CallSlots::wake() {
  std::vector<std::string> keys;
  const std::size_t limit = held_until_ ? 1 : limit_;
  while (!waiting_.empty() && used_ + offered_.size() < limit) {
    std::string key = std::move(waiting_.front());
    waiting_.pop_front();
    if (is_waiting_.erase(key) == 0) {
      continue;  // it has what it waited for
    }
    offered_.insert(key);
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace vkhost::pods
