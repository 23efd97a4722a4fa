#include "kubelet/kubelet_handler.hpp"

#include "kubelet/documents.hpp"

namespace vkhost::kubelet {
namespace {

int http_code(const Status& status) {
  switch (status.code()) {
    case StatusCode::Unauthenticated:
      return 401;
    case StatusCode::PermissionDenied:
      return 403;
    case StatusCode::NotFound:
      return 404;
    default:
      return 500;
  }
}

}  // namespace

http::Reply status_reply(int code, const std::string& sentence) {
  return http::json_reply(code, failure_status(code, sentence));
}

http::Reply KubeletHandler::handle(const http::ServerRequest& request) {
  const auto requester = access_.authenticate(request);
  if (!requester.is_ok()) {
    // Why is for the log: a stranger learns only that they are one.
    const int code = http_code(requester.status());
    log_.debug("a request was not authenticated",
               {{"remote", request.remote_address}, observe::error_field(requester.status())});
    return status_reply(code, code == 401 ? "Unauthorized" : "the identity could not be checked");
  }
  const RouteMatch match = find_route(request.method, request.segments);
  const std::string node_name = pods_.node_at(request.local_port);
  const Route route = match.route != nullptr ? *match.route : unknown_route(request.method);
  const Status allowed = access_.authorize(*requester, route, node_name, request.cancel);
  if (!allowed.is_ok()) {
    log_.info("a request was refused", {{"remote", request.remote_address},
                                        {"user", requester->user.username},
                                        observe::error_field(allowed)});
    return status_reply(http_code(allowed), allowed.message());
  }
  if (match.route == nullptr) {
    if (match.allowed_methods.empty()) {
      return status_reply(404, "the server could not find the requested resource");
    }
    http::Reply reply = status_reply(405, "the method is not allowed here");
    reply.headers.emplace_back("Allow", match.allowed_methods);
    return reply;
  }
  return answer(route, node_name, request);
}

http::Reply KubeletHandler::answer(const Route& route,
                                   const std::string& node_name,
                                   const http::ServerRequest& request) const {
  switch (route.endpoint) {
    case Endpoint::Health:
      return http::text_reply(200, "ok");
    case Endpoint::Pods:
      return http::json_reply(200, pod_list(pods_.pods(node_name)));
    case Endpoint::RunningPods:
      return http::json_reply(200, running_pod_list(pods_.pods(node_name)));
    case Endpoint::PodStates:
      return http::json_reply(200, pod_states(node_name, pods_.pods(node_name)));
    case Endpoint::NodeStates: {
      const auto node = pods_.node(node_name);
      return node ? http::json_reply(200, node_states(*node))
                  : status_reply(404, "no node is served on this port");
    }
    case Endpoint::Metrics:
      return metrics_reply(request, metrics_);
    case Endpoint::Unknown:
      break;
  }
  return status_reply(500, "the route has no answer");
}

}  // namespace vkhost::kubelet
