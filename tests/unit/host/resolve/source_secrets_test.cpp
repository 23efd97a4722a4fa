#include "resolve/source_secrets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// "MEMBER NAMESPACE/NAME" of each, or why there are none.
std::vector<std::string> secrets_of(const std::string& kind, const std::string& source) {
  const auto object = parse_json_object(source, "the source");
  EXPECT_TRUE(object.is_ok()) << object.status().to_string();
  const auto secrets = read_source_secrets(**object, kind, Place("source"));
  if (!secrets) {
    return {secrets.status().message()};
  }
  std::vector<std::string> lines;
  for (const SourceSecret& secret : *secrets) {
    lines.push_back(secret.member + " " + secret.secret_namespace + "/" + secret.name);
  }
  return lines;
}

TEST(SourceSecrets, AreThoseThatANodeReads) {
  EXPECT_THAT(
      secrets_of("csi", R"({"driver":"d","nodeStageSecretRef":{"name":"s","namespace":"a"},
                "nodePublishSecretRef":{"name":"p"},"nodeExpandSecretRef":{"name":"e"},
                "controllerPublishSecretRef":{"name":"c","namespace":"root"},
                "controllerExpandSecretRef":{"name":"c","namespace":"root"}})"),
      ElementsAre("nodePublishSecretRef /p", "nodeStageSecretRef a/s", "nodeExpandSecretRef /e"));
}

TEST(SourceSecrets, AreSpelledTheirOwnWayByEachKind) {
  for (const char* kind :
       {"cephfs", "cinder", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"}) {
    EXPECT_THAT(secrets_of(kind, R"({"secretRef":{"name":"s","namespace":"a"}})"),
                ElementsAre("secretRef a/s"))
        << kind;
    EXPECT_THAT(secrets_of(kind, "{}"), IsEmpty()) << kind;
  }
  EXPECT_THAT(secrets_of("azureFile", R"({"secretName":"s","secretNamespace":null})"),
              ElementsAre("secretName /s"));
}

TEST(SourceSecrets, AreNoneOfOtherKinds) {
  for (const char* kind : {"nfs", "hostPath", "gitRepo", "image", "tomorrow"}) {
    EXPECT_THAT(secrets_of(kind, R"({"secretRef":{"name":"s"},"secretName":"s"})"), IsEmpty())
        << kind;
  }
}

TEST(SourceSecrets, NameTheMemberOfAWrongType) {
  EXPECT_THAT(secrets_of("csi", R"({"nodePublishSecretRef":["p"]})"),
              ElementsAre(HasSubstr("source.nodePublishSecretRef")));
  EXPECT_THAT(secrets_of("rbd", R"({"secretRef":{"name":7}})"),
              ElementsAre(HasSubstr("source.secretRef.name")));
  EXPECT_THAT(secrets_of("azureFile", R"({"secretName":{}})"),
              ElementsAre(HasSubstr("source.secretName")));
}

}  // namespace
}  // namespace vkhost::resolve
