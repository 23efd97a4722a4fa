#include "resolve/pull_references.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(PullReferences, AreThoseOfThePodAndItsAccount) {
  const auto references = read_pull_references(
      R"({"containers":[{"name":"imagePullSecrets"}],"serviceAccount":"old",
          "imagePullSecrets":[{"name":"b"},{"name":"a"}],"serviceAccountName":"builder"})");

  EXPECT_THAT(references->secrets, ElementsAre("b", "a"));
  EXPECT_EQ(references->service_account, "builder");
}

TEST(PullReferences, MayBeNone) {
  for (const char* spec : {"{}", R"({"imagePullSecrets":null,"serviceAccountName":null})",
                           R"({"imagePullSecrets":[]})"}) {
    const auto references = read_pull_references(spec);
    ASSERT_TRUE(references.is_ok()) << spec;
    EXPECT_THAT(references->secrets, IsEmpty());
    EXPECT_EQ(references->service_account, "");
  }
}

TEST(PullReferences, TakeTheAccountsOldMember) {
  EXPECT_EQ(read_pull_references(R"({"serviceAccount":"old"})")->service_account, "old");
}

TEST(PullReferences, AreThereOnceAndHaveNames) {
  const auto references = read_pull_references(
      R"({"imagePullSecrets":[{"name":"a"},{},{"name":""},{"name":"b"},{"name":"a"}]})");

  EXPECT_THAT(references->secrets, ElementsAre("a", "b"));
}

TEST(PullReferences, AreRefusedWhenTheyHaveAnotherType) {
  for (const char* spec : {R"({"imagePullSecrets":{"name":"a"}})", R"({"imagePullSecrets":["a"]})",
                           R"({"imagePullSecrets":[{"name":1}]})"}) {
    const auto references = read_pull_references(spec);
    EXPECT_EQ(references.status().code(), StatusCode::InvalidArgument) << spec;
    EXPECT_THAT(references.status().message(), HasSubstr("spec")) << spec;
  }
}

}  // namespace
}  // namespace vkhost::resolve
