#include "resolve/kube_token_source.hpp"

namespace vkhost::resolve {

Result<kube::BoundToken> KubeTokenSource::issue(const kube::TokenRequest& request,
                                                const CancelToken& cancel) {
  kube::CallOptions options;
  options.deadline = Deadline::after(clock_, timeout_);
  options.cancel = cancel;
  return kube::request_token(client_, request, options);
}

}  // namespace vkhost::resolve
