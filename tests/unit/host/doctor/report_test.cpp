#include "doctor/report.hpp"

#include <gtest/gtest.h>

namespace vkhost::doctor {
namespace {

TEST(Report, KeepsFindingsInTheirOrder) {
  Report report;

  report.ok({"clock", "the clock", "All goes by it."}, "it is right");
  report.problem({"paths", "a folder", "It is written to."}, "it is gone", "Make it.");

  ASSERT_EQ(report.findings().size(), 2U);
  const Finding& second = report.findings()[1];
  EXPECT_EQ(second.verdict, Verdict::Problem);
  EXPECT_EQ(second.area, "paths");
  EXPECT_EQ(second.checked, "a folder");
  EXPECT_EQ(second.found, "it is gone");
  EXPECT_EQ(second.why, "It is written to.");
  EXPECT_EQ(second.advice, "Make it.");
  EXPECT_EQ(report.findings()[0].advice, "");
}

TEST(Report, CountsByVerdict) {
  Report report;
  const Matter matter{"a", "b", "c"};

  report.warning(matter, "", "");
  report.skipped(matter, "");
  report.warning(matter, "", "");

  EXPECT_EQ(report.count(Verdict::Warning), 2U);
  EXPECT_EQ(report.count(Verdict::Skipped), 1U);
  EXPECT_EQ(report.count(Verdict::Problem), 0U);
}

}  // namespace
}  // namespace vkhost::doctor
