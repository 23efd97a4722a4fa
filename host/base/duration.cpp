#include "base/duration.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace vkhost {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kLongestMs = std::int64_t{10'000} * 3'600'000;
// Longest unit first, so that "ms" is not read as minutes.
constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> kUnits = {
    {{"ms", 1}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes "12.5" from the front of `text` as 125 tenths: digits and how many of them are decimals.
struct Number {
  std::int64_t digits = 0;
  int decimals = 0;
};

std::optional<Number> take_number(std::string_view& text) {
  Number number;
  std::size_t count = 0;
  bool point = false;
  while (!text.empty() && (is_digit(text.front()) || (text.front() == '.' && !point))) {
    if (text.front() == '.') {
      point = true;
    } else {
      if (number.digits > kLongestMs) {
        return std::nullopt;
      }
      number.digits = number.digits * 10 + (text.front() - '0');
      number.decimals += point ? 1 : 0;
      ++count;
    }
    text.remove_prefix(1);
  }
  return count == 0 ? std::nullopt : std::optional(number);
}

std::optional<std::int64_t> take_unit(std::string_view& text) {
  for (const auto& [name, factor] : kUnits) {
    if (text.starts_with(name)) {
      text.remove_prefix(name.size());
      return factor;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (text == "0") {
    return milliseconds{0};
  }
  if (text.empty()) {
    return std::nullopt;
  }
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto unit = number ? take_unit(text) : std::nullopt;
    // 36e9 ms is the longest; digits are at most ten times that, so the product cannot overflow.
    if (!unit) {
      return std::nullopt;
    }
    std::int64_t part = number->digits;
    if (part > kLongestMs * 10 / *unit * 100) {
      return std::nullopt;
    }
    part *= *unit;
    for (int i = 0; i < number->decimals; ++i) {
      if (part % 10 != 0) {
        return std::nullopt;
      }
      part /= 10;
    }
    total += part;
    if (part > kLongestMs || total > kLongestMs) {
      return std::nullopt;
    }
  }
  return milliseconds{total};
}

std::string format_duration(milliseconds duration) {
  std::int64_t rest = duration.count();
  if (rest == 0) {
    return "0s";
  }
  std::string text;
  for (const auto& [name, factor] : {kUnits[1], kUnits[2], kUnits[3], kUnits[0]}) {
    if (rest >= factor) {
      text += std::to_string(rest / factor);
      text += name;
      rest %= factor;
    }
  }
  return text;
}

}  // namespace vkhost
