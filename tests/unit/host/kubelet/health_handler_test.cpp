#include "kubelet/health_handler.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace vkhost::kubelet {
namespace {

http::ServerRequest request(const std::string& target,
                            const std::string& from = "127.0.0.1:40000",
                            const std::string& method = "GET") {
  http::ServerRequest made;
  made.method = method;
  made.target = target;
  made.remote_address = from;
  return made;
}

class HealthHandlerTest : public ::testing::Test {
 protected:
  bool ready_ = true;
  HealthHandler handler_{{.is_ready = [this] { return ready_; },
                          .metrics = [](auto) { return std::string("vkhost_up 1\n"); }}};
};

TEST_F(HealthHandlerTest, IsAliveWhateverTheNodesDo) {
  ready_ = false;

  EXPECT_EQ(handler_.handle(request("/healthz")).body, "ok");
  EXPECT_EQ(handler_.handle(request("/livez?verbose")).status, 200);
}

TEST_F(HealthHandlerTest, IsReadyWhenTheNodesAre) {
  EXPECT_EQ(handler_.handle(request("/readyz")).status, 200);

  ready_ = false;

  EXPECT_EQ(handler_.handle(request("/readyz")).status, 503);
}

TEST_F(HealthHandlerTest, ShowsMetricsToThisMachineOnly) {
  const std::vector<std::pair<std::string, int>> cases = {
      {"127.0.0.1:40000", 200},          {"127.1.2.3:40000", 200}, {"[::1]:40000", 200},
      {"[::ffff:127.0.0.1]:40000", 200}, {"10.0.0.1:40000", 404},  {"[::ffff:10.0.0.1]:40000", 404},
      {"[::1234]:40000", 404},           {"unknown", 404},         {"", 404},
  };
  for (const auto& [from, status] : cases) {
    EXPECT_EQ(handler_.handle(request("/metrics", from)).status, status) << from;
  }
  const http::Reply reply = handler_.handle(request("/metrics"));
  EXPECT_EQ(reply.body, "vkhost_up 1\n");
  EXPECT_EQ(http::find_header(reply.headers, "Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(HealthHandlerTest, AnswersNothingElse) {
  EXPECT_EQ(handler_.handle(request("/")).status, 404);
  EXPECT_EQ(handler_.handle(request("/pods")).status, 404);
  const http::Reply reply = handler_.handle(request("/healthz", "127.0.0.1:1", "POST"));
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(http::find_header(reply.headers, "Allow"), "GET, HEAD");
}

}  // namespace
}  // namespace vkhost::kubelet
