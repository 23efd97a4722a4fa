// Certificates made at run time, so that no key lies in the tree and none ever expires there.
// Failures end the test with an exception. [any-thread]
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::testing {

struct IssuedCertificate {
  std::string certificate_pem;  // the leaf, then intermediate certificates if there are any
  std::string key_pem;
};

enum class KeyType { EcP256, Rsa2048 };
enum class CertificateUse { Server, Client };

// The empty initialisers let designated ones leave members out without a warning.
struct CertificateRequest {
  std::string common_name = "leaf";
  std::vector<std::string> organizations = {};
  std::vector<std::string> dns_names = {};
  std::vector<std::string> ip_addresses = {};
  CertificateUse use = CertificateUse::Server;
  KeyType key = KeyType::EcP256;
  std::chrono::seconds starts{-3600};  // from now
  std::chrono::seconds ends{24 * 3600};
};

class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& common_name = "vkhost test CA");
  // One that was made elsewhere.
  static CertificateAuthority load(const std::string& certificate_pem, const std::string& key_pem);
  ~CertificateAuthority();
  CertificateAuthority(CertificateAuthority&&) noexcept;

  [[nodiscard]] const std::string& certificate_pem() const;
  [[nodiscard]] const std::string& key_pem() const;
  [[nodiscard]] IssuedCertificate issue(const CertificateRequest& request) const;
  // The certificate, good for clients from an hour ago, that a request (PKCS #10, PEM) asks for.
  // Throws when the request is none, or is not signed with its own key.
  [[nodiscard]] std::string sign(const std::string& request_pem, std::chrono::seconds ends) const;
  // One that this one signed; what it issues carries the chain.
  [[nodiscard]] CertificateAuthority intermediate(const std::string& common_name) const;

 private:
  struct Parts;
  explicit CertificateAuthority(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// The usual server of a test: valid for localhost, 127.0.0.1 and ::1.
[[nodiscard]] IssuedCertificate issue_for_loopback(const CertificateAuthority& authority);

}  // namespace vkhost::testing
