#include "mock/settings.hpp"

#include "mock/changes.hpp"
#include "mock/json.hpp"
#include "support/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace vkhost::mock {
namespace {

using ::testing::HasSubstr;

Settings read(const std::string& json) {
  std::vector<SettingProblem> problems;
  Settings settings = parse_settings(json, problems);
  for (const SettingProblem& problem : problems) {
    ADD_FAILURE() << problem.pointer << ": " << problem.text;
  }
  return settings;
}

std::vector<SettingProblem> problems_of(const std::string& json) {
  std::vector<SettingProblem> problems;
  static_cast<void>(parse_settings(json, problems));
  return problems;
}

TEST(Settings, HaveTheDefaultsOfTheSchema) {
  const Json properties = Json::parse(settings_schema(), "the schema")["properties"];

  const Settings settings = read("{}");

  EXPECT_EQ(settings.offer.cpu, properties["cpu"]["default"].text());
  EXPECT_EQ(settings.offer.memory, properties["memory"]["default"].text());
  EXPECT_EQ(settings.offer.pods, properties["pods"]["default"].text());
  EXPECT_EQ(settings.pod_cidr, properties["pod_cidr"]["default"].text());
  EXPECT_EQ(settings.state_dir, properties["state_dir"]["default"].text());
  EXPECT_EQ(static_cast<std::int64_t>(settings.seed), properties["seed"]["default"].number());
  EXPECT_EQ(settings.max_parallel_calls, properties["max_parallel_calls"]["default"].number());
  EXPECT_EQ(settings.save_handle, properties["save_handle"]["default"].boolean());
  EXPECT_EQ(settings.keep_material, KeepMaterial::None);
  EXPECT_EQ(properties["keep_material"]["default"].text(), "none");
  std::vector<std::string> updates;
  for (const Json& part : properties["updates"]["default"].elements()) {
    updates.push_back(part.text());
  }
  EXPECT_EQ(settings.updates, updates);
  EXPECT_EQ(settings.late_env, properties["late_env"]["default"].boolean());
}

TEST(Settings, NameEveryPartOfAPodThatCanChange) {
  const Json updates = Json::parse(settings_schema(), "the schema")["properties"]["updates"];
  std::vector<std::string> in_schema;
  for (const Json& part : updates["items"]["enum"].elements()) {
    in_schema.push_back(part.text());
  }

  std::vector<std::string> known;
  for (const ChangedPart& part : kChangedParts) {
    known.emplace_back(part.name);
  }
  EXPECT_EQ(in_schema, known);
}

// Keywords that a settings schema may use.
void expect_known_keywords(const Json& schema, const std::string& path) {
  static const std::set<std::string> kKnown{"type",
                                            "properties",
                                            "required",
                                            "items",
                                            "enum",
                                            "minimum",
                                            "maximum",
                                            "pattern",
                                            "default",
                                            "description",
                                            "additionalProperties",
                                            "x-secret",
                                            "x-reloadable"};
  for (const auto& [keyword, value] : schema.members()) {
    EXPECT_TRUE(kKnown.count(keyword)) << path << ": " << keyword;
    if (keyword == "properties") {
      for (const auto& [name, property] : value.members()) {
        expect_known_keywords(property, path + "/" + name);
      }
    } else if (keyword == "items") {
      expect_known_keywords(value, path + "/items");
    }
  }
}

TEST(Settings, KeepToTheKeywordsOfASettingsSchema) {
  expect_known_keywords(Json::parse(settings_schema(), "the schema"), "");
}

void expect_all_named(const Json& schema, const std::string& page) {
  for (const auto& [name, property] : schema["properties"].members()) {
    EXPECT_THAT(page, HasSubstr('`' + name + '`'));
    expect_all_named(property["items"].is_null() ? property : property["items"], page);
  }
}

TEST(Settings, StandOnTheirPage) {
  std::ifstream file(::vkhost::testing::source_dir() / "docs/plugins/mock.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});

  expect_all_named(Json::parse(settings_schema(), "the schema"), page);
}

TEST(Settings, AreRead) {
  const Settings settings = read(R"({
    "cpu": "500m", "memory": "1e3", "pods": "1k", "others": {"example.com/gpu": "4"},
    "provider_id": "x://y", "labels": {"a": "b"}, "api_key": "k", "pod_cidr": "10.1.0.0/16", "state_dir": "/s",
    "seed": 7, "max_parallel_calls": 8, "save_handle": true, "material": ["env"],
    "keep_material": "hashes", "updates": ["files", "tokens"], "late_env": true,
    "rules": [{"start_delay_ms": 1}]})");

  EXPECT_EQ(settings.api_key, "k");
  EXPECT_EQ(settings.offer.cpu, "500m");
  EXPECT_EQ(settings.offer.memory, "1e3");
  EXPECT_EQ(settings.offer.others.at("example.com/gpu"), "4");
  EXPECT_EQ(settings.offer.provider_id, "x://y");
  EXPECT_EQ(settings.labels.at("a"), "b");
  EXPECT_EQ(settings.pod_range.size, 65'536U);
  EXPECT_EQ(settings.state_dir, "/s");
  EXPECT_EQ(settings.seed, 7U);
  EXPECT_EQ(settings.max_parallel_calls, 8);
  EXPECT_TRUE(settings.save_handle);
  EXPECT_EQ(settings.material, std::vector<std::string>{"env"});
  EXPECT_EQ(settings.keep_material, KeepMaterial::Hashes);
  EXPECT_EQ(settings.updates, (std::vector<std::string>{"files", "tokens"}));
  EXPECT_TRUE(settings.late_env);
  EXPECT_EQ(settings.rules.size(), 1U);
}

TEST(Settings, TakeATableNamedLikeANodeForWhatThatNodeOffers) {
  const Settings settings =
      read(R"({"cpu": "1", "node-a": {"memory": "2Gi", "providerID": "x://a"}})");

  EXPECT_EQ(settings.nodes.at("node-a").memory, "2Gi");
  EXPECT_EQ(settings.nodes.at("node-a").cpu, "20") << "the default";
  EXPECT_EQ(settings.nodes.at("node-a").provider_id, "x://a");
}

TEST(Settings, TakeAPingThatFailsForAWhile) {
  const Settings settings =
      read(R"({"ping":{"after_ms":5,"for_ms":7,"code":"unauthenticated","reason":"BadKey"}})");

  ASSERT_TRUE(settings.ping.has_value());
  EXPECT_EQ(settings.ping->after, 5);
  EXPECT_EQ(settings.ping->length, 7);
  EXPECT_EQ(settings.ping->fault.code, 16);
  EXPECT_EQ(settings.ping->fault.reason, "BadKey");
  EXPECT_TRUE(settings.nodes.empty());
}

TEST(Settings, NameEveryQuantityThatIsNone) {
  const auto problems = problems_of(
      R"({"cpu": "many", "memory": "-1", "pods": "", "others": {"a/b": "1Xi"}, "n": {"cpu": "."}})");

  ASSERT_EQ(problems.size(), 5U);
  EXPECT_EQ(problems[0].pointer, "/cpu");
  EXPECT_THAT(problems[0].text, HasSubstr("invalid CPU value \"many\""));
  EXPECT_THAT(problems[1].text, HasSubstr("invalid memory value \"-1\""));
  EXPECT_THAT(problems[2].text, HasSubstr("invalid pods value \"\""));
  EXPECT_EQ(problems[3].pointer, "/others/a~1b");
  EXPECT_THAT(problems[3].text, HasSubstr("invalid other value \"1Xi\""));
  EXPECT_EQ(problems[4].pointer, "/n/cpu");
}

TEST(Settings, TakeEveryFormOfAQuantity) {
  for (const char* quantity : {"0", "1", "0.5", ".5", "5.", "100Gi", "1E", "1e3", "1E-3", "1e+9",
                               "3n", "3u", "3m", "3k", "3Ei"}) {
    EXPECT_TRUE(problems_of(std::string(R"({"cpu":")") + quantity + "\"}").empty()) << quantity;
  }
  for (const char* quantity : {"1e", "1e+", "1.2.3", "Gi", "1 Gi", "1gi", "+1", "0x1", "1e1000"}) {
    EXPECT_FALSE(problems_of(std::string(R"({"cpu":")") + quantity + "\"}").empty()) << quantity;
  }
}

TEST(Settings, NameTheRangeAndTheRuleThatAreWrong) {
  const auto problems =
      problems_of(R"({"pod_cidr": "fd00::/64", "rules": [{}, {"lie": "white"}]})");

  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].pointer, "/pod_cidr");
  EXPECT_EQ(problems[1].pointer, "/rules/1");
}

TEST(Settings, KeepMaterialOnlyWhereThereIsAFolderForIt) {
  const auto problems = problems_of(R"({"keep_material": "all"})");

  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].pointer, "/keep_material");
  EXPECT_THAT(problems[0].text, HasSubstr("state_dir"));
  EXPECT_EQ(read(R"({"keep_material": "all", "state_dir": "/s"})").keep_material,
            KeepMaterial::All);
  EXPECT_EQ(read(R"({"keep_material": "none"})").keep_material, KeepMaterial::None);
}

