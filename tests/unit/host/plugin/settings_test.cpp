#include "plugin/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

namespace vkhost::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kSchema = R"json({
  "type": "object",
  "required": ["region"],
  "properties": {
    "region": {"type": "string", "enum": ["eu-west-1", "us-east-1"]},
    "api_key": {"type": "string", "x-secret": true, "pattern": "^key-[a-z]+$"},
    "ca": {"type": "string", "x-file": true},
    "poll_interval": {"type": "string", "x-duration": true, "minimum": 1000, "maximum": 60000,
                      "default": "5s", "x-reloadable": true},
    "retries": {"type": "integer", "minimum": 0, "maximum": 9, "default": 3},
    "ratio": {"type": "number", "minimum": 0},
    "verbose": {"type": "boolean", "default": false, "x-reloadable": true},
    "zones": {"type": "array", "items": {"type": "string"}},
    "health": {
      "type": "object",
      "default": {},
      "properties": {
        "unhealthy_threshold": {"type": "integer", "default": 3},
        "interval": {"type": "integer", "x-duration": true, "default": 1000}
      }
    },
    "warm_pools": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["image_id"],
        "properties": {
          "image_id": {"type": "string"},
          "size": {"type": "integer", "default": 1}
        }
      }
    },
    "exit": {"type": "object", "properties": {"delay": {"type": "integer", "default": 1}}},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}}
  }
})json";

PluginDescription plugin() {
  PluginDescription description;
  description.name = "test";
  description.settings_schema = kSchema;
  description.settings_aliases = {
      {"HealthConfig.UnhealthyThresholdCount", "health.unhealthy_threshold"},
      {"WarmPoolConfig", "warm_pools"},
      {"WarmPoolConfig[].ImageID", "warm_pools[].image_id"},
      {"--region", "region"},
      {"--retries", "retries"},
      {"--api-key", "api_key"},
  };
  description.settings_env = {{"TEST_REGION", "region"},
                              {"TEST_API_KEY", "api_key"},
                              {"TEST_RETRIES", "retries"},
                              {"TEST_ZONES", "zones"}};
  return description;
}

struct Fixture {
  SettingsInput input;
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;

  Fixture() {
    input.folder = "/etc/vkhost";
    input.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    input.read_file = [this](const std::filesystem::path& path) -> Result<std::string> {
      const auto found = files.find(path.string());
      if (found == files.end()) {
        return unavailable("it does not exist");
      }
      return found->second;
    };
  }
  CheckedSettings check(std::string json) {
    input.json = Secret(std::move(json));
    auto checked = check_settings(plugin(), input);
    EXPECT_TRUE(checked.is_ok()) << checked.status().to_string();
    return *checked;
  }
};

std::string problems(const CheckedSettings& checked) {
  std::string text;
  for (const ConfigProblem& problem : checked.problems()) {
    text += problem.pointer + ": " + problem.text + "\n";
  }
  return text;
}

TEST(CheckSettings, FillsInDefaultsAlsoThoseInsideADefault) {
  Fixture fixture;

  const CheckedSettings checked =
      fixture.check(R"({"region":"eu-west-1","warm_pools":[{"image_id":"ami-1"}]})");

  EXPECT_EQ(problems(checked), "");
  EXPECT_EQ(checked.json().reveal(),
            R"({"health":{"interval":1000,"unhealthy_threshold":3},"poll_interval":5000,)"
            R"("region":"eu-west-1","retries":3,"verbose":false,)"
            R"("warm_pools":[{"image_id":"ami-1","size":1}]})");
}

TEST(CheckSettings, LeavesATableOutThatHasNoDefaultOfItsOwn) {
  Fixture fixture;

  EXPECT_THAT(fixture.check(R"({"region":"eu-west-1"})").json().reveal(),
              Not(HasSubstr("\"exit\"")));
  EXPECT_THAT(fixture.check(R"({"region":"eu-west-1","exit":{}})").json().reveal(),
              HasSubstr(R"("exit":{"delay":1})"));
}

TEST(CheckSettings, ReportsAllProblemsAtOnce) {
  Fixture fixture;

  const CheckedSettings checked = fixture.check(R"({
    "region": "eu-west-2", "retries": 10, "ratio": "much", "verbos": true, "zones": "a",
    "poll_interval": 30, "health": {"interval": "soon", "unhealthy_treshold": 1},
    "warm_pools": [{"image_id": "a"}, {"size": true}, 7], "labels": {"a": 1}})");

  EXPECT_TRUE(checked.has_errors());
  EXPECT_EQ(problems(checked),
            "/health/interval: expected a duration such as \"1m30s\"\n"
            "/health/unhealthy_treshold: unknown key; did you mean \"unhealthy_threshold\"?\n"
            "/labels/a: expected text, found integer 1\n"
            "/poll_interval: expected a duration such as \"1m30s\"\n"
            "/ratio: expected a number, 0 or more, found \"much\"\n"
            "/region: expected one of \"eu-west-1\", \"us-east-1\", found \"eu-west-2\"; did you "
            "mean \"eu-west-1\"?\n"
            "/retries: expected an integer, 0 to 9, found integer 10\n"
            "/verbos: unknown key; did you mean \"verbose\"?\n"
            "/warm_pools/1/image_id: missing: expected text\n"
            "/warm_pools/1/size: expected an integer, found true\n"
            "/warm_pools/2: expected a table, found integer 7\n"
            "/zones: expected a list, found \"a\"\n");
}

