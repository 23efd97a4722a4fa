// TokenSource: who issues tokens of service accounts; the API server, or a test. [any-thread]
#pragma once

#include "base/cancel.hpp"
#include "base/status.hpp"
#include "kube/token_request.hpp"

namespace vkhost::resolve {

class TokenSource {
 public:
  TokenSource() = default;
  TokenSource(const TokenSource&) = delete;
  TokenSource& operator=(const TokenSource&) = delete;
  virtual ~TokenSource() = default;
  // A new one each time; failures as those of kube::request_token(). [may-block]
  virtual Result<kube::BoundToken> issue(const kube::TokenRequest& request,
                                         const CancelToken& cancel) = 0;
};

}  // namespace vkhost::resolve
