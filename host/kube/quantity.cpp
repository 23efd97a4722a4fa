// The amount is digits × 10^exponent × 1024^power. It is computed in billionths as one large whole
// number, so that nothing is lost before the only rounding, at the end.
#include "kube/quantity.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>

namespace vkhost::kube {
namespace {

constexpr std::size_t kMaxQuantityText = 64;
constexpr std::int64_t kMaxWhole = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kBillion = 1'000'000'000;

// A whole number of 512 bits: 64 digits, 10^40 and 1024^6 together need 406.
class WideNumber {
 public:
  void multiply_add(std::uint32_t factor, std::uint32_t addend) {
    std::uint64_t carry = addend;
    for (std::uint32_t& limb : limbs_) {
      carry += std::uint64_t{limb} * factor;
      limb = static_cast<std::uint32_t>(carry);
      carry >>= 32U;
    }
  }
  // Yields the remainder.
  std::uint32_t divide(std::uint32_t divisor) {
    std::uint64_t rest = 0;
    for (std::size_t i = limbs_.size(); i-- > 0;) {
      rest = (rest << 32U) | limbs_[i];
      limbs_[i] = static_cast<std::uint32_t>(rest / divisor);
      rest %= divisor;
    }
    return static_cast<std::uint32_t>(rest);
  }
  [[nodiscard]] std::optional<std::int64_t> as_int64() const {
    const bool fits =
        std::all_of(limbs_.begin() + 2, limbs_.end(), [](std::uint32_t limb) { return limb == 0; });
    const std::uint64_t low = (std::uint64_t{limbs_[1]} << 32U) | limbs_[0];
    if (!fits || low > static_cast<std::uint64_t>(kMaxWhole)) {
      return std::nullopt;
    }
    return static_cast<std::int64_t>(low);
  }
  [[nodiscard]] bool is_zero() const {
    return std::all_of(limbs_.begin(), limbs_.end(), [](std::uint32_t limb) { return limb == 0; });
  }

 private:
  std::array<std::uint32_t, 16> limbs_{};  // the lowest first
};

struct Scale {
  int decimal = 0;  // power of 10
  int binary = 0;   // power of 1024
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "e3", "E-3", "e+12": everything behind the letter is a sign and digits, at least one.
std::optional<Scale> exponent_scale(std::string_view suffix) {
  std::size_t at = 1;
  bool negative = false;
  if (at < suffix.size() && (suffix[at] == '+' || suffix[at] == '-')) {
    negative = suffix[at] == '-';
    ++at;
  }
  if (at == suffix.size()) {
    return std::nullopt;
  }
  constexpr int kFar = 1000;  // beyond any number that is not cut or rounded up anyway
  int value = 0;
  for (; at < suffix.size(); ++at) {
    if (!is_digit(suffix[at])) {
      return std::nullopt;
    }
    value = std::min(kFar, value * 10 + (suffix[at] - '0'));
  }
  return Scale{negative ? -value : value, 0};
}

std::optional<Scale> scale_of(std::string_view suffix) {
  if (suffix.empty()) {
    return Scale{};
  }
  if (suffix.size() > 1 && (suffix[0] == 'e' || suffix[0] == 'E') && suffix[1] != 'i') {
    return exponent_scale(suffix);
  }
  constexpr std::string_view kBinary = "KMGTPE";
  if (suffix.size() == 2 && suffix[1] == 'i') {
    const std::size_t power = kBinary.find(suffix[0]);
    return power == std::string_view::npos ? std::nullopt
                                           : std::optional(Scale{0, static_cast<int>(power) + 1});
  }
  constexpr std::string_view kDecimal = "num kMGTPE";  // 10^-9, 10^-6 and so on
  const std::size_t power = suffix.size() == 1 ? kDecimal.find(suffix[0]) : std::string_view::npos;
  if (power == std::string_view::npos || suffix[0] == ' ') {
    return std::nullopt;
  }
  return Scale{(static_cast<int>(power) - 3) * 3, 0};
}

Status not_a_quantity(std::string_view text) {
  return invalid_argument("\"" + std::string(text.substr(0, kMaxQuantityText)) +
                          "\" is not a quantity of a resource, such as 500m or 1.5Gi");
}

std::int64_t scaled_up(std::int64_t whole, std::int32_t nano, std::int32_t nanos_per_unit) {
  std::int64_t result = 0;
  const std::int64_t rest = (nano + nanos_per_unit - 1) / nanos_per_unit;
  if (__builtin_mul_overflow(whole, kBillion / nanos_per_unit, &result) ||
      __builtin_add_overflow(result, rest, &result)) {
    return kMaxWhole;
  }
  return result;
}

}  // namespace

Result<Quantity> Quantity::parse(std::string_view text) {
  if (text.size() > kMaxQuantityText) {
    return not_a_quantity(text);
  }
  std::size_t at = !text.empty() && text[0] == '+' ? 1 : 0;
  WideNumber number;
  std::size_t digits = 0;
  int fraction = 0;
  bool has_point = false;
  for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !has_point)); ++at) {
    if (text[at] == '.') {
      has_point = true;
      continue;
    }
    number.multiply_add(10, static_cast<std::uint32_t>(text[at] - '0'));
    ++digits;
    fraction += has_point ? 1 : 0;
  }
  const std::optional<Scale> scale = scale_of(text.substr(at));
  if (digits == 0 || !scale) {
    return not_a_quantity(text);
  }
  if (number.is_zero()) {
    return Quantity();
  }
  constexpr int kSurelyTooLarge = 40;
  int power = 9 - fraction + scale->decimal;
  if (power > kSurelyTooLarge) {
    return Quantity(kMaxWhole, 0);
  }
  for (int i = 0; i < scale->binary; ++i) {
    number.multiply_add(1024, 0);
  }
  for (; power > 0; --power) {
    number.multiply_add(10, 0);
  }
  bool inexact = false;
  for (; power < 0 && !number.is_zero(); ++power) {
    inexact = number.divide(10) != 0 || inexact;
  }
  if (inexact) {
    number.multiply_add(1, 1);
  }
  const auto nano = static_cast<std::int32_t>(number.divide(kBillion));
  const std::optional<std::int64_t> whole = number.as_int64();
  if (!whole || (*whole == kMaxWhole && nano > 0)) {
    return Quantity(kMaxWhole, 0);
  }
  return Quantity(*whole, nano);
}

std::int64_t Quantity::ceil() const { return scaled_up(whole_, nano_, kBillion); }

std::int64_t Quantity::ceil_milli() const { return scaled_up(whole_, nano_, kBillion / 1000); }

}  // namespace vkhost::kube
