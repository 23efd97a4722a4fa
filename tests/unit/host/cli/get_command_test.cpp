#include "cli_run.hpp"
#include "daemon/runtime_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace vkhost::cli {
namespace {

using ::testing::HasSubstr;

TEST(GetCommand, SaysThatNoDaemonRuns) {
  CliRun cli;

  EXPECT_EQ(cli.run({"get", "pods", "--runtime", cli.folder.path().string()}),
            ExitCode::Unreachable);
  EXPECT_THAT(cli.err.str(), HasSubstr("no daemon of this user runs"));
  EXPECT_THAT(cli.err.str(), HasSubstr(cli.folder.path().string()));
}

TEST(GetCommand, SaysThatTheDaemonDoesNotAnswer) {
  CliRun cli;
  daemon::RuntimeFile file;
  file.token = Secret("t");
  // Port 1 of the loopback address: nobody listens there.
  file.nodes.push_back({"web", "127.0.0.1", 1});
  ASSERT_TRUE(daemon::write_runtime_file(cli.folder.path() / "run", file).is_ok());

  EXPECT_EQ(cli.run({"get", "nodes", "--runtime", (cli.folder.path() / "run").string()}),
            ExitCode::Unreachable);
  EXPECT_THAT(cli.err.str(), HasSubstr("vkhost: node web: asking the daemon at"));
}

TEST(GetCommand, WantsAResourceAndAForm) {
  CliRun cli;

  EXPECT_EQ(cli.run({"get"}), ExitCode::Usage);
  EXPECT_EQ(cli.run({"get", "services"}), ExitCode::Usage);
  EXPECT_EQ(cli.run({"get", "pods", "-o", "yaml"}), ExitCode::Usage);
}

}  // namespace
}  // namespace vkhost::cli
