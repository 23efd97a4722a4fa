#include "config/toml_reader.hpp"

#include "config/settings_document.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace vkhost::config {
namespace {

struct Reading {
  std::optional<Value> value;
  Problems problems;
};

Reading read(std::string_view text) {
  auto source = std::make_shared<Source>();
  source->name = "a.toml";
  source->has_lines = true;
  Reading reading;
  reading.value = read_toml(text, source, reading.problems);
  return reading;
}

TEST(ReadToml, KeepsTheOrderAndThePlaceOfEachKey) {
  const Reading reading = read("z = 1\na = [\n  'x',\n]\n");

  const auto& members = *reading.value->as<Table>();
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].name, "z");
  EXPECT_EQ(members[0].at.to_string(), "a.toml:1:1");
  EXPECT_EQ(members[0].value.at().to_string(), "a.toml:1:5");
  EXPECT_EQ((*members[1].value.as<Array>())[0].at().to_string(), "a.toml:3:3");
}

TEST(ReadToml, TurnsDatesIntoTheirText) {
  const Reading reading = read("day = 2026-01-02\nat = 2026-01-02T03:04:05Z\n");

  EXPECT_EQ(SettingsDocument(*reading.value).json().reveal(),
            R"({"day":"2026-01-02","at":"2026-01-02T03:04:05Z"})");
}

TEST(ReadToml, RefusesNumbersThatAreNone) {
  const Reading reading = read("a = inf\nb = nan\n");

  EXPECT_EQ(reading.problems.list().size(), 2U);
  EXPECT_EQ(reading.problems.list()[0].to_string(),
            "a.toml:1:5: expected a finite number, found inf or nan");
}

TEST(ReadToml, SurvivesDeepNesting) {
  constexpr int kDeep = 200'000;
  std::string dots;
  for (int i = 0; i < kDeep; ++i) {
    dots += "a.";
  }
  for (const std::string& text :
       {dots + "a = 1\n", "[" + dots + "a]\n", "a = " + std::string(kDeep, '['),
        "a = " + std::string(100, '[') + std::string(100, ']')}) {
    EXPECT_TRUE(read(text).problems.has_errors()) << text.substr(0, 20);
  }
}

TEST(ReadToml, TakesLongStrings) {
  const std::string long_text(1'000'000, 'x');

  const Reading reading = read("a = '" + long_text + "'\n");

  EXPECT_EQ(*reading.value->find("a")->as<std::string>(), long_text);
}

}  // namespace
}  // namespace vkhost::config
