// CallSlots: who may call the provider now. Bounds the calls in parallel, and holds them all while the
// provider says that the account as a whole is at fault: then one call at a time may try, no sooner
// than the provider or the back-off allows.
//
// Keys that are refused wait here, in order, and are handed out again by wake(): a freed slot is
// offered to one of them, which passes it on by withdraw() when it has no use for it any more. So
// thousands of waiting pods cost neither threads nor polling. Not thread-safe: guarded by its owner.
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace vkhost::pods {

class CallSlots {
 public:
  struct Permit {
    bool granted = false;
    bool is_probe = false;            // the one that may try while all others are held
    std::optional<SteadyTime> until;  // refused until then; none: wake() names the key
    std::uint64_t era = 0;            // how often forgive() had been called
  };

  CallSlots(std::size_t limit, BackoffLimits backoff) : limit_(limit), backoff_(backoff) {}

  // How many may get ready for a call beyond those that can be made at once.
  [[nodiscard]] static std::size_t ahead_of(std::size_t limit) {
    return std::max<std::size_t>(2, limit / 4);
  }

  // Whether `key` may get ready for a call, whose slot it asks for when it is: what takes time before a
  // call takes no slot. Until then, or withdraw(), it counts as one to whom a free slot was offered.
  [[nodiscard]] Permit reserve(const std::string& key, SteadyTime now);
  [[nodiscard]] Permit ask(const std::string& key, SteadyTime now);
  // The call for which `permit` was granted is over.
  void finish(const Permit& permit, const Status& outcome, SteadyTime now, Random& random);
  // The permit was not used.
  void give_back(const Permit& permit);
  // A fault of the account that was learned otherwise than by a call of this kind.
  void note_fault(const Status& fault, SteadyTime now, Random& random);
  // Another sign of the account's health: ends a hold that nobody is left to probe.
  void note_health(SteadyTime now);
  // The reason for a fault is gone: nothing is held any more, and calls that began before say nothing of
  // the account. Their owner wakes the keys that were held.
  void forgive();
  // Whether the call began before the last forgive().
  [[nodiscard]] bool is_outdated(const Permit& permit) const { return permit.era != era_; }
  // For holds that begin from now on.
  void set_backoff(BackoffLimits backoff) { backoff_ = backoff; }
  // What was offered to `key` may be used by others; called before each look at a key.
  void withdraw(const std::string& key);
  // Keys to look at now.
  [[nodiscard]] std::vector<std::string> wake();

  // Until when the provider asked to be left alone altogether, deletes and lists included.
  [[nodiscard]] SteadyTime quiet_until() const { return quiet_until_; }
  // Keys that are remembered.
  [[nodiscard]] std::size_t waiting() const {
    return is_waiting_.size() + offered_.size() + held_.size();
  }
  // Why all calls are held; OK when they are not.
  [[nodiscard]] Status fault() const { return held_until_ ? fault_ : Status::ok(); }

 private:
  void wait(const std::string& key);
  void hold(const Status& fault, SteadyTime now, Random& random);
  void release();

  const std::size_t limit_;
  BackoffLimits backoff_;
  std::size_t used_ = 0;

  std::deque<std::string> waiting_;  // for a slot, in order
  std::unordered_set<std::string> is_waiting_;
  std::unordered_set<std::string> offered_;
  std::unordered_set<std::string> held_;  // told to come back at held_until_

  std::optional<SteadyTime> held_until_;
  SteadyTime quiet_until_{};
  Status fault_;
  std::uint32_t failures_ = 0;
  std::uint64_t era_ = 0;
};

}  // namespace vkhost::pods
