#include "support/certificates.hpp"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace vkhost::testing {
namespace openssl {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* it) const {
    Free(it);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

}  // namespace openssl
namespace {

using openssl::Certificate;
using openssl::Extension;
using openssl::Key;
using openssl::Memory;

void require(bool condition, const char* what) {
  if (!condition) {
    throw std::runtime_error(std::string("making a test certificate: ") + what);
  }
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const Memory bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_X509(bio.get(), certificate) == 1, "PEM of a certificate");
  return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
  const Memory bio(BIO_new(BIO_s_mem()));
  require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "PEM of a key");
  return text_of(bio.get());
}

Key make_key(KeyType type) {
  Key key(type == KeyType::Rsa2048 ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  require(key != nullptr, "key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
          value.c_str());
}

void add_name(X509_NAME* name, const char* field, const std::string& value) {
  require(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(value.data()),
                                     static_cast<int>(value.size()), -1, 0) == 1,
          field);
}

Certificate begin(EVP_PKEY* key, std::chrono::seconds starts, std::chrono::seconds ends) {
  Certificate certificate(X509_new());
  std::uint64_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "serial");
  require(
      X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
          ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1U) == 1 &&
          X509_gmtime_adj(X509_getm_notBefore(certificate.get()), starts.count()) != nullptr &&
          X509_gmtime_adj(X509_getm_notAfter(certificate.get()), ends.count()) != nullptr &&
          X509_set_pubkey(certificate.get(), key) == 1,
      "certificate");
  return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  require(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
              X509_sign(certificate, issuer_key, EVP_sha256()) > 0,
          "signature");
}

std::string alternative_names(const CertificateRequest& request) {
  std::string names;
  for (const auto& name : request.dns_names) {
    names += (names.empty() ? "DNS:" : ",DNS:") + name;
  }
  for (const auto& address : request.ip_addresses) {
    names += (names.empty() ? "IP:" : ",IP:") + address;
  }
  return names;
}

}  // namespace

struct CertificateAuthority::Parts {
  openssl::Key key;
  openssl::Certificate certificate;
  std::string certificate_pem;
  std::string key_pem;
  std::string chain_pem;  // goes behind what it issues; empty for a root
};

CertificateAuthority::CertificateAuthority(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}
CertificateAuthority::~CertificateAuthority() = default;
CertificateAuthority::CertificateAuthority(CertificateAuthority&&) noexcept = default;

CertificateAuthority::CertificateAuthority(const std::string& common_name)
    : parts_(std::make_unique<Parts>()) {
  parts_->key = make_key(KeyType::EcP256);
  parts_->certificate =
      begin(parts_->key.get(), std::chrono::hours{-1}, std::chrono::hours{24 * 30});
  X509* own = parts_->certificate.get();
  add_name(X509_get_subject_name(own), "CN", common_name);
  add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(own, own, NID_subject_key_identifier, "hash");
  testing::sign(own, own, parts_->key.get());
  parts_->certificate_pem = pem_of(own);
  parts_->key_pem = pem_of(parts_->key.get());
}

CertificateAuthority CertificateAuthority::load(const std::string& certificate_pem,
                                                const std::string& key_pem) {
  const auto reading = [](const std::string& pem) {
    return Memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  };
  auto parts = std::make_unique<Parts>();
  parts->certificate.reset(
      PEM_read_bio_X509(reading(certificate_pem).get(), nullptr, nullptr, nullptr));
  parts->key.reset(PEM_read_bio_PrivateKey(reading(key_pem).get(), nullptr, nullptr, nullptr));
  require(parts->certificate != nullptr && parts->key != nullptr, "reading an authority");
  parts->certificate_pem = certificate_pem;
  parts->key_pem = key_pem;
  return CertificateAuthority(std::move(parts));
}

CertificateAuthority CertificateAuthority::intermediate(const std::string& common_name) const {
  auto parts = std::make_unique<Parts>();
  parts->key = make_key(KeyType::EcP256);
  parts->certificate = begin(parts->key.get(), std::chrono::hours{-1}, std::chrono::hours{24 * 30});
  X509* own = parts->certificate.get();
  add_name(X509_get_subject_name(own), "CN", common_name);
  add_extension(own, parts_->certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(own, parts_->certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  testing::sign(own, parts_->certificate.get(), parts_->key.get());
  parts->certificate_pem = pem_of(own);
  parts->key_pem = pem_of(parts->key.get());
  parts->chain_pem = parts->certificate_pem + parts_->chain_pem;
  return CertificateAuthority(std::move(parts));
}

const std::string& CertificateAuthority::certificate_pem() const { return parts_->certificate_pem; }
const std::string& CertificateAuthority::key_pem() const { return parts_->key_pem; }

IssuedCertificate CertificateAuthority::issue(const CertificateRequest& request) const {
  const Key key = make_key(request.key);
  const Certificate leaf = begin(key.get(), request.starts, request.ends);
  X509_NAME* subject = X509_get_subject_name(leaf.get());
  for (const auto& organization : request.organizations) {
    add_name(subject, "O", organization);
  }
  if (!request.common_name.empty()) {
    add_name(subject, "CN", request.common_name);
  }
  X509* issuer = parts_->certificate.get();
  add_extension(leaf.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf.get(), issuer, NID_key_usage, "critical,digitalSignature,keyEncipherment");
  add_extension(leaf.get(), issuer, NID_ext_key_usage,
                request.use == CertificateUse::Client ? "clientAuth" : "serverAuth");
  if (const std::string names = alternative_names(request); !names.empty()) {
    add_extension(leaf.get(), issuer, NID_subject_alt_name, names);
  }
  testing::sign(leaf.get(), issuer, parts_->key.get());
  return {pem_of(leaf.get()) + parts_->chain_pem, pem_of(key.get())};
}

std::string CertificateAuthority::sign(const std::string& request_pem,
                                       std::chrono::seconds ends) const {
  const Memory text(BIO_new_mem_buf(request_pem.data(), static_cast<int>(request_pem.size())));
  const openssl::Request request(PEM_read_bio_X509_REQ(text.get(), nullptr, nullptr, nullptr));
  require(request != nullptr, "reading a request");
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  require(key != nullptr && X509_REQ_verify(request.get(), key) == 1, "the request's signature");
  const Certificate leaf = begin(key, std::chrono::hours{-1}, ends);
  require(X509_set_subject_name(leaf.get(), X509_REQ_get_subject_name(request.get())) == 1,
          "subject");
  add_extension(leaf.get(), parts_->certificate.get(), NID_ext_key_usage, "clientAuth");
  testing::sign(leaf.get(), parts_->certificate.get(), parts_->key.get());
  return pem_of(leaf.get());
}

IssuedCertificate issue_for_loopback(const CertificateAuthority& authority) {
  CertificateRequest request;
  request.common_name = "loopback";
  request.dns_names = {"localhost"};
  request.ip_addresses = {"127.0.0.1", "::1"};
  return authority.issue(request);
}

}  // namespace vkhost::testing
