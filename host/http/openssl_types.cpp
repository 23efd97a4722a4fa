#include "http/openssl_types.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <limits>

namespace vkhost::http {
namespace {

int refuse_pass_phrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return -1;
}

BioPtr memory_bio(std::string_view text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return nullptr;
  }
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

}  // namespace

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) {
    return "no reason given";
  }
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

Result<std::vector<CertificatePtr>> read_certificates(std::string_view pem, std::string_view what) {
  ERR_clear_error();
  const BioPtr bio = memory_bio(pem);
  std::vector<CertificatePtr> certificates;
  while (bio != nullptr) {
    CertificatePtr next(PEM_read_bio_X509(bio.get(), nullptr, refuse_pass_phrase, nullptr));
    if (next == nullptr) {
      break;
    }
    certificates.push_back(std::move(next));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (bio == nullptr || !at_end) {
    return invalid_argument(std::string(what) + ": certificate " +
                            std::to_string(certificates.size() + 1) +
                            " of the PEM text is damaged (" + take_openssl_error() + ")");
  }
  ERR_clear_error();
  if (certificates.empty()) {
    return invalid_argument(std::string(what) + ": the PEM text holds no certificate");
  }
  return certificates;
}

Result<KeyPtr> read_private_key(std::string_view pem, std::string_view what) {
  ERR_clear_error();
  const BioPtr bio = memory_bio(pem);
  KeyPtr key(bio == nullptr
                 ? nullptr
                 : PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_pass_phrase, nullptr));
  if (key == nullptr) {
    return invalid_argument(std::string(what) +
                            ": no readable private key without a pass phrase in the PEM text (" +
                            take_openssl_error() + ")");
  }
  return key;
}

Result<CertificateStorePtr> make_store(std::string_view pem, std::string_view what) {
  VKHOST_TRY_ASSIGN(const auto certificates, read_certificates(pem, what));
  CertificateStorePtr store(X509_STORE_new());
  if (store == nullptr || X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN) != 1) {
    return internal_error(std::string(what) + ": " + take_openssl_error());
  }
  for (const auto& certificate : certificates) {
    if (X509_STORE_add_cert(store.get(), certificate.get()) != 1) {
      return invalid_argument(std::string(what) + ": " + take_openssl_error());
    }
  }
  return store;
}

}  // namespace vkhost::http
