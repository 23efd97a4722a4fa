// Owners of OpenSSL's objects, and reading of PEM text; for the sources of this room that talk to
// OpenSSL. Nothing here ever asks a terminal for a pass phrase. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::http {

struct OpensslDelete {
  void operator()(BIO* it) const { static_cast<void>(BIO_free(it)); }
  void operator()(EVP_PKEY* it) const { EVP_PKEY_free(it); }
  void operator()(SSL* it) const { SSL_free(it); }
  void operator()(SSL_CTX* it) const { SSL_CTX_free(it); }
  void operator()(X509* it) const { X509_free(it); }
  void operator()(X509_STORE* it) const { X509_STORE_free(it); }
  void operator()(X509_STORE_CTX* it) const { X509_STORE_CTX_free(it); }
};
using BioPtr = std::unique_ptr<BIO, OpensslDelete>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDelete>;
using SslPtr = std::unique_ptr<SSL, OpensslDelete>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpensslDelete>;
using CertificatePtr = std::unique_ptr<X509, OpensslDelete>;
using CertificateStorePtr = std::unique_ptr<X509_STORE, OpensslDelete>;

// Reason of the oldest error of this thread, whose error queue is emptied.
[[nodiscard]] std::string take_openssl_error();

// All certificates of a PEM text, at least one. INVALID_ARGUMENT begins with `what`.
Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem, std::string_view what);
Result<KeyPtr> read_private_key(std::string_view pem, std::string_view what);
// A store that trusts each of these certificates, roots and intermediate ones alike, as Kubernetes
// components do.
Result<CertificateStorePtr> make_store(std::string_view pem, std::string_view what);

}  // namespace vkhost::http
