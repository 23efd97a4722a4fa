// TlsStream: one TLS connection for test servers, proxies and clients, owned and used by one thread.
//
// Every wait ends at its deadline, and also when the descriptor `wake_fd` becomes readable, which is
// how another thread interrupts the owner. Nothing throws after construction: failures are values.
#pragma once

#include "base/clock.hpp"
#include "support/certificates.hpp"
#include "support/loopback.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

using SSL = struct ssl_st;
using SSL_CTX = struct ssl_ctx_st;

namespace vkhost::testing {

// An eventfd: raised from any thread, seen by poll() until lowered.
class WakeFd {
 public:
  WakeFd();
  [[nodiscard]] int get() const { return fd_.get(); }
  void raise() const;
  void lower() const;

 private:
  Descriptor fd_;
};

// Settings shared by connections; immutable. Throws std::runtime_error on unusable PEM.
class TlsContext {
 public:
  static TlsContext server(const IssuedCertificate& own);
  static TlsContext client(const std::string& ca_pem);
  static TlsContext client(const std::string& ca_pem, const IssuedCertificate& own);
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  std::shared_ptr<SSL_CTX> context_;
};

enum class Io { Ok, WouldBlock, End, TimedOut, Woken, Failed };
struct IoResult {
  Io outcome = Io::Failed;
  std::size_t bytes = 0;
};
struct Wait {
  SteadyTime until = SteadyTime::max();
  int wake_fd = -1;
};
// How a connection ends: close_notify and FIN, or a reset without a word.
enum class Ending { Orderly, Abrupt };

class TlsStream {
 public:
  // Takes over a connected socket; the handshake happens in handshake().
  static std::unique_ptr<TlsStream> serve(const TlsContext& context, Descriptor socket);
  // Connects to 127.0.0.1:port and shakes hands; null on failure, with the reason in *why.
  static std::unique_ptr<TlsStream> connect(const TlsContext& context,
                                            int port,
                                            Wait wait,
                                            std::string* why);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] Io handshake(Wait wait);
  // What is there already; never waits.
  [[nodiscard]] IoResult read_now(std::span<char> into);
  // At least one byte, or the reason for none.
  [[nodiscard]] IoResult read(std::span<char> into, Wait wait);
  // Everything, or the reason why only `bytes` of it went out.
  [[nodiscard]] IoResult write(std::string_view bytes, Wait wait);
  void close(Ending ending);

 private:
  TlsStream(const TlsContext& context, Descriptor socket);
  template <typename Call>
  IoResult attempt(Call call);
  [[nodiscard]] Io wait_for_socket(Wait wait) const;

  Descriptor socket_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  short wanted_ = 0;  // poll events that the last WouldBlock waits for
};

// Waits until `fd` has one of `events` (or hung up), the deadline passed, or wake_fd is readable.
[[nodiscard]] Io wait_for_fd(int fd, short events, Wait wait);

}  // namespace vkhost::testing
