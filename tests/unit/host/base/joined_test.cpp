#include "base/joined.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace vkhost {
namespace {

TEST(Joined, PutsTheSeparatorBetweenWordsOnly) {
  EXPECT_EQ(joined(std::vector<std::string>{}), "");
  EXPECT_EQ(joined(std::vector<std::string>{"a"}), "a");
  EXPECT_EQ(joined(std::set<std::string>{"b", "a"}), "a, b");
  EXPECT_EQ(joined(std::vector<std::string>{"a", "b", "c"}, ","), "a,b,c");
}

}  // namespace
}  // namespace vkhost
