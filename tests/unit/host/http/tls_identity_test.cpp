#include "http/tls_identity.hpp"

#include "support/certificates.hpp"

#include <gtest/gtest.h>

namespace vkhost::http {
namespace {

TEST(TlsIdentity, KeepsThePresentCertificateWhenTheNewOneIsUnusable) {
  const testing::CertificateAuthority authority;
  const auto one = testing::issue_for_loopback(authority);
  const auto two = testing::issue_for_loopback(authority);
  const auto identity = TlsIdentity::create({one.certificate_pem, one.key_pem});
  ASSERT_TRUE(identity.is_ok());
  const auto before = (*identity)->current();

  EXPECT_EQ((*identity)->replace({two.certificate_pem, one.key_pem}).code(),
            StatusCode::InvalidArgument);
  EXPECT_EQ((*identity)->current(), before);
  EXPECT_TRUE((*identity)->replace({two.certificate_pem, two.key_pem}).is_ok());
  EXPECT_NE((*identity)->current(), before);
  EXPECT_FALSE(TlsIdentity::create({}).is_ok());
}

TEST(TlsIdentity, TakesTheCertificateOfAnother) {
  const testing::CertificateAuthority authority;
  const auto one = testing::issue_for_loopback(authority);
  const auto two = testing::issue_for_loopback(authority);
  const auto identity = TlsIdentity::create({one.certificate_pem, one.key_pem});
  const auto other = TlsIdentity::create({two.certificate_pem, two.key_pem});
  ASSERT_TRUE(identity.is_ok());
  ASSERT_TRUE(other.is_ok());

  (*identity)->take(**other);

  EXPECT_EQ((*identity)->current(), (*other)->current());
}

}  // namespace
}  // namespace vkhost::http