TEST(CheckSettings, ReportsWhatIsMissing) {
  Fixture fixture;

  EXPECT_EQ(problems(fixture.check("{}")),
            "/region: missing: expected one of \"eu-west-1\", \"us-east-1\"\n");
}

TEST(CheckSettings, NamesTheRangeOfADuration) {
  Fixture fixture;

  EXPECT_EQ(problems(fixture.check(R"({"region":"eu-west-1","poll_interval":"2m"})")),
            "/poll_interval: expected a duration, 1s to 1m, found integer 120000\n");
}

TEST(CheckSettings, NeverShowsASecret) {
  Fixture fixture;
  fixture.files["/etc/vkhost/ca.pem"] = "top secret";

  const CheckedSettings checked =
      fixture.check(R"({"region":"eu-west-1","api_key":"hunter2","ca":"ca.pem"})");

  EXPECT_EQ(problems(checked),
            "/api_key: expected text that matches ^key-[a-z]+$, found another value (not shown)\n");
}

TEST(CheckSettings, ReadsSecretsFromFilesAndVariables) {
  Fixture fixture;
  fixture.files["/run/key"] = "key-abc\n";
  fixture.files["/etc/vkhost/ca.pem"] = "PEM\r\n";

  const CheckedSettings checked =
      fixture.check(R"({"region":"eu-west-1","api_key":{"file":"/run/key"},"ca":"ca.pem"})");

  EXPECT_EQ(problems(checked), "");
  EXPECT_THAT(checked.json().reveal(), HasSubstr(R"("api_key":"key-abc")"));
  EXPECT_THAT(checked.json().reveal(), HasSubstr(R"("ca":"PEM")"));
  EXPECT_THAT(checked.files(), ElementsAre("/run/key", "/etc/vkhost/ca.pem"));

  fixture.variables["KEY"] = "key-xyz";
  EXPECT_THAT(fixture.check(R"({"region":"eu-west-1","api_key":{"env":"KEY"}})").json().reveal(),
              HasSubstr("key-xyz"));
}

TEST(CheckSettings, SaysWhyASecretCannotBeRead) {
  Fixture fixture;

  EXPECT_EQ(problems(fixture.check(R"({"region":"eu-west-1","ca":"none.pem"})")),
            "/ca: cannot read /etc/vkhost/none.pem: it does not exist\n");
  EXPECT_THAT(problems(fixture.check(R"({"region":"eu-west-1","api_key":{"env":"NONE"}})")),
              HasSubstr("/api_key: the environment variable NONE is not set"));
  EXPECT_THAT(problems(fixture.check(R"({"region":"eu-west-1","api_key":{"path":"x"}})")),
              HasSubstr(R"(/api_key: expected text, { file = "PATH" } or { env = "VARIABLE" })"));
}

TEST(CheckSettings, TakesEnvironmentVariablesWhereNothingIsWritten) {
  Fixture fixture;
  fixture.variables = {{"TEST_REGION", "us-east-1"}, {"TEST_RETRIES", "7"}, {"TEST_ZONES", "a,b"}};

  const CheckedSettings checked = fixture.check(R"({"retries":1})");

  EXPECT_EQ(problems(checked), "");
  EXPECT_THAT(checked.json().reveal(), HasSubstr(R"("region":"us-east-1")"));
  EXPECT_THAT(checked.json().reveal(), HasSubstr(R"("retries":1)"));
  EXPECT_THAT(checked.json().reveal(), HasSubstr(R"("zones":["a","b"])"));
  EXPECT_EQ(checked.origin("/region").kind, SettingOrigin::Kind::Environment);
  EXPECT_EQ(checked.origin("/zones/1").name, "TEST_ZONES");
}

TEST(CheckSettings, TakesFlagsButNoSecretsFromThem) {
  Fixture fixture;
  fixture.input.flags = {{"--region", "us-east-1"}, {"--retries", "many"}, {"--other", "x"}};

  const CheckedSettings checked = fixture.check(R"({"region":"eu-west-1"})");

  EXPECT_EQ(problems(checked), "/retries: expected an integer, 0 to 9, found \"many\"\n");
  EXPECT_EQ(checked.origin("/retries").kind, SettingOrigin::Kind::Flag);
  EXPECT_EQ(checked.origin("/retries").name, "--retries");
  EXPECT_THAT(checked.json().reveal(), HasSubstr(R"("region":"us-east-1")"));
  EXPECT_THAT(checked.flags(), ElementsAre("--region", "--retries"));

  fixture.input.flags = {{"--api-key", "key-abc"}};
  const std::string text = problems(fixture.check(R"({"region":"eu-west-1"})"));
  EXPECT_THAT(text, HasSubstr("a secret is not taken from an argument"));
  EXPECT_THAT(text, Not(HasSubstr("key-abc")));
}

