// Server: HTTP/1.1 on any number of listeners, with TLS or without.
//
// One thread owns all connections: it accepts, shakes hands, reads requests and writes replies,
// never waits for a single client and sleeps while nothing happens. Handlers run on a few worker
// threads that are started when they are needed first; streams get a thread each, bounded in number.
// What is too much is answered 503, what is too slow is cut. stop() ends everything and joins.
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "http/client_authority.hpp"
#include "http/handler.hpp"
#include "http/request_head.hpp"
#include "http/tls_identity.hpp"
#include "observe/log.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vkhost::http {

struct ServerSettings {
  std::string name = "http";  // of the threads
  std::size_t workers = 4;
  std::size_t max_waiting = 256;  // requests that wait for a worker
  std::size_t max_connections = 1024;
  std::size_t max_streams = 128;
  std::chrono::milliseconds head_timeout{std::chrono::seconds{10}};  // handshake and head together
  std::chrono::milliseconds body_timeout{std::chrono::seconds{30}};
  std::chrono::milliseconds write_timeout{std::chrono::seconds{30}};
  // Longer than the 90 s for which clients in Go keep a connection, so that it's they who close.
  std::chrono::milliseconds idle_timeout{std::chrono::seconds{120}};
  std::size_t max_body_bytes = std::size_t{1024} * 1024;
  HeadLimits head = {};
  // Makes the answer for whatever the server itself refuses; the default is plain text.
  std::function<Reply(int status, std::string sentence)> refusal = text_reply;
};

struct Listen {
  std::string address = "127.0.0.1";              // an IP address; "::" takes IPv4 too
  int port = 0;                                   // 0: any free one
  std::shared_ptr<TlsIdentity> identity = {};     // none: plain HTTP
  std::shared_ptr<ClientAuthority> clients = {};  // none: no client certificate counts
};

class Server {
 public:
  // The handler must outlive the server, which starts serving with the first listen(). [startup]
  static Result<std::unique_ptr<Server>> create(ServerSettings settings,
                                                std::shared_ptr<Handler> handler,
                                                std::shared_ptr<const Clock> clock,
                                                observe::Logger log);
  virtual ~Server() = default;  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The port. UNAVAILABLE when the address cannot be had, INVALID_ARGUMENT when it is none.
  virtual Result<int> listen(const Listen& listen) = 0;  // [any-thread]
  // Takes no new connections on that port; those that are open stay. [any-thread]
  virtual void unlisten(int port) = 0;
  // Cuts all connections, cancels requests and streams, and joins their threads; they must come to
  // an end when cancelled. Nothing can be started again. [any-thread] [may-block]
  virtual void stop() = 0;

  struct Counts {
    std::size_t connections = 0;
    std::size_t streams = 0;
    std::size_t workers = 0;
    std::uint64_t requests = 0;
    std::uint64_t refused = 0;
  };
  [[nodiscard]] virtual Counts counts() const = 0;  // [any-thread]

 protected:
  Server() = default;
};

}  // namespace vkhost::http
