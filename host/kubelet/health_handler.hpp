// HealthHandler: the plain listener for probes: /healthz, /livez, /readyz without detail, and
// /metrics for loopback clients alone. [any-thread] [no-block]
#pragma once

#include "http/handler.hpp"
#include "kubelet/metrics_reply.hpp"

#include <functional>

namespace vkhost::kubelet {

struct HealthSources {
  std::function<bool()> is_ready;  // every node is up
  MetricsSource metrics;
};

class HealthHandler final : public http::Handler {
 public:
  explicit HealthHandler(HealthSources sources) : sources_(std::move(sources)) {}
  http::Reply handle(const http::ServerRequest& request) override;

 private:
  const HealthSources sources_;
};

}  // namespace vkhost::kubelet
