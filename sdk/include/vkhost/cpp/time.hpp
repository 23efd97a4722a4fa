// Instants as the ABI and Kubernetes write them. [any-thread] [no-block]
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace vkhost::sdk {

// Nanoseconds since 1970-01-01T00:00:00Z.
[[nodiscard]] inline std::int64_t unix_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// "2024-02-29T13:05:00Z": metav1.Time, whole seconds, rounded down. For the years 1 to 9999.
[[nodiscard]] inline std::string rfc3339(std::int64_t unix_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kDay = 86'400;
  const auto floor_div = [](std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); };
  const std::int64_t seconds = floor_div(unix_ns, kSecond);
  const std::int64_t days = floor_div(seconds, kDay);
  const std::int64_t of_day = seconds - days * kDay;
  // Days to civil date over eras of 400 years that begin on 1 March, so that the leap day is last.
  // By hand, since gmtime is not thread-safe and gmtime_r is not in the C++ library.
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = floor_div(shifted, 146'097);
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t from_march = (5 * day_of_year + 2) / 153;
  const std::int64_t day = day_of_year - (153 * from_march + 2) / 5 + 1;
  const std::int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
  const std::int64_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
  std::array<char, 96> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02dZ", static_cast<int>(year),
      static_cast<int>(month), static_cast<int>(day), static_cast<int>(of_day / 3'600),
      static_cast<int>(of_day / 60 % 60), static_cast<int>(of_day % 60));
  return length > 0 ? std::string(text.data()) : std::string();
}

}  // namespace vkhost::sdk