TEST(CheckSettings, TakesFormerNamesAndKnowsWhereTheyStood) {
  Fixture fixture;

  const CheckedSettings checked = fixture.check(R"({
    "region": "eu-west-1",
    "healthconfig": {"unhealthyThresholdCount": 9},
    "WarmPoolConfig": [{"ImageID": "ami-1"}, {"imageid": 5, "size": 2}]})");

  EXPECT_EQ(problems(checked), "/warm_pools/1/image_id: expected text, found integer 5\n");
  EXPECT_THAT(checked.json().reveal(), HasSubstr(R"("unhealthy_threshold":9)"));
  EXPECT_THAT(checked.json().reveal(), HasSubstr(R"({"image_id":"ami-1","size":1})"));
  EXPECT_EQ(checked.origin("/warm_pools/1/image_id").name, "/WarmPoolConfig/1/imageid");
  EXPECT_EQ(checked.origin("/warm_pools/1/size").name, "/WarmPoolConfig/1/size");
  EXPECT_EQ(checked.origin("/region").name, "/region");
}

TEST(CheckSettings, RefusesASettingUnderBothItsNames) {
  Fixture fixture;

  EXPECT_THAT(problems(fixture.check(R"({"region":"eu-west-1","health":{"unhealthy_threshold":1},)"
                                     R"("HealthConfig":{"UnhealthyThresholdCount":2}})")),
              HasSubstr("/health/unhealthy_threshold: given twice"));
  EXPECT_THAT(
      problems(fixture.check(R"({"region":"eu-west-1","api_key":"key-a","api-key":"key-b"})")),
      HasSubstr("/api_key: given twice: also as api-key"));
}

TEST(CheckSettings, TakesHyphensForUnderscores) {
  Fixture fixture;

  const CheckedSettings checked = fixture.check(R"({"region":"eu-west-1","poll-interval":"9"})");

  EXPECT_EQ(problems(checked), "/poll_interval: expected a duration such as \"1m30s\"\n");
  EXPECT_EQ(checked.origin("/poll_interval").name, "/poll-interval");
}

TEST(CheckSettings, SurvivesLongTextUnderAPattern) {
  Fixture fixture;

  const CheckedSettings checked = fixture.check(R"({"region":"eu-west-1","api_key":"key-)" +
                                                std::string(1'000'000, 'a') + R"("})");

  EXPECT_TRUE(checked.has_errors());
  EXPECT_LT(problems(checked).size(), 300U);
}

TEST(CheckSettings, RefusesSettingsOfAPluginThatHasNone) {
  PluginDescription none;
  none.name = "none";

  EXPECT_EQ(problems(*check_settings(none, {})), "");
  SettingsInput input;
  input.json = Secret(R"({"a":1})");
  EXPECT_EQ(problems(*check_settings(none, input)), "/a: unknown key\n");
}

TEST(CheckSettings, ReportsASchemaThatCannotBeRead) {
  PluginDescription broken;
  broken.name = "broken";
  for (const char* schema : {"{", "[]", "7"}) {
    broken.settings_schema = schema;
    EXPECT_EQ(check_settings(broken, {}).status().code(), StatusCode::InvalidArgument) << schema;
  }
}

TEST(SettingsChange, KeepsWhatTakesARestartAsItRuns) {
  const auto change = settings_change(
      plugin(), Secret(R"({"region":"a","poll_interval":1,"health":{"interval":1}})"),
      Secret(R"({"region":"a","poll_interval":2,"health":{"interval":2},"verbose":true})"));

  ASSERT_TRUE(change.is_ok());
  EXPECT_THAT(change->needs_restart, ElementsAre("/health/interval"));
  EXPECT_THAT(change->reloadable, ElementsAre("/poll_interval", "/verbose"));
  EXPECT_EQ(change->json.reveal(),
            R"({"health":{"interval":1},"poll_interval":2,"region":"a","verbose":true})");
}

TEST(SettingsChange, ComesAndGoesWithMembers) {
  const auto change = settings_change(plugin(), Secret(R"({"region":"a","verbose":true})"),
                                      Secret(R"({"health":{"interval":2}})"));

  ASSERT_TRUE(change.is_ok());
  EXPECT_THAT(change->needs_restart, ElementsAre("/health", "/region"));
  EXPECT_THAT(change->reloadable, ElementsAre("/verbose"));
  EXPECT_EQ(change->json.reveal(), R"({"region":"a"})");
}

TEST(SettingsChange, IsNoneBetweenEqualDocuments) {
  const Secret same(R"({"region":"a"})");

  const auto change = settings_change(plugin(), same, same);

  ASSERT_TRUE(change.is_ok());
  EXPECT_THAT(change->needs_restart, ElementsAre());
  EXPECT_THAT(change->reloadable, ElementsAre());
  EXPECT_EQ(change->json, same);
}

}  // namespace
}  // namespace vkhost::plugin
