#include "http/openssl_types.hpp"

#include "support/certificates.hpp"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <string>

namespace vkhost::http {
namespace {

using testing::CertificateAuthority;

TEST(PemCertificates, AreAllReadFromABundleWithCommentsBetween) {
  const CertificateAuthority first("one");
  const CertificateAuthority second("two");

  const auto read = read_certificates(
      "# one\n" + first.certificate_pem() + "\n# two\n" + second.certificate_pem(), "bundle");

  ASSERT_TRUE(read.is_ok()) << read.status().to_string();
  EXPECT_EQ(read->size(), 2U);
}

TEST(PemCertificates, OfTextWithoutOneAreRefusedByName) {
  for (const std::string text : {"", "hello", "-----BEGIN"}) {
    const auto read = read_certificates(text, "client CA");

    ASSERT_FALSE(read.is_ok());
    EXPECT_EQ(read.status().code(), StatusCode::InvalidArgument);
    EXPECT_EQ(read.status().message().rfind("client CA: ", 0), 0U) << read.status().message();
  }
}

TEST(PemCertificates, SayWhichOneIsDamaged) {
  const CertificateAuthority authority;
  std::string second = authority.certificate_pem();
  second.insert(second.size() / 2, "!!");

  const auto read = read_certificates(authority.certificate_pem() + second, "bundle");

  ASSERT_FALSE(read.is_ok());
  EXPECT_NE(read.status().message().find("certificate 2 "), std::string::npos)
      << read.status().message();
}

TEST(PemKey, WithAPassPhraseIsRefusedWithoutAsking) {
  const CertificateAuthority authority;
  const auto key = read_private_key(authority.key_pem(), "key");
  ASSERT_TRUE(key.is_ok());
  const BioPtr out(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(out.get(), key->get(), EVP_aes_128_cbc(), "secret", 6,
                                          nullptr, nullptr),
            1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);

  const auto read = read_private_key({text, static_cast<std::size_t>(size)}, "key");

  ASSERT_FALSE(read.is_ok());
  EXPECT_EQ(read.status().code(), StatusCode::InvalidArgument);
}

TEST(PemStore, NeedsACertificate) {
  EXPECT_EQ(make_store("nothing", "CA").status().code(), StatusCode::InvalidArgument);
  EXPECT_TRUE(make_store(CertificateAuthority().certificate_pem(), "CA").is_ok());
}

}  // namespace
}  // namespace vkhost::http
