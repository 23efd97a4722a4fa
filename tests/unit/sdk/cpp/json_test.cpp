#include <vkhost/cpp/json.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace vkhost::sdk {
namespace {

TEST(JsonString, EscapesWhatJsonDoesNotAllow) {
  EXPECT_EQ(json_string("plain"), R"("plain")");
  EXPECT_EQ(json_string("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_string("\n\x01"), R"("\u000a\u0001")");
  EXPECT_EQ(json_string(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonString, KeepsWellFormedUtf8) {
  const std::string text = "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBF";
  EXPECT_EQ(json_string(text), '"' + text + '"');
}

TEST(JsonString, ReplacesBytesThatAreNotUtf8) {
  const std::string replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(json_string("\xFF"), '"' + replaced + '"');
  EXPECT_EQ(json_string("\xC3"), '"' + replaced + '"') << "cut short";
  EXPECT_EQ(json_string("\xC0\x80"), '"' + replaced + replaced + '"') << "overlong";
  EXPECT_EQ(json_string("\xED\xA0\x80"), '"' + replaced + replaced + replaced + '"') << "surrogate";
  EXPECT_EQ(json_string("\xF4\x90\x80\x80"), '"' + replaced + replaced + replaced + replaced + '"')
      << "beyond Unicode";
}

TEST(JsonWriter, SetsCommasBetweenMembersAndElements) {
  JsonWriter json;
  json.begin_object()
      .member("a", 1)
      .member("b", "two")
      .member("c", true)
      .key("d")
      .begin_array()
      .value(std::uint64_t{18446744073709551615U})
      .null()
      .begin_object()
      .end_object()
      .begin_array()
      .end_array()
      .raw(R"({"x":1})")
      .end_array()
      .member("e", std::string("f"))
      .end_object();

  EXPECT_EQ(json.take(),
            R"({"a":1,"b":"two","c":true,"d":[18446744073709551615,null,{},[],{"x":1}],"e":"f"})");
}

TEST(JsonWriter, BeginsAnewAfterTake) {
  JsonWriter json;
  json.begin_array().value(1).end_array();

  EXPECT_EQ(json.take(), "[1]");
  EXPECT_EQ(json.begin_array().end_array().take(), "[]");
}

}  // namespace
}  // namespace vkhost::sdk
