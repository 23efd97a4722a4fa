#include "doctor/rights_check.hpp"

#include "findings.hpp"
#include "support/fake_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace vkhost::doctor {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kAllowed = R"({"status":{"allowed":true}})";
constexpr const char* kRefused = R"({"status":{"allowed":false,"reason":"no role says so"}})";
constexpr const char* kOwnAccount = "system:serviceaccount:vkhost:vkhost";

struct RightsCheckTest : ::testing::Test {
  RightsCheckTest() {
    uses.knows_cluster_uid = true;
    uses.client_authority = false;
    uses.asks_who_may = false;
  }
  // Answers the questions about the features in use, in their order.
  void given_answers(const std::string& refused = {}) {
    for (const Feature* feature : features_in_use(uses)) {
      for (const Right& right : feature->rights) {
        if (!uses.is_node || right.for_nodes == ForNodes::Same) {
          server->answer(201, right.label() == refused ? kRefused : kAllowed);
        }
      }
    }
  }
  Report look(const std::string& user = kOwnAccount) {
    Report report;
    check_rights(*client, clock, uses, {"web-1", ""}, user, report);
    return report;
  }

  std::shared_ptr<testing::FakeServer> server = std::make_shared<testing::FakeServer>();
  std::unique_ptr<kube::Client> client = testing::client_on(server);
  const SystemClock clock;
  Uses uses;
};

TEST_F(RightsCheckTest, HasALineForEachFeatureThatMayWork) {
  given_answers();

  const Report report = look();

  EXPECT_EQ(report.count(Verdict::Ok), 3U) << verdicts(report);
  EXPECT_EQ(report.findings().size(), 3U);
  EXPECT_THAT(report.findings()[0].found,
              AllOf(HasSubstr(kOwnAccount), HasSubstr("patch nodes/status")));
  EXPECT_EQ(server->steps_left(), 0U);
  EXPECT_THAT(server->requests(), Each(Field(&http::Request::target,
                                             "/apis/authorization.k8s.io/v1/"
                                             "selfsubjectaccessreviews")));
}

TEST_F(RightsCheckTest, NamesEachRightThatIsMissingWithTheFileThatGivesIt) {
  given_answers("patch pods/status");

  const Report report = look();

  EXPECT_EQ(report.count(Verdict::Problem), 1U) << verdicts(report);
  EXPECT_EQ(report.count(Verdict::Ok), 2U);
  const Finding& finding = report.findings().at(1);
  EXPECT_EQ(finding.area, "rights");
  EXPECT_EQ(finding.checked, "patch pods/status");
  EXPECT_THAT(finding.found, AllOf(HasSubstr(kOwnAccount), HasSubstr("no role says so")));
  EXPECT_EQ(finding.why, "No pod runs.");
  EXPECT_EQ(finding.advice, "kubectl apply -f packaging/rbac/pods.yaml");
}

TEST_F(RightsCheckTest, OnlyWarnsWhereThingsComeLaterWithoutARight) {
  uses.references = true;
  given_answers("watch secrets");

  const Report report = look();

  EXPECT_EQ(report.count(Verdict::Problem), 0U) << verdicts(report);
  ASSERT_EQ(report.count(Verdict::Warning), 1U);
  EXPECT_EQ(report.findings().back().checked, "watch secrets");
  EXPECT_EQ(report.findings().back().advice, "kubectl apply -f packaging/rbac/live-objects.yaml");
}

TEST_F(RightsCheckTest, NamesTheNamespaceWhereThereIsOnlyOne) {
  given_answers("delete pods");
  Report report;

  check_rights(*client, clock, uses, {"web-1", "shop"}, kOwnAccount, report);

  ASSERT_EQ(report.count(Verdict::Problem), 1U) << verdicts(report);
  EXPECT_EQ(report.findings().at(1).checked, "delete pods in shop");
  EXPECT_THAT(server->requests().back().body, Not(HasSubstr("shop")));  // Events go everywhere
}

TEST_F(RightsCheckTest, SaysWhomTheRightsAreToBeBoundTo) {
  given_answers("create events");

  EXPECT_EQ(look("bob").findings().at(2).advice,
            "Bind the rights of packaging/rbac/events.yaml to bob.");
}

TEST_F(RightsCheckTest, LeavesToTheNodeAuthoriserWhatHangsOnPods) {
  uses.is_node = true;
  uses.env = true;
  given_answers();

  const Report report = look("system:node:web-1");

  EXPECT_EQ(report.count(Verdict::Problem), 0U) << verdicts(report);
  EXPECT_EQ(report.count(Verdict::Skipped), 2U);
  for (const http::Request& request : server->requests()) {
    EXPECT_THAT(request.body, Not(HasSubstr("secrets")));
  }
}

TEST_F(RightsCheckTest, TellsANodeWhereTheClientAuthorityMayComeFrom) {
  uses.is_node = true;
  uses.client_authority = true;
  given_answers("list configmaps extension-apiserver-authentication in kube-system");

  EXPECT_THAT(look("system:node:web-1").findings().back().advice,
              HasSubstr("kubelet.client_ca_file"));
}

TEST_F(RightsCheckTest, StopsAskingAServerThatDoesNotSay) {
  server->answer(403, R"({"kind":"Status","reason":"Forbidden","message":"not for you"})");

  const Report report = look();

  EXPECT_EQ(only(report).verdict, Verdict::Problem);
  EXPECT_THAT(only(report).found, HasSubstr("not for you"));
  EXPECT_EQ(server->requests().size(), 1U);
}

TEST_F(RightsCheckTest, AsksBootstrapCredentialsForTheOneRightTheyNeed) {
  server->answer(201, kAllowed);
  server->answer(201, kRefused);
  Report allowed;
  Report refused;

  check_bootstrap_rights(*client, clock, allowed);
  check_bootstrap_rights(*client, clock, refused);

  EXPECT_EQ(only(allowed).verdict, Verdict::Ok);
  EXPECT_EQ(only(refused).verdict, Verdict::Problem);
  EXPECT_THAT(server->requests().at(0).body, HasSubstr("certificatesigningrequests"));
}

}  // namespace
}  // namespace vkhost::doctor
