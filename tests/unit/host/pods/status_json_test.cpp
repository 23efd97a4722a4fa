#include "pods/status_json.hpp"

#include <gtest/gtest.h>

namespace vkhost::pods {
namespace {

TEST(StatusJson, ReadsObjectsOnly) {
  EXPECT_TRUE(parse_object(R"({"a":1})", "x").is_ok());
  for (const char* text : {"", "[]", "7", "{", "null"}) {
    EXPECT_EQ(parse_object(text, "x").status().code(), StatusCode::InvalidArgument) << text;
  }
  EXPECT_EQ(parse_object("[]", "the status").status().message(), "the status is not a JSON object");
}

TEST(StatusJson, TakesAStringMemberOrNothing) {
  const auto object = parse_object(R"({"a":"x","b":7,"c":null})", "x");
  ASSERT_TRUE(object.is_ok());

  EXPECT_EQ(string_member(**object, "a"), "x");
  for (const char* name : {"b", "c", "d"}) {
    EXPECT_EQ(string_member(**object, name), "") << name;
  }
}

TEST(StatusJson, FindsAnElementByAMember) {
  const auto object = parse_object(R"({"list":[7,{"name":"a"},{"name":"b","x":1}]})", "x");
  ASSERT_TRUE(object.is_ok());
  const auto list = (*object)->getArray("list");

  EXPECT_EQ(find_named(list, "name", "b")->getValue<int>("x"), 1);
  EXPECT_TRUE(find_named(list, "name", "c").isNull());
  EXPECT_TRUE(find_named({}, "name", "a").isNull());
}

TEST(StatusJson, FindsWhatMustNotGoIntoAPatchHoweverDeep) {
  for (const char* text : {R"({"$patch":1})", R"({"a":[[{"b":{"$x":1}}]]})", R"({"a":[-0.0]})"}) {
    EXPECT_FALSE(refuse_unwritable(**parse_object(text, "x")).is_ok()) << text;
  }
  EXPECT_TRUE(refuse_unwritable(**parse_object(R"({"a":["$patch",{"b":"$x"}]})", "x")).is_ok());
}

}  // namespace
}  // namespace vkhost::pods
