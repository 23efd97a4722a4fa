#include "http/tls_socket.hpp"

#include "http/openssl_types.hpp"
#include "http/socket_exceptions.hpp"
#include "http/tls_context.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace vkhost::http {
namespace {

constexpr std::size_t kMostPerCall = std::size_t{1} << 30U;  // OpenSSL counts in int

int clamp_to_int(std::size_t size) { return static_cast<int>(std::min(size, kMostPerCall)); }

// RFC 6066 §3: SNI carries names only. The certificate is checked for the address or the name, never
// for its common name.
void expect_name(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* rules = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str()) == 1) {
    return;
  }
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_host(rules, name.c_str(), 0) != 1 ||
      SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(name.c_str())) != 1) {
    throw Poco::InvalidArgumentException("name of the server", take_openssl_error());
  }
}

std::string to_der(X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  std::string der(static_cast<std::size_t>(std::max(size, 0)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  return size > 0 && i2d_X509(certificate, &out) == size ? der : std::string();
}

}  // namespace

TlsSocketImpl::TlsSocketImpl(int descriptor, std::shared_ptr<const TlsContext> context)
    : DeadlineSocketImpl(descriptor), context_(std::move(context)) {
  const MutexLock lock(mutex_);
  ERR_clear_error();
  SslPtr ssl(SSL_new(context_->native()));
  BIO* bio = BIO_new(bio_methods());
  if (ssl == nullptr || bio == nullptr) {
    static_cast<void>(BIO_free(bio));
    throw TlsException("making a connection", take_openssl_error());
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  ssl_ = ssl.release();
}

TlsSocketImpl::~TlsSocketImpl() {
  const MutexLock lock(mutex_);
  if (ssl_ != nullptr) {
    finish_step();
  }
  close_descriptor();
  SSL_free(ssl_);
}

std::shared_ptr<TlsSocketImpl> TlsSocketImpl::connect_side(
    int descriptor, std::shared_ptr<const TlsContext> context, const std::string& name) {
  auto socket = share_socket(new TlsSocketImpl(descriptor, std::move(context)));
  const MutexLock lock(socket->mutex_);
  socket->name_ = name;
  expect_name(socket->ssl_, name);
  SSL_set_connect_state(socket->ssl_);
  return socket;
}

std::shared_ptr<TlsSocketImpl> TlsSocketImpl::accept_side(
    int descriptor, std::shared_ptr<const TlsContext> context) {
  auto socket = share_socket(new TlsSocketImpl(descriptor, std::move(context)));
  const MutexLock lock(socket->mutex_);
  SSL_set_accept_state(socket->ssl_);
  return socket;
}

void TlsSocketImpl::handshake() {
  const IoStep done = complete(Poco::Timespan(), [this] {
    const MutexLock lock(mutex_);
    check_usable();
    begin_call();
    return step_of(SSL_do_handshake(ssl_));
  });
  if (done.end) {
    throw TlsException("the other side closed the connection during the TLS handshake");
  }
}

bool TlsSocketImpl::handshake_is_done() {
  const MutexLock lock(mutex_);
  return SSL_is_init_finished(ssl_) == 1;
}

std::vector<std::string> TlsSocketImpl::peer_chain() {
  const MutexLock lock(mutex_);
  std::vector<std::string> chain;
  X509* own = SSL_get0_peer_certificate(ssl_);
  if (own == nullptr) {
    return chain;
  }
  chain.push_back(to_der(own));
  const STACK_OF(X509)* sent = SSL_get_peer_cert_chain(ssl_);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    X509* certificate = sk_X509_value(sent, i);
    if (i > 0 || X509_cmp(certificate, own) != 0) {  // a server's chain begins with its own
      chain.push_back(to_der(certificate));
    }
  }
  return chain;
}

bool TlsSocketImpl::ended_cleanly() {
  const MutexLock lock(mutex_);
  return ended_cleanly_;
}

IoStep TlsSocketImpl::receive_step(void* buffer, std::size_t capacity) {
  if (transport_ended_ || ended_cleanly_) {
    return {0, Want::Nothing, true};
  }
  if (capacity == 0) {
    return {};
  }
  begin_call();
  const int outcome = SSL_read(ssl_, buffer, clamp_to_int(capacity));
  // A session ticket on the way makes OpenSSL set up a write buffer, which it gives back with the next
  // write only: 16 KiB for as long as a watch lasts. Between two records it is safe to take it.
  if (outcome > 0 && SSL_has_pending(ssl_) == 0) {
    static_cast<void>(SSL_free_buffers(ssl_));
  }
  return step_of(outcome);
}

IoStep TlsSocketImpl::send_step(const void* data, std::size_t size) {
  if (size == 0) {
    return {};
  }
  begin_call();
  const IoStep done = step_of(SSL_write(ssl_, data, clamp_to_int(size)));
  if (done.end) {
    throw Poco::Net::ConnectionResetException("the other side closed the connection");
  }
  return done;
}

void TlsSocketImpl::begin_call() {
  ERR_clear_error();  // SSL_get_error looks at the queue of the whole thread
  io_errno_ = 0;
}

IoStep TlsSocketImpl::step_of(int outcome) {
  if (outcome > 0) {
    return {static_cast<std::size_t>(outcome), Want::Nothing, false};
  }
  const int ssl_error = SSL_get_error(ssl_, outcome);
  switch (ssl_error) {
    case SSL_ERROR_WANT_READ:
      return {0, Want::Read, false};
    case SSL_ERROR_WANT_WRITE:
      return {0, Want::Write, false};
    case SSL_ERROR_ZERO_RETURN:
      ended_cleanly_ = true;
      return {0, Want::Nothing, true};
    default:
      break;
  }
  broken_ = true;
  if (transport_ended_) {  // closed without goodbye, as many do; framing tells whether it was a cut
    ERR_clear_error();
    return {0, Want::Nothing, true};
  }
  fail(ssl_error);
}

void TlsSocketImpl::fail(int ssl_error) {
  if (ssl_error == SSL_ERROR_SYSCALL && io_errno_ != 0) {
    ERR_clear_error();
    if (io_errno_ == EPIPE) {
      throw Poco::Net::ConnectionResetException("the other side closed the connection");
    }
    error(io_errno_, "TLS connection");
  }
  const int reason = ERR_GET_REASON(ERR_peek_error());
  const long verdict = SSL_get_verify_result(ssl_);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && verdict != X509_V_OK) {
    ERR_clear_error();
    throw PeerCertificateException("not accepted for '" + name_ + "'",
                                   X509_verify_cert_error_string(verdict));
  }
  throw TlsException(take_openssl_error());
}

