#include "base/secret.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <type_traits>
#include <utility>

namespace vkhost {
namespace {

TEST(Secret, PrintsWithoutItsText) {
  const Secret secret("hunter2");
  std::ostringstream out;

  out << secret << ::testing::PrintToString(secret);

  EXPECT_EQ(out.str(), "[secret][secret]");
  static_assert(!std::is_convertible_v<Secret, std::string>);
}

TEST(Secret, LeavesNothingBehindWhenMoved) {
  Secret from(std::string(100, 'x'));

  const Secret to = std::move(from);

  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the subject
  EXPECT_EQ(to.reveal(), std::string(100, 'x'));
}

}  // namespace
}  // namespace vkhost
