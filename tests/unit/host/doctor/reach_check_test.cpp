#include "doctor/reach_check.hpp"

#include "findings.hpp"
#include "support/fake_client.hpp"
#include "support/fake_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace vkhost::doctor {
namespace {

using ::testing::HasSubstr;

struct ReachCheckTest : ::testing::Test {
  Finding look() {
    Report report;
    check_reach(*client, clock, "web-1", report);
    return only(report);
  }
  Finding dial(bool is_own) {
    testing::FakeTransport transport(server);
    Report report;
    check_dial(transport, {"web-1", "10.0.0.7:10250", is_own}, clock, report);
    return only(report);
  }
  void given_right(bool allowed) {
    server->answer(201, std::string(R"({"status":{"allowed":)") + (allowed ? "true}}" : "false}}"));
  }

  const std::shared_ptr<testing::FakeServer> server = std::make_shared<testing::FakeServer>();
  const std::unique_ptr<kube::Client> client = testing::client_on(server);
  const SystemClock clock;
};

TEST_F(ReachCheckTest, TakesAnyAnswerAtTheNodesAddressAndShowsNoCredentials) {
  server->answer(401, "who are you");

  const Finding finding = dial(true);

  EXPECT_EQ(finding.verdict, Verdict::Ok);
  EXPECT_THAT(finding.checked, HasSubstr("node web-1 at 10.0.0.7:10250"));
  EXPECT_EQ(server->requests().at(0).target, "/healthz");
  EXPECT_EQ(http::find_header(server->requests().at(0).headers, "Authorization"), "");
}

TEST_F(ReachCheckTest, NamesAnOwnAddressWhereNobodyListens) {
  server->fail(unavailable("connection refused"));

  const Finding finding = dial(true);

  EXPECT_EQ(finding.verdict, Verdict::Problem);
  EXPECT_EQ(finding.found, "connection refused");
  EXPECT_THAT(finding.advice, HasSubstr("kubelet.listen"));
}

TEST_F(ReachCheckTest, OnlyWarnsOfAnAddressThatIsForOthersToReach) {
  server->fail(unavailable("timed out"));

  EXPECT_EQ(dial(false).verdict, Verdict::Warning);
}

TEST_F(ReachCheckTest, AsksForTheHealthOfTheNodeByTheProxy) {
  given_right(true);
  server->answer(200, "ok");

  const Finding finding = look();

  EXPECT_EQ(finding.verdict, Verdict::Ok);
  EXPECT_THAT(finding.found, HasSubstr("/api/v1/nodes/web-1/proxy/healthz"));
  EXPECT_THAT(server->requests().at(0).body, HasSubstr(R"("subresource":"proxy","name":"web-1")"));
  EXPECT_EQ(server->requests().at(1).target, "/api/v1/nodes/web-1/proxy/healthz");
}

TEST_F(ReachCheckTest, TellsWhoMayNotLookHowToLook) {
  given_right(false);

  const Finding finding = look();

  EXPECT_EQ(finding.verdict, Verdict::Skipped);
  EXPECT_THAT(finding.advice, HasSubstr("kubectl get --raw /api/v1/nodes/web-1/proxy/healthz"));
  EXPECT_EQ(server->requests().size(), 1U);
}

TEST_F(ReachCheckTest, NamesAnAddressThatIsNotReached) {
  given_right(true);
  server->answer(503, R"({"kind":"Status","reason":"ServiceUnavailable",)"
                      R"("message":"dial tcp 10.0.0.7:10250: connection refused"})");

  const Finding finding = look();

  EXPECT_EQ(finding.verdict, Verdict::Problem);
  EXPECT_THAT(finding.found, HasSubstr("connection refused"));
  EXPECT_THAT(finding.advice, HasSubstr("kubelet.advertised_address"));
}

TEST_F(ReachCheckTest, TellsARefusalOfTheDaemonFromOneOnTheWay) {
  given_right(true);
  server->answer(403, R"({"kind":"Status","reason":"Forbidden","message":"no"})");
  EXPECT_THAT(look().advice, HasSubstr("system:kubelet-api-admin"));

  given_right(true);
  server->answer(401, R"({"kind":"Status","reason":"Unauthorized","message":"who"})");
  server->answer(401, R"({"kind":"Status","reason":"Unauthorized","message":"who"})");
  EXPECT_THAT(look().advice, HasSubstr("--kubelet-client-certificate"));

  given_right(true);
  server->answer(404, R"({"kind":"Status","reason":"NotFound","message":"nodes web-1"})");
  EXPECT_THAT(look().advice, HasSubstr("register"));
}

}  // namespace
}  // namespace vkhost::doctor
