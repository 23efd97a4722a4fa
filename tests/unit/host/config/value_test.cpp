#include "config/value.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

namespace vkhost::config {
namespace {

Value text(std::string content) { return {std::move(content), Place{}}; }

Value table(std::string name, Value value) {
  Table members;
  members.push_back({std::move(name), Place{}, std::move(value)});
  return {std::move(members), Place{}};
}

TEST(Value, FindsMembersWithHyphensForUnderscores) {
  const Value value = table("client-ca-file", text("ca.pem"));

  ASSERT_NE(value.find("client_ca_file"), nullptr);
  EXPECT_EQ(*value.find("client_ca_file")->as<std::string>(), "ca.pem");
  EXPECT_EQ(value.find("client_ca"), nullptr);
  EXPECT_EQ(text("x").find("x"), nullptr);
}

TEST(Value, DescribesItselfCutAndEscaped) {
  EXPECT_EQ(text("a\nb").describe(), R"("a\nb")");
  EXPECT_EQ(Value(std::int64_t{7}, Place{}).describe(), "integer 7");
  EXPECT_EQ(Value(Array{}, Place{}).describe(), "a list");
  const std::string cut =
      text(std::string(59, 'x') + "äöü" + std::string(1'000'000, 'x')).describe();
  EXPECT_EQ(cut, '"' + std::string(59, 'x') + "\"… (1000065 bytes)");
}

TEST(Value, MergesTablesMemberByMember) {
  Value base = table("log", table("level", text("info")));

  merge(base, table("log", table("format", text("json"))));
  merge(base, table("log", table("level", text("debug"))));

  EXPECT_EQ(*base.find("log")->find("level")->as<std::string>(), "debug");
  EXPECT_EQ(*base.find("log")->find("format")->as<std::string>(), "json");
}

TEST(Place, NamesLineAndColumnWhereThereAreAny) {
  auto file = std::make_shared<Source>();
  file->name = "a.toml";
  file->has_lines = true;

  EXPECT_EQ((Place{file, 3, 7}).to_string(), "a.toml:3:7");
  EXPECT_EQ((Place{file, 0, 0}).to_string(), "a.toml");
  EXPECT_EQ(Place{}.to_string(), "configuration");
}

}  // namespace
}  // namespace vkhost::config
