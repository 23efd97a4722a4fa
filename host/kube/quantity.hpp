// Quantity: an amount of a resource as Kubernetes writes it ("500m", "1.5Gi", "2e3"), exactly.
//
// As the API does it: what is finer than a billionth is rounded up, what is larger than 2^63-1 is
// 2^63-1. Amounts of resources are never negative, so neither is this. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <cstdint>
#include <string_view>

namespace vkhost::kube {

class Quantity {
 public:
  Quantity() = default;  // 0

  // INVALID_ARGUMENT when `text` is no quantity, is negative, or is longer than 64 characters.
  static Result<Quantity> parse(std::string_view text);

  [[nodiscard]] bool is_zero() const { return whole_ == 0 && nano_ == 0; }
  [[nodiscard]] bool is_whole() const { return nano_ == 0; }
  // Rounded up to whole ones and thousandths; 2^63-1 when the number does not fit.
  [[nodiscard]] std::int64_t ceil() const;
  [[nodiscard]] std::int64_t ceil_milli() const;

  friend bool operator==(const Quantity& a, const Quantity& b) = default;
  friend auto operator<=>(const Quantity& a, const Quantity& b) = default;

 private:
  Quantity(std::int64_t whole, std::int32_t nano) : whole_(whole), nano_(nano) {}

  std::int64_t whole_ = 0;
  std::int32_t nano_ = 0;  // billionths, below 1'000'000'000
};

}  // namespace vkhost::kube
