#include "base/json_text.hpp"

#include <gmock/gmock.h>

#include <string>

namespace vkhost {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kDepth = 4;

TEST(JsonString, EscapesQuotesControlsAndWhatIsNotUtf8) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01\xFF"), "\"a\\\"b\\\\c\\n\\u0001\xEF\xBF\xBD\"");
}

TEST(Utf8, RefusesSurrogatesOverlongFormsAndCutSequences) {
  EXPECT_TRUE(is_utf8("grüße \xF0\x9F\x98\x80"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));
  EXPECT_FALSE(is_utf8("\xE2\x82"));
}

TEST(ValidateJson, TakesEveryKindOfValue) {
  for (const char* text :
       {"null", " true ", "false", "0", "-0.5e+10", "1E3", "\"\"", "\"\\u00e9\\ud83d\\ude00\\/\"",
        "[]", "{}", "[1,[2,{}],\"x\"]", "{\"a\":{\"b\":[null]},\"a\":1}", "\"grüße\"",
        "{\"a\":[ ] ,\n\"b\":\t{ }}"}) {
    EXPECT_TRUE(validate_json(text, kDepth).is_ok())
        << text << ": " << validate_json(text, kDepth).message();
  }
}

TEST(ValidateJson, RefusesWhatIsNotOneValue) {
  for (const char* text : {"",
                           " ",
                           "tru",
                           "nul",
                           "{\"x\":tru}",
                           "01",
                           "-",
                           "1.",
                           ".5",
                           "1e",
                           "+1",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{\"a\" 1}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\":1",
                           "[1",
                           "[1,2}",
                           "{\"a\":1]",
                           "1 2",
                           "{} {}",
                           "\"\\q\"",
                           "\"\\u12g4\"",
                           "\"a",
                           "\"\t\"",
                           "\"\xFF\"",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "NaN",
                           "'a'",
                           "\xEF\xBB\xBF{}",
                           "]",
                           "}"}) {
    EXPECT_EQ(validate_json(text, kDepth).code(), StatusCode::InvalidArgument) << text;
  }
}

TEST(ValidateJson, RefusesAZeroByteInsideTheText) {
  EXPECT_FALSE(validate_json(std::string("{}\0", 3), kDepth).is_ok());
  EXPECT_FALSE(validate_json(std::string("\"\\\0\"", 4), kDepth).is_ok());
}

TEST(ValidateJson, SaysWhereTheFaultIs) {
  EXPECT_THAT(validate_json("{\"a\":1,}", kDepth).message(), HasSubstr("at byte 7: a member name"));
}

TEST(ValidateJson, CountsDepthWithoutRecursion) {
  EXPECT_TRUE(validate_json("[[[[1]]]]", kDepth).is_ok());
  EXPECT_THAT(validate_json("[[[[[1]]]]]", kDepth).message(), HasSubstr("nested too deeply"));
  EXPECT_FALSE(validate_json(std::string(1'000'000, '['), 1'000'000).is_ok());
}

TEST(ValidateJsonObject, RefusesOtherValues) {
  EXPECT_TRUE(validate_json_object(" {\"a\":[]}", kDepth).is_ok());
  EXPECT_FALSE(validate_json_object("[]", kDepth).is_ok());
  EXPECT_FALSE(validate_json_object("\"{\"", kDepth).is_ok());
}

}  // namespace
}  // namespace vkhost
