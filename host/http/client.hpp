// HTTP/1.1 client: Transport sends requests to one server over kept connections.
//
// One Transport serves all threads of the process that talk to that server; it owns its
// connections, bounds how many are in use, and repeats a request once by itself when a kept
// connection turns out to be closed before any byte of the answer (RFC 9110 §9.2.2 and RFC 9112
// §9.3.1; only for idempotent methods and requests, or when nothing was sent). Failures are Status: UNAVAILABLE
// (connect, reset, truncated body), DEADLINE_EXCEEDED, CANCELLED, UNAUTHENTICATED (the server's
// certificate), RESOURCE_EXHAUSTED (the body is over the limit). An answer of any HTTP status is a
// success here.
#pragma once

#include "base/cancel.hpp"
#include "base/deadline.hpp"
#include "base/status.hpp"
#include "http/headers.hpp"  // IWYU pragma: export

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::http {

struct Request {
  std::string method = "GET";
  std::string target = "/";  // path and query, already escaped
  Headers headers = {};
  std::string body = {};
  bool repeatable = false;  // sending it twice does what sending it once does, whatever its method
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

// The answer to one request while its body still arrives (a watch). For one thread at a time.
class ResponseStream {
 public:
  ResponseStream() = default;
  ResponseStream(const ResponseStream&) = delete;
  ResponseStream& operator=(const ResponseStream&) = delete;
  virtual ~ResponseStream() = default;

  [[nodiscard]] virtual int status() const = 0;
  [[nodiscard]] virtual const Headers& headers() const = 0;
  // Waits for body bytes; 0 is the proper end of the body, a cut one is UNAVAILABLE. After
  // DEADLINE_EXCEEDED the stream is as good as before; other failures are final. [may-block]
  virtual Result<std::size_t> read(char* buffer, std::size_t capacity, Deadline deadline) = 0;
  // As read(), with what is there; nothing when more has to arrive first, which then makes
  // descriptor() readable. [no-block]
  virtual Result<std::optional<std::size_t>> try_read(char* buffer, std::size_t capacity) = 0;
  [[nodiscard]] virtual int descriptor() const = 0;  // for poll(2) and its like, nothing else
};

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  // Sends and reads the whole answer. [any-thread] [may-block]
  virtual Result<Response> send(const Request& request,
                                Deadline deadline,
                                const CancelToken& cancel) = 0;
  // Sends and returns once the head of the answer is there (`deadline` ends with it); the stream
  // has a connection of its own and is cancelled by `cancel`. [any-thread] [may-block]
  virtual Result<std::unique_ptr<ResponseStream>> open(const Request& request,
                                                       Deadline deadline,
                                                       const CancelToken& cancel) = 0;
};

struct ClientTls {
  std::string ca_pem = {};           // empty: the system's trust store
  std::string certificate_pem = {};  // client certificate and key, or both empty
  std::string key_pem = {};
  std::string server_name = {};  // checked against the certificate; empty: the host dialled
  bool insecure_skip_verify = false;
};

struct TransportSettings {
  std::string url = {};  // http(s)://host[:port][/base-path]; the base path is put before targets
  ClientTls tls = {};
  std::string proxy_url = {};        // http://[user:password@]host:port, or empty
  std::size_t max_connections = 32;  // in use at once; streams of open() don't count
  std::chrono::milliseconds connect_timeout{std::chrono::seconds{10}};
  std::chrono::milliseconds idle_timeout{std::chrono::seconds{60}};
  std::size_t max_body_bytes = std::size_t{256} * 1024 * 1024;
};

// The real one, on Poco and our TLS socket. INVALID_ARGUMENT names the setting that is wrong.
Result<std::unique_ptr<Transport>> make_poco_transport(const TransportSettings& settings,
                                                       std::shared_ptr<const Clock> clock);

}  // namespace vkhost::http
