#include "kube/json_cut.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace vkhost::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

struct CutObject {
  std::vector<std::pair<std::string, std::string>> members;
  bool complete = false;
};

CutObject cut_object(std::string_view text) {
  CutObject result;
  JsonMembers members(text);
  JsonMember member;
  while (members.next(member)) {
    result.members.emplace_back(member.key, member.value);
    EXPECT_EQ(text.at(member.begin), '"');
    EXPECT_LE(member.end, text.size());
  }
  result.complete = members.is_complete();
  return result;
}

std::pair<std::vector<std::string>, bool> cut_array(std::string_view text) {
  std::vector<std::string> found;
  JsonElements elements(text);
  std::string_view element;
  while (elements.next(element)) {
    found.emplace_back(element);
  }
  return {found, elements.is_complete()};
}

TEST(JsonMembers, YieldsRawValuesInOrder) {
  const CutObject cut =
      cut_object(" { \"a\" : 1 ,\n\"b\":{\"x\":[1,{}]}, \"c\":\"}\\\"]\" ,\"d\":null}\n");

  EXPECT_TRUE(cut.complete);
  EXPECT_THAT(cut.members, ElementsAre(Pair("a", "1"), Pair("b", "{\"x\":[1,{}]}"),
                                       Pair("c", "\"}\\\"]\""), Pair("d", "null")));
}

TEST(JsonMembers, AcceptsTheEmptyObject) {
  EXPECT_TRUE(cut_object("{}").complete);
  EXPECT_TRUE(cut_object(" { } ").complete);
}

TEST(JsonMembers, SaysThatABrokenObjectIsNotComplete) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "}",
                           "[]",
                           "null",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1",
                           "{\"a\":1,}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":1}x",
                           "{\"a\":1}}",
                           "{a:1}",
                           "{\"a\":\"",
                           "{\"a\":\"\\",
                           "{\"a\":{",
                           "{\"a\":[[",
                           "{\"a",
                           "{\"a\":1,\"b\"",
                           "{,\"a\":1}",
                           "{}{}"}) {
    EXPECT_FALSE(cut_object(text).complete) << text;
  }
}

TEST(JsonMembers, SurvivesAnyDepthWithoutRecursion) {
  const std::string deep = "{\"a\":" + std::string(1'000'000, '[');

  EXPECT_FALSE(cut_object(deep).complete);
  EXPECT_TRUE(cut_object(deep + std::string(1'000'000, ']') + "}").complete);
}

TEST(JsonElements, YieldsRawElementsInOrder) {
  EXPECT_EQ(cut_array("[ {\"a\":1}, 2 ,\"x,]\"]"),
            std::pair(std::vector<std::string>({"{\"a\":1}", "2", "\"x,]\""}), true));
  EXPECT_EQ(cut_array(" [ ] "), std::pair(std::vector<std::string>{}, true));
}

TEST(JsonElements, SaysThatABrokenArrayIsNotComplete) {
  for (const char* text : {"", "[", "[1", "[1,", "[1,]", "[1 2]", "{}", "[1]]", "[,]"}) {
    EXPECT_FALSE(cut_array(text).second) << text;
  }
}

TEST(FindMember, FindsTheFirstOfThatName) {
  EXPECT_EQ(find_member("{\"a\":1,\"b\":[2]}", "b"), "[2]");
  EXPECT_EQ(find_member("{\"a\":1}", "b"), "");
  EXPECT_EQ(find_member("[1]", "b"), "");
}

TEST(PlainString, RefusesEscapesAndOtherTypes) {
  EXPECT_EQ(plain_string("\"12\""), "12");
  EXPECT_EQ(plain_string("\"a\\n\""), "");
  EXPECT_EQ(plain_string("12"), "");
  EXPECT_EQ(plain_string("\""), "");
}

}  // namespace
}  // namespace vkhost::kube
