#include "mock/json.hpp"

#include <vkhost/provider.hpp>

#include <gtest/gtest.h>

#include <string>

namespace vkhost::mock {
namespace {

TEST(Json, ReadsWhatIsThere) {
  const Json json =
      Json::parse(R"({"a":"x","b":-3,"c":true,"d":[1,2],"e":{"k":"v"},"f":null})", "it");

  EXPECT_EQ(json["a"].text(), "x");
  EXPECT_EQ(json["b"].number(), -3);
  EXPECT_TRUE(json["c"].boolean());
  EXPECT_EQ(json["d"].elements().at(1).number(), 2);
  EXPECT_EQ(json["e"].texts().at("k"), "v");
  EXPECT_TRUE(json["f"].is_null());
}

TEST(Json, GivesTheFallbackForWhatIsMissing) {
  const Json json = Json::parse("{}", "it");

  EXPECT_EQ(json["a"]["b"].text("fallback"), "fallback");
  EXPECT_EQ(json["a"].number(7), 7);
  EXPECT_TRUE(json["a"].elements().empty());
  EXPECT_TRUE(json["a"].members().empty());
}

TEST(Json, RefusesAnotherType) {
  const Json json = Json::parse(R"({"a":"x","b":1.5})", "it");

  EXPECT_THROW(static_cast<void>(json["a"].number()), sdk::Error);
  EXPECT_THROW(static_cast<void>(json["a"].elements()), sdk::Error);
  EXPECT_THROW(static_cast<void>(json["a"].members()), sdk::Error);
  EXPECT_THROW(static_cast<void>(json["a"]["b"]), sdk::Error);
  EXPECT_THROW(static_cast<void>(json["b"].number()), sdk::Error);
  EXPECT_THROW(static_cast<void>(json["b"].text()), sdk::Error);
  EXPECT_THROW(static_cast<void>(json["b"].boolean()), sdk::Error);
}

TEST(Json, NamesTheDocumentThatIsNone) {
  try {
    static_cast<void>(Json::parse("{", "the pod document"));
    FAIL() << "nothing was thrown";
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), sdk::Code::InvalidArgument);
    EXPECT_EQ(error.retry(), sdk::Retry::Never);
    EXPECT_NE(std::string(error.what()).find("the pod document"), std::string::npos);
  }
}

TEST(Json, RefusesADocumentThatIsTooDeep) {
  EXPECT_THROW(static_cast<void>(Json::parse(std::string(10'000, '['), "it")), sdk::Error);
}

}  // namespace
}  // namespace vkhost::mock
