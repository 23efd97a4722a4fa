#include "base/clock.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace vkhost {
namespace {

std::string format(WallTime time, bool with_micros) {
  const auto since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(since_epoch - seconds).count();
  const std::time_t whole = seconds.count();
  std::tm utc{};
  ::gmtime_r(&whole, &utc);
  std::array<char, 48> text{};
  std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (with_micros) {
    length += static_cast<std::size_t>(std::snprintf(text.data() + length, text.size() - length,
                                                     ".%06ld", static_cast<long>(micros)));
  }
  return std::string(text.data(), length) + "Z";
}

}  // namespace

SteadyTime SystemClock::steady_now() const { return std::chrono::steady_clock::now(); }
WallTime SystemClock::wall_now() const { return std::chrono::system_clock::now(); }

std::string format_time(WallTime time) { return format(time, false); }
std::string format_micro_time(WallTime time) { return format(time, true); }

}  // namespace vkhost
