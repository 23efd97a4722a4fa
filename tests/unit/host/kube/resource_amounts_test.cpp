#include "kube/resource_amounts.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vkhost::kube {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

TEST(ResourceAmounts, CountCpuInThousandthsAndEverythingElseInOnes) {
  EXPECT_EQ(*resource_amount("cpu", "1500m"), 1500);
  EXPECT_EQ(*resource_amount("cpu", "2"), 2000);
  EXPECT_EQ(*resource_amount("memory", "1Ki"), 1024);
  EXPECT_EQ(*resource_amount("memory", "1500m"), 2);
  EXPECT_FALSE(resource_amount("cpu", "a lot").is_ok());
}

TEST(ResourceAmounts, AddUpWithoutOverflow) {
  ResourceAmounts sum = {{"cpu", kMost}, {"memory", 1}};
  add_amounts(sum, {{"cpu", 1}, {"memory", 2}, {"pods", 3}});

  EXPECT_EQ(sum, (ResourceAmounts{{"cpu", kMost}, {"memory", 3}, {"pods", 3}}));
}

TEST(ResourceAmounts, RiseToTheLargerOneOfEach) {
  ResourceAmounts peak = {{"cpu", 5}, {"memory", 1}};
  raise_amounts(peak, {{"cpu", 2}, {"memory", 2}, {"pods", 1}});

  EXPECT_EQ(peak, (ResourceAmounts{{"cpu", 5}, {"memory", 2}, {"pods", 1}}));
  EXPECT_EQ(amount_of(peak, "cpu"), 5);
  EXPECT_EQ(amount_of(peak, "gpu"), 0);
}

}  // namespace
}  // namespace vkhost::kube
