#include "doctor/certificate_checks.hpp"

#include "findings.hpp"
#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace vkhost::doctor {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kYear{365 * 24h};

struct CertificateChecks : ::testing::Test {
  CertificateQuestion question(const testing::CertificateRequest& request) const {
    const testing::IssuedCertificate issued = authority.issue(request);
    CertificateQuestion made;
    made.matter = {"certificates", "serving certificate", "Clients look at it."};
    made.pem = issued.certificate_pem;
    made.key_pem = Secret(issued.key_pem);
    made.renewal = "Get another one.";
    return made;
  }
  Finding look(const CertificateQuestion& asked) const {
    Report report;
    check_certificate(asked, now, report);
    return only(report);
  }
  Finding look_at_bundle(const std::string& pem) const {
    Report report;
    check_authorities({"certificates", "authorities", "Trust."}, pem, "Renew it.", now, report);
    return only(report);
  }
  std::string bundled(std::chrono::seconds ends) const {
    return authority.issue({.common_name = "ca", .ends = ends}).certificate_pem;
  }

  const testing::CertificateAuthority authority;
  const WallTime now = SystemClock().wall_now();
};

TEST_F(CertificateChecks, AreContentWithOneThatIsGoodForLong) {
  CertificateQuestion asked =
      question({.common_name = "web-1", .ip_addresses = {"10.0.0.7"}, .ends = kYear});
  asked.names = {"10.0.0.7"};

  const Finding finding = look(asked);

  EXPECT_EQ(finding.verdict, Verdict::Ok) << finding.found;
  EXPECT_THAT(finding.found, HasSubstr("of web-1, good until 2"));
}

TEST_F(CertificateChecks, NameOneThatExpired) {
  const Finding finding = look(question({.starts = -2h, .ends = -1h}));

  EXPECT_EQ(finding.verdict, Verdict::Problem);
  EXPECT_THAT(finding.found, HasSubstr("expired at"));
  EXPECT_EQ(finding.advice, "Get another one.");
}

TEST_F(CertificateChecks, NameOneThatIsNotGoodYetAndTheClockFirst) {
  const Finding finding = look(question({.starts = 1h, .ends = 2h}));

  EXPECT_EQ(finding.verdict, Verdict::Problem);
  EXPECT_THAT(finding.found, HasSubstr("is good from"));
  EXPECT_THAT(finding.advice, HasSubstr("clock"));
}

TEST_F(CertificateChecks, WarnBeforeOneExpires) {
  EXPECT_EQ(look(question({.starts = -kYear, .ends = 6 * 24h})).verdict, Verdict::Warning);
  EXPECT_EQ(look(question({.starts = -kYear, .ends = 8 * 24h})).verdict, Verdict::Ok);
}

TEST_F(CertificateChecks, MeasureShortLivedOnesByTheirOwnLife) {
  EXPECT_EQ(look(question({.starts = -12h, .ends = 12h})).verdict, Verdict::Ok);
  EXPECT_EQ(look(question({.starts = -22h, .ends = 2h})).verdict, Verdict::Warning);
}

TEST_F(CertificateChecks, NameAKeyOfAnotherCertificate) {
  CertificateQuestion asked = question({.ends = kYear});
  asked.key_pem = question({.ends = kYear}).key_pem;

  const Finding finding = look(asked);

  EXPECT_EQ(finding.verdict, Verdict::Problem);
  EXPECT_THAT(finding.found, HasSubstr("private key does not belong"));
  EXPECT_THAT(finding.found, Not(HasSubstr("PRIVATE KEY")));
}

TEST_F(CertificateChecks, NameAddressesThatItIsNotFor) {
  CertificateQuestion asked =
      question({.dns_names = {"web-1"}, .ip_addresses = {"10.0.0.7"}, .ends = kYear});
  asked.names = {"10.0.0.7", "fd00::7", "web-1"};

  const Finding finding = look(asked);

  EXPECT_EQ(finding.verdict, Verdict::Warning);
  EXPECT_THAT(finding.found, HasSubstr("it is not for fd00::7"));
}

TEST_F(CertificateChecks, NameATextThatIsNoCertificate) {
  CertificateQuestion asked = question({});
  asked.pem = "hello";

  EXPECT_EQ(look(asked).verdict, Verdict::Problem);
  EXPECT_EQ(look_at_bundle("hello").verdict, Verdict::Problem);
}

TEST_F(CertificateChecks, OfABundleAskForOneThatIsGood) {
  EXPECT_EQ(look_at_bundle(bundled(kYear)).verdict, Verdict::Ok);
  EXPECT_EQ(look_at_bundle(bundled(-1min)).verdict, Verdict::Problem);
}

TEST_F(CertificateChecks, OfABundleWarnOfThoseThatAreOver) {
  const Finding finding = look_at_bundle(bundled(kYear) + bundled(-1min));

  EXPECT_EQ(finding.verdict, Verdict::Warning);
  EXPECT_THAT(finding.found, HasSubstr("that of ca expired at"));
}

}  // namespace
}  // namespace vkhost::doctor
