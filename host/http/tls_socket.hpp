// TlsSocketImpl: DeadlineSocketImpl with TLS inside, for both sides of a connection.
//
// Unlike Poco's own, it may be read and written by two threads at once (a mutex around each single
// call into OpenSSL, never around a wait), its timeouts are exact, decrypted bytes count for poll(),
// and goodbye is said before the descriptor is given back. The handshake happens with the first
// bytes, or in handshake(). Failures are exceptions as in deadline_socket.hpp, PeerCertificateException
// when the server's certificate is not accepted, TlsException for other trouble.
#pragma once

#include "http/deadline_socket.hpp"

#include <memory>
#include <string>
#include <vector>

struct ssl_st;
struct bio_st;
struct bio_method_st;

namespace vkhost::http {

class TlsContext;

class TlsSocketImpl final : public DeadlineSocketImpl {
 public:
  TlsSocketImpl(const TlsSocketImpl&) = delete;
  TlsSocketImpl& operator=(const TlsSocketImpl&) = delete;

  // Takes over the descriptor. The certificate must be valid for `name`, a DNS name or an IP
  // address; a DNS name is also sent as SNI.
  static std::shared_ptr<TlsSocketImpl> connect_side(int descriptor,
                                                     std::shared_ptr<const TlsContext> context,
                                                     const std::string& name)
      VKHOST_NO_THREAD_SAFETY_ANALYSIS;
  static std::shared_ptr<TlsSocketImpl> accept_side(
      int descriptor, std::shared_ptr<const TlsContext> context) VKHOST_NO_THREAD_SAFETY_ANALYSIS;

  // [may-block], until the deadline
  void handshake();
  [[nodiscard]] bool handshake_is_done();

  // Certificates the other side sent, DER, its own first; empty when it sent none. Nobody has
  // checked them on the side that accepts.
  [[nodiscard]] std::vector<std::string> peer_chain();
  // The other side said goodbye.
  [[nodiscard]] bool ended_cleanly() override;

  [[nodiscard]] bool secure() const override { return true; }
  void connect(const Poco::Net::SocketAddress& address) override;
  void connect(const Poco::Net::SocketAddress& address, const Poco::Timespan& timeout) override;
  void connectNB(const Poco::Net::SocketAddress& address) override;

 protected:
  ~TlsSocketImpl() override;

  IoStep receive_step(void* buffer, std::size_t capacity) override VKHOST_REQUIRES(mutex_);
  IoStep send_step(const void* data, std::size_t size) override VKHOST_REQUIRES(mutex_);
  std::size_t buffered_step() override VKHOST_REQUIRES(mutex_);
  void finish_step() override VKHOST_REQUIRES(mutex_);

 private:
  TlsSocketImpl(int descriptor, std::shared_ptr<const TlsContext> context);

  void begin_call() VKHOST_REQUIRES(mutex_);
  IoStep step_of(int outcome) VKHOST_REQUIRES(mutex_);
  [[noreturn]] void fail(int ssl_error) VKHOST_REQUIRES(mutex_);

  // The socket below OpenSSL: as its own, but without SIGPIPE and with our count of bytes.
  static const bio_method_st* bio_methods();
  // They run inside a call into OpenSSL, so the lock is held.
  static int bio_read(bio_st* bio, char* buffer, int capacity) VKHOST_NO_THREAD_SAFETY_ANALYSIS;
  static int bio_write(bio_st* bio, const char* data, int size) VKHOST_NO_THREAD_SAFETY_ANALYSIS;
  static long bio_control(bio_st* bio, int command, long number, void* pointer)
      VKHOST_NO_THREAD_SAFETY_ANALYSIS;

  std::shared_ptr<const TlsContext> context_;
  std::string name_;                                 // checked in the peer's certificate
  ssl_st* ssl_ VKHOST_GUARDED_BY(mutex_) = nullptr;  // never null after construction
  int io_errno_ VKHOST_GUARDED_BY(mutex_) = 0;       // of the last call below OpenSSL
  bool transport_ended_ VKHOST_GUARDED_BY(mutex_) = false;
  bool ended_cleanly_ VKHOST_GUARDED_BY(mutex_) = false;
  bool broken_ VKHOST_GUARDED_BY(mutex_) = false;  // OpenSSL forbids SSL_shutdown then
};

}  // namespace vkhost::http
