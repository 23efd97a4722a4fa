// Clock: the only way to learn the time below `daemon`. Tests pass a clock that they move by hand.
// [any-thread] [no-block]
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  [[nodiscard]] virtual SteadyTime steady_now() const = 0;  // for deadlines and intervals
  [[nodiscard]] virtual WallTime wall_now() const = 0;      // for what others read
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override;
  [[nodiscard]] WallTime wall_now() const override;
};

// RFC 3339 in UTC as Kubernetes writes metav1.Time ("2026-01-02T03:04:05Z") and metav1.MicroTime.
[[nodiscard]] std::string format_time(WallTime time);
[[nodiscard]] std::string format_micro_time(WallTime time);
// Reads any RFC 3339 time ("2026-01-02T03:04:05.5+01:00"); nothing when it is none. Times
// that a WallTime can't hold become its first or last one.
[[nodiscard]] std::optional<WallTime> parse_time(std::string_view text);

}  // namespace vkhost
