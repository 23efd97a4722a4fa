// Tokens of service accounts as they arrive at the provider: whose they are, for whom, for how long, and
// what becomes of them.
#include "base/cancel.hpp"
#include "cluster/pod_tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

namespace vkhost::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Key;

constexpr std::string_view kExtra = "/status/user/extra/authentication.kubernetes.io~1";

// PD-11
TEST_F(PodTokens, AreForTheAudienceAndTheTimeThatThePodAsksFor) {
  given_node(asking_for_tokens());
  const std::string uid = given_pod("vault", 601);

  const MaterialFile file = token_file_of(uid);

  EXPECT_TRUE(file.secret);
  EXPECT_EQ(file.audience, "vault");
  const std::string claims = claims_of(file.data);
  EXPECT_EQ(json_at(claims, "/aud/0"), "vault");
  EXPECT_EQ(json_at(claims, "/aud/1"), "");
  EXPECT_EQ(std::stoll(json_at(claims, "/exp")) - std::stoll(json_at(claims, "/iat")), 601);
  EXPECT_TRUE(is_authentic(file.data, "vault"));
  EXPECT_FALSE(is_authentic(file.data));  // for the API server it is worth nothing
  EXPECT_FALSE(is_authentic(file.data, "another"));
}

TEST_F(PodTokens, AreForTheApiServerUnlessThePodSaysOtherwise) {
  given_node(asking_for_tokens());

  const MaterialFile file = token_file_of(given_pod(""));

  EXPECT_TRUE(is_authentic(file.data));
  EXPECT_EQ(file.audience, json_at(claims_of(file.data), "/aud/0"));
}

TEST_F(PodTokens, AreBoundToThePodAndDeadOnceItIsGone) {
  given_node(asking_for_tokens());
  const std::string uid = given_pod();
  const std::string token = token_of(uid);

  const std::string review = review_of(token, "vault");
  EXPECT_EQ(json_at(review, "/status/user/username"),
            "system:serviceaccount:" + node_->space() + ":default");
  EXPECT_EQ(json_at(review, std::string(kExtra) + "pod-uid/0"), uid);
  EXPECT_EQ(json_at(review, std::string(kExtra) + "pod-name/0"), "web");

  node_->cluster().remove(node_->pod_path("web"));
  node_->cluster().wait_until_gone(node_->pod_path("web"), kLong);

  // API servers remember for some seconds that a token was good.
  const auto until = std::chrono::steady_clock::now() + kLong;
  while (is_authentic(token, "vault") && std::chrono::steady_clock::now() < until) {
    static_cast<void>(CancelToken().wait_for(std::chrono::milliseconds{200}));
  }
  EXPECT_FALSE(is_authentic(token, "vault"));
}

TEST_F(PodTokens, OfANamesakeAreOthers) {
  given_node(asking_for_tokens());
  const std::string first = token_of(given_pod());
  node_->cluster().remove(node_->pod_path("web"));
  node_->cluster().wait_until_gone(node_->pod_path("web"), kLong);

  const std::string uid = given_pod();
  const std::string second = token_of(uid);

  EXPECT_NE(first, second);
  EXPECT_EQ(json_at(review_of(second, "vault"), std::string(kExtra) + "pod-uid/0"), uid);
}

TEST_F(PodTokens, ComeWithTheAuthorityOfTheApiServerWhereNothingIsAskedFor) {
  given_node(asking_for_tokens());
  const std::string uid = create_main(R"("env":[])");

  const Material material = material_of(uid);

  ASSERT_EQ(material.volumes.size(), 1U);
  const auto& [name, files] = *material.volumes.begin();
  EXPECT_THAT(name, HasSubstr("kube-api-access-"));
  EXPECT_THAT(files, ElementsAre(Key("ca.crt"), Key("namespace"), Key("token")));
  EXPECT_THAT(files.at("ca.crt").data, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_EQ(files.at("namespace").data, node_->space());
  EXPECT_TRUE(is_authentic(files.at("token").data));
}

TEST_F(PodTokens, AreNewOnesAfterARestart) {
  given_node(asking_for_tokens());
  const std::string uid = given_pod();
  const std::string before = token_of(uid);
  ASSERT_TRUE(node_->daemon().stop());

  node_->daemon().start();
  ASSERT_TRUE(wait_until(
      [&](const MockJournal& journal) { return journal.count("update_pod", uid, "ok") >= 1; }));

  EXPECT_NE(token_of(uid), before);
  EXPECT_TRUE(is_authentic(token_of(uid), "vault"));
}

}  // namespace
}  // namespace vkhost::testing
