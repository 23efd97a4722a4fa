#include "kubelet/routes.hpp"

#include <array>
#include <utility>

namespace vkhost::kubelet {
namespace {

constexpr std::array<std::string_view, 2> kHealth = {"healthz", "proxy"};
constexpr std::array<std::string_view, 2> kPods = {"pods", "proxy"};
// As with a kubelet, who may proxy may not read these for that.
constexpr std::array<std::string_view, 1> kMetrics = {"metrics"};

constexpr std::array<std::string_view, 1> kProxy = {"proxy"};

constexpr std::array<Route, 6> kRoutes = {{
    {Endpoint::Health, "GET", "/healthz", "get", kHealth},
    {Endpoint::Pods, "GET", "/pods", "get", kPods},
    {Endpoint::RunningPods, "GET", "/runningpods", "get", kPods},
    {Endpoint::PodStates, "GET", "/vkhost/v1/pods", "get", kPods},
    {Endpoint::NodeStates, "GET", "/vkhost/v1/nodes", "get", kPods},
    {Endpoint::Metrics, "GET", "/metrics", "get", kMetrics},
}};

std::string joined(const std::vector<std::string>& segments) {
  std::string path;
  for (const std::string& segment : segments) {
    // A slash inside a segment was escaped by the client and names nothing here.
    if (segment.find('/') != std::string::npos) {
      return {};
    }
    path += "/" + segment;
  }
  return path;
}

}  // namespace

Route unknown_route(std::string_view method) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kVerbs = {{
      {"GET", "get"},
      {"HEAD", "get"},
      {"POST", "create"},
      {"PUT", "update"},
      {"PATCH", "patch"},
      {"DELETE", "delete"},
  }};
  Route route{Endpoint::Unknown, method, {}, {}, kProxy};
  for (const auto& [name, verb] : kVerbs) {
    if (name == method) {
      route.verb = verb;
    }
  }
  return route;
}

std::span<const Route> routes() { return kRoutes; }

RouteMatch find_route(std::string_view method, const std::vector<std::string>& segments) {
  RouteMatch match;
  const std::string path = joined(segments);
  for (const Route& route : kRoutes) {
    if (route.path != path) {
      continue;
    }
    if (route.method == method || (route.method == "GET" && method == "HEAD")) {
      match.route = &route;
      return match;
    }
    match.allowed_methods += match.allowed_methods.empty() ? "" : ", ";
    match.allowed_methods += route.method == "GET" ? "GET, HEAD" : route.method;
  }
  return match;
}

}  // namespace vkhost::kubelet
