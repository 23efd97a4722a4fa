#include "daemon/yaml_json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::daemon {
namespace {

std::string json_of(std::string_view yaml) {
  const auto documents = yaml_to_json(yaml);
  if (!documents.is_ok()) {
    return documents.status().message();
  }
  std::string all;
  for (const YamlDocument& document : *documents) {
    all += document.json;
  }
  return all;
}

struct Case {
  const char* yaml;
  const char* json;
};

TEST(YamlToJson, TypesPlainScalarsAsKubectlDoes) {
  const Case cases[] = {
      {"a: 1", R"({"a":1})"},           {"a: -7", R"({"a":-7})"},
      {"a: 0644", R"({"a":420})"},      {"a: 0x1F", R"({"a":31})"},
      {"a: 1.5", R"({"a":1.5})"},       {"a: 1e3", R"({"a":1000})"},
      {"a: yes", R"({"a":true})"},      {"a: Off", R"({"a":false})"},
      {"a: ~", R"({"a":null})"},        {"a:", R"({"a":null})"},
      {"a: 1.2.3", R"({"a":"1.2.3"})"}, {"a: .inf", R"({"a":".inf"})"},
      {"a: 100m", R"({"a":"100m"})"},   {"a: text", R"({"a":"text"})"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(json_of(c.yaml), c.json) << c.yaml;
  }
}

TEST(YamlToJson, LeavesQuotedAndBlockScalarsText) {
  EXPECT_EQ(json_of("a: \"1\""), R"({"a":"1"})");
  EXPECT_EQ(json_of("a: 'true'"), R"({"a":"true"})");
  EXPECT_EQ(json_of("a: |\n  1\n"), R"({"a":"1\n"})");
}

TEST(YamlToJson, ReadsSeveralDocumentsAndSkipsEmptyOnes) {
  const auto documents = yaml_to_json("a: 1\n---\n---\nb: 2\n");

  ASSERT_TRUE(documents.is_ok());
  ASSERT_EQ(documents->size(), 2U);
  EXPECT_EQ((*documents)[1].json, R"({"b":2})");
  EXPECT_EQ((*documents)[1].line, 4);
}

TEST(YamlToJson, WritesAliasesOut) {
  EXPECT_EQ(json_of("a: &x [1]\nb: *x"), R"({"a":[1],"b":[1]})");
}

TEST(YamlToJson, ReadsJson) { EXPECT_EQ(json_of(R"({"a": ["x", 2]})"), R"({"a":["x",2]})"); }

TEST(YamlToJson, NamesThePlaceOfWhatItRefuses) {
  const Case cases[] = {
      {"a: 1\na: 2", "line 2, column 1: key \"a\" is there twice"},
      {"a: &x {b: 1}\nc:\n  <<: *x",
       "line 3, column 3: merge keys (<<) are not supported; write "
       "the members out"},
      {"a: [1", "line 1, column 1: end of sequence flow not found"},
      {"? [x]\n: 1", "line 1, column 3: a key has to be a plain word"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(json_of(c.yaml), c.json) << c.yaml;
  }
}

TEST(YamlToJson, RefusesDeepNestingAndForeignBytes) {
  EXPECT_EQ(yaml_to_json(std::string(200, '[') + std::string(200, ']')).status().code(),
            StatusCode::InvalidArgument);
  EXPECT_EQ(json_of("a: \xff"), "the file is not UTF-8");
}

TEST(YamlToJson, RefusesAnEntityBomb) {
  std::string bomb = "a0: &a0 [xxxxxxxxxxxxxxxx]\n";
  for (int i = 1; i < 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 20; ++k) {
      bomb += before + (k < 19 ? "," : "");
    }
    bomb += "]\n";
  }

  EXPECT_NE(json_of(bomb).find("more than 2 MiB"), std::string::npos);
}

}  // namespace
}  // namespace vkhost::daemon
