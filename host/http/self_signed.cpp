#include "http/self_signed.hpp"

#include "http/openssl_types.hpp"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <string_view>

namespace vkhost::http {
namespace {

bool is_address(const std::string& name) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

// The extension's text form is a comma list, so nothing else may stand in a name.
bool is_dns_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
  });
}

bool add_extension(X509* certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_nconf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) {
    return false;
  }
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return false;
  }
  bytes[0] &= 0x7FU;  // a serial number is positive
  BIGNUM* number = BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr);
  const bool set = number != nullptr &&
                   BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return set;
}

bool set_validity(X509* certificate, const SelfSignedRequest& request) {
  // Clocks differ a little: a certificate that is not valid yet helps nobody.
  const auto begin = request.not_before - std::chrono::minutes{5};
  return ASN1_TIME_set(X509_getm_notBefore(certificate),
                       std::chrono::system_clock::to_time_t(begin)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate),
                       std::chrono::system_clock::to_time_t(begin + request.lifetime)) != nullptr;
}

std::string pem_of(const X509* certificate, const EVP_PKEY* key) {
  const BioPtr memory(BIO_new(BIO_s_mem()));
  const bool written =
      certificate != nullptr
          ? PEM_write_bio_X509(memory.get(), certificate) == 1
          : PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return written && size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

Status failed() {
  return internal_error("making a self-signed certificate: " + take_openssl_error());
}

}  // namespace

Result<ServerIdentity> make_self_signed(const SelfSignedRequest& request) {
  std::string alternatives;
  for (const std::string& name : request.names) {
    const bool address = is_address(name);
    if (!address && !is_dns_name(name)) {
      return invalid_argument("\"" + name + "\" is neither a DNS name nor an IP address");
    }
    alternatives +=
        (alternatives.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
  }
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate(X509_new());
  if (!key || !certificate) {
    return failed();
  }
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto* name = reinterpret_cast<const unsigned char*>(request.common_name.c_str());
  // A common name is limited to 64 characters; clients look at the alternative names anyway.
  const int name_size = static_cast<int>(std::min<std::size_t>(request.common_name.size(), 64));
  const bool made =
      X509_set_version(certificate.get(), X509_VERSION_3) == 1 && set_serial(certificate.get()) &&
      set_validity(certificate.get(), request) &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, name_size, -1, 0) == 1 &&
      X509_set_issuer_name(certificate.get(), subject) == 1 &&
      X509_set_pubkey(certificate.get(), key.get()) == 1 &&
      add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE") &&
      add_extension(certificate.get(), NID_key_usage,
                    "critical,digitalSignature,keyEncipherment,keyCertSign") &&
      add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") &&
      (alternatives.empty() ||
       add_extension(certificate.get(), NID_subject_alt_name, alternatives)) &&
      X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0;
  ServerIdentity identity{pem_of(certificate.get(), nullptr), pem_of(nullptr, key.get())};
  if (!made || identity.certificate_pem.empty() || identity.key_pem.empty()) {
    return failed();
  }
  return identity;
}

}  // namespace vkhost::http
