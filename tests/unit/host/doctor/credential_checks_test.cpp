#include "doctor/credential_checks.hpp"

#include "findings.hpp"
#include "support/certificates.hpp"
#include "support/fake_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::doctor {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

std::string self(const std::string& user, const std::string& group) {
  return R"({"status":{"userInfo":{"username":")" + user + R"(","groups":[")" + group + R"("]}}})";
}

struct CredentialChecks : ::testing::Test {
  CredentialChecks() {
    config.nodes.resize(1);
    config.nodes[0].name = "web-1";
  }
  Self look() { return check_self(*client, tls, config, clock, report); }
  void use_certificate(std::chrono::seconds ends) {
    const auto issued = authority.issue({.common_name = "system:node:web-1",
                                         .organizations = {"system:nodes"},
                                         .use = testing::CertificateUse::Client,
                                         .starts = -2h,
                                         .ends = ends});
    tls.certificate_pem = issued.certificate_pem;
    tls.key_pem = issued.key_pem;
  }

  const testing::CertificateAuthority authority;
  const std::shared_ptr<testing::FakeServer> server = std::make_shared<testing::FakeServer>();
  const std::unique_ptr<kube::Client> client = testing::client_on(server);
  const SystemClock clock;
  config::Config config;
  http::ClientTls tls;
  Report report;
};

TEST_F(CredentialChecks, TellWhoTheDaemonIs) {
  server->answer(201, self("system:serviceaccount:vkhost:vkhost", "system:serviceaccounts"));

  const Self found = look();

  EXPECT_EQ(only(report).verdict, Verdict::Ok);
  EXPECT_EQ(found.user, "system:serviceaccount:vkhost:vkhost");
  EXPECT_FALSE(found.is_node);
}

TEST_F(CredentialChecks, KnowTheIdentityOfTheNode) {
  server->answer(201, self("system:node:web-1", "system:nodes"));

  EXPECT_TRUE(look().is_node);

  EXPECT_EQ(only(report).verdict, Verdict::Ok);
}

TEST_F(CredentialChecks, NameTheIdentityOfAnotherNode) {
  server->answer(201, self("system:node:web-2", "system:nodes"));

  EXPECT_TRUE(look().is_node);

  EXPECT_EQ(only(report).verdict, Verdict::Problem);
  EXPECT_THAT(only(report).found, HasSubstr("web-2"));
  EXPECT_THAT(only(report).advice, HasSubstr("node.name"));
}

TEST_F(CredentialChecks, NameCredentialsThatAreNotKnown) {
  // Once more, as fresh ones might be there.
  server->answer(401, R"({"kind":"Status","reason":"Unauthorized"})");
  server->answer(401, R"({"kind":"Status","reason":"Unauthorized"})");

  EXPECT_TRUE(look().is_refused);

  EXPECT_EQ(only(report).verdict, Verdict::Problem);
}

TEST_F(CredentialChecks, TakeTheCertificatesWordWhereTheServerHasNone) {
  server->answer(404, R"({"kind":"Status","reason":"NotFound"})");
  use_certificate(24h);

  const Self found = look();

  EXPECT_EQ(found.user, "system:node:web-1");
  EXPECT_TRUE(found.is_node);
  EXPECT_EQ(only(report).verdict, Verdict::Ok);
}

TEST_F(CredentialChecks, SayNothingWhereNobodyDoes) {
  server->answer(404, R"({"kind":"Status","reason":"NotFound"})");

  EXPECT_EQ(look().user, "");

  EXPECT_EQ(only(report).verdict, Verdict::Skipped);
}

TEST_F(CredentialChecks, LookAtTheCertificatesOfTheConnection) {
  kube::Connection connection;
  connection.origin = "context a of /etc/kubeconfig";
  tls.ca_pem = authority.certificate_pem();
  use_certificate(-1h);

  check_connection_certificates(connection, tls, false, clock.wall_now(), report);

  ASSERT_EQ(report.findings().size(), 2U);
  EXPECT_EQ(report.findings()[0].verdict, Verdict::Ok) << report.findings()[0].found;
  EXPECT_EQ(report.findings()[1].verdict, Verdict::Problem);
  EXPECT_THAT(report.findings()[1].found, HasSubstr("expired"));
  EXPECT_THAT(report.findings()[1].advice, HasSubstr(connection.origin));
  EXPECT_THAT(verdicts(report), Not(HasSubstr("PRIVATE KEY")));
}

TEST_F(CredentialChecks, LeaveTheRenewalToTheDaemonWhereItIsItsOwn) {
  use_certificate(10min);

  check_connection_certificates({}, tls, true, clock.wall_now(), report);

  EXPECT_EQ(only(report).verdict, Verdict::Warning);
  EXPECT_THAT(only(report).advice, HasSubstr("by itself"));
}

TEST_F(CredentialChecks, WarnOfAServerThatIsNotChecked) {
  kube::Connection connection;
  connection.insecure_skip_tls_verify = true;

  check_connection_certificates(connection, tls, false, clock.wall_now(), report);

  EXPECT_EQ(only(report).verdict, Verdict::Warning);
}

}  // namespace
}  // namespace vkhost::doctor
