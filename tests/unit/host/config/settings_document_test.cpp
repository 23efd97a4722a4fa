#include "config/settings_document.hpp"

#include "config/problem.hpp"
#include "config/toml_reader.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace vkhost::config {
namespace {

SettingsDocument document(std::string_view toml) {
  auto source = std::make_shared<Source>();
  source->name = "a.toml";
  source->folder = "/etc/vkhost";
  source->has_lines = true;
  Problems problems;
  return SettingsDocument(*read_toml(toml, source, problems));
}

TEST(SettingsDocument, IsTheTableAsJson) {
  const SettingsDocument settings =
      document("name = \"a\\u0001b\"\nsizes = [1, 2.0, { x = true }]\n\n[deep]\nempty = {}\n");

  EXPECT_EQ(settings.json().reveal(),
            R"({"name":"a\u0001b","sizes":[1,2.0,{"x":true}],"deep":{"empty":{}}})");
  EXPECT_EQ(settings.folder(), "/etc/vkhost");
}

TEST(SettingsDocument, LocatesPointers) {
  const SettingsDocument settings = document("sizes = [\n  1,\n  { 'a/b~' = 1 },\n]\n");

  EXPECT_EQ(settings.locate("/sizes/0").to_string(), "a.toml:2:3");
  EXPECT_EQ(settings.locate("/sizes/1/a~1b~0").to_string(), "a.toml:3:14");
  EXPECT_EQ(settings.locate_name("/sizes/1/a~1b~0").to_string(), "a.toml:3:5");
  // Not written: the table that should hold it.
  EXPECT_EQ(settings.locate("/sizes/1/missing/deeper").to_string(), "a.toml:3:3");
  EXPECT_EQ(settings.locate("nonsense").to_string(), "configuration");
  EXPECT_EQ(settings.locate("/").to_string(), settings.locate("").to_string());
}

TEST(SettingsDocument, SpellsPointersAsKeys) {
  EXPECT_EQ(SettingsDocument::key("/regions/0/a~1b"), "regions[0].a/b");
  EXPECT_EQ(SettingsDocument::key(""), "");
}

TEST(SettingsDocument, IsAnEmptyObjectByDefault) {
  EXPECT_EQ(SettingsDocument().json().reveal(), "{}");
  EXPECT_EQ(SettingsDocument().locate("/a").to_string(), "configuration");
}

}  // namespace
}  // namespace vkhost::config
