#include "base/check.hpp"

#include <gtest/gtest.h>

namespace vkhost {
namespace {

TEST(Check, LetsATrueConditionPass) {
  int evaluated = 0;

  VKHOST_CHECK(++evaluated == 1, "the condition is evaluated once");

  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, EndsTheProcessWithItsSentence) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");

  EXPECT_DEATH(VKHOST_CHECK(1 == 2, "one is not two"),
               "check_test.cpp:[0-9]+: one is not two \\(1 == 2\\)");
}

}  // namespace
}  // namespace vkhost
