#include "base/clock.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>

namespace vkhost {
namespace {

std::string format(WallTime time, bool with_micros) {
  // Not in nanoseconds, in which the first second that there is cannot be told.
  const auto since_epoch = std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto micros = (since_epoch - seconds).count();
  const std::time_t whole = seconds.count();
  std::tm utc{};
  static_cast<void>(::gmtime_r(&whole, &utc));  // fails only beyond the years of an int
  std::array<char, 48> text{};
  std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  if (with_micros) {
    length += static_cast<std::size_t>(std::snprintf(text.data() + length, text.size() - length,
                                                     ".%06ld", static_cast<long>(micros)));
  }
  return std::string(text.data(), length) + "Z";
}

// Takes `count` digits from the front of `text`; false when there are none.
bool take_digits(std::string_view& text, std::size_t count, int& value) {
  if (text.size() < count) {
    return false;
  }
  value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') {
      return false;
    }
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take_char(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

// Digits behind the point; more than microseconds are cut off.
bool take_fraction(std::string_view& text, std::chrono::microseconds& fraction) {
  std::size_t count = 0;
  std::int64_t micros = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (count < 6) {
      micros = micros * 10 + (text.front() - '0');
    }
    ++count;
    text.remove_prefix(1);
  }
  for (std::size_t digits = count; digits < 6; ++digits) {
    micros *= 10;
  }
  fraction = std::chrono::microseconds(micros);
  return count > 0;
}

bool take_offset(std::string_view& text, std::chrono::minutes& offset) {
  if (take_char(text, "Zz")) {
    offset = std::chrono::minutes{0};
    return true;
  }
  const bool west = !text.empty() && text.front() == '-';
  int hours = 0;
  int minutes = 0;
  if (!take_char(text, "+-") || !take_digits(text, 2, hours) || !take_char(text, ":") ||
      !take_digits(text, 2, minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  offset = std::chrono::minutes((hours * 60 + minutes) * (west ? -1 : 1));
  return true;
}

}  // namespace

SteadyTime SystemClock::steady_now() const { return std::chrono::steady_clock::now(); }
WallTime SystemClock::wall_now() const { return std::chrono::system_clock::now(); }

std::string format_time(WallTime time) { return format(time, false); }
std::string format_micro_time(WallTime time) { return format(time, true); }

std::optional<WallTime> parse_time(std::string_view text) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (!take_digits(text, 4, year) || !take_char(text, "-") || !take_digits(text, 2, month) ||
      !take_char(text, "-") || !take_digits(text, 2, day) || !take_char(text, "Tt ") ||
      !take_digits(text, 2, hour) || !take_char(text, ":") || !take_digits(text, 2, minute) ||
      !take_char(text, ":") || !take_digits(text, 2, second)) {
    return std::nullopt;
  }
  std::chrono::microseconds fraction{0};
  if (take_char(text, ".") && !take_fraction(text, fraction)) {
    return std::nullopt;
  }
  std::chrono::minutes offset{0};
  if (!take_offset(text, offset) || !text.empty()) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  // A leap second is read as the second after it.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) {
    return std::nullopt;
  }
  const auto time = std::chrono::sys_days(date) + std::chrono::hours(hour) +
                    std::chrono::minutes(minute) + std::chrono::seconds(second) + fraction - offset;
  // The wall clock counts nanoseconds and ends in 2262; Go's zero time is in year 1.
  using Micros = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;
  constexpr auto kFirst = std::chrono::ceil<std::chrono::microseconds>(WallTime::min());
  constexpr auto kLast = std::chrono::floor<std::chrono::microseconds>(WallTime::max());
  return WallTime(std::clamp<Micros>(time, kFirst, kLast));
}

}  // namespace vkhost
