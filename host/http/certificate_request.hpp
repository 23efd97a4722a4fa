// Private keys, requests for certificates (PKCS #10), and what a certificate says: for whoever gets a
// client certificate from somebody else and renews it. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "base/status.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::http {

struct CertificateSubject {
  std::string common_name;
  std::vector<std::string> organizations;
};

// Of one certificate.
struct CertificateFacts {
  CertificateSubject subject;
  WallTime not_before;
  WallTime not_after;
};

// P-256, as PEM.
Result<Secret> make_private_key();
// PEM; the key signs it and is not in it. INVALID_ARGUMENT when the key cannot be read.
Result<std::string> make_certificate_request(const Secret& key_pem,
                                             const CertificateSubject& subject);
// SHA-256 of the public half as 64 hexadecimal digits: the same for every form of the same key.
Result<std::string> public_key_digest(const Secret& key_pem);

// Of the first certificate of the PEM text. INVALID_ARGUMENT when it cannot be read.
Result<CertificateFacts> read_certificate_facts(std::string_view pem);
// Of each certificate of the PEM text, at least one, in its order. INVALID_ARGUMENT as above.
Result<std::vector<CertificateFacts>> read_all_certificate_facts(std::string_view pem);
// INVALID_ARGUMENT when the first certificate is not for that DNS name or IP address; its common name
// doesn't count, as for the API server.
Status check_name_of_certificate(std::string_view certificate_pem, const std::string& name);
// INVALID_ARGUMENT when the key does not belong to the first certificate.
Status check_key_of_certificate(std::string_view certificate_pem, const Secret& key_pem);

}  // namespace vkhost::http
