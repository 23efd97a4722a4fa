#include "resolve/referenced_object.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::resolve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ReferencedObject, TakesTheTextOfAConfigMapAsItIs) {
  const auto object =
      parse_config_map(R"({"kind":"ConfigMap","data":{"a":"c2VzYW1l","empty":"","null":null},)"
                       R"("binaryData":{"b":"AP8="}})");

  ASSERT_TRUE(object.is_ok());
  EXPECT_EQ(object->items.size(), 3U);
  EXPECT_EQ(object->items.at("a").reveal(), "c2VzYW1l");
  EXPECT_EQ(object->items.at("empty").reveal(), "");
  EXPECT_EQ(object->items.at("null").reveal(), "");
  EXPECT_EQ(object->binary_items.at("b").reveal(), std::string("\0\xFF", 2));
  EXPECT_EQ(object->bytes, (1U + 8U) + 5U + 4U + (1U + 2U));
}

TEST(ReferencedObject, DecodesASecret) {
  const auto object = parse_secret(R"({"data":{"a":"c2VzYW1l","empty":"","bytes":"AP8="}})");

  ASSERT_TRUE(object.is_ok());
  EXPECT_EQ(object->items.at("a").reveal(), "sesame");
  EXPECT_EQ(object->items.at("empty").reveal(), "");
  EXPECT_EQ(object->items.at("bytes").reveal(), std::string("\0\xFF", 2));
}

TEST(ReferencedObject, PrefersTheStringDataThatManifestsHave) {
  const auto object =
      parse_secret(R"({"data":{"a":"YQ==","b":"Yg=="},"stringData":{"a":"plain"}})");

  EXPECT_EQ(object->items.at("a").reveal(), "plain");
  EXPECT_EQ(object->items.at("b").reveal(), "b");
}

TEST(ReferencedObject, MayHaveNoItems) {
  EXPECT_TRUE(parse_config_map("{}")->items.empty());
  EXPECT_TRUE(parse_secret(R"({"data":null})")->items.empty());
}

TEST(ReferencedObject, RefusesBrokenDocumentsWithoutQuotingThem) {
  for (const char* text :
       {R"({"data":{"key":"not-base64-sesame!"}})", R"({"data":{"key":17231}})",
        R"({"data":{"key":["sesame"]}})", R"({"data":["sesame"]})", R"({"data":"sesame"})",
        R"({"stringData":{"key":17231}})", "sesame", ""}) {
    const auto object = parse_secret(text);

    EXPECT_EQ(object.status().code(), StatusCode::InvalidArgument) << text;
    EXPECT_THAT(object.status().message(), Not(HasSubstr("sesame")));
    EXPECT_THAT(object.status().message(), Not(HasSubstr("17231")));
  }
  EXPECT_THAT(parse_secret(R"({"data":{"key":"!"}})").status().message(), HasSubstr("key"));
  EXPECT_THAT(parse_config_map(R"({"binaryData":{"key":"!"}})").status().message(),
              HasSubstr("binaryData[\"key\"] is not base64"));
}

}  // namespace
}  // namespace vkhost::resolve
