// Endpoint: whom a URL of the settings names, and Resolver: the addresses behind it. [any-thread]
#pragma once

#include "base/cancel.hpp"
#include "base/deadline.hpp"
#include "base/mutex.hpp"
#include "base/status.hpp"
#include "base/thread.hpp"

#include <Poco/Net/SocketAddress.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::http {

struct Endpoint {
  bool tls = false;
  std::string host;  // without brackets
  int port = 0;
  std::string base_path;  // "" or "/a/b", without a slash at its end
  std::string user_info;  // "user:password", decoded; never shown

  // "host:port" as it stands in a Host field, the port only where it is not the scheme's own.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string authority_with_port() const;
};

// http or https, a host, and a path at most. INVALID_ARGUMENT begins with `setting`.
Result<Endpoint> parse_endpoint(const std::string& url, std::string_view setting);
// http only, with a user and a password at most.
Result<Endpoint> parse_proxy(const std::string& url, std::string_view setting);

// Looks one host up in a thread of its own, because the C library's call can be neither bounded nor
// cancelled; callers that come meanwhile share the answer. The destructor waits for a lookup that is
// still running.
class Resolver {
 public:
  Resolver(std::string host, int port);

  // At least one address, in the order to try. UNAVAILABLE when there is none. [may-block]
  Result<std::vector<Poco::Net::SocketAddress>> resolve(Deadline deadline,
                                                        const CancelToken& cancel);

 private:
  using Addresses = std::vector<Poco::Net::SocketAddress>;
  void look_up(std::uint64_t number);

  const std::string host_;
  const int port_;
  Mutex mutex_;
  CondVar changed_;
  std::uint64_t started_ VKHOST_GUARDED_BY(mutex_) = 0;  // lookups so far; they run one at a time
  std::uint64_t finished_ VKHOST_GUARDED_BY(mutex_) = 0;
  Addresses addresses_ VKHOST_GUARDED_BY(mutex_);  // outcome of the last one
  std::string problem_ VKHOST_GUARDED_BY(mutex_);
  Thread thread_ VKHOST_GUARDED_BY(mutex_);  // last: joined before the rest goes
};

}  // namespace vkhost::http
