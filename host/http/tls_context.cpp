#include "http/tls_context.hpp"

#include "http/openssl_types.hpp"

#include <openssl/err.h>

#include <array>

namespace vkhost::http {
namespace {

Result<SslContextPtr> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(method));
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    return internal_error("TLS library: " + take_openssl_error());
  }
  // Partial writes and a moving buffer let a send be continued after a wait; idle connections give
  // their buffers back; the chain we show is the one we were given, not one from the trust store.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  return context;
}

Status use_certificate(SSL_CTX* context, const std::string& chain_pem, const std::string& key_pem) {
  VKHOST_TRY_ASSIGN(const auto chain, read_certificates(chain_pem, "certificate"));
  VKHOST_TRY_ASSIGN(const auto key, read_private_key(key_pem, "key of the certificate"));
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return invalid_argument("certificate: " + take_openssl_error());
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      return invalid_argument("certificate " + std::to_string(i + 1) +
                              " of the chain: " + take_openssl_error());
    }
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return invalid_argument("the key does not belong to the certificate (" + take_openssl_error() +
                            ")");
  }
  return Status::ok();
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::for_client(const ClientTls& settings) {
  VKHOST_TRY_ASSIGN(SslContextPtr context, make_context(TLS_client_method()));
  if (!settings.ca_pem.empty()) {
    VKHOST_TRY_ASSIGN(CertificateStorePtr store,
                      make_store(settings.ca_pem, "certificate authority"));
    SSL_CTX_set_cert_store(context.get(), store.release());
  } else if (!settings.insecure_skip_verify &&  // reading the system's takes some 40 ms
             SSL_CTX_set_default_verify_paths(context.get()) != 1) {
    return internal_error("trust store of the system: " + take_openssl_error());
  }
  if (settings.certificate_pem.empty() != settings.key_pem.empty()) {
    return invalid_argument("client certificate: certificate and key go together, one is missing");
  }
  if (!settings.certificate_pem.empty()) {
    VKHOST_TRY(use_certificate(context.get(), settings.certificate_pem, settings.key_pem)
                   .while_doing("client certificate"));
  }
  const bool verify = !settings.insecure_skip_verify;
  SSL_CTX_set_verify(context.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return std::shared_ptr<const TlsContext>(new TlsContext(context.release(), verify));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::for_server(const ServerIdentity& identity) {
  VKHOST_TRY_ASSIGN(SslContextPtr context, make_context(TLS_server_method()));
  VKHOST_TRY(use_certificate(context.get(), identity.certificate_pem, identity.key_pem)
                 .while_doing("serving certificate"));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(
      context.get(), [](X509_STORE_CTX* /*chain*/, void* /*data*/) { return 1; }, nullptr);
  // Each connection makes a full handshake: a resumed one would lack the intermediate certificates
  // that the chain of the client is checked with. The id is what OpenSSL asks for nevertheless.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  static_cast<void>(SSL_CTX_set_num_tickets(context.get(), 0));
  constexpr std::array<unsigned char, 6> kSessionId = {'v', 'k', 'h', 'o', 's', 't'};
  static_cast<void>(
      SSL_CTX_set_session_id_context(context.get(), kSessionId.data(), kSessionId.size()));
  return std::shared_ptr<const TlsContext>(new TlsContext(context.release(), false));
}

}  // namespace vkhost::http
