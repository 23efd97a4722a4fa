#include "kubelet/metrics_reply.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace vkhost::kubelet {
namespace {

using observe::Exposition;

TEST(MetricsReply, IsInTheFormatThatTheClientLikesBest) {
  const std::vector<std::pair<std::string, Exposition>> cases = {
      {"", Exposition::Text},
      {"*/*", Exposition::Text},
      {"application/json", Exposition::Text},
      {"text/plain", Exposition::Text},
      {"application/openmetrics-text", Exposition::OpenMetrics},
      {"Application/OpenMetrics-Text; version=1.0.0; charset=utf-8", Exposition::OpenMetrics},
      {"application/openmetrics-text;version=0.0.1", Exposition::Text},
      {"application/openmetrics-text;version=2.0.0", Exposition::Text},
      {"application/openmetrics-text;q=0", Exposition::Text},
      {"application/openmetrics-text;q=nonsense", Exposition::Text},
      {"application/openmetrics-text;q=0.2,text/plain;q=0.3", Exposition::Text},
      {"text/plain , application/openmetrics-text", Exposition::Text},
      {"application/openmetrics-text;q=0.5,text/plain;version=1.0.0;q=0.9",
       Exposition::OpenMetrics},
      {",;=;,;;", Exposition::Text},
      // As a Prometheus server sends it.
      {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
       "application/openmetrics-text;version=0.0.1;q=0.4,"
       "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,"
       "*/*;q=0.1",
       Exposition::OpenMetrics},
  };
  for (const auto& [accept, exposition] : cases) {
    EXPECT_EQ(wanted_exposition({{"accept", accept}}), exposition) << accept;
  }
  EXPECT_EQ(wanted_exposition({}), Exposition::Text);
}

TEST(MetricsReply, SaysWhatItIs) {
  http::ServerRequest request;
  request.headers = {{"Accept", "application/openmetrics-text"}};
  const MetricsSource source = [](Exposition exposition) {
    return std::string(exposition == Exposition::OpenMetrics ? "# EOF\n" : "");
  };

  const http::Reply reply = metrics_reply(request, source);

  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "# EOF\n");
  EXPECT_EQ(http::find_header(reply.headers, "Content-Type"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(http::find_header(reply.headers, "Vary"), "Accept");
}

}  // namespace
}  // namespace vkhost::kubelet
