// Client and PodWatch over the real transport, against a TLS server that the test plays.
#include "http/client.hpp"
#include "kube/connection_credentials.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/pod_calls.hpp"
#include "kube/pod_watch.hpp"
#include "support/desired_pods.hpp"
#include "support/played_server.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace vkhost::kube {
namespace {

using ::testing::HasSubstr;
using vkhost::testing::CertificateAuthority;
using vkhost::testing::DesiredPods;
using vkhost::testing::Head;
using vkhost::testing::PlayedServer;
using vkhost::testing::TestFolder;

PlayedServer::Answer answer(const std::string& head, const std::string& body) {
  return {"HTTP/1.1 " + head + "\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body,
          PlayedServer::Then::NextRequest};
}

std::string pod(const std::string& name, const std::string& version) {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"ns","uid":"uid-)" + name +
         R"(","resourceVersion":")" + version + R"("},"spec":{"nodeName":"vk-0"}})";
}

std::string event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

std::string list(const std::string& items, const std::string& more = "") {
  return R"({"kind":"PodList","metadata":{"resourceVersion":"9","continue":")" + more +
         R"("},"items":[)" + items + "]}";
}

struct ClientOverTls : ::testing::Test {
  Connection connection_to(const PlayedServer& server, const std::string& ca_pem) const {
    const auto file = folder.write("config",
                                   "current-context: c\n"
                                   "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
                                   "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:" +
                                       std::to_string(server.port()) +
                                       "', certificate-authority: ca.pem}}]\n"
                                       "users: [{name: u, user: {tokenFile: token}}]\n");
    static_cast<void>(folder.write("ca.pem", ca_pem));
    static_cast<void>(folder.write("token", "one\n"));
    auto connection = load_kubeconfig({file}, "");
    EXPECT_TRUE(connection.is_ok()) << connection.status().to_string();
    return std::move(connection).value();
  }
  std::unique_ptr<Client> client_for(const Connection& connection) const {
    ClientParts parts;
    parts.make_transport = [this](http::TransportSettings settings) {
      return http::make_poco_transport(std::move(settings), clock);
    };
    parts.clock = clock;
    parts.random = std::make_shared<SeededRandom>(1);
    return make_client(connection, {}, std::move(parts));
  }

  TestFolder folder;
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
  WatchLoop loop{clock};
};

TEST_F(ClientOverTls, ShowsTheRotatedTokenAfterARefusal) {
  PlayedServer server([](const Head& head, const std::string&) {
    return head.field("Authorization") == "Bearer two" ? PlayedServer::json("{\"ok\":1}")
                                                       : answer("401 Unauthorized", "{}");
  });
  const auto client = client_for(connection_to(server, server.ca_pem()));
  EXPECT_EQ(client->get("/x", {}, {}).status().code(), StatusCode::Unauthenticated);

  static_cast<void>(folder.write("token", "two"));

  EXPECT_EQ(*client->get("/x", {}, {}), "{\"ok\":1}");
}

TEST_F(ClientOverTls, RefusesAServerOfAnotherAuthority) {
  std::atomic<int> requests{0};
  PlayedServer server([&](const Head&, const std::string&) {
    ++requests;
    return PlayedServer::json("{}");
  });
  const auto client =
      client_for(connection_to(server, CertificateAuthority("another").certificate_pem()));

  const Status status = client->get("/x", {}, {}).status();

  EXPECT_EQ(status.code(), StatusCode::Unauthenticated) << status.to_string();
  EXPECT_EQ(requests, 0) << "the token must not reach it";
}

TEST_F(ClientOverTls, WaitsAsLongAsRetryAfterSays) {
  std::atomic<int> requests{0};
  PlayedServer server([&](const Head&, const std::string& body) {
    return ++requests == 1 ? answer("429 Too Many Requests\r\nRetry-After: 0", "{}")
                           : PlayedServer::json(body);
  });
  const auto client = client_for(connection_to(server, server.ca_pem()));

  EXPECT_EQ(*client->create("/x", "{\"n\":1}", {}), "{\"n\":1}");
  EXPECT_EQ(requests, 2);
}

