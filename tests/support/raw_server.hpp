// RawServer: a TCP or TLS server on loopback whose answers a test writes byte by byte, for everything
// that a well-behaved server never does. Each connection runs the script on a thread of its own with
// blocking calls; the destructor ends them all and joins.
#pragma once

#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "support/certificates.hpp"
#include "support/loopback.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace vkhost::testing {

// One accepted connection, as the script sees it. Calls on an ended connection do nothing.
class RawPeer {
 public:
  RawPeer(Descriptor descriptor, ssl_ctx_st* tls, int index);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  [[nodiscard]] int index() const { return index_; }  // connections before this one
  // Head of a request with its empty line, then the body its Content-Length announces; empty at the
  // end of the connection.
  std::string read_request();
  std::string read_some();
  bool send(std::string_view bytes);
  // A whole answer with a Content-Length.
  bool answer(int status, std::string_view body, std::string_view more_headers = "");
  void wait_for_end();  // reads until the other side closes
  void close();         // orderly
  void cut();           // without the goodbye of TLS
  void reset();         // RST
  void interrupt();     // from another thread: ends all calls
  void start_tls(ssl_ctx_st* tls);

 private:
  Descriptor descriptor_;
  ssl_st* ssl_ = nullptr;
  std::string received_;
  int index_;
};

class RawServer {
 public:
  using Script = std::function<void(RawPeer&)>;
  // Plain TCP without a certificate; with one, TLS, and a client certificate is asked for but not
  // checked.
  explicit RawServer(Script script, const IssuedCertificate& certificate = {});
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] int port() const { return listener_.port; }
  [[nodiscard]] std::string url() const;  // with 127.0.0.1
  [[nodiscard]] int accepted() const { return accepted_; }
  [[nodiscard]] ssl_ctx_st* tls() const { return tls_; }

 private:
  void accept_loop();
  void serve(const std::shared_ptr<RawPeer>& peer);

  Script script_;
  Listener listener_;
  ssl_ctx_st* tls_ = nullptr;
  std::atomic<int> accepted_ = 0;
  Mutex mutex_;
  bool stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<RawPeer>> peers_ VKHOST_GUARDED_BY(mutex_);
  std::vector<Thread> threads_ VKHOST_GUARDED_BY(mutex_);
  Thread acceptor_;
};

}  // namespace vkhost::testing
