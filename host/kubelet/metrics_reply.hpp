// metrics_reply: the answer to /metrics, in the format that the client likes best of the two that
// there are: OpenMetrics or Prometheus text. [any-thread] [no-block]
#pragma once

#include "http/handler.hpp"
#include "observe/metrics.hpp"

#include <functional>
#include <string>

namespace vkhost::kubelet {

// See observe::Metrics::render().
using MetricsSource = std::function<std::string(observe::Exposition exposition)>;

// By the header Accept (RFC 9110 §12.5.1). Prometheus text where nothing says otherwise.
[[nodiscard]] observe::Exposition wanted_exposition(const http::Headers& headers);

[[nodiscard]] http::Reply metrics_reply(const http::ServerRequest& request,
                                        const MetricsSource& source);

}  // namespace vkhost::kubelet