std::size_t TlsSocketImpl::buffered_step() {
  return static_cast<std::size_t>(std::max(SSL_pending(ssl_), 0));
}

void TlsSocketImpl::finish_step() {
  if (sockfd() == POCO_INVALID_SOCKET || broken_ || is_shut_down() ||
      SSL_is_init_finished(ssl_) != 1) {
    return;
  }
  ERR_clear_error();
  static_cast<void>(SSL_shutdown(ssl_));  // sends, does not wait for the answer
  ERR_clear_error();
}

namespace {
[[noreturn]] void refuse_connect() {
  throw Poco::InvalidAccessException("a TLS socket is made from a connected descriptor");
}
}  // namespace

void TlsSocketImpl::connect(const Poco::Net::SocketAddress& /*address*/) { refuse_connect(); }
void TlsSocketImpl::connect(const Poco::Net::SocketAddress& /*address*/,
                            const Poco::Timespan& /*timeout*/) {
  refuse_connect();
}
void TlsSocketImpl::connectNB(const Poco::Net::SocketAddress& /*address*/) { refuse_connect(); }

const bio_method_st* TlsSocketImpl::bio_methods() {
  static const BIO_METHOD* const table = [] {
    BIO_METHOD* methods =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "vkhost connection");
    if (methods == nullptr || BIO_meth_set_read(methods, bio_read) != 1 ||
        BIO_meth_set_write(methods, bio_write) != 1 ||
        BIO_meth_set_ctrl(methods, bio_control) != 1) {
      throw TlsException("TLS library", take_openssl_error());
    }
    return methods;
  }();
  return table;
}

int TlsSocketImpl::bio_read(bio_st* bio, char* buffer, int capacity) {
  auto* self = static_cast<TlsSocketImpl*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ssize_t got = 0;
  do {
    got = ::recv(self->sockfd(), buffer, static_cast<std::size_t>(capacity), 0);
  } while (got < 0 && errno == EINTR);
  if (got == 0) {
    self->transport_ended_ = true;
  } else if (got < 0 && errno == EAGAIN) {
    BIO_set_retry_read(bio);
  } else if (got < 0) {
    self->io_errno_ = errno;
  }
  return static_cast<int>(got);
}

int TlsSocketImpl::bio_write(bio_st* bio, const char* data, int size) {
  auto* self = static_cast<TlsSocketImpl*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t sent = self->raw_send(data, static_cast<std::size_t>(size));
  if (sent < 0 && errno == EAGAIN) {
    BIO_set_retry_write(bio);
  } else if (sent < 0) {
    self->io_errno_ = errno;
  }
  return static_cast<int>(sent);
}

long TlsSocketImpl::bio_control(bio_st* bio, int command, long /*number*/, void* /*pointer*/) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return static_cast<TlsSocketImpl*>(BIO_get_data(bio))->transport_ended_ ? 1 : 0;
    default:
      return 0;
  }
}

}  // namespace vkhost::http
