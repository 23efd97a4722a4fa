// TokenRequest: a token of a service account, bound to one pod: it is worth nothing for other audiences,
// beyond its time, or once the pod of that UID is gone.
//
// Needs `create` on `serviceaccounts/token`; the node authoriser grants it for the accounts of the
// node's own pods, and NodeRestriction for audiences that the pod itself names: none, or one. A token
// that is asked for twice is issued twice, which does no harm. [any-thread] [may-block]
#pragma once

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "base/status.hpp"
#include "kube/client.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace vkhost::kube {

// What API servers issue tokens for.
inline constexpr std::chrono::seconds kShortestTokenLifetime{600};
inline constexpr std::chrono::seconds kLongestTokenLifetime{std::int64_t{1} << 32};

struct TokenRequest {
  std::string account_namespace;  // and the pod's
  std::string account;
  std::string pod_name;
  std::string pod_uid;
  std::string audience;  // empty: the API server's own
  std::chrono::seconds lifetime{3600};
};

struct BoundToken {
  Secret token;
  std::string audience;  // the first one
  WallTime expires;      // by the clock of the API server
  // How long it is valid after it was issued; an API server may grant less than it was asked for.
  std::chrono::seconds lifetime{0};
};

// NOT_FOUND: there is no such account, or no such pod; ABORTED: the pod has another UID;
// PERMISSION_DENIED: by the authoriser, or since the pod is on another node or names another audience.
// An answer that cannot be understood is UNAVAILABLE.
Result<BoundToken> request_token(Client& client,
                                 const TokenRequest& request,
                                 const CallOptions& options);

}  // namespace vkhost::kube
