#include "base/clock.hpp"

#include <array>
#include <cstdint>
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

std::optional<WallTime> parse_time(std::string_view text) {
  const std::string copy(text);
  std::tm utc{};
  const char* rest = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (rest == nullptr) {
    return std::nullopt;
  }
  std::chrono::nanoseconds fraction{0};
  if (*rest == '.') {
    std::int64_t scale = 100'000'000;
    ++rest;
    if (*rest < '0' || *rest > '9') {
      return std::nullopt;
    }
    for (; *rest >= '0' && *rest <= '9'; ++rest, scale /= 10) {
      fraction += std::chrono::nanoseconds((*rest - '0') * scale);
    }
  }
  if (std::string_view(rest) != "Z") {
    return std::nullopt;
  }
  return WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::seconds(::timegm(&utc)) + fraction));
}

}  // namespace vkhost
