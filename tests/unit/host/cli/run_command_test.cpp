#include "cli_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::cli {
namespace {

using ::testing::HasSubstr;

TEST(RunCommand, NamesEveryProblemOfTheConfiguration) {
  CliRun cli;
  const auto file = cli.folder.write("a.toml", "config_version = 1\ncolour = 1\nnode = 2\n");

  EXPECT_EQ(cli.run({"run", "-c", file.string()}), ExitCode::Configuration);

  const std::string path = file.string();
  EXPECT_EQ(cli.err.str(), path +
                               ":1:1: provider: missing: expected a table [provider] with the "
                               "name of a plugin\n" +
                               path + ":2:1: colour: unknown key\n" + path +
                               ":3:8: node: expected a table, found integer 2\n"
                               "vkhost: the configuration has 3 errors\n");
}

TEST(RunCommand, RefusesAFlagThatLooksLikeAnother) {
  CliRun cli;

  EXPECT_EQ(cli.run({"run", "--pod-sync-worker", "1"}), ExitCode::Usage);
  EXPECT_THAT(cli.err.str(), HasSubstr("did you mean \"--pod-sync-workers\"?"));
}

TEST(RunCommand, TakesNoDefaultFileWhenAProviderIsNamed) {
  CliRun cli;
  std::filesystem::create_directories(cli.folder.path() / ".config/vkhost");
  static_cast<void>(cli.folder.write(".config/vkhost/vkhost.toml", "not TOML"));

  EXPECT_EQ(cli.run({"run", "--provider", "mock", "--os", "plan9"}), ExitCode::Configuration);
  EXPECT_THAT(cli.err.str(), ::testing::Not(HasSubstr("not valid TOML")));
  EXPECT_EQ(cli.run({"run", "--os", "plan9"}), ExitCode::Configuration);
  EXPECT_THAT(cli.err.str(), HasSubstr("not valid TOML"));
}

}  // namespace
}  // namespace vkhost::cli
