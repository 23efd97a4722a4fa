// The two ways in which a pod can't be resolved, as the engine is told of them. [any-thread]
// [no-block]
#pragma once

#include "base/status.hpp"

#include <string>
#include <utility>

namespace vkhost::resolve {

// The word that kubectl shows as the container's state, the same as a kubelet's.
inline constexpr const char* kConfigErrorReason = "CreateContainerConfigError";
// The same while a volume can't be set up: a kubelet has made no container by then.
inline constexpr const char* kMountErrorReason = "ContainerCreating";

// Something outside of the pod is missing; it may come at any time.
inline Status config_error(std::string message) {
  return failed_precondition(std::move(message))
      .with_reason(kConfigErrorReason)
      .with_effect(Effect::None);
}

// The pod itself asks for what can't be; only a change of the pod helps.
inline Status spec_error(std::string message) {
  return config_error(std::move(message)).with_retry(Retry::Never);
}

// A failure to read something: kept when it passes by itself (no answer, throttled, cancelled),
// else turned into config_error, so that no code of the API server's is taken for the provider's.
inline Status read_error(const Status& status, const std::string& what) {
  switch (status.code()) {
    case StatusCode::Cancelled:
    case StatusCode::DeadlineExceeded:
    case StatusCode::ResourceExhausted:
    case StatusCode::Unavailable:
      return status.while_doing(what)
          .with_reason(kConfigErrorReason)
          .with_scope(Scope::Pod)
          .with_effect(Effect::None);
    default:
      return config_error(what + ": " + status.message());
  }
}

}  // namespace vkhost::resolve
