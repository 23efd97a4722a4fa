#include "cli/main_cli.hpp"

#include "cli_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Cli, ShowsHelpWithoutArguments) {
  CliRun cli;

  EXPECT_EQ(cli.run({}), ExitCode::Ok);
  EXPECT_THAT(cli.out.str(), StartsWith("vkhost joins a Kubernetes cluster"));
  EXPECT_EQ(cli.run({"--help"}), ExitCode::Ok);
  EXPECT_EQ(cli.run({"help", "get"}), ExitCode::Ok);
  EXPECT_THAT(cli.out.str(), StartsWith("Show pods or nodes"));
}

TEST(Cli, SuggestsTheCommandThatWasMeant) {
  CliRun cli;

  EXPECT_EQ(cli.run({"chek-config"}), ExitCode::Usage);
  EXPECT_EQ(cli.err.str(),
            "vkhost: there is no command \"chek-config\"; did you mean \"check-config\"?\n"
            "Try: vkhost --help\n");
  EXPECT_EQ(cli.run({"help", "nothing"}), ExitCode::Usage);
}

TEST(Cli, RefusesWordsThatNobodyAskedFor) {
  CliRun cli;

  EXPECT_EQ(cli.run({"version", "now"}), ExitCode::Usage);
  EXPECT_THAT(cli.err.str(), HasSubstr("unexpected \"now\""));
}

TEST(Cli, TakesFlagsWithoutACommandForRun) {
  CliRun cli;

  EXPECT_EQ(cli.run({"--nodename", "Not A Name", "--provider", "mock"}), ExitCode::Configuration);
  EXPECT_THAT(cli.err.str(), HasSubstr("--nodename: node.name: expected a node name"));
}

TEST(Cli, RunsWhenItIsCalledVirtualKubelet) {
  CliRun cli;
  cli.called_as = "/usr/bin/virtual-kubelet";

  // Without a provider: what matters is that the daemon was meant.
  EXPECT_EQ(cli.run({"--kubeconfig", ""}), ExitCode::Configuration);
  EXPECT_THAT(cli.err.str(), HasSubstr("provider: missing"));
  EXPECT_EQ(cli.run({"version"}), ExitCode::Ok);
}

TEST(Cli, WritesTheReferencePages) {
  CliRun cli;

  EXPECT_EQ(cli.run({"reference", "configuration"}), ExitCode::Ok);
  EXPECT_THAT(cli.out.str(), HasSubstr("# Configuration"));
  EXPECT_EQ(cli.run({"reference", "command-line"}), ExitCode::Ok);
  EXPECT_EQ(cli.run({"reference"}), ExitCode::Usage);
}

}  // namespace
}  // namespace vkhost::cli
