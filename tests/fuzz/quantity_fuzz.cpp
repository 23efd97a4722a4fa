// Whatever the text is, Quantity refuses it or keeps its numbers consistent: rounding in one step or
// two is the same, and more digits never make it smaller.
#include "kube/quantity.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using vkhost::kube::Quantity;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::string text(data, data + size);

  const auto quantity = Quantity::parse(text);
  if (!quantity.is_ok()) {
    return 0;
  }
  const std::int64_t milli = quantity->ceil_milli();
  const std::int64_t whole = quantity->ceil();
  if (milli < 0 || whole < 0 || quantity->is_zero() != (milli == 0)) {
    std::abort();
  }
  if (milli != kMost && whole != milli / 1000 + (milli % 1000 == 0 ? 0 : 1)) {
    std::abort();
  }
  // A digit more in front.
  const auto larger = Quantity::parse("1" + text);
  if (text[0] != '+' && larger.is_ok() && *larger < *quantity) {
    std::abort();
  }
  // The same, whole and without a suffix.
  if (*Quantity::parse(std::to_string(whole)) < *quantity) {
    std::abort();
  }
  return 0;
}
