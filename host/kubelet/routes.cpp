#include "kubelet/routes.hpp"

#include <array>

namespace vkhost::kubelet {
namespace {

constexpr std::array<std::string_view, 2> kHealth = {"healthz", "proxy"};
constexpr std::array<std::string_view, 2> kPods = {"pods", "proxy"};

constexpr std::array<Route, 5> kRoutes = {{
    {Endpoint::Health, "GET", "/healthz", "get", kHealth},
    {Endpoint::Pods, "GET", "/pods", "get", kPods},
    {Endpoint::RunningPods, "GET", "/runningpods", "get", kPods},
    {Endpoint::PodStates, "GET", "/vkhost/v1/pods", "get", kPods},
    {Endpoint::NodeStates, "GET", "/vkhost/v1/nodes", "get", kPods},
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
