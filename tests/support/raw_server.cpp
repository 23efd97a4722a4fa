#include "support/raw_server.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace vkhost::testing {
namespace {

ssl_ctx_st* make_tls(const IssuedCertificate& own) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* chain = BIO_new_mem_buf(own.certificate_pem.data(), -1);
  BIO* key_text = BIO_new_mem_buf(own.key_pem.data(), -1);
  X509* leaf = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
  if (SSL_CTX_use_certificate(context, leaf) != 1 || SSL_CTX_use_PrivateKey(context, key) != 1) {
    throw std::runtime_error("the certificate of a test server is unusable");
  }
  while (X509* next = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr)) {
    SSL_CTX_add1_chain_cert(context, next);
    X509_free(next);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  X509_free(leaf);
  EVP_PKEY_free(key);
  BIO_free(chain);
  BIO_free(key_text);
  return context;
}

}  // namespace

RawPeer::RawPeer(Descriptor descriptor, ssl_ctx_st* tls, int index)
    : descriptor_(std::move(descriptor)), index_(index) {
  if (tls != nullptr) {
    start_tls(tls);
  }
}

RawPeer::~RawPeer() { SSL_free(ssl_); }

void RawPeer::start_tls(ssl_ctx_st* tls) {
  ssl_ = SSL_new(tls);
  SSL_set_fd(ssl_, descriptor_.get());
  SSL_set_accept_state(ssl_);
}

std::string RawPeer::read_some() {
  std::array<char, 16 * 1024> buffer{};
  ssize_t got = 0;
  if (ssl_ != nullptr) {
    got = SSL_read(ssl_, buffer.data(), static_cast<int>(buffer.size()));
  } else {
    got = ::recv(descriptor_.get(), buffer.data(), buffer.size(), 0);
  }
  return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : std::string();
}

std::string RawPeer::read_request() {
  std::size_t wanted = std::string::npos;
  for (;;) {
    if (const auto end = received_.find("\r\n\r\n");
        wanted == std::string::npos && end != std::string::npos) {
      wanted = end + 4;
      const auto length = received_.find("Content-Length: ");
      if (length != std::string::npos && length < end) {
        wanted += std::strtoul(received_.c_str() + length + 16, nullptr, 10);
      }
    }
    if (wanted != std::string::npos && received_.size() >= wanted) {
      std::string request = received_.substr(0, wanted);
      received_.erase(0, wanted);
      return request;
    }
    const std::string more = read_some();
    if (more.empty()) {
      return {};
    }
    received_ += more;
  }
}

bool RawPeer::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = 0;
    if (ssl_ != nullptr) {
      sent = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
    } else {
      sent = ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawPeer::answer(int status, std::string_view body, std::string_view more_headers) {
  return send("HTTP/1.1 " + std::to_string(status) +
              " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
              std::string(more_headers) + "\r\n" + std::string(body));
}

void RawPeer::wait_for_end() {
  while (!read_some().empty()) {
  }
}

void RawPeer::close() {
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_) == 1) {
    SSL_shutdown(ssl_);
  }
  ::shutdown(descriptor_.get(), SHUT_RDWR);
}

void RawPeer::cut() { ::shutdown(descriptor_.get(), SHUT_RDWR); }

void RawPeer::reset() {
  reset_on_close(descriptor_.get());
  // The number stays ours until the script is over; connecting it to nothing sends the RST.
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  static_cast<void>(::connect(descriptor_.get(), &nowhere, sizeof nowhere));
}

void RawPeer::interrupt() { ::shutdown(descriptor_.get(), SHUT_RDWR); }

RawServer::RawServer(Script script, const IssuedCertificate& certificate)
    : script_(std::move(script)), listener_(listen_on_loopback()) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own socket layer does not ask for its absence
  if (!certificate.certificate_pem.empty()) {
    tls_ = make_tls(certificate);
  }
  acceptor_ = Thread("raw-accept", [this] { accept_loop(); });
}

RawServer::~RawServer() {
  std::vector<Thread> threads;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (const auto& peer : peers_) {
      peer->interrupt();
    }
  }
  ::shutdown(listener_.socket.get(), SHUT_RDWR);
  acceptor_.join();
  {
    MutexLock lock(mutex_);
    threads = std::move(threads_);
  }
  threads.clear();
  peers_.clear();
  SSL_CTX_free(tls_);
}

std::string RawServer::url() const {
  return (tls_ == nullptr ? "http://127.0.0.1:" : "https://127.0.0.1:") +
         std::to_string(listener_.port);
}

void RawServer::accept_loop() {
  for (;;) {
    Descriptor accepted(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (accepted.get() < 0) {
      if (errno == EINTR) {
        continue;
      }
      return;
    }
    MutexLock lock(mutex_);
    if (stopping_) {
      return;
    }
    auto peer = std::make_shared<RawPeer>(std::move(accepted), tls_, accepted_++);
    peers_.push_back(peer);
    threads_.emplace_back("raw-peer", [this, peer] { serve(peer); });
  }
}

void RawServer::serve(const std::shared_ptr<RawPeer>& peer) {
  script_(*peer);
  peer->cut();
}

}  // namespace vkhost::testing
