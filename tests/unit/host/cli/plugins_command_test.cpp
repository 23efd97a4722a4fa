#include "cli_run.hpp"
#include "support/plugin_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A configuration whose plugins folder has a good plugin and one that is refused.
struct Fixture : CliRun {
  testing::PluginFiles plugins;
  std::string file;

  Fixture() {
    plugins.fixture("minimal");
    plugins.fixture("wrong_major");
    file = folder
               .write("a.toml",
                      "config_version = 1\nprovider.name = 'minimal'\n"
                      "paths.plugins = ['" +
                          plugins.folder().string() + "']\n")
               .string();
  }
};

TEST(PluginsCommand, ShowsVersionsAndReasonsForARefusal) {
  Fixture cli;

  EXPECT_EQ(cli.run({"plugins", "-c", cli.file}), ExitCode::Ok);
  EXPECT_THAT(cli.out.str(), StartsWith("NAME"));
  EXPECT_THAT(cli.out.str(), HasSubstr("minimal       1.0.0"));
  EXPECT_THAT(cli.out.str(), HasSubstr("is built for provider ABI 1.1"));
}

TEST(PluginsCommand, ShowsOneByName) {
  Fixture cli;

  EXPECT_EQ(cli.run({"providers", "minimal", "-o", "name", "-c", cli.file}), ExitCode::Ok);
  EXPECT_EQ(cli.out.str(), "minimal\n");
  EXPECT_EQ(cli.run({"providers", "nobody", "-c", cli.file}), ExitCode::Failure);
  EXPECT_THAT(cli.err.str(), StartsWith("no such provider nobody"));
}

TEST(PluginsCommand, WritesJson) {
  Fixture cli;

  EXPECT_EQ(cli.run({"plugins", "-o", "json", "-c", cli.file}), ExitCode::Ok);
  EXPECT_THAT(cli.out.str(), StartsWith(R"({"plugins":[{"name":"minimal","version":"1.0.0")"));
  EXPECT_THAT(cli.out.str(), HasSubstr(R"("refused":")"));
}

}  // namespace
}  // namespace vkhost::cli
