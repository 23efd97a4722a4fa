#include "http/certificate_request.hpp"

#include "support/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const CertificateSubject kNode{"system:node:web-1", {"system:nodes"}};

TEST(CertificateRequest, BecomesACertificateOfItsSubjectAndItsKey) {
  const testing::CertificateAuthority authority;
  const Secret key = *make_private_key();

  const auto request = make_certificate_request(key, kNode);

  ASSERT_TRUE(request.is_ok()) << request.status().to_string();
  const std::string certificate = authority.sign(*request, 1h);
  const auto facts = read_certificate_facts(certificate);
  ASSERT_TRUE(facts.is_ok()) << facts.status().to_string();
  EXPECT_EQ(facts->subject.common_name, "system:node:web-1");
  EXPECT_THAT(facts->subject.organizations, ElementsAre("system:nodes"));
  EXPECT_TRUE(check_key_of_certificate(certificate, key).is_ok());
}

TEST(CertificateRequest, IsMadeForTheLongestNameThatANodeMayHave) {
  const testing::CertificateAuthority authority;
  const Secret key = *make_private_key();
  const std::string name = "system:node:" + std::string(253, 'n');

  const auto request = make_certificate_request(key, {name, {"system:nodes"}});

  ASSERT_TRUE(request.is_ok()) << request.status().to_string();
  EXPECT_EQ(read_certificate_facts(authority.sign(*request, 1h))->subject.common_name, name);
}

TEST(CertificateRequest, DoesNotHoldThePrivateKey) {
  const Secret key = *make_private_key();

  EXPECT_THAT(*make_certificate_request(key, kNode), Not(HasSubstr("PRIVATE")));
}

TEST(CertificateRequest, TakesNoKeyThatIsNone) {
  for (const char* key :
       {"", "key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}) {
    EXPECT_EQ(make_certificate_request(Secret(key), kNode).status().code(),
              StatusCode::InvalidArgument);
    EXPECT_EQ(public_key_digest(Secret(key)).status().code(), StatusCode::InvalidArgument);
  }
}

TEST(PublicKeyDigest, IsTheKeysOwn) {
  const Secret key = *make_private_key();

  EXPECT_EQ(*public_key_digest(key), *public_key_digest(key));
  EXPECT_EQ(public_key_digest(key)->size(), 64U);
  EXPECT_NE(*public_key_digest(key), *public_key_digest(*make_private_key()));
}

TEST(CertificateFacts, AreThoseOfTheFirstCertificate) {
  const testing::CertificateAuthority authority;
  const auto issued = authority.issue({.common_name = "first",
                                       .organizations = {"a", "b"},
                                       .use = testing::CertificateUse::Client,
                                       .starts = -1h,
                                       .ends = 2h});
  const WallTime now = std::chrono::system_clock::now();

  const auto facts = read_certificate_facts(issued.certificate_pem + authority.certificate_pem());

  ASSERT_TRUE(facts.is_ok()) << facts.status().to_string();
  EXPECT_EQ(facts->subject.common_name, "first");
  EXPECT_THAT(facts->subject.organizations, ElementsAre("a", "b"));
  EXPECT_LT(std::chrono::abs(facts->not_before - (now - 1h)), 1min);
  EXPECT_LT(std::chrono::abs(facts->not_after - (now + 2h)), 1min);
}

TEST(CertificateFacts, EndWithTheWallClockForOneThatNeverExpires) {
  const testing::CertificateAuthority authority;
  constexpr auto kYear = 24h * 365;
  const auto issued =
      authority.issue({.use = testing::CertificateUse::Client, .ends = 400 * kYear});

  const auto facts = read_certificate_facts(issued.certificate_pem);

  ASSERT_TRUE(facts.is_ok()) << facts.status().to_string();
  EXPECT_GT(facts->not_after, std::chrono::system_clock::now() + 100 * kYear);
}

TEST(CertificateFacts, AreReadFromCertificatesOnly) {
  for (const char* pem :
       {"", "text", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    EXPECT_EQ(read_certificate_facts(pem).status().code(), StatusCode::InvalidArgument) << pem;
  }
}

TEST(CertificateFacts, TellAnothersKeyFromTheirOwn) {
  const testing::CertificateAuthority authority;
  const auto issued = authority.issue({});

  EXPECT_TRUE(check_key_of_certificate(issued.certificate_pem, Secret(issued.key_pem)).is_ok());
  EXPECT_EQ(check_key_of_certificate(issued.certificate_pem, *make_private_key()).code(),
            StatusCode::InvalidArgument);
}

TEST(CertificateFacts, AreReadOfEachOfABundle) {
  const testing::CertificateAuthority authority;
  const std::string bundle = authority.issue({.common_name = "one"}).certificate_pem +
                             authority.issue({.common_name = "two"}).certificate_pem;

  const auto all = read_all_certificate_facts(bundle);

  ASSERT_TRUE(all.is_ok()) << all.status().to_string();
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].subject.common_name, "one");
  EXPECT_EQ((*all)[1].subject.common_name, "two");
  EXPECT_EQ(read_all_certificate_facts("").status().code(), StatusCode::InvalidArgument);
}

TEST(NamesOfACertificate, AreThoseThatWereAskedForAndNotTheCommonName) {
  const std::string pem = testing::CertificateAuthority()
                              .issue({.common_name = "web-1",
                                      .dns_names = {"*.nodes.example"},
                                      .ip_addresses = {"10.0.0.7", "fd00::7"}})
                              .certificate_pem;

  for (const char* name : {"10.0.0.7", "fd00::7", "fd00:0::7", "a.nodes.example"}) {
    EXPECT_TRUE(check_name_of_certificate(pem, name).is_ok()) << name;
  }
  for (const char* name : {"10.0.0.8", "web-1", "nodes.example", ""}) {
    EXPECT_EQ(check_name_of_certificate(pem, name).code(), StatusCode::InvalidArgument) << name;
  }
}

}  // namespace
}  // namespace vkhost::http
