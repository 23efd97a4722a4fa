#include "cli_run.hpp"
#include "support/plugin_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace vkhost::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A configuration with a copy of a plugin made for tests.
struct Fixture : CliRun {
  testing::PluginFiles plugins;

  std::string config(const std::string& fixture, const std::string& settings) {
    const fs::path library = plugins.fixture(fixture);
    return folder
        .write("vkhost.toml", "config_version = 1\n[provider]\nlibrary = '" + library.string() +
                                  "'\n[provider.settings]\n" + settings)
        .string();
  }
};

TEST(CheckConfigCommand, SaysThatThereIsNothingWrong) {
  Fixture cli;
  const std::string file = cli.config("minimal", "motto = 'onwards'\n");

  EXPECT_EQ(cli.run({"check-config", file}), ExitCode::Ok) << cli.err.str();
  EXPECT_EQ(cli.out.str(), file + ": no errors\n");
  EXPECT_EQ(cli.err.str(), "");
}

TEST(CheckConfigCommand, JudgesThePluginsSettingsByItsSchema) {
  Fixture cli;
  const std::string file = cli.config("minimal", "motto = 7\nmoto = 'x'\n");

  EXPECT_EQ(cli.run({"check-config", "--config", file}), ExitCode::Configuration);
  EXPECT_EQ(cli.err.str(),
            file + ":5:9: provider.settings.motto: expected text, found integer 7\n" + file +
                ":6:8: provider.settings.moto: unknown key; did you mean \"motto\"?\n"
                "vkhost: the configuration has 2 errors\n");
}

TEST(CheckConfigCommand, ShowsWhatThePluginItselfSays) {
  Fixture cli;
  const std::string file = cli.config("minimal", "motto = ''\n");

  EXPECT_EQ(cli.run({"check-config", file}), ExitCode::Ok);
  EXPECT_EQ(cli.err.str(), file +
                               ":5:9: warning: provider.settings.motto: an empty motto inspires "
                               "nobody; leave it out or write one\n");
}

TEST(CheckConfigCommand, SaysWhyAPluginIsRefused) {
  Fixture cli;
  const std::string file = cli.config("wrong_major", "");

  EXPECT_EQ(cli.run({"check-config", file}), ExitCode::Plugin);
  EXPECT_THAT(cli.err.str(), HasSubstr("is built for provider ABI 1.1"));
  EXPECT_EQ(cli.run({"check-config", "--without-plugins", file}), ExitCode::Ok);
}

TEST(CheckConfigCommand, WantsOneFile) {
  CliRun cli;
  cli.variables["VKHOST_CONFIG"] = "/does/not/exist.toml";

  EXPECT_EQ(cli.run({"check-config", "a", "b"}), ExitCode::Usage);
  EXPECT_EQ(cli.run({"check-config"}), ExitCode::Configuration);
  EXPECT_THAT(cli.err.str(), HasSubstr("/does/not/exist.toml: cannot open the file"));
}

std::vector<fs::path> example_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(testing::source_dir() / "config")) {
    if (entry.path().extension() == ".toml") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class ExampleFile : public ::testing::TestWithParam<fs::path> {};

// What only the mock's schema can judge is judged; other plugins may not be part of this build, and
// check their own examples.
TEST_P(ExampleFile, HasNoErrors) {
  CliRun cli;
  std::vector<std::string> arguments = {"check-config", GetParam().string()};
  const std::string text = testing::read_file(GetParam());
  if (text.find("\nname = \"mock\"") == std::string::npos) {
    arguments.emplace_back("--without-plugins");
  }

  EXPECT_EQ(cli.run(arguments), ExitCode::Ok) << cli.err.str();
  EXPECT_EQ(cli.err.str(), "");
}

std::string name_of_file(const ::testing::TestParamInfo<fs::path>& file) {
  std::string name = file.param.stem().string();
  std::erase_if(name, [](char c) { return c == '_' || c == '-'; });
  return name;
}

INSTANTIATE_TEST_SUITE_P(, ExampleFile, ::testing::ValuesIn(example_files()), name_of_file);

}  // namespace
}  // namespace vkhost::cli
