#include "config/settings_tree.hpp"

#include "config/toml_reader.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace vkhost::config {
namespace {

Value toml(std::string_view text) {
  auto source = std::make_shared<Source>();
  source->name = "a.toml";
  source->has_lines = true;
  Problems problems;
  return *read_toml(text, source, problems);
}

Value flag(std::string_view key, std::string text) {
  Value root(Table{}, Place{});
  put_setting(root, key, Value(std::move(text), place_of_setting("--flag")));
  return root;
}

TEST(PutSetting, MakesTablesOnTheWay) {
  Value root(Table{}, Place{});

  put_setting(root, "log.level", Value(std::string("debug"), place_of_setting("--log-level")));

  EXPECT_EQ(*root.find("log")->find("level")->as<std::string>(), "debug");
  EXPECT_EQ(place_of_key(root, "log.level").to_string(), "--log-level");
}

TEST(PlaceOfKey, IsThatOfTheClosestTable) {
  const Value root = toml("[[node]]\nname = 'a'\n[[node]]\nname = 'b'\n");

  EXPECT_EQ(place_of_key(root, "node[1].name").to_string(), "a.toml:4:8");
  EXPECT_EQ(place_of_key(root, "node[1].port").to_string(), "a.toml:3:1");
}

TEST(MergeSettings, PutsAFlagOnTheOnlyNode) {
  Value root = toml("[[node]]\nname = 'a'\nport = 1\n");
  Problems problems;

  merge_settings(root, flag("node.name", "b"), problems);

  const Value& node = root.find("node")->as<Array>()->front();
  EXPECT_EQ(*node.find("name")->as<std::string>(), "b");
  EXPECT_NE(node.find("port"), nullptr);
  EXPECT_TRUE(problems.empty());
}

TEST(MergeSettings, RefusesAFlagForOneOfSeveralNodes) {
  Value root = toml("[[node]]\nname = 'a'\n[[node]]\nname = 'b'\n");
  Problems problems;

  merge_settings(root, flag("node.name", "c"), problems);

  EXPECT_EQ(problems.to_string(),
            "--flag: node: there are several [[node]] and this does not say for which: set it in "
            "the file\n");
}

TEST(FillInSettings, AddsOnlyWhatIsMissing) {
  Value root = toml("[log]\nlevel = 'warn'\n[[node]]\nname = 'a'\n[[node]]\nport = 1\n");
  Value defaults = toml("[log]\nlevel = 'info'\nformat = 'json'\n[node]\nname = 'z'\n");

  fill_in_settings(root, std::move(defaults));

  EXPECT_EQ(*root.find("log")->find("level")->as<std::string>(), "warn");
  EXPECT_EQ(*root.find("log")->find("format")->as<std::string>(), "json");
  // A default name cannot be that of several nodes.
  EXPECT_EQ((*root.find("node")->as<Array>())[1].find("name"), nullptr);
}

}  // namespace
}  // namespace vkhost::config
