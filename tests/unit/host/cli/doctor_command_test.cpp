#include "cli_run.hpp"
#include "support/json_pointer.hpp"
#include "support/plugin_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace vkhost::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Fixture : CliRun {
  testing::PluginFiles plugins;
  const std::filesystem::path plugin = plugins.copy(testing::plugin_path("mock"), "mock");

  // A daemon without a cluster and with the mock.
  std::string config(const std::string& settings = {}) {
    return folder
        .write("vkhost.toml", "config_version = 1\n[provider]\nlibrary = '" + plugin.string() +
                                  "'\n[provider.settings]\n" + settings +
                                  "\n[standalone]\nenabled = true\nmanifests = '" +
                                  folder.path().string() +
                                  "'\n[kubelet]\nlisten = '127.0.0.1:0'\n[health]\nlisten = 'off'\n"
                                  "[paths]\nstate = '" +
                                  (folder.path() / "state").string() + "'\nruntime = '" +
                                  (folder.path() / "runtime").string() + "'\n")
        .string();
  }
};

TEST(DoctorCommand, ExitsWithZeroWhenNothingIsWrong) {
  Fixture cli;

  EXPECT_EQ(cli.run({"doctor", "--config", cli.config()}), ExitCode::Ok) << cli.out.str();

  EXPECT_THAT(cli.out.str(), HasSubstr("ok       configuration: "));
  EXPECT_THAT(cli.out.str(), HasSubstr("\n0 problems, 0 warnings\n"));
  EXPECT_THAT(cli.out.str(), Not(HasSubstr("why:")));
}

TEST(DoctorCommand, SaysWhyAndWhatToDo) {
  Fixture cli;

  EXPECT_EQ(cli.run({"doctor", "-c",
                     cli.config("ping = {code = 'unavailable', message = 'the cloud is away'}")}),
            ExitCode::Unreachable);

  EXPECT_THAT(cli.out.str(), HasSubstr("\nproblem  back end of provider mock: "));
  EXPECT_THAT(cli.out.str(), HasSubstr("the cloud is away"));
  EXPECT_THAT(cli.out.str(), HasSubstr("\n         why: Its nodes are not Ready"));
  EXPECT_THAT(cli.out.str(), HasSubstr("\n         do:  Look at the provider's settings"));
  EXPECT_THAT(cli.out.str(), HasSubstr("\n1 problem, 0 warnings\n"));
}

TEST(DoctorCommand, AnswersInJson) {
  Fixture cli;
  const std::string config =
      cli.config("ping = {code = 'unavailable', message = 'the \"cloud\"\\nis away'}");

  EXPECT_EQ(cli.run({"doctor", "-c", config, "-o", "json"}), ExitCode::Unreachable);

  const std::string out = cli.out.str();
  EXPECT_EQ(testing::json_at(out, "/problems"), "1");
  EXPECT_EQ(testing::json_at(out, "/warnings"), "0");
  EXPECT_EQ(testing::json_at(out, "/findings/0/area"), "configuration");
  EXPECT_EQ(testing::json_at(out, "/findings/0/verdict"), "ok");
  EXPECT_EQ(testing::json_at(out, "/findings/0/advice"), "");
}

TEST(DoctorCommand, DoesNotLetOthersSteerTheTerminal) {
  Fixture cli;

  EXPECT_EQ(cli.run({"doctor", "-c",
                     cli.config("ping = {code = 'unavailable', message = \"\\u001b[2J\"}")}),
            ExitCode::Unreachable);

  EXPECT_THAT(cli.out.str(), Not(HasSubstr("\x1b")));
}

TEST(DoctorCommand, NamesTheErrorsOfTheConfiguration) {
  Fixture cli;
  const std::string file =
      cli.folder.write("bad.toml", "config_version = 1\n[provider]\nlibrary = 'mock'\nx = 1\n");

  EXPECT_EQ(cli.run({"doctor", "-c", file}), ExitCode::Configuration);

  EXPECT_THAT(cli.out.str(), HasSubstr("bad.toml:4:"));
  EXPECT_THAT(cli.out.str(), HasSubstr("provider.x"));
}

TEST(DoctorCommand, ExitsWithTheCodeOfTheAreaOfTheFirstProblem) {
  Fixture cli;

  EXPECT_EQ(cli.run({"doctor", "-c", cli.config("sede = 7")}), ExitCode::Configuration);
  std::filesystem::remove(cli.plugin);
  EXPECT_EQ(cli.run({"doctor", "-c", cli.config()}), ExitCode::Plugin) << cli.out.str();
  static_cast<void>(cli.folder.write("state", "no folder"));
  EXPECT_EQ(cli.run({"doctor", "-c", cli.config()}), ExitCode::Failure) << cli.out.str();
}

TEST(DoctorCommand, ExitsWithTwoWhenItIsCalledWrongly) {
  Fixture cli;

  EXPECT_EQ(cli.run({"doctor", "-o", "wide"}), ExitCode::Usage);
  EXPECT_EQ(cli.run({"doctor", "web-1"}), ExitCode::Usage);
  EXPECT_EQ(cli.run({"doctor"}), ExitCode::Usage);
  EXPECT_THAT(cli.err.str(), HasSubstr("which configuration?"));
}

}  // namespace
}  // namespace vkhost::cli
