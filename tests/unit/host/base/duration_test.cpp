#include "base/duration.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsNumbersWithUnits) {
  EXPECT_EQ(parse_duration("10s"), 10s);
  EXPECT_EQ(parse_duration("1m30s"), 90s);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("1h0m0.5s"), 3'600'500ms);
  EXPECT_EQ(parse_duration("1.5h"), 90min);
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("10000h"), 10'000h);
}

TEST(ParseDuration, RefusesWhatIsNoDuration) {
  for (const std::string text :
       {"", "10", "s", "-1s", "10 s", "1d", "5us", "1.2.3s", ".s", "1s5", "0.0001s", "10001h",
        "99999999999999999999999s", "9999999999h9999999999h", "1e3s", "∞s"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(FormatDuration, IsReadBackAsTheSame) {
  for (const auto duration : {0ms, 1ms, 999ms, 1000ms, 90'000ms, 3'600'000ms, 3'661'001ms}) {
    EXPECT_EQ(parse_duration(format_duration(duration)), duration) << format_duration(duration);
  }
  EXPECT_EQ(format_duration(90s), "1m30s");
}

}  // namespace
}  // namespace vkhost
