// Deadline: an absolute point on the steady clock by which something has to be over, so that a
// chain of calls shares one budget. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"

#include <algorithm>
#include <chrono>

namespace vkhost {

class Deadline {
 public:
  static Deadline never() { return Deadline(SteadyTime::max()); }
  static Deadline at(SteadyTime when) { return Deadline(when); }
  static Deadline after(const Clock& clock, std::chrono::milliseconds duration) {
    return Deadline(clock.steady_now() + duration);
  }

  [[nodiscard]] SteadyTime when() const { return when_; }
  [[nodiscard]] bool is_never() const { return when_ == SteadyTime::max(); }
  [[nodiscard]] bool is_past(SteadyTime now) const { return now >= when_; }
  // Never negative; milliseconds::max() when there is no deadline.
  [[nodiscard]] std::chrono::milliseconds remaining(SteadyTime now) const {
    if (is_never()) {
      return std::chrono::milliseconds::max();
    }
    return std::max(std::chrono::milliseconds{0},
                    std::chrono::ceil<std::chrono::milliseconds>(when_ - now));
  }
  [[nodiscard]] Deadline earlier(Deadline other) const {
    return Deadline(std::min(when_, other.when_));
  }

 private:
  explicit Deadline(SteadyTime when) : when_(when) {}
  SteadyTime when_;
};

}  // namespace vkhost
