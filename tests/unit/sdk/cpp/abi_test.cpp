#include <vkhost/cpp/abi.hpp>
#include <vkhost/provider.h>

#include <gtest/gtest.h>

#include <cstddef>
#include <string_view>

namespace vkhost::sdk {
namespace {

TEST(Abi, ReadsAMemberThatTheOtherSideHas) {
  auto call = sized<vkp_call>();
  call.timeout_ms = 42;

  EXPECT_EQ(read(call, &vkp_call::timeout_ms), 42);
}

TEST(Abi, ReadsZeroForAMemberBeyondTheSizeOfTheOtherSide) {
  auto call = sized<vkp_call>();
  call.timeout_ms = 42;
  call.traceparent = str("00-trace");
  call.size = offsetof(vkp_call, traceparent);

  EXPECT_EQ(read(call, &vkp_call::timeout_ms), 42);
  EXPECT_EQ(view(read(call, &vkp_call::traceparent)), "");
}

TEST(Abi, ReadsZeroForAMemberOfWhichTheOtherSideHasOnlyAPart) {
  auto call = sized<vkp_call>();
  call.timeout_ms = 42;
  call.size = offsetof(vkp_call, timeout_ms) + 4;

  EXPECT_EQ(read(call, &vkp_call::timeout_ms), 0);
}

TEST(Abi, TakesANullPointerOfLengthZeroForAnEmptyText) {
  EXPECT_EQ(view(vkp_str{nullptr, 0}), std::string_view());
  EXPECT_EQ(view(nullptr, 0), std::string_view());
}

}  // namespace
}  // namespace vkhost::sdk
