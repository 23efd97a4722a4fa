#include <vkhost/cpp/time.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace vkhost::sdk {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(Rfc3339, WritesUtcToTheSecond) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(1'709'211'900 * kSecond), "2024-02-29T13:05:00Z");
  EXPECT_EQ(rfc3339(1'709'251'199 * kSecond), "2024-02-29T23:59:59Z");
  EXPECT_EQ(rfc3339(1'709'251'200 * kSecond), "2024-03-01T00:00:00Z");
  EXPECT_EQ(rfc3339(4'107'542'400 * kSecond), "2100-03-01T00:00:00Z") << "2100 has no 29 February";
  EXPECT_EQ(rfc3339(951'782'400 * kSecond), "2000-02-29T00:00:00Z");
}

TEST(Rfc3339, RoundsDown) {
  EXPECT_EQ(rfc3339(kSecond - 1), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(-1), "1969-12-31T23:59:59Z");
}

TEST(UnixNow, IsInThisCentury) {
  EXPECT_GT(unix_now_ns(), 1'700'000'000 * kSecond);
  EXPECT_LT(unix_now_ns(), 4'102'444'800 * kSecond);
}

}  // namespace
}  // namespace vkhost::sdk
