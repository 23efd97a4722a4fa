#include "base/base64.hpp"

#include <array>
#include <cstdint>

namespace vkhost {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 255;

constexpr std::array<std::uint8_t, 256> make_digits() {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::size_t value = 0; value < kAlphabet.size(); ++value) {
    digits.at(static_cast<unsigned char>(kAlphabet[value])) = static_cast<std::uint8_t>(value);
  }
  return digits;
}
constexpr std::array<std::uint8_t, 256> kDigits = make_digits();

bool is_break(char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; }

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    std::uint32_t group = 0;
    for (std::size_t index = 0; index < 3; ++index) {
      const auto byte = index < count ? static_cast<unsigned char>(bytes[at + index]) : 0U;
      group = (group << 8U) | byte;
    }
    for (std::size_t index = 0; index < 4; ++index) {
      out += index <= count ? kAlphabet[(group >> (18U - 6U * index)) & 63U] : '=';
    }
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  unsigned digits = 0;
  unsigned padding = 0;
  for (const char c : text) {
    if (is_break(c)) {
      continue;
    }
    if (c == '=') {
      ++padding;
      continue;
    }
    const std::uint8_t digit = kDigits[static_cast<unsigned char>(c)];
    if (digit == kNoDigit || padding != 0) {
      return std::nullopt;
    }
    group = (group << 6U) | digit;
    if (++digits == 4) {
      out += static_cast<char>((group >> 16U) & 255U);
      out += static_cast<char>((group >> 8U) & 255U);
      out += static_cast<char>(group & 255U);
      group = 0;
      digits = 0;
    }
  }
  if (digits == 0) {
    return padding == 0 ? std::optional(std::move(out)) : std::nullopt;
  }
  if (digits == 1 || digits + padding != 4) {
    return std::nullopt;
  }
  group <<= 6U * (4 - digits);
  out += static_cast<char>((group >> 16U) & 255U);
  if (digits == 3) {
    out += static_cast<char>((group >> 8U) & 255U);
  }
  return out;
}

}  // namespace vkhost
