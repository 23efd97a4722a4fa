#include "kube/json_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::kube {
namespace {

using ::testing::HasSubstr;

TEST(ReadJson, RefusesWhatIsNotOneValidDocument) {
  for (const char* text : {"", "{\"x\":tru}", "{\"x\":1 \"y\":2}", "[1,2}", "\"\\q\"", "01",
                           "{\"x\":1", "{} {}", "{\"x\":\"\xff\"}", "{\"x\":\"\xed\xa0\x80\"}",
                           "{\"x\":\"a\nb\"}", "nul", "{\"x\":1e999}"}) {
    EXPECT_EQ(read_json(text).status().code(), StatusCode::InvalidArgument) << text;
  }
}

TEST(ReadJson, RefusesDeepNestingButNotAtTheLimit) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };

  EXPECT_TRUE(read_json(nested(kMaxJsonDepth - 1)).is_ok());
  EXPECT_THAT(read_json(nested(kMaxJsonDepth + 1)).status().message(), HasSubstr("64 levels"));
  EXPECT_FALSE(read_json(nested(1'000'000)).is_ok());
}

TEST(ReadJson, ReadsSmallDocumentsAfterAHugeOne) {
  const std::string huge = "\"" + std::string(3'000'000, 'x') + "\"";

  ASSERT_TRUE(read_json(huge).is_ok());
  const auto small = read_json("{\"a\":1}");

  ASSERT_TRUE(small.is_ok());
  EXPECT_TRUE(as_object(*small, "it").is_ok());
  EXPECT_FALSE(read_json(std::string(1000, '[')).is_ok()) << "the depth limit must stay";
}

TEST(FindMembers, RefusesDuplicatesOfWantedKeysOnly) {
  const auto root = read_json(R"({"b":1,"b":2,"a":null,"c":"x"})");
  const auto object = as_object(*root, "it");
  std::array<OptionalElement, 2> found;

  EXPECT_TRUE(find_members<2>(*object, "spec.", {"a", "c"}, found).is_ok());
  EXPECT_FALSE(found[0].has_value()) << "null is absent";
  EXPECT_TRUE(found[1].has_value());
  EXPECT_EQ(find_members<2>(*object, "spec.", {"a", "b"}, found).message(), "spec.b stands twice");
}

TEST(ReadField, NamesTheFieldAndBothTypes) {
  const auto root = read_json(R"({"n":1.5,"s":"x","b":true,"big":18446744073709551615})");
  const auto object = as_object(*root, "it");
  std::array<OptionalElement, 4> found;
  ASSERT_TRUE(find_members<4>(*object, "", {"n", "s", "b", "big"}, found).is_ok());
  std::string text = "kept";
  std::int64_t number = 7;
  bool flag = false;

  EXPECT_EQ(read_string(found[0], "f", text).message(), "f is a number, not a string");
  EXPECT_EQ(read_int(found[0], "f", number).message(),
            "f is a number, not a whole number of 64 bits");
  EXPECT_FALSE(read_int(found[3], "f", number).is_ok());
  EXPECT_EQ(read_bool(found[1], "f", flag).message(), "f is a string, not a boolean");
  EXPECT_TRUE(read_string(std::nullopt, "f", text).is_ok());
  EXPECT_EQ(text, "kept");
  EXPECT_EQ(number, 7);
  EXPECT_EQ(as_array(*root, "it").status().message(), "it is an object, not a list");
}

}  // namespace
}  // namespace vkhost::kube
