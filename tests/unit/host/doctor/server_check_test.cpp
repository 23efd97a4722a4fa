#include "doctor/server_check.hpp"

#include "findings.hpp"
#include "support/fake_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace vkhost::doctor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Its steady clock is the system's, since the fake transport looks at deadlines by that.
class WallClockAt final : public Clock {
 public:
  explicit WallClockAt(WallTime now) : now_(now) {}
  [[nodiscard]] SteadyTime steady_now() const override { return system_.steady_now(); }
  [[nodiscard]] WallTime wall_now() const override { return now_; }

 private:
  const SystemClock system_;
  const WallTime now_;
};

struct ServerCheckTest : ::testing::Test {
  bool look() {
    testing::FakeTransport transport(server);
    kube::Identity identity;
    identity.authorization = Secret("Bearer hidden");
    return check_server(transport, "https://api.example:6443", identity, clock, report);
  }

  const std::shared_ptr<testing::FakeServer> server = std::make_shared<testing::FakeServer>();
  const WallClockAt clock{*parse_time("2026-01-02T03:04:05Z")};
  const http::Headers date = {{"Date", "Fri, 02 Jan 2026 03:04:05 GMT"}};
  Report report;
};

TEST_F(ServerCheckTest, TellsTheVersionAndComparesTheClock) {
  server->answer(200, R"({"major":"1","minor":"36+","gitVersion":"v1.36.3"})", date);

  EXPECT_TRUE(look());

  EXPECT_EQ(report.count(Verdict::Ok), 2U) << verdicts(report);
  EXPECT_THAT(report.findings()[0].found, HasSubstr("https://api.example:6443 answers as v1.36.3"));
  EXPECT_EQ(report.findings()[1].area, "clock");
  EXPECT_EQ(server->requests().at(0).target, "/version");
}

TEST_F(ServerCheckTest, WarnsOfReleasesThatAreNotTested) {
  server->answer(200, R"({"major":"1","minor":"19","gitVersion":"v1.19.0"})", date);

  EXPECT_TRUE(look());

  EXPECT_EQ(report.findings().at(0).verdict, Verdict::Warning);
}

TEST_F(ServerCheckTest, NamesCredentialsThatTheServerDoesNotKnow) {
  server->answer(401, R"({"kind":"Status","reason":"Unauthorized"})", date);

  EXPECT_FALSE(look());

  EXPECT_EQ(report.findings().at(0).verdict, Verdict::Problem);
  EXPECT_THAT(report.findings().at(0).advice, HasSubstr("token"));
}

TEST_F(ServerCheckTest, GoesOnWhereTheVersionIsKeptSecret) {
  server->answer(403, R"({"kind":"Status","reason":"Forbidden"})", date);

  EXPECT_TRUE(look());

  EXPECT_EQ(report.count(Verdict::Problem), 0U) << verdicts(report);
}

TEST_F(ServerCheckTest, NamesAServerThatIsNoApiServer) {
  for (const auto& [status, body] : {std::pair{200, "<html>"}, {200, "{}"}, {503, "{}"}}) {
    report = {};
    server->answer(status, body);

    static_cast<void>(look());

    EXPECT_EQ(report.findings().at(0).verdict, Verdict::Problem) << body;
  }
}

TEST_F(ServerCheckTest, TellsAWrongCertificateFromAServerThatIsAway) {
  server->fail(Status(StatusCode::Unauthenticated, "certificate verify failed"));
  EXPECT_FALSE(look());
  server->fail(unavailable("connection refused"));
  EXPECT_FALSE(look());

  ASSERT_EQ(report.count(Verdict::Problem), 2U) << verdicts(report);
  EXPECT_THAT(report.findings()[0].advice, HasSubstr("certificate-authority"));
  EXPECT_THAT(report.findings()[1].advice, HasSubstr("firewall"));
}

TEST_F(ServerCheckTest, ShowsNoSecret) {
  server->answer(401, "Bearer hidden", date);

  static_cast<void>(look());

  EXPECT_EQ(http::find_header(server->requests().at(0).headers, "Authorization"), "Bearer hidden");
  for (const Finding& finding : report.findings()) {
    EXPECT_THAT(finding.found + finding.advice, Not(HasSubstr("hidden")));
  }
}

}  // namespace
}  // namespace vkhost::doctor
