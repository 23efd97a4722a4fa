// The route table of the kubelet API: what exists, by which method, and which right it takes.
//
// Data only: the handler looks a request up here before anything else, authorisation follows from
// the row, and the test that nothing answers without a credential is made from it. Rights are those
// of the kubelet (Kubernetes documentation, "Kubelet authentication/authorization"): a subresource of
// `nodes`, the fine-grained one first, then `proxy`. [any-thread] [no-block]
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::kubelet {

enum class Endpoint {
  Health,       // /healthz
  Pods,         // /pods
  RunningPods,  // /runningpods/
  PodStates,    // /vkhost/v1/pods: what `vkhost get pods` shows
  NodeStates,   // /vkhost/v1/nodes
  Metrics,      // /metrics
  Unknown,      // in no row
};

struct Route {
  Endpoint endpoint;
  std::string_view method;
  std::string_view path;  // without a trailing slash, which may be there or not
  std::string_view verb;  // for the access review
  // Tried in order; one that is allowed suffices.
  std::span<const std::string_view> subresources;
};

[[nodiscard]] std::span<const Route> routes();

struct RouteMatch {
  const Route* route = nullptr;  // null: no such path
  // The path exists, but not with this method; these do ("GET, HEAD").
  std::string allowed_methods;
};

// The right that a request takes which no row answers: `proxy` with the verb of its method, so that
// only those who may ask anything learn which paths exist.
[[nodiscard]] Route unknown_route(std::string_view method);

// HEAD is answered like GET.
[[nodiscard]] RouteMatch find_route(std::string_view method,
                                    const std::vector<std::string>& segments);

}  // namespace vkhost::kubelet