TEST_F(ClientOverTls, RepeatsAStatusWriteOnAConnectionThatTheServerHadClosed) {
  std::atomic<int> requests{0};
  PlayedServer server([&](const Head&, const std::string&) -> PlayedServer::Answer {
    // The second request is the second of its connection: the server has closed it by then.
    return ++requests == 2 ? PlayedServer::Answer{{}, PlayedServer::Then::Close}
                           : PlayedServer::json(pod("web", std::to_string(requests)));
  });
  const auto client = client_for(connection_to(server, server.ca_pem()));
  const PodPtr web = *parse_pod(pod("web", "1"));
  ASSERT_TRUE(client->get("/x", {}, {}).is_ok());
  CallOptions once;
  once.deadline = Deadline::after(*clock, std::chrono::seconds{20});

  const auto written = patch_pod_status(*client, *web, R"({"phase":"Running"})", {}, once);

  ASSERT_TRUE(written.is_ok()) << written.status().to_string();
  EXPECT_EQ((*written)->resource_version, "3");
  EXPECT_EQ(server.connections_so_far(), 2U);
}

TEST_F(ClientOverTls, StreamsThePodsOfANode) {
  PlayedServer server([&](const Head& head, const std::string&) -> PlayedServer::Answer {
    EXPECT_THAT(std::string(head.target()), HasSubstr("sendInitialEvents=true"));
    return {PlayedServer::open_stream().bytes +
                PlayedServer::chunk(event("ADDED", pod("a", "1")) + event("ADDED", pod("b", "2")) +
                                    R"({"type":"BOOKMARK","object":{"metadata":{)"
                                    R"("resourceVersion":"9","annotations":{)"
                                    R"("k8s.io/initial-events-end":"true"}}}})"
                                    "\n"),
            PlayedServer::Then::StayOpen};
  });
  const auto client = client_for(connection_to(server, server.ca_pem()));
  DesiredPods desired;
  PodWatchSettings settings;
  settings.node_name = "vk-0";
  settings.list_watch.stream_lists = true;
  PodWatch watch(settings, {*client, desired, clock, std::make_shared<SeededRandom>(1),
                            observe::Logger(), loop});

  watch.start();
  EXPECT_TRUE(desired.wait_for_names({"a", "b"}));
  server.push(PlayedServer::chunk(event("DELETED", pod("a", "13"))));
  EXPECT_TRUE(desired.wait_for_names({"b"}));
  watch.stop();

  EXPECT_EQ(watch.stats().list_watch.lists, 1U);
  EXPECT_EQ(server.connections_so_far(), 1U);
}

TEST_F(ClientOverTls, FollowsThePodsOfANodeThroughABrokenWatch) {
  std::atomic<int> watches{0};
  PlayedServer server([&](const Head& head, const std::string&) -> PlayedServer::Answer {
    const std::string target(head.target());
    if (target.find("watch=true") == std::string::npos) {
      return target.find("continue=next") == std::string::npos
                 ? PlayedServer::json(list(pod("a", "1"), "next"))
                 : PlayedServer::json(list(pod("b", "2")));
    }
    EXPECT_THAT(target, HasSubstr("fieldSelector=spec.nodeName%3Dvk-0"));
    if (++watches == 1) {  // an event, half of another, and the end of the connection
      return {PlayedServer::open_stream().bytes +
                  PlayedServer::chunk(event("ADDED", pod("c", "10"))) +
                  PlayedServer::chunk(event("ADDED", pod("d", "11")).substr(0, 20)),
              PlayedServer::Then::Close};
    }
    EXPECT_THAT(target, HasSubstr("resourceVersion=10&"));
    return {PlayedServer::open_stream().bytes + PlayedServer::chunk(event("ADDED", pod("d", "12"))),
            PlayedServer::Then::StayOpen};
  });
  const auto client = client_for(connection_to(server, server.ca_pem()));
  DesiredPods desired;
  PodWatchSettings settings;
  settings.node_name = "vk-0";
  PodWatch watch(settings, {*client, desired, clock, std::make_shared<SeededRandom>(1),
                            observe::Logger(), loop});

  watch.start();
  EXPECT_TRUE(desired.wait_for_names({"a", "b", "c", "d"}));
  server.push(PlayedServer::chunk(event("DELETED", pod("a", "13"))));
  EXPECT_TRUE(desired.wait_for_names({"b", "c", "d"}));
  watch.stop();

  EXPECT_EQ(watch.stats().list_watch.lists, 1U);
  EXPECT_EQ(watch.stats().list_watch.reconnects, 1U);
}

}  // namespace
}  // namespace vkhost::kube
