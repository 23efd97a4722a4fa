#include "config/json_reader.hpp"

#include "config/settings_document.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::config {
namespace {

struct Reading {
  std::optional<Value> value;
  Problems problems;
};

Reading read(std::string_view text) {
  auto source = std::make_shared<Source>();
  source->name = "a.json";
  source->has_lines = true;
  Reading reading;
  reading.value = read_json(text, source, reading.problems);
  return reading;
}

TEST(ReadJson, ReadsEveryKindOfValue) {
  const std::string text = R"({"a":[1,-2.5,1e3,true,false],"b":{"c":"\u00e4\ud83d\ude00\n\/"}})";

  const Reading reading = read(text);

  ASSERT_TRUE(reading.value) << reading.problems.to_string();
  EXPECT_EQ(SettingsDocument(*reading.value).json().reveal(),
            R"({"a":[1,-2.5,1000.0,true,false],"b":{"c":"ä😀\n/"}})");
}

TEST(ReadJson, KnowsLineAndColumn) {
  const Reading reading = read("{\n  \"a\": {\n    \"b\": 1 }\n}");

  EXPECT_EQ(reading.value->find("a")->as<Table>()->front().at.to_string(), "a.json:3:5");
  EXPECT_EQ(reading.value->find("a")->find("b")->at().to_string(), "a.json:3:10");
}

TEST(ReadJson, RefusesWhatIsNotJson) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "a.json:1:1: not valid JSON: expected a value"},
      {"{", "a.json:1:2: not valid JSON: expected a name in quotes"},
      {"{\"a\":1,}", "a.json:1:8: not valid JSON: expected a name in quotes"},
      {"[1 2]", "a.json:1:4: not valid JSON: expected ',' or ']'"},
      {"{\"a\":1,\"a\":2}", "a.json:1:11: not valid JSON: the name \"a\" occurs twice"},
      {"01", "a.json:1:1: not valid JSON: expected a value"},
      {"1.", "a.json:1:1: not valid JSON: expected digits after the decimal point"},
      {"[1]]", "a.json:1:4: not valid JSON: expected the end of the document"},
      {"\"\\ud800\"",
       "a.json:1:8: not valid JSON: expected four hexadecimal digits of a character "
       "after \\u"},
      {"\"a\nb\"", "a.json:1:3: not valid JSON: control character in a string"},
      {"\"a", "a.json:1:3: not valid JSON: the string has no end"},
      {"tru", "a.json:1:1: not valid JSON: expected a value"},
      {"99999999999999999999", "a.json:1:1: not valid JSON: the integer does not fit into 64 bits"},
      {"1e999", "a.json:1:1: not valid JSON: the number is out of range"},
      {"\"\xff\"", "a.json: not valid JSON: the text is not UTF-8"},
  };
  for (const auto& [text, problem] : cases) {
    EXPECT_EQ(read(text).problems.to_string(), problem + "\n") << text;
  }
}

TEST(ReadJson, SurvivesDeepNesting) {
  const Reading reading = read(std::string(1'000'000, '['));

  EXPECT_EQ(reading.problems.to_string(),
            "a.json:1:66: not valid JSON: nested deeper than 64 levels\n");
}

}  // namespace
}  // namespace vkhost::config
