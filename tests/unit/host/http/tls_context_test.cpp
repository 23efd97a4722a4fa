#include "http/tls_context.hpp"

#include "support/certificates.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::http {
namespace {

using testing::CertificateAuthority;
using testing::issue_for_loopback;
using testing::KeyType;

TEST(TlsContextForClients, IsMadeFromTextInMemory) {
  const CertificateAuthority authority;
  const auto intermediate = authority.intermediate("middle");
  for (const KeyType key : {KeyType::EcP256, KeyType::Rsa2048}) {
    const auto own = intermediate.issue({.common_name = "someone", .key = key});

    const auto made = TlsContext::for_client({.ca_pem = authority.certificate_pem(),
                                              .certificate_pem = own.certificate_pem,
                                              .key_pem = own.key_pem});

    EXPECT_TRUE(made.is_ok()) << made.status().to_string();
  }
}

TEST(TlsContextForClients, TakesTheSystemsTrustStoreWhenNoCaIsGiven) {
  EXPECT_TRUE(TlsContext::for_client({}).is_ok());
}

TEST(TlsContextForClients, NamesTheTextThatIsWrong) {
  const CertificateAuthority authority;
  const auto one = issue_for_loopback(authority);
  const auto other = issue_for_loopback(authority);
  struct Case {
    ClientTls settings;
    std::string says;
  };
  const Case cases[] = {
      {{.ca_pem = "garbage"}, "certificate authority"},
      {{.certificate_pem = one.certificate_pem}, "one is missing"},
      {{.key_pem = one.key_pem}, "one is missing"},
      {{.certificate_pem = "garbage", .key_pem = one.key_pem}, "client certificate: certificate"},
      {{.certificate_pem = one.certificate_pem, .key_pem = "garbage"}, "key"},
      {{.certificate_pem = one.certificate_pem, .key_pem = other.key_pem},
       "key does not belong to the certificate"},
  };

  for (const Case& c : cases) {
    const auto made = TlsContext::for_client(c.settings);

    ASSERT_FALSE(made.is_ok());
    EXPECT_EQ(made.status().code(), StatusCode::InvalidArgument);
    EXPECT_NE(made.status().message().find(c.says), std::string::npos) << made.status().message();
    EXPECT_EQ(made.status().message().find("BEGIN"), std::string::npos) << "leaks the text";
  }
}

TEST(TlsContextForServers, NeedsACertificateWithItsKey) {
  const CertificateAuthority authority;
  const auto one = issue_for_loopback(authority);

  EXPECT_TRUE(TlsContext::for_server({one.certificate_pem, one.key_pem}).is_ok());
  EXPECT_FALSE(TlsContext::for_server({}).is_ok());
  EXPECT_FALSE(TlsContext::for_server({one.certificate_pem, authority.key_pem()}).is_ok());
}

}  // namespace
}  // namespace vkhost::http