// What the schema lets change in an instance that runs, and what it refuses, are the same.
TEST(Settings, AreFixedWhereTheSchemaDoesNotSayReloadable) {
  const Json properties = Json::parse(settings_schema(), "the schema")["properties"];
  const Settings running = read(R"({"state_dir":"/a"})");
  const std::map<std::string, std::string> changes = {{"cpu", R"("1")"},
                                                      {"memory", R"("1Gi")"},
                                                      {"pods", R"("1")"},
                                                      {"others", R"({"a/b":"1"})"},
                                                      {"provider_id", R"("x://y")"},
                                                      {"labels", R"({"a":"b"})"},
                                                      {"api_key", R"("k")"},
                                                      {"pod_cidr", R"("10.0.0.0/8")"},
                                                      {"state_dir", R"("/b")"},
                                                      {"seed", "2"},
                                                      {"max_parallel_calls", "2"},
                                                      {"save_handle", "true"},
                                                      {"material", R"(["env"])"},
                                                      {"keep_material", R"("all")"},
                                                      {"updates", "[]"},
                                                      {"late_env", "true"},
                                                      {"ping", R"({"after_ms":1})"},
                                                      {"rules", R"([{"start_delay_ms":1}])"}};
  ASSERT_EQ(properties.members().size(), changes.size());

  for (const auto& [name, value] : changes) {
    std::string text = R"({"state_dir":"/a",")";
    text += name + "\":" + value + "}";
    const Settings wanted = read(name == "state_dir" ? R"({"state_dir":"/b"})" : text);

    const bool is_reloadable = properties[name]["x-reloadable"].boolean();
    EXPECT_EQ(fixed_difference(running, wanted), is_reloadable ? "" : name);
  }
}

}  // namespace
}  // namespace vkhost::mock
