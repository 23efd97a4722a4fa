// Amounts of resources as whole numbers, the way the scheduler counts them: cpu in thousandths,
// everything else in ones, rounded up. Sums end at 2^63-1. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace vkhost::kube {

using ResourceAmounts = std::map<std::string, std::int64_t, std::less<>>;

// INVALID_ARGUMENT when `quantity` is none.
Result<std::int64_t> resource_amount(std::string_view resource, std::string_view quantity);

[[nodiscard]] std::int64_t amount_of(const ResourceAmounts& amounts, std::string_view resource);
[[nodiscard]] std::int64_t saturating_sum(std::int64_t one, std::int64_t other);
void add_amounts(ResourceAmounts& to, const ResourceAmounts& more);
// The larger one of each.
void raise_amounts(ResourceAmounts& to, const ResourceAmounts& least);

}  // namespace vkhost::kube
