#include "plugin/settings_schema.hpp"

#include <gmock/gmock.h>

#include <string>

namespace vkhost::plugin {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(SettingsSchema, TakesTheWholeSubset) {
  const Status status = check_settings_schema(R"({
    "type": "object", "additionalProperties": false, "required": ["region"],
    "description": "settings",
    "properties": {
      "region": {"type": "string", "enum": ["a", "b"], "default": "a", "x-reloadable": true},
      "key": {"type": "string", "pattern": "^[a-z]{3}$", "x-secret": true, "x-file": true},
      "wait": {"type": "string", "x-duration": true},
      "zones": {"type": "array", "items": {"type": "object", "additionalProperties":
                {"type": "integer", "minimum": 0, "maximum": 10}}}}})");

  EXPECT_TRUE(status.is_ok()) << status.message();
}

TEST(SettingsSchema, NamesThePlaceOfAnUnknownKeyword) {
  const Status status = check_settings_schema(
      R"({"type": "object", "properties": {"a/b": {"type": "string", "format": "uri"}}})");

  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("/properties/a~1b/format"), HasSubstr("subset")));
}

TEST(SettingsSchema, RefusesEachKeywordUsedWrongly) {
  for (const char* keyword :
       {R"j("type": "null")j", R"j("type": ["string"])j", R"j("enum": [])j", R"j("minimum": "1")j",
        R"j("maximum": true)j", R"j("pattern": "(")j", R"j("pattern": "a(?=b)")j",
        R"j("pattern": "a(?<!b)")j", R"j("description": 1)j", R"j("x-secret": "yes")j",
        R"j("items": [])j", R"j("properties": [])j", R"j("required": "x")j",
        R"j("required": ["x"])j", R"j("additionalProperties": "no")j", R"j("$ref": "#")j"}) {
    const std::string schema =
        R"({"type": "object", "properties": {"a": {)" + std::string(keyword) + "}}}";
    EXPECT_FALSE(check_settings_schema(schema).is_ok()) << schema;
  }
  EXPECT_FALSE(check_settings_schema(R"({"type": "object", "properties": {"a": 1}})").is_ok());
}

TEST(SettingsSchema, IsForATable) {
  EXPECT_FALSE(check_settings_schema(R"({"type": "string"})").is_ok());
  EXPECT_FALSE(check_settings_schema("{}").is_ok());
  EXPECT_FALSE(check_settings_schema("[]").is_ok());
  EXPECT_FALSE(check_settings_schema("{").is_ok());
}

}  // namespace
}  // namespace vkhost::plugin
