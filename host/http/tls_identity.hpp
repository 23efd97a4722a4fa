// TlsIdentity: the certificate a server shows, replaceable while it serves: handshakes that begin
// afterwards use the new one, connections keep theirs. [any-thread] [no-block]
#pragma once

#include "base/mutex.hpp"
#include "base/status.hpp"
#include "http/tls_context.hpp"

#include <memory>

namespace vkhost::http {

class TlsIdentity {
 public:
  static Result<std::shared_ptr<TlsIdentity>> create(const ServerIdentity& identity);
  // On failure the present one stays.
  Status replace(const ServerIdentity& identity);
  // That of another one, which was checked when it was made.
  void take(const TlsIdentity& other);
  [[nodiscard]] std::shared_ptr<const TlsContext> current() const;

 private:
  explicit TlsIdentity(std::shared_ptr<const TlsContext> context) : context_(std::move(context)) {}

  mutable Mutex mutex_;
  std::shared_ptr<const TlsContext> context_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::http
