#include "support/material.hpp"

#include <Poco/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vkhost::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Material, IsReadWithAllThatItMarks) {
  const Material material = parse_material(R"({
    "containers":{"app":{
      "env":[{"name":"A","value":"1","secret":true},{"name":"IP","field_ref":"status.podIP"},
             {"name":"DB_SERVICE_HOST","value":"10.0.0.9","service":true}],
      "command":[{"value":"run"}],
      "args":[{"value":"x","secret":true}],
      "sub_paths":{"/data":{"value":"a/b"}}}},
    "volumes":{"v":{"files":[
      {"path":"token","data":"c2VzYW1l","mode":384,"secret":true,"audience":"vault","expires":"2026-01-01T00:00:00Z"},
      {"path":"a/b","data":""}]}},
    "storage":{"d":{"empty_dir":{"medium":""}}},
    "pull_credentials":[
      {"server":"r","username":"me","password":"sesame","email":"e","secret_name":"s"},
      {"server":"q","identity_token":"i","registry_token":"t","secret_name":"s"}]})");

  const ContainerMaterial& app = material.containers.at("app");
  EXPECT_THAT(app.env,
              ElementsAre(MaterialVariable{.name = "A", .value = "1", .secret = true},
                          MaterialVariable{.name = "IP", .field_ref = "status.podIP"},
                          MaterialVariable{
                              .name = "DB_SERVICE_HOST", .value = "10.0.0.9", .service = true}));
  EXPECT_THAT(app.own_names(), ElementsAre("A", "IP"));
  EXPECT_THAT(app.command, ElementsAre(MaterialText{"run"}));
  EXPECT_THAT(app.args, ElementsAre(MaterialText{"x", true}));
  EXPECT_EQ(app.sub_paths.at("/data"), MaterialText{"a/b"});
  ASSERT_NE(app.find("IP"), nullptr);
  EXPECT_EQ(app.find("B"), nullptr);
  const MaterialFile& token = material.volumes.at("v").at("token");
  EXPECT_EQ(token.data, "sesame");
  EXPECT_EQ(token.mode, 0600);
  EXPECT_TRUE(token.secret);
  EXPECT_EQ(token.audience, "vault");
  EXPECT_EQ(token.expires, "2026-01-01T00:00:00Z");
  EXPECT_EQ(material.volumes.at("v").at("a/b").mode, -1);
  EXPECT_EQ(material.storage.at("d"), R"({"empty_dir":{"medium":""}})");
  EXPECT_THAT(material.pull_credentials, ElementsAre(PullCredential{.server = "r",
                                                                    .username = "me",
                                                                    .password = "sesame",
                                                                    .email = "e",
                                                                    .secret_name = "s"},
                                                     PullCredential{.server = "q",
                                                                    .identity_token = "i",
                                                                    .registry_token = "t",
                                                                    .secret_name = "s"}));
}

TEST(Material, MayHaveNothingInIt) {
  const Material material = parse_material(R"({"containers":{"app":{}}})");

  EXPECT_THAT(material.containers.at("app").env, IsEmpty());
  EXPECT_THAT(material.volumes, IsEmpty());
  EXPECT_THAT(material.pull_credentials, IsEmpty());
}

TEST(Material, ThrowsForWhatIsNone) {
  for (const char* json :
       {"", "[]", R"({"containers":{"app":{"env":["A"]}}})",
        R"({"containers":{"app":{"env":[{"name":"A"}]}}})", R"({"pull_credentials":[{}]})",
        R"({"volumes":{"v":{"files":[{"path":"a","data":""},{"path":"a","data":""}]}}})"}) {
    EXPECT_THROW(static_cast<void>(parse_material(json)), Poco::Exception) << json;
  }
}

}  // namespace
}  // namespace vkhost::testing
