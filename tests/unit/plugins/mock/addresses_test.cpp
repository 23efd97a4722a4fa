#include "mock/addresses.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace vkhost::mock {
namespace {

TEST(Range, IsReadFromCidr) {
  const auto range = parse_range("198.18.0.0/15");

  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 0xC6120000U);
  EXPECT_EQ(range->size, 1U << 17U);
  EXPECT_EQ(parse_range("10.1.2.3/24")->first, 0x0A010200U) << "the host part does not count";
}

TEST(Range, IsRefusedWhenItIsNone) {
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/31", "10.0.0.0/7", "10.0.0/24", "256.0.0.0/24",
                           "10.0.0.0/24x", "10..0.0/24", "-1.0.0.0/24", "fd00::/64"}) {
    EXPECT_FALSE(parse_range(text)) << text;
  }
}

TEST(Addresses, AreUniqueAndLeaveOutNetworkAndBroadcast) {
  Addresses addresses(*parse_range("10.0.0.0/29"), 4);
  std::set<std::string> taken;

  for (int i = 0; i < 6; ++i) {
    taken.insert(addresses.take());
  }

  EXPECT_EQ(taken, (std::set<std::string>{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4",
                                          "10.0.0.5", "10.0.0.6"}));
  EXPECT_EQ(addresses.take(), "") << "all are taken";
}

TEST(Addresses, AreTakenAgainAfterTheirRelease) {
  Addresses addresses(*parse_range("10.0.0.0/30"), 0);
  const std::string first = addresses.take();
  EXPECT_NE(addresses.take(), "");

  addresses.release(first);

  EXPECT_EQ(addresses.take(), first);
}

TEST(Addresses, AreNotTakenTwiceWhenAPodHasThemAlready) {
  Addresses addresses(*parse_range("10.0.0.0/30"), 0);

  addresses.keep("10.0.0.1");
  addresses.keep("192.168.0.1");  // of an earlier range
  addresses.keep("nonsense");

  EXPECT_EQ(addresses.take(), "10.0.0.2");
  EXPECT_EQ(addresses.take(), "");
}

}  // namespace
}  // namespace vkhost::mock
