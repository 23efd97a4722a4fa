// Who asks, and whether they may: authentication and authorisation of the kubelet API.
//
// In a cluster: a client certificate of the trusted authority, or a bearer token that a TokenReview
// confirms; then a SubjectAccessReview for a subresource of this node. Standalone: one credential
// that only the same user can read, and whoever shows it may do everything. Anonymous requests are
// refused unless a setting with "insecure" in its name says otherwise. [any-thread] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "base/status.hpp"
#include "http/handler.hpp"
#include "kube/reviews.hpp"
#include "kubelet/routes.hpp"
#include "kubelet/timed_cache.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::kubelet {

// The API server's word; the real one asks it, see ApiReviewer.
class Reviewer {
 public:
  Reviewer() = default;
  Reviewer(const Reviewer&) = delete;
  Reviewer& operator=(const Reviewer&) = delete;
  virtual ~Reviewer() = default;
  virtual Result<kube::TokenVerdict> review_token(const Secret& token,
                                                  const CancelToken& cancel) = 0;
  virtual Result<kube::AccessVerdict> review_access(const kube::AccessQuestion& question,
                                                    const CancelToken& cancel) = 0;
};

class ApiReviewer final : public Reviewer {
 public:
  ApiReviewer(kube::Client& client, const Clock& clock) : client_(client), clock_(clock) {}
  Result<kube::TokenVerdict> review_token(const Secret& token, const CancelToken& cancel) override;
  Result<kube::AccessVerdict> review_access(const kube::AccessQuestion& question,
                                            const CancelToken& cancel) override;

 private:
  [[nodiscard]] kube::CallOptions options(const CancelToken& cancel) const;
  kube::Client& client_;
  const Clock& clock_;
};

struct AccessSettings {
  Secret owner_token = Secret();  // who shows it may do everything; empty: nobody
  bool insecure_anonymous_auth = false;
  bool insecure_no_authorization = false;
  std::chrono::milliseconds token_lifetime{std::chrono::minutes{2}};
  std::chrono::milliseconds allowed_lifetime{std::chrono::minutes{5}};
  std::chrono::milliseconds denied_lifetime{std::chrono::seconds{30}};
};

struct Requester {
  kube::UserInfo user;
  bool is_owner = false;  // by the owner's token
};

class Access {
 public:
  // Without a reviewer (standalone) only the owner and the insecure settings open anything.
  Access(AccessSettings settings, Reviewer* reviewer, const std::shared_ptr<const Clock>& clock);

  // UNAUTHENTICATED: no credential, or one that is not believed; UNAVAILABLE: nobody to ask.
  Result<Requester> authenticate(const http::ServerRequest& request);
  // PERMISSION_DENIED says in the kubelet's words who may not do what.
  Status authorize(const Requester& requester,
                   const Route& route,
                   std::string_view node_name,
                   const CancelToken& cancel);

 private:
  Result<Requester> authenticate_token(const std::string& token, const CancelToken& cancel);
  Result<bool> is_allowed(const kube::AccessQuestion& question, const CancelToken& cancel);

  const AccessSettings settings_;
  Reviewer* const reviewer_;
  const std::string hash_key_;
  TimedCache<Result<kube::UserInfo>> tokens_;
  TimedCache<Result<bool>> decisions_;
};

}  // namespace vkhost::kubelet
