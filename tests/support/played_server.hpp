// PlayedServer: a TLS server that a test plays: every request is answered with the bytes that the
// test's function returns, and an answer may stay open for the test to push more into it.
//
// `play` runs on the threads of the server, several at once. The destructor ends all connections and
// joins. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "support/certificates.hpp"
#include "support/http_wire.hpp"
#include "support/tls_stream.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace vkhost::testing {

class PlayedServer {
 public:
  enum class Then { NextRequest, StayOpen, Close };
  struct Answer {
    std::string bytes = {};  // head and body, as they go over the wire
    Then then = Then::NextRequest;
  };
  using Play = std::function<Answer(const Head& head, const std::string& body)>;

  explicit PlayedServer(Play play);
  ~PlayedServer();
  PlayedServer(const PlayedServer&) = delete;
  PlayedServer& operator=(const PlayedServer&) = delete;

  [[nodiscard]] int port() const { return listener_.port; }
  [[nodiscard]] const std::string& ca_pem() const { return ca_.certificate_pem(); }
  // To all answers that stay open.
  void push(const std::string& bytes);
  [[nodiscard]] std::size_t connections_so_far() const { return connections_so_far_; }

  // "HTTP/1.1 200 OK" with a JSON body.
  static Answer json(const std::string& body);
  // A chunked answer that stays open, and a chunk for it.
  static Answer open_stream();
  static std::string chunk(const std::string& payload);

 private:
  struct Connection {
    WakeFd wake;
    Mutex mutex;
    std::string to_send VKHOST_GUARDED_BY(mutex);
    bool open VKHOST_GUARDED_BY(mutex) = false;
    bool stopping VKHOST_GUARDED_BY(mutex) = false;
  };
  struct Running {
    std::shared_ptr<Connection> connection;
    Thread thread;
  };

  void accept_connections();
  void serve(Connection& connection, Descriptor socket);
  static bool stream(Connection& connection, TlsStream& tls);

  Play play_;
  CertificateAuthority ca_{"played-server-ca"};
  TlsContext context_;
  Listener listener_ = listen_without_blocking();
  WakeFd stop_accepting_;
  std::atomic<std::size_t> connections_so_far_{0};
  Mutex mutex_;
  std::list<Running> running_ VKHOST_GUARDED_BY(mutex_);
  Thread accept_thread_;
};

}  // namespace vkhost::testing
