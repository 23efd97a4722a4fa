#include "base/clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

namespace vkhost {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(FormatTime, WritesWhatTheApiServerReads) {
  const WallTime time{seconds{1'767'323'045} + microseconds{1'200}};

  EXPECT_EQ(format_time(time), "2026-01-02T03:04:05Z");
  EXPECT_EQ(format_micro_time(time), "2026-01-02T03:04:05.001200Z");
}

TEST(FormatTime, WritesTheFirstInstantThatThereIs) {
  EXPECT_EQ(format_micro_time(WallTime::min()), "1677-09-21T00:12:43.145224Z");
  EXPECT_EQ(format_micro_time(WallTime::max()), "2262-04-11T23:47:16.854775Z");
}

TEST(ParseTime, ReadsAnyRfc3339Time) {
  const WallTime time{seconds{1'767'323'045}};

  EXPECT_EQ(parse_time("2026-01-02T03:04:05Z"), time);
  EXPECT_EQ(parse_time("2026-01-02t03:04:05z"), time);
  EXPECT_EQ(parse_time("2026-01-02T04:34:05+01:30"), time);
  EXPECT_EQ(parse_time("2026-01-01T22:04:05-05:00"), time);
  EXPECT_EQ(parse_time("2026-01-02T03:04:05.25Z"), time + microseconds{250'000});
  EXPECT_EQ(parse_time("2026-01-02T03:04:05.123456789Z"), time + microseconds{123'456});
  EXPECT_EQ(parse_time("2026-01-02T03:04:60Z"), parse_time("2026-01-02T03:05:00Z"));
}

TEST(ParseTime, StopsAtTheEndsOfTheClock) {
  EXPECT_LT(parse_time("0001-01-01T00:00:00Z"), parse_time("1700-01-01T00:00:00Z"));
  EXPECT_GT(parse_time("9999-12-31T23:59:59Z"), parse_time("2200-01-01T00:00:00Z"));
}

TEST(ParseTime, RefusesEverythingElse) {
  for (const char* text :
       {"", "now", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z",
        "2026-02-30T03:04:05Z", "2026-01-02T24:04:05Z", "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+1:00", "2026-01-02T03:04:05Zx",
        "2026-01-02T03:04:05+24:00", "-026-01-02T03:04:05Z"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace vkhost
