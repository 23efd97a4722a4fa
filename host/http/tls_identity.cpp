#include "http/tls_identity.hpp"

#include <utility>

namespace vkhost::http {

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::create(const ServerIdentity& identity) {
  VKHOST_TRY_ASSIGN(auto context, TlsContext::for_server(identity));
  return std::shared_ptr<TlsIdentity>(new TlsIdentity(std::move(context)));
}

Status TlsIdentity::replace(const ServerIdentity& identity) {
  VKHOST_TRY_ASSIGN(auto context, TlsContext::for_server(identity));
  const MutexLock lock(mutex_);
  context_ = std::move(context);
  return Status::ok();
}

void TlsIdentity::take(const TlsIdentity& other) {
  auto context = other.current();
  const MutexLock lock(mutex_);
  context_.swap(context);
}

std::shared_ptr<const TlsContext> TlsIdentity::current() const {
  const MutexLock lock(mutex_);
  return context_;
}

}  // namespace vkhost::http
