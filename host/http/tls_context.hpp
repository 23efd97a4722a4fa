// TlsContext: certificates, trust and rules of TLS connections, made once from PEM text and shared
// by all connections that begin while it is current. Replacing certificates means to make another
// one; connections keep theirs. Immutable. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "http/client.hpp"

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace vkhost::http {

// What a server shows: the chain with the leaf first, and the leaf's key.
struct ServerIdentity {
  std::string certificate_pem;
  std::string key_pem;
};

class TlsContext {
 public:
  // INVALID_ARGUMENT says which of the texts is wrong.
  static Result<std::shared_ptr<const TlsContext>> for_client(const ClientTls& settings);
  // Asks for a client certificate and takes whatever comes, or nothing: whoever authenticates
  // requests decides on the chain (PeerCertificate), so that a bad one is answered 401.
  static Result<std::shared_ptr<const TlsContext>> for_server(const ServerIdentity& identity);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] ssl_ctx_st* native() const { return context_; }
  [[nodiscard]] bool verifies_server() const { return verifies_server_; }

 private:
  TlsContext(ssl_ctx_st* context, bool verifies_server)
      : context_(context), verifies_server_(verifies_server) {}

  ssl_ctx_st* context_;
  bool verifies_server_;
};

}  // namespace vkhost::http
