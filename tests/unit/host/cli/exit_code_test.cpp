#include "cli/exit_code.hpp"

#include <gtest/gtest.h>

#include <set>

namespace vkhost::cli {
namespace {

TEST(ExitCode, FollowsFromAStatus) {
  EXPECT_EQ(exit_code_of(Status::ok()), ExitCode::Ok);
  EXPECT_EQ(exit_code_of(invalid_argument("x")), ExitCode::Configuration);
  EXPECT_EQ(exit_code_of(invalid_argument("x").with_reason("UnknownFlag")), ExitCode::Usage);
  EXPECT_EQ(exit_code_of(failed_precondition("x")), ExitCode::Plugin);
  EXPECT_EQ(exit_code_of(not_found("x")), ExitCode::Plugin);
  EXPECT_EQ(exit_code_of(unavailable("x")), ExitCode::Unreachable);
  EXPECT_EQ(exit_code_of(internal_error("x")), ExitCode::Failure);
}

TEST(ExitCode, HasAMeaningOfItsOwn) {
  std::set<ExitCode> seen;
  for (const ExitCodeMeaning& meaning : exit_code_meanings()) {
    EXPECT_TRUE(seen.insert(meaning.code).second);
    EXPECT_FALSE(meaning.meaning.empty());
  }
  EXPECT_EQ(seen.size(), 6U);
}

}  // namespace
}  // namespace vkhost::cli
