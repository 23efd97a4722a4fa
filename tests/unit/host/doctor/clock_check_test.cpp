#include "doctor/clock_check.hpp"

#include "findings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace vkhost::doctor {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const WallTime kServer = *parse_time("2026-01-02T03:04:05Z");
constexpr std::string_view kDate = "Fri, 02 Jan 2026 03:04:05 GMT";

// An answer that took `way` and came when our clock was `ahead` of the server's.
Finding look(std::chrono::milliseconds ahead, std::chrono::milliseconds way = 0ms) {
  Report report;
  check_clock(kDate, kServer + ahead - way, kServer + ahead, report);
  return only(report);
}

TEST(ClockCheck, IsContentWithSmallDifferences) {
  for (const auto ahead : {0ms, 4s + 0ms, -4s + 0ms}) {
    EXPECT_EQ(look(ahead).verdict, Verdict::Ok) << ahead.count();
  }
}

TEST(ClockCheck, WarnsOfSecondsAndCallsMoreAProblem) {
  EXPECT_EQ(look(8s).verdict, Verdict::Warning);
  EXPECT_EQ(look(-8s).verdict, Verdict::Warning);
  EXPECT_EQ(look(40s).verdict, Verdict::Problem);
  EXPECT_EQ(look(-40s).verdict, Verdict::Problem);
}

TEST(ClockCheck, SaysWhichWayItIsOff) {
  EXPECT_THAT(look(1h).found, HasSubstr("3599 s ahead of that of the API server"));
  EXPECT_THAT(look(-1h).found, HasSubstr("3600 s behind that of the API server"));
  EXPECT_THAT(look(1h).advice, HasSubstr("NTP"));
}

TEST(ClockCheck, DoesNotTakeASlowAnswerForAWrongClock) {
  EXPECT_EQ(look(9s, 9s).verdict, Verdict::Ok);
  EXPECT_EQ(look(60s, 9s).verdict, Verdict::Problem);
}

TEST(ClockCheck, IsLeftOutWhenTheAnswerTellsNoTime) {
  for (const std::string_view date : {"", "yesterday", "2026", "Fri, 02 Jan 2026 03:04:05 GMT+1",
                                      "Mon, 02 Jan 2026 03:04:05 GMT"}) {
    Report report;
    check_clock(date, kServer, kServer, report);

    EXPECT_EQ(only(report).verdict, Verdict::Skipped) << date;
  }
}

}  // namespace
}  // namespace vkhost::doctor
