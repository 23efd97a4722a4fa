#include "kubelet/health_handler.hpp"

#include <string_view>

namespace vkhost::kubelet {
namespace {

// `address` is "host:port" as the server writes it, an IPv6 host in brackets.
bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address.starts_with("[::1]:") ||
         address.starts_with("[::ffff:127.");
}

}  // namespace

http::Reply HealthHandler::handle(const http::ServerRequest& request) {
  if (request.method != "GET" && request.method != "HEAD") {
    http::Reply reply = http::text_reply(405, "the method is not allowed here\n");
    reply.headers.emplace_back("Allow", "GET, HEAD");
    return reply;
  }
  const std::string path = request.path();
  if (path == "/healthz" || path == "/livez") {
    return http::text_reply(200, "ok");
  }
  if (path == "/readyz") {
    return sources_.is_ready() ? http::text_reply(200, "ok") : http::text_reply(503, "not ready\n");
  }
  if (path == "/metrics" && is_loopback(request.remote_address)) {
    return metrics_reply(request, sources_.metrics);
  }
  return http::text_reply(404, "not found\n");
}

}  // namespace vkhost::kubelet
