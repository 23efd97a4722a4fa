#include "support/tls_stream.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace vkhost::testing {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int milliseconds_until(SteadyTime until) {
  if (until == SteadyTime::max()) {
    return -1;
  }
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
}

std::shared_ptr<SSL_CTX> make_context(const SSL_METHOD* method) {
  // OpenSSL writes with write(2): a peer that is gone must be an error, not the end of the process.
  static const auto ignored = std::signal(SIGPIPE, SIG_IGN);
  static_cast<void>(ignored);
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) {
    throw std::runtime_error("SSL_CTX_new failed");
  }
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

void use_key_pair(SSL_CTX* context, const IssuedCertificate& own) {
  const auto bio_of = [](const std::string& text) {
    return std::unique_ptr<BIO, decltype(&BIO_free)>(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  };
  const auto certificate_bio = bio_of(own.certificate_pem);
  const auto key_bio = bio_of(own.key_pem);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr), &X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (!certificate || !key || SSL_CTX_use_certificate(context, certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    throw std::runtime_error("this certificate and key cannot be used for TLS");
  }
}

std::string openssl_reason() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return text.data();
}

}  // namespace

WakeFd::WakeFd() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_.get() < 0) {
    fail("eventfd");
  }
}

void WakeFd::raise() const { static_cast<void>(::eventfd_write(fd_.get(), 1)); }

void WakeFd::lower() const {
  eventfd_t count = 0;
  static_cast<void>(::eventfd_read(fd_.get(), &count));
}

TlsContext TlsContext::server(const IssuedCertificate& own) {
  TlsContext context;
  context.context_ = make_context(TLS_server_method());
  use_key_pair(context.get(), own);
  return context;
}

TlsContext TlsContext::client(const std::string& ca_pem) {
  TlsContext context;
  context.context_ = make_context(TLS_client_method());
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size())), &BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> ca(
      PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free);
  if (!ca || X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca.get()) != 1) {
    throw std::runtime_error("this CA certificate cannot be used for TLS");
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

TlsContext TlsContext::client(const std::string& ca_pem, const IssuedCertificate& own) {
  TlsContext context = client(ca_pem);
  use_key_pair(context.get(), own);
  return context;
}

TlsStream::TlsStream(const TlsContext& context, Descriptor socket)
    : socket_(std::move(socket)), ssl_(SSL_new(context.get()), SSL_free) {
  const int on = 1;
  ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
  SSL_set_fd(ssl_.get(), socket_.get());
}

std::unique_ptr<TlsStream> TlsStream::serve(const TlsContext& context, Descriptor socket) {
  std::unique_ptr<TlsStream> stream(new TlsStream(context, std::move(socket)));
  SSL_set_accept_state(stream->ssl_.get());
  return stream;
}

std::unique_ptr<TlsStream> TlsStream::connect(const TlsContext& context,
                                              int port,
                                              Wait wait,
                                              std::string* why) {
  Descriptor socket;
  try {
    socket = connect_to(port);  // loopback answers at once, so this may block
  } catch (const std::system_error& error) {
    *why = "connecting to port " + std::to_string(port) + ": " + error.what();
    return nullptr;
  }
  std::unique_ptr<TlsStream> stream(new TlsStream(context, std::move(socket)));
  X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream->ssl_.get()), "127.0.0.1");
  SSL_set_connect_state(stream->ssl_.get());
  if (stream->handshake(wait) != Io::Ok) {
    *why = "TLS handshake with port " + std::to_string(port) + ": " + openssl_reason();
    return nullptr;
  }
  return stream;
}

TlsStream::~TlsStream() { close(Ending::Orderly); }

template <typename Call>
IoResult TlsStream::attempt(Call call) {
  if (socket_.get() < 0) {
    return {Io::Failed};
  }
  ERR_clear_error();
  const int result = call(ssl_.get());
  if (result > 0) {
    return {Io::Ok, static_cast<std::size_t>(result)};
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wanted_ = POLLIN;
      return {Io::WouldBlock};
    case SSL_ERROR_WANT_WRITE:
      wanted_ = POLLOUT;
      return {Io::WouldBlock};
    case SSL_ERROR_ZERO_RETURN:
      return {Io::End};
    default:
      return {Io::Failed};
  }
}

Io TlsStream::wait_for_socket(Wait wait) const { return wait_for_fd(socket_.get(), wanted_, wait); }

Io TlsStream::handshake(Wait wait) {
  for (;;) {
    const Io outcome = attempt([](SSL* ssl) { return SSL_do_handshake(ssl); }).outcome;
    if (outcome != Io::WouldBlock) {
      return outcome;
    }
    if (const Io waited = wait_for_socket(wait); waited != Io::Ok) {
      return waited;
    }
  }
}

IoResult TlsStream::read_now(std::span<char> into) {
  const int capacity = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
  return attempt([&](SSL* ssl) { return SSL_read(ssl, into.data(), capacity); });
}

IoResult TlsStream::read(std::span<char> into, Wait wait) {
  for (;;) {
    const IoResult result = read_now(into);
    if (result.outcome != Io::WouldBlock) {
      return result;
    }
    if (const Io waited = wait_for_socket(wait); waited != Io::Ok) {
      return {waited};
    }
  }
}

IoResult TlsStream::write(std::string_view bytes, Wait wait) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const std::string_view rest = bytes.substr(sent);
    const int length = static_cast<int>(std::min<std::size_t>(rest.size(), INT_MAX));
    const IoResult result = attempt([&](SSL* ssl) { return SSL_write(ssl, rest.data(), length); });
    sent += result.bytes;
    if (result.outcome == Io::WouldBlock) {
      if (const Io waited = wait_for_socket(wait); waited != Io::Ok) {
        return {waited, sent};
      }
    } else if (result.outcome != Io::Ok) {
      return {result.outcome, sent};
    }
  }
  return {Io::Ok, sent};
}

void TlsStream::close(Ending ending) {
  if (socket_.get() < 0) {
    return;
  }
  if (ending == Ending::Orderly) {
    // After a failed handshake there is no session to end.
    if (SSL_is_init_finished(ssl_.get()) == 1) {
      static_cast<void>(attempt([](SSL* ssl) { return SSL_shutdown(ssl); }));
    }
  } else {
    reset_on_close(socket_.get());
  }
  socket_.reset();
}

Io wait_for_fd(int fd, short events, Wait wait) {
  for (;;) {
    std::array<pollfd, 2> polled{{{fd, events, 0}, {wait.wake_fd, POLLIN, 0}}};
    const int ready = ::poll(polled.data(), polled.size(), milliseconds_until(wait.until));
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    if (ready < 0) {
      return Io::Failed;
    }
    if (polled[1].revents != 0) {
      return Io::Woken;
    }
    return ready == 0 ? Io::TimedOut : Io::Ok;
  }
}

}  // namespace vkhost::testing
