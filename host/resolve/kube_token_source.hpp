// KubeTokenSource: tokens from the API server. [any-thread] [may-block]
#pragma once

#include "base/clock.hpp"
#include "kube/client.hpp"
#include "resolve/token_source.hpp"

#include <chrono>

namespace vkhost::resolve {

class KubeTokenSource final : public TokenSource {
 public:
  // Both outlive the source. `timeout` bounds each request, with what the client repeats in it.
  KubeTokenSource(kube::Client& client,
                  const Clock& clock,
                  std::chrono::milliseconds timeout = std::chrono::seconds{10})
      : client_(client), clock_(clock), timeout_(timeout) {}

  Result<kube::BoundToken> issue(const kube::TokenRequest& request,
                                 const CancelToken& cancel) override;

 private:
  kube::Client& client_;
  const Clock& clock_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace vkhost::resolve
