#include "cli_run.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <string>

namespace vkhost::cli {
namespace {

TEST(VersionCommand, PrintsThreeSemanticVersions) {
  CliRun cli;

  EXPECT_EQ(cli.run({"version"}), ExitCode::Ok);

  EXPECT_TRUE(std::regex_match(
      cli.out.str(), std::regex("vkhost \\d+\\.\\d+\\.\\d+\nprovider ABI \\d+\\.\\d+\\.\\d+\n"
                                "configuration \\d+\\.\\d+\\.\\d+\n")))
      << cli.out.str();
}

TEST(VersionCommand, IsAlsoAFlag) {
  CliRun cli;

  EXPECT_EQ(cli.run({"--version"}), ExitCode::Ok);
  EXPECT_TRUE(cli.out.str().starts_with("vkhost "));
  EXPECT_EQ(cli.run({"version", "--log-level", "debug", "-o", "json"}), ExitCode::Ok);
  EXPECT_TRUE(cli.out.str().starts_with("{\"daemon\":\""));
}

}  // namespace
}  // namespace vkhost::cli
