// ClientAuthority: the certificate authorities whose client certificates are believed, replaceable
// while requests are served, and PeerCertificate: what a client showed and what it is worth. A chain
// is checked with each request and not only in the handshake, so that a new bundle or an expiry
// counts for connections that are already open. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/status.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct x509_store_st;

namespace vkhost::http {

struct PeerCertificate {
  bool verified = false;  // signed by one of ours, valid now, and meant for clients
  std::string problem;    // why not
  std::string common_name;
  std::vector<std::string> organizations;  // in order
  std::string uid;                         // Kubernetes' subject attribute 1.3.6.1.4.1.57683.2
  std::string sha256;                      // of the DER form, hexadecimal
};

class ClientAuthority {
 public:
  // An empty bundle believes nobody. INVALID_ARGUMENT when the text holds no certificate.
  static Result<std::shared_ptr<ClientAuthority>> create(const std::string& bundle_pem);
  // On failure the present bundle stays.
  Status replace(const std::string& bundle_pem);

  // `chain` as TlsSocketImpl::peer_chain gives it, not empty; `now` is the wall time to check by.
  [[nodiscard]] PeerCertificate examine(const std::vector<std::string>& chain, WallTime now) const;
  // Changes with each replacement: what was examined before has to be examined again.
  [[nodiscard]] std::uint64_t generation() const;

 private:
  ClientAuthority() = default;

  mutable Mutex mutex_;
  std::shared_ptr<x509_store_st> store_ VKHOST_GUARDED_BY(mutex_);  // null: believes nobody
  std::uint64_t generation_ VKHOST_GUARDED_BY(mutex_) = 0;
};

}  // namespace vkhost::http
