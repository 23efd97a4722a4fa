// Dialer: makes connections to one server: lookup, TCP to each of its addresses in turn, the proxy's
// CONNECT, TLS. Everything ends at the deadline and within milliseconds of a cancellation.
// Shared by all threads of a Transport. [any-thread] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/deadline.hpp"
#include "base/status.hpp"
#include "http/deadline_socket.hpp"
#include "http/endpoint.hpp"

#include <memory>
#include <optional>
#include <string>

namespace vkhost::http {

class TlsContext;

class Dialer {
 public:
  // `tls` is null for plain HTTP; `tls_name` is what the certificate must be valid for.
  Dialer(Endpoint server,
         std::optional<Endpoint> proxy,
         std::shared_ptr<const TlsContext> tls,
         std::string tls_name);

  // UNAVAILABLE (nobody answers, or the proxy refuses), UNAUTHENTICATED (the certificate),
  // DEADLINE_EXCEEDED, CANCELLED. The deadline stays on the socket.
  Result<SocketPtr> dial(Deadline deadline, const CancelToken& cancel);

 private:
  Result<SocketPtr> connect(const Poco::Net::SocketAddress& address,
                            Deadline deadline,
                            const CancelToken& cancel) const;
  Result<SocketPtr> connect_any(Deadline deadline, const CancelToken& cancel);
  Status ask_proxy(const SocketPtr& socket, const CancelToken& cancel) const;
  Result<SocketPtr> begin_tls(const SocketPtr& socket,
                              Deadline deadline,
                              const CancelToken& cancel) const;

  const Endpoint server_;
  const std::optional<Endpoint> proxy_;
  const std::shared_ptr<const TlsContext> tls_;
  const std::string tls_name_;
  Resolver resolver_;
};

// Value of Proxy-Authorization.
[[nodiscard]] std::string basic_credentials(const std::string& user_info);

}  // namespace vkhost::http
