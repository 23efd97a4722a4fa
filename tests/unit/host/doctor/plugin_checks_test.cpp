#include "doctor/plugin_checks.hpp"

#include "config/load.hpp"
#include "findings.hpp"
#include "support/plugin_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

namespace vkhost::doctor {
namespace {

using ::testing::HasSubstr;

struct PluginChecks : ::testing::Test {
  PluginFacts look(const std::string& library, const std::string& settings = {}) {
    const auto file =
        folder.write("vkhost.toml", "config_version = 1\n[provider]\nname = 'cloud'\nlibrary = '" +
                                        library + "'\n[provider.settings]\n" + settings);
    config::Sources sources;
    sources.file = file;
    const config::Loaded loaded = config::load(sources);
    EXPECT_FALSE(loaded.problems.has_errors()) << loaded.problems.to_string();
    return check_plugins(loaded.config, testing::daemon_path(), {}, clock, std::chrono::seconds{5},
                         report);
  }
  std::string mock() const { return plugins.copy(testing::plugin_path("mock"), "mock"); }

  const testing::TestFolder folder;
  const testing::PluginFiles plugins;
  const SystemClock clock;
  Report report;
};

TEST_F(PluginChecks, LoadThePluginAndPingItsBackEnd) {
  const PluginFacts facts = look(mock(), "material = ['env']\n");

  EXPECT_EQ(report.count(Verdict::Ok), 2U) << verdicts(report);
  EXPECT_EQ(report.findings().size(), 2U);
  EXPECT_THAT(report.findings()[0].found, HasSubstr("ABI 0.1"));
  EXPECT_EQ(report.findings()[0].area, "plugin");
  EXPECT_EQ(report.findings()[1].area, "back-end");
  EXPECT_TRUE(facts.uses_env);
  EXPECT_FALSE(facts.uses_references);
  EXPECT_FALSE(facts.uses_tokens);
  EXPECT_FALSE(facts.is_stuck);
}

TEST_F(PluginChecks, TellWhatThePluginUsesOfPods) {
  const PluginFacts facts = look(mock(), "material = ['storage', 'tokens', 'pull_credentials']\n");

  EXPECT_TRUE(facts.uses_storage);
  EXPECT_TRUE(facts.uses_tokens);
  EXPECT_TRUE(facts.uses_pull_credentials);
  EXPECT_FALSE(facts.uses_env);
}

TEST_F(PluginChecks, NameAPluginThatIsNotThere) {
  static_cast<void>(look((folder.path() / "vkhost-none.so").string()));

  EXPECT_EQ(only(report).verdict, Verdict::Problem);
  EXPECT_THAT(only(report).checked, HasSubstr("provider cloud"));
  EXPECT_THAT(only(report).advice, HasSubstr("vkhost plugins"));
}

TEST_F(PluginChecks, NameAPluginOfAnotherAbi) {
  static_cast<void>(look(plugins.fixture("wrong_major")));

  EXPECT_EQ(only(report).verdict, Verdict::Problem);
}

TEST_F(PluginChecks, NameSettingsThatThePluginDoesNotTake) {
  static_cast<void>(look(mock(), "sede = 7\n"));

  EXPECT_EQ(only(report).verdict, Verdict::Problem);
  EXPECT_THAT(only(report).found, HasSubstr("vkhost.toml:6:8: provider.settings.sede"));
  EXPECT_EQ(only(report).area, "configuration");
}

TEST_F(PluginChecks, NameABackEndThatDoesNotAnswer) {
  static_cast<void>(look(
      mock(), "ping = {code = 'unavailable', reason = 'Down', message = 'the cloud is away'}\n"));

  ASSERT_EQ(report.findings().size(), 2U) << verdicts(report);
  EXPECT_EQ(report.findings()[1].verdict, Verdict::Problem);
  EXPECT_THAT(report.findings()[1].found, HasSubstr("the cloud is away"));
}

TEST_F(PluginChecks, TakeAThrottledBackEndForOneThatIsThere) {
  static_cast<void>(look(mock(), "ping = {code = 'resource_exhausted', message = 'slower'}\n"));

  ASSERT_EQ(report.findings().size(), 2U) << verdicts(report);
  EXPECT_EQ(report.findings()[1].verdict, Verdict::Warning);
}

TEST_F(PluginChecks, WriteNothingWhereTheProviderKeepsItsState) {
  const auto state = folder.path() / "state";

  static_cast<void>(look(mock(), "state_dir = '" + state.string() + "'\n"));

  EXPECT_EQ(report.count(Verdict::Problem), 0U) << verdicts(report);
  EXPECT_FALSE(std::filesystem::exists(state));
}

}  // namespace
}  // namespace vkhost::doctor
