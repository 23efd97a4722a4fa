#include "daemon/provider_settings.hpp"

#include "config/toml_reader.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::daemon {
namespace {

// A plugin that is only asked about its settings.
class FakeLibrary final : public plugin::Library {
 public:
  FakeLibrary() {
    description_.name = "test";
    description_.settings_schema =
        R"({"type":"object","required":["region"],"properties":{)"
        R"("region":{"type":"string"},"key":{"type":"string","x-secret":true},)"
        R"("interval":{"type":"string","x-duration":true,"default":"1m"}}})";
    description_.settings_aliases = {{"AwsRegion", "region"}, {"--region", "region"}};
    description_.settings_env = {{"TEST_REGION", "region"}};
  }
  [[nodiscard]] const plugin::PluginDescription& description() const override {
    return description_;
  }
  [[nodiscard]] const std::filesystem::path& path() const override { return path_; }
  [[nodiscard]] const std::string& sha256() const override { return sha256_; }
  [[nodiscard]] bool supports(std::string_view /*extension*/) const override { return false; }
  Result<std::vector<plugin::ConfigProblem>> check_config(
      std::string_view config_json, const plugin::CallOptions& /*options*/) override {
    asked = config_json;
    return answer;
  }
  Result<std::unique_ptr<plugin::Provider>> create(
      const plugin::InstanceRequest& /*request*/,
      plugin::ProviderListener& /*listener*/,
      const plugin::CallOptions& /*options*/) override {
    return unimplemented("not in this test");
  }

  Result<std::vector<plugin::ConfigProblem>> answer = std::vector<plugin::ConfigProblem>{};
  std::string asked;

 private:
  plugin::PluginDescription description_;
  std::filesystem::path path_;
  std::string sha256_;
};

struct Fixture {
  FakeLibrary library;
  SettingsOutside outside{[](const std::string&) { return std::nullopt; }, {}};
  config::Problems problems;

  std::optional<ProviderSettings> check(std::string_view toml) {
    auto source = std::make_shared<config::Source>();
    source->name = "a.toml";
    source->has_lines = true;
    const config::SettingsDocument settings(*config::read_toml(toml, source, problems));
    auto checked =
        check_provider_settings(library, settings, "provider.settings", outside, problems);
    problems.sort();
    return checked;
  }
};

TEST(CheckProviderSettings, AsksThePluginAboutTheCompletedSettings) {
  Fixture fixture;

  const auto settings = fixture.check("region = 'eu'\n");

  ASSERT_TRUE(settings) << fixture.problems.to_string();
  EXPECT_EQ(settings->json.reveal(), R"({"interval":60000,"region":"eu"})");
  EXPECT_EQ(fixture.library.asked, settings->json.reveal());
}

TEST(CheckProviderSettings, NamesLineAndKeyOfWhatTheSchemaRefuses) {
  Fixture fixture;

  EXPECT_FALSE(fixture.check("AwsRegion = 7\ninterval = 5\nkye = 'x'\n"));

  EXPECT_EQ(fixture.problems.to_string(),
            "a.toml:1:13: provider.settings.AwsRegion: expected text, found integer 7\n"
            "a.toml:2:12: provider.settings.interval: expected a duration such as \"1m30s\"\n"
            "a.toml:3:7: provider.settings.kye: unknown key; did you mean \"key\"?\n");
  EXPECT_EQ(fixture.library.asked, "");
}

TEST(CheckProviderSettings, NamesLineAndKeyOfWhatThePluginRefuses) {
  Fixture fixture;
  fixture.library.answer = std::vector<plugin::ConfigProblem>{
      {false, "/region", "there is no such region"}, {true, "/interval", "is long"}};

  EXPECT_FALSE(fixture.check("key = 'x'\nregion = 'moon'\n"));

  EXPECT_EQ(fixture.problems.to_string(),
            "a.toml:1:1: warning: provider.settings.interval: is long\n"
            "a.toml:2:10: provider.settings.region: there is no such region\n");
}

TEST(CheckProviderSettings, TakesWarningsOfThePlugin) {
  Fixture fixture;
  fixture.library.answer = std::vector<plugin::ConfigProblem>{{true, "", "all of it is odd"}};

  EXPECT_TRUE(fixture.check("region = 'eu'\n"));
  EXPECT_EQ(fixture.problems.to_string(),
            "a.toml:1:1: warning: provider.settings: all of it is odd\n");
}

TEST(CheckProviderSettings, BlamesFlagsAndVariablesForTheirValues) {
  Fixture fixture;
  fixture.library.answer = std::vector<plugin::ConfigProblem>{{false, "/region", "is unknown"}};
  fixture.outside.flags = {{"--region", "moon"}};

  EXPECT_FALSE(fixture.check(""));
  EXPECT_EQ(fixture.problems.to_string(), "--region: provider.settings.region: is unknown\n");

  Fixture other;
  other.library.answer = fixture.library.answer;
  other.outside.environment = [](const std::string& name) {
    return name == "TEST_REGION" ? std::optional<std::string>("moon") : std::nullopt;
  };
  EXPECT_FALSE(other.check(""));
  EXPECT_EQ(other.problems.to_string(),
            "environment variable TEST_REGION: provider.settings.region: is unknown\n");
}

TEST(CheckProviderSettings, ReportsAPluginThatCannotCheck) {
  Fixture fixture;
  fixture.library.answer = internal_error("out of order");

  EXPECT_FALSE(fixture.check("region = 'eu'\n"));
  EXPECT_TRUE(fixture.problems.has_errors());
}

}  // namespace
}  // namespace vkhost::daemon
