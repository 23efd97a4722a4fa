#include "resolve/json_members.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace vkhost::resolve {
namespace {

Poco::JSON::Object::Ptr document() {
  return *parse_json_object(
      R"({"text":"t","number":7,"half":0.5,"yes":true,"nothing":null,"object":{"a":1},)"
      R"("array":[{"b":2},"s",3]})",
      "the test");
}

TEST(JsonMembers, TakeAbsentAndNullForEmpty) {
  const auto object = document();
  const Place place("doc");
  for (const char* key : {"absent", "nothing"}) {
    EXPECT_FALSE(find_string(*object, key, place)->has_value());
    EXPECT_EQ(*read_string(*object, key, place), "");
    EXPECT_TRUE(*read_bool(*object, key, place, true));
    EXPECT_FALSE(find_integer(*object, key, place)->has_value());
    EXPECT_TRUE(read_object(*object, key, place)->isNull());
    EXPECT_TRUE(read_array(*object, key, place)->isNull());
  }
}

TEST(JsonMembers, ReadTheTypeThatIsThere) {
  const auto object = document();
  const Place place("doc");

  EXPECT_EQ(*read_string(*object, "text", place), "t");
  EXPECT_TRUE(*read_bool(*object, "yes", place, false));
  EXPECT_EQ(**find_integer(*object, "number", place), 7);
  EXPECT_TRUE((*read_object(*object, "object", place))->has("a"));
  const auto array = *read_array(*object, "array", place);
  EXPECT_TRUE((*object_at(*array, 0, place))->has("b"));
  EXPECT_EQ(*string_at(*array, 1, place), "s");
}

TEST(JsonMembers, NeverConvertAndNameThePlace) {
  const auto object = document();
  const Place place("doc");
  const auto array = *read_array(*object, "array", place);

  EXPECT_EQ(read_string(*object, "number", place).status().message(), "doc.number is not a string");
  EXPECT_FALSE(read_string(*object, "yes", place).is_ok());
  EXPECT_FALSE(read_bool(*object, "text", place, false).is_ok());
  EXPECT_FALSE(read_bool(*object, "number", place, false).is_ok());
  EXPECT_FALSE(read_object(*object, "array", place).is_ok());
  EXPECT_FALSE(read_array(*object, "object", place).is_ok());
  EXPECT_EQ(object_at(*array, 1, Place(place, "array", 1)).status().message(),
            "doc.array[1] is not an object");
  EXPECT_FALSE(string_at(*array, 2, place).is_ok());
  EXPECT_FALSE(object_at(*array, 99, place).is_ok());
}

TEST(JsonMembers, TakeWholeNumbersOfSixtyFourBitsOnly) {
  const auto object = *parse_json_object(
      R"({"low":-9223372036854775808,"high":9223372036854775807,"beyond":9223372036854775808,)"
      R"("half":0.5,"exponent":1e3,"text":"7","yes":true})",
      "the test");
  const Place place("doc");

  EXPECT_EQ(**find_integer(*object, "low", place), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(**find_integer(*object, "high", place), std::numeric_limits<std::int64_t>::max());
  for (const char* key : {"beyond", "half", "exponent", "text", "yes"}) {
    EXPECT_EQ(find_integer(*object, key, place).status().code(), StatusCode::InvalidArgument)
        << key;
  }
}

TEST(JsonMembers, TakeNumbersForQuantities) {
  const auto object = document();
  const Place place("q");

  EXPECT_EQ(*quantity_text(object->get("number"), place), "7");
  EXPECT_EQ(*quantity_text(object->get("half"), place), "0.5");
  EXPECT_EQ(*quantity_text(object->get("text"), place), "t");
  EXPECT_FALSE(quantity_text(object->get("yes"), place).is_ok());
  EXPECT_FALSE(quantity_text(object->get("nothing"), place).is_ok());
  EXPECT_FALSE(quantity_text(object->get("array"), place).is_ok());
}

TEST(JsonMembers, RefuseDocumentsWithoutQuotingThem) {
  for (const std::string& text :
       {std::string(), std::string("sesame"), std::string("[\"sesame\"]"),
        std::string("{\"a\":\"sesame"), std::string("{\"a\":sesame}"), std::string("\"sesame\""),
        std::string(100'000, '['), std::string("{\"a\":\"\xFF\"} sesame")}) {
    const auto parsed = parse_json_object(text, "the Secret");

    EXPECT_EQ(parsed.status().code(), StatusCode::InvalidArgument);
    EXPECT_EQ(parsed.status().message().find("sesame"), std::string::npos);
  }
}

TEST(JsonMembers, RefuseDeepNesting) {
  std::string text;
  for (int i = 0; i < 65; ++i) {
    text += "{\"a\":";
  }
  text += "1" + std::string(65, '}');

  EXPECT_FALSE(parse_json_object(text, "the test").is_ok());
}

}  // namespace
}  // namespace vkhost::resolve
