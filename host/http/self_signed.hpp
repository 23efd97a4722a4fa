// A certificate that vouches for itself, for servers whose clients do not check, or know it.
// [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "http/tls_context.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace vkhost::http {

struct SelfSignedRequest {
  std::string common_name;
  std::vector<std::string> names;  // DNS names and IP addresses it is good for
  WallTime not_before{};
  std::chrono::hours lifetime{24 * 365};
};

// P-256, serverAuth. INVALID_ARGUMENT when a name is neither a DNS name nor an address.
Result<ServerIdentity> make_self_signed(const SelfSignedRequest& request);

}  // namespace vkhost::http
