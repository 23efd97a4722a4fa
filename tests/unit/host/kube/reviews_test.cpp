#include "kube/reviews.hpp"

#include "support/fake_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace vkhost::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using vkhost::testing::client_on;
using vkhost::testing::FakeServer;

struct ReviewTest : ::testing::Test {
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  std::unique_ptr<Client> client = client_on(server);
};

TEST_F(ReviewTest, AsksWhoATokenBelongsTo) {
  server->answer(201, R"({"kind":"TokenReview","status":{"authenticated":true,"user":{
      "username":"bob","uid":"7","groups":["a","b"],"extra":{"k":["v","w"]}},
      "audiences":["https://api"]}})");

  const auto verdict = review_token(*client, Secret("to\"ken"), {"aud"}, {});

  ASSERT_TRUE(verdict.is_ok());
  EXPECT_TRUE(verdict->is_authenticated);
  EXPECT_EQ(verdict->user.username, "bob");
  EXPECT_EQ(verdict->user.uid, "7");
  EXPECT_THAT(verdict->user.groups, ElementsAre("a", "b"));
  EXPECT_THAT(verdict->user.extra, ElementsAre(Pair("k", ElementsAre("v", "w"))));
  EXPECT_THAT(verdict->audiences, ElementsAre("https://api"));
  EXPECT_EQ(server->requests().at(0).target, "/apis/authentication.k8s.io/v1/tokenreviews");
  EXPECT_EQ(server->requests().at(0).body,
            R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview",)"
            R"("spec":{"token":"to\"ken","audiences":["aud"]}})");
}

TEST_F(ReviewTest, AsksWhoItIsItself) {
  server->answer(201, R"({"kind":"SelfSubjectReview","status":{"userInfo":{
      "username":"system:node:web-1","groups":["system:nodes","system:authenticated"]}}})");

  const auto self = review_self(*client, {});

  ASSERT_TRUE(self.is_ok());
  EXPECT_EQ(self->username, "system:node:web-1");
  EXPECT_THAT(self->groups, ElementsAre("system:nodes", "system:authenticated"));
  EXPECT_EQ(server->requests().at(0).target, "/apis/authentication.k8s.io/v1/selfsubjectreviews");
}

TEST_F(ReviewTest, TakesNoNameForNoAnswer) {
  for (const char* answer : {"{}", R"({"status":{}})", R"({"status":{"userInfo":{}}})",
                             R"({"status":{"userInfo":{"username":7}}})"}) {
    server->answer(201, answer);

    EXPECT_EQ(review_self(*client, {}).status().code(), StatusCode::Unavailable) << answer;
  }
}

TEST_F(ReviewTest, TakesOnlyATrueForAYes) {
  for (const char* status : {R"({})", R"({"authenticated":false,"user":{"username":"bob"}})",
                             R"({"authenticated":null})", R"({"error":"expired"})"}) {
    server->answer(201, std::string(R"({"status":)") + status + "}");

    const auto verdict = review_token(*client, Secret("t"), {}, {});

    ASSERT_TRUE(verdict.is_ok()) << status;
    EXPECT_FALSE(verdict->is_authenticated) << status;
    EXPECT_EQ(verdict->user.username, "") << status;
  }
  EXPECT_THAT(server->requests().at(0).body, Not(HasSubstr("audiences")));
}

TEST_F(ReviewTest, RefusesAnswersThatItDoesNotUnderstand) {
  for (const char* answer :
       {"", "{}", "[]", R"({"status":7})", R"({"status":{"authenticated":"true"}})",
        R"({"status":{"authenticated":true}})", R"({"status":{"authenticated":true,"user":7}})",
        R"({"status":{"authenticated":true,"user":{"username":"b","groups":[7]}}})",
        R"({"status":{"authenticated":false,"authenticated":true,"user":{"username":"b"}}})"}) {
    server->answer(201, answer);

    const auto verdict = review_token(*client, Secret("t0k3n"), {}, {});

    EXPECT_EQ(verdict.status().code(), StatusCode::Unavailable) << answer;
    EXPECT_THAT(verdict.status().message(), Not(HasSubstr("t0k3n")));
  }
}

TEST_F(ReviewTest, AsksWhetherAUserMay) {
  server->answer(201, R"({"status":{"allowed":true,"reason":"RBAC: allowed by x"}})");
  AccessQuestion question;
  question.user = {"bob", "7", {"g"}, {{"k", {"v"}}}};
  question.verb = "get";
  question.version = "v1";
  question.resource = "nodes";
  question.subresource = "metrics";
  question.name = "vk-0";

  const auto verdict = review_access(*client, question, {});

  ASSERT_TRUE(verdict.is_ok());
  EXPECT_TRUE(verdict->is_allowed);
  EXPECT_EQ(verdict->reason, "RBAC: allowed by x");
  EXPECT_EQ(server->requests().at(0).target, "/apis/authorization.k8s.io/v1/subjectaccessreviews");
  EXPECT_EQ(server->requests().at(0).body,
            R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{)"
            R"("resourceAttributes":{"verb":"get","version":"v1","resource":"nodes",)"
            R"("subresource":"metrics","name":"vk-0"},"user":"bob","uid":"7","groups":["g"],)"
            R"("extra":{"k":["v"]}}})");
}

TEST_F(ReviewTest, AsksAboutPathsToo) {
  server->answer(201, R"({"status":{"allowed":false}})");
  AccessQuestion question;
  question.user.username = "bob";
  question.verb = "get";
  question.path = "/metrics";

  EXPECT_FALSE(review_access(*client, question, {})->is_allowed);

  EXPECT_THAT(
      server->requests().at(0).body,
      HasSubstr(R"("nonResourceAttributes":{"path":"/metrics","verb":"get"},"user":"bob"})"));
}

TEST_F(ReviewTest, AsksWhatItMayDoItself) {
  server->answer(201, R"({"status":{"allowed":true}})");
  AccessQuestion question;
  question.user.username = "bob";
  question.verb = "list";
  question.resource = "pods";
  question.field_selector = "spec.nodeName=web-1";

  const auto verdict = review_own_access(*client, question, {});

  ASSERT_TRUE(verdict.is_ok()) << verdict.status().to_string();
  EXPECT_TRUE(verdict->is_allowed);
  EXPECT_EQ(server->requests().at(0).target,
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
  EXPECT_EQ(server->requests().at(0).body,
            R"({"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{)"
            R"("resourceAttributes":{"verb":"list","resource":"pods",)"
            R"("fieldSelector":{"rawSelector":"spec.nodeName=web-1"}}}})");
}

TEST_F(ReviewTest, LetsADenialWin) {
  server->answer(201, R"({"status":{"allowed":true,"denied":true}})");

  EXPECT_FALSE(review_access(*client, {}, {})->is_allowed);
}

TEST_F(ReviewTest, NeverTakesAFailureForANo) {
  server->answer(403, R"({"kind":"Status","reason":"Forbidden","message":"no reviews for you"})");
  server->answer(201, R"({"status":{}})");
  server->answer(201, R"({"status":{}})");

  EXPECT_EQ(review_access(*client, {}, {}).status().code(), StatusCode::PermissionDenied);
  EXPECT_EQ(review_own_access(*client, {}, {}).status().code(), StatusCode::Unavailable);
  EXPECT_EQ(review_access(*client, {}, {}).status().code(), StatusCode::Unavailable);
}

}  // namespace
}  // namespace vkhost::kube
