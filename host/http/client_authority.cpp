#include "http/client_authority.hpp"

#include "http/openssl_types.hpp"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>
#include <chrono>
#include <utility>

namespace vkhost::http {
namespace {

using StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpensslDelete>;

struct StackDelete {  // the certificates in it belong to somebody else
  void operator()(STACK_OF(X509) * it) const { sk_X509_free(it); }
};

CertificatePtr from_der(const std::string& der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  return CertificatePtr(d2i_X509(nullptr, &data, static_cast<long>(der.size())));
}

std::string utf8_of(const ASN1_STRING* value) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, value);
  if (size < 0) {
    return {};
  }
  std::string copy(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return copy;
}

std::string sha256_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return {};
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4U];
    text += kDigits[digest[i] & 15U];
  }
  return text;
}

void read_subject(X509* certificate, PeerCertificate& peer) {
  static ASN1_OBJECT* const uid_attribute = OBJ_txt2obj("1.3.6.1.4.1.57683.2", 1);
  const X509_NAME* subject = X509_get_subject_name(certificate);
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, i);
    const ASN1_OBJECT* attribute = X509_NAME_ENTRY_get_object(entry);
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(entry);
    if (OBJ_obj2nid(attribute) == NID_commonName) {
      peer.common_name = utf8_of(value);  // the last one counts, as in Go
    } else if (OBJ_obj2nid(attribute) == NID_organizationName) {
      peer.organizations.push_back(utf8_of(value));
    } else if (OBJ_cmp(attribute, uid_attribute) == 0) {
      peer.uid = utf8_of(value);
    }
  }
}

}  // namespace

Result<std::shared_ptr<ClientAuthority>> ClientAuthority::create(const std::string& bundle_pem) {
  std::shared_ptr<ClientAuthority> made(new ClientAuthority());
  VKHOST_TRY(made->replace(bundle_pem));
  return made;
}

Status ClientAuthority::replace(const std::string& bundle_pem) {
  std::shared_ptr<X509_STORE> store;
  if (!bundle_pem.empty()) {
    VKHOST_TRY_ASSIGN(CertificateStorePtr made, make_store(bundle_pem, "client CA"));
    store = std::shared_ptr<X509_STORE>(std::move(made));
  }
  const MutexLock lock(mutex_);
  store_ = std::move(store);
  ++generation_;
  return Status::ok();
}

std::uint64_t ClientAuthority::generation() const {
  const MutexLock lock(mutex_);
  return generation_;
}

PeerCertificate ClientAuthority::examine(const std::vector<std::string>& chain,
                                         WallTime now) const {
  std::shared_ptr<X509_STORE> store;
  {
    const MutexLock lock(mutex_);
    store = store_;
  }
  PeerCertificate peer;
  ERR_clear_error();
  const CertificatePtr leaf = chain.empty() ? nullptr : from_der(chain.front());
  if (leaf == nullptr) {
    peer.problem = "the certificate is damaged";
    return peer;
  }
  read_subject(leaf.get(), peer);
  peer.sha256 = sha256_of(leaf.get());
  if (store == nullptr) {
    peer.problem = "no certificate authority for clients is configured";
    return peer;
  }
  std::vector<CertificatePtr> others;
  const std::unique_ptr<STACK_OF(X509), StackDelete> between(sk_X509_new_null());
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (CertificatePtr next = from_der(chain[i]); next != nullptr) {
      sk_X509_push(between.get(), next.get());
      others.push_back(std::move(next));
    }
  }
  const StoreContextPtr check(X509_STORE_CTX_new());
  if (check == nullptr ||
      X509_STORE_CTX_init(check.get(), store.get(), leaf.get(), between.get()) != 1) {
    peer.problem = take_openssl_error();
    return peer;
  }
  X509_STORE_CTX_set_purpose(check.get(), X509_PURPOSE_SSL_CLIENT);
  X509_STORE_CTX_set_time(check.get(), 0, std::chrono::system_clock::to_time_t(now));
  peer.verified = X509_verify_cert(check.get()) == 1;
  if (!peer.verified) {
    peer.problem = X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
  }
  ERR_clear_error();
  return peer;
}

}  // namespace vkhost::http
