#include "kube/resource_amounts.hpp"

#include "kube/quantity.hpp"

#include <algorithm>
#include <limits>

namespace vkhost::kube {

Result<std::int64_t> resource_amount(std::string_view resource, std::string_view quantity) {
  VKHOST_TRY_ASSIGN(const Quantity parsed, Quantity::parse(quantity));
  return resource == "cpu" ? parsed.ceil_milli() : parsed.ceil();
}

std::int64_t amount_of(const ResourceAmounts& amounts, std::string_view resource) {
  const auto found = amounts.find(resource);
  return found == amounts.end() ? 0 : found->second;
}

std::int64_t saturating_sum(std::int64_t one, std::int64_t other) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(one, other, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

void add_amounts(ResourceAmounts& to, const ResourceAmounts& more) {
  for (const auto& [resource, amount] : more) {
    std::int64_t& sum = to[resource];
    sum = saturating_sum(sum, amount);
  }
}

void raise_amounts(ResourceAmounts& to, const ResourceAmounts& least) {
  for (const auto& [resource, amount] : least) {
    std::int64_t& present = to[resource];
    present = std::max(present, amount);
  }
}

}  // namespace vkhost::kube
