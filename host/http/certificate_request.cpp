#include "http/certificate_request.hpp"

#include "http/openssl_types.hpp"

#include <openssl/asn1.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <utility>

namespace vkhost::http {
namespace {

struct RequestDelete {
  void operator()(X509_REQ* it) const { X509_REQ_free(it); }
};
using RequestPtr = std::unique_ptr<X509_REQ, RequestDelete>;

struct BytesDelete {
  void operator()(unsigned char* it) const { OPENSSL_free(it); }
};
using BytesPtr = std::unique_ptr<unsigned char, BytesDelete>;

constexpr std::string_view kKey = "the private key";
constexpr std::string_view kCertificate = "the certificate";

Status failed(std::string_view what) {
  return internal_error(std::string(what) + ": " + take_openssl_error());
}

std::string text_in(const BioPtr& memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

// As it is: with MBSTRING_UTF8 OpenSSL holds the limit of X.520, 64 characters, which Kubernetes doesn't
// know and names of nodes exceed.
bool add_name(X509_NAME* subject, const char* part, const std::string& value) {
  return X509_NAME_add_entry_by_txt(subject, part, V_ASN1_UTF8STRING,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool add_subject(X509_REQ* request, const CertificateSubject& subject) {
  X509_NAME* name = X509_REQ_get_subject_name(request);
  for (const std::string& organization : subject.organizations) {
    if (!add_name(name, "O", organization)) {
      return false;
    }
  }
  return add_name(name, "CN", subject.common_name);
}

std::string text_of(const ASN1_STRING* value) {
  unsigned char* data = nullptr;
  const int size = value == nullptr ? -1 : ASN1_STRING_to_UTF8(&data, value);
  const BytesPtr owner(data);
  // A name with a zero byte in it is meant to be read differently by different readers.
  const std::string text =
      size > 0 ? std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size))
               : std::string();
  return text.find('\0') == std::string::npos ? text : std::string();
}

std::vector<std::string> parts_of(const X509_NAME* name, int kind) {
  std::vector<std::string> values;
  for (int at = X509_NAME_get_index_by_NID(name, kind, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(name, kind, at)) {
    values.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))));
  }
  return values;
}

Result<WallTime> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    return invalid_argument(std::string(kCertificate) + " has a time that is none");
  }
  // The wall clock ends in 2262; "99991231235959Z" says that there is no end. Nor does anything here
  // begin before 1970.
  using Seconds = std::chrono::sys_seconds;
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(WallTime::max());
  const Seconds exact{std::chrono::seconds{::timegm(&parts)}};
  return WallTime(std::clamp(exact, Seconds{}, kLast));
}

Result<CertificateFacts> facts_of(const X509* certificate) {
  const X509_NAME* name = X509_get_subject_name(certificate);
  CertificateFacts facts;
  const std::vector<std::string> common_names = parts_of(name, NID_commonName);
  facts.subject.common_name = common_names.empty() ? std::string() : common_names.back();
  facts.subject.organizations = parts_of(name, NID_organizationName);
  VKHOST_TRY_ASSIGN(facts.not_before, time_of(X509_get0_notBefore(certificate)));
  VKHOST_TRY_ASSIGN(facts.not_after, time_of(X509_get0_notAfter(certificate)));
  return facts;
}

}  // namespace

Result<Secret> make_private_key() {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const BioPtr memory(BIO_new(BIO_s_secmem()));
  if (!key || !memory ||
      PEM_write_bio_PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return failed("making a private key");
  }
  return Secret(text_in(memory));
}

Result<std::string> make_certificate_request(const Secret& key_pem,
                                             const CertificateSubject& subject) {
  VKHOST_TRY_ASSIGN(const KeyPtr key, read_private_key(key_pem.reveal(), kKey));
  const RequestPtr request(X509_REQ_new());
  const BioPtr memory(BIO_new(BIO_s_mem()));
  const bool made =
      request && memory && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
      add_subject(request.get(), subject) && X509_REQ_set_pubkey(request.get(), key.get()) == 1 &&
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0 &&
      PEM_write_bio_X509_REQ(memory.get(), request.get()) == 1;
  if (!made) {
    return failed("making a certificate request for " + subject.common_name);
  }
  return text_in(memory);
}

Result<std::string> public_key_digest(const Secret& key_pem) {
  VKHOST_TRY_ASSIGN(const KeyPtr key, read_private_key(key_pem.reveal(), kKey));
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  const BytesPtr owner(der);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  if (size <= 0 || SHA256(der, static_cast<std::size_t>(size), digest.data()) == nullptr) {
    return failed("reading the public half of the private key");
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kHex[byte >> 4U];
    text += kHex[byte & 15U];
  }
  return text;
}

Result<CertificateFacts> read_certificate_facts(std::string_view pem) {
  VKHOST_TRY_ASSIGN(const auto certificates, read_certificates(pem, kCertificate));
  return facts_of(certificates.front().get());
}

Result<std::vector<CertificateFacts>> read_all_certificate_facts(std::string_view pem) {
  VKHOST_TRY_ASSIGN(const auto certificates, read_certificates(pem, kCertificate));
  std::vector<CertificateFacts> all;
  for (const CertificatePtr& certificate : certificates) {
    VKHOST_TRY_ASSIGN(CertificateFacts facts, facts_of(certificate.get()));
    all.push_back(std::move(facts));
  }
  return all;
}

Status check_name_of_certificate(std::string_view certificate_pem, const std::string& name) {
  VKHOST_TRY_ASSIGN(const auto certificates, read_certificates(certificate_pem, kCertificate));
  X509* first = certificates.front().get();
  constexpr int kNoAddress = -2;
  int fits = X509_check_ip_asc(first, name.c_str(), 0);
  if (fits == kNoAddress) {
    fits = X509_check_host(first, name.data(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                           nullptr);
  }
  static_cast<void>(take_openssl_error());
  return fits == 1 ? Status::ok() : invalid_argument("the certificate is not for " + name);
}

Status check_key_of_certificate(std::string_view certificate_pem, const Secret& key_pem) {
  VKHOST_TRY_ASSIGN(const auto certificates, read_certificates(certificate_pem, kCertificate));
  VKHOST_TRY_ASSIGN(const KeyPtr key, read_private_key(key_pem.reveal(), kKey));
  const EVP_PKEY* public_key = X509_get0_pubkey(certificates.front().get());
  if (public_key == nullptr || EVP_PKEY_eq(public_key, key.get()) != 1) {
    static_cast<void>(take_openssl_error());
    return invalid_argument("the private key does not belong to the certificate");
  }
  return Status::ok();
}

}  // namespace vkhost::http
