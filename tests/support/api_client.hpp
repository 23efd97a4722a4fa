// ApiClient: the plain HTTPS client with which tests look at a cluster, or play the daemon's part.
//
// JSON in, JSON out, as text. Connections are kept and shared by all threads that use one client. An
// HTTP error is an answer; a connection that fails throws std::runtime_error. [any-thread]
// [may-block]
#pragma once

#include "base/mutex.hpp"
#include "support/http_wire.hpp"
#include "support/tls_stream.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

struct ApiAnswer {
  int status = 0;
  Head head = {};
  std::string body = {};

  [[nodiscard]] bool is_success() const { return status / 100 == 2; }
};

class ApiClient {
 public:
  // The server is on 127.0.0.1; an empty token sends none.
  ApiClient(int port, const std::string& ca_pem, std::string token);
  // Identified by a client certificate instead.
  ApiClient(int port, const std::string& ca_pem, const IssuedCertificate& own);

  ApiAnswer get(std::string_view path) { return send("GET", path, ""); }
  ApiAnswer create(std::string_view path, std::string_view json) {
    return send("POST", path, json);
  }
  ApiAnswer update(std::string_view path, std::string_view json) { return send("PUT", path, json); }
  // A merge patch (RFC 7386) unless told otherwise.
  ApiAnswer patch(std::string_view path,
                  std::string_view json,
                  std::string_view type = "application/merge-patch+json") {
    return send("PATCH", path, json, type);
  }
  ApiAnswer remove(std::string_view path) { return send("DELETE", path, ""); }
  ApiAnswer send(std::string_view method,
                 std::string_view path,
                 std::string_view body,
                 std::string_view content_type = "application/json");

  enum class WatchEnd { ByServer, ByCaller, Cut, TimedOut, Refused };
  // Follows a watch; `on_event` gets one JSON line at a time and returns false to leave. `path`
  // includes the query. On Refused the answer, if any, is in *refusal. A descriptor that becomes
  // readable ends it too, as if the caller had left.
  WatchEnd watch(std::string_view path,
                 std::chrono::milliseconds within,
                 const std::function<bool(std::string_view event)>& on_event,
                 ApiAnswer* refusal = nullptr,
                 int wake_fd = -1);

  // For every request from now on: how long an answer may take.
  void set_timeout(std::chrono::milliseconds timeout) { timeout_ = timeout; }

 private:
  struct Connection {
    std::unique_ptr<TlsStream> tls;
    MessageReader reader;
  };

  [[nodiscard]] std::string request_text(std::string_view method,
                                         std::string_view path,
                                         std::string_view body,
                                         std::string_view content_type) const;
  [[nodiscard]] std::unique_ptr<Connection> connect() const;
  [[nodiscard]] std::unique_ptr<Connection> take_idle();
  [[nodiscard]] bool exchange(Connection& connection,
                              std::string_view request,
                              std::string_view method,
                              ApiAnswer* answer) const;

  const int port_;
  const TlsContext context_;
  const std::string token_;
  std::chrono::milliseconds timeout_{std::chrono::seconds{30}};
  Mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::testing
