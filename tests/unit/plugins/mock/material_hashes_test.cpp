#include "mock/material_hashes.hpp"

#include "mock/json.hpp"

#include <vkhost/provider.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::mock {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MaterialHashes, AreThoseOfSha256) {
  // FIPS 180-2, appendix B.1
  EXPECT_EQ(digest_of("abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(MaterialHashes, StandForEveryTextThatIsNoName) {
  const std::string hashed = hash_texts(R"({
    "containers":{"app":{
      "env":[{"name":"A","value":"sesame","secret":true},{"name":"B","field_ref":"status.podIP"}],
      "args":[{"value":"--password=sesame"}],
      "sub_paths":{"/data":{"value":"sesame"}}}},
    "volumes":{"v":{"files":[{"path":"a/b","data":"sesame","mode":420,"audience":"vault",
                              "expires":"2026-01-01T00:00:00Z"}]}},
    "pull_credentials":[{"server":"r.example","username":"sesame","password":"sesame",
                         "email":"sesame","secret_name":"pull"}],
    "of_a_later_version":["sesame",{"unknown":"sesame"}]})");

  EXPECT_THAT(hashed, Not(HasSubstr("sesame")));
  const Json json = Json::parse(hashed, "the result");
  const Json app = json["containers"]["app"];
  EXPECT_EQ(app["env"].elements().at(0)["name"].text(), "A");
  EXPECT_EQ(app["env"].elements().at(0)["value"].text(), digest_of("sesame"));
  EXPECT_TRUE(app["env"].elements().at(0)["secret"].boolean());
  EXPECT_EQ(app["env"].elements().at(1)["field_ref"].text(), "status.podIP");
  EXPECT_EQ(app["args"].elements().at(0)["value"].text(), digest_of("--password=sesame"));
  EXPECT_EQ(app["sub_paths"]["/data"]["value"].text(), digest_of("sesame"));
  const Json file = json["volumes"]["v"]["files"].elements().at(0);
  EXPECT_EQ(file["path"].text(), "a/b");
  EXPECT_EQ(file["data"].text(), digest_of("sesame"));
  EXPECT_EQ(file["mode"].number(), 420);
  EXPECT_EQ(file["audience"].text(), "vault");
  EXPECT_EQ(file["expires"].text(), "2026-01-01T00:00:00Z");
  const Json credentials = json["pull_credentials"].elements().at(0);
  EXPECT_EQ(credentials["server"].text(), "r.example");
  EXPECT_EQ(credentials["secret_name"].text(), "pull");
  EXPECT_EQ(credentials["username"].text(), digest_of("sesame"));
}

TEST(MaterialHashes, LetNoContainerOrVariableNamedLikeAMemberShowItsValue) {
  const std::string hashed = hash_texts(
      R"({"containers":{"name":{"env":[{"name":"path","value":"sesame"}]}},
          "secrets":{"path":{"name":{"data":"sesame"}}},
          "name":["sesame",{"name":"shown"},"sesame"],"path":{"data":"sesame"}})");

  EXPECT_THAT(hashed, Not(HasSubstr("sesame")));
}

TEST(MaterialHashes, ChangeNothingBesidesTexts) {
  constexpr const char* kJson =
      R"({"a":[1,-2,4294967296,true,false,null,1.5,[],{}],"b":{},"name":"n\"\\"})";

  EXPECT_EQ(hash_texts(kJson), kJson);
}

TEST(MaterialHashes, ShowNothingOfWhatIsNoJson) {
  for (const char* text : {"sesame", R"({"value":"sesame)", R"({"value":"a" sesame})"}) {
    try {
      static_cast<void>(hash_texts(text));
      FAIL() << "nothing was thrown";
    } catch (const sdk::Error& error) {
      EXPECT_EQ(error.code(), sdk::Code::InvalidArgument);
      EXPECT_THAT(error.what(), Not(HasSubstr("sesame")));
    }
  }
}

}  // namespace
}  // namespace vkhost::mock
