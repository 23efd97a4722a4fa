#include "kubelet/kubelet_handler.hpp"

#include "http/client.hpp"
#include "http/server.hpp"
#include "support/certificates.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_reviewer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::kubelet {
namespace {

using namespace std::chrono_literals;

class OnePod final : public PodLookup {
 public:
  [[nodiscard]] std::string node_at(int local_port) const override {
    return local_port == 0 ? "" : "node-1";
  }
  [[nodiscard]] std::vector<PodState> pods(const std::string& node_name) const override {
    if (node_name != "node-1") {
      return {};
    }
    PodState state;
    state.pod =
        *kube::parse_pod(R"({"metadata":{"name":"secret-name","namespace":"default","uid":"u-1"},)"
                         R"("spec":{"containers":[{"name":"app"}]}})");
    state.runs_in_backend = true;
    return {state};
  }
  [[nodiscard]] std::optional<NodeState> node(const std::string& node_name) const override {
    if (node_name != "node-1") {
      return std::nullopt;
    }
    NodeState state;
    state.name = node_name;
    return state;
  }
};

// Every request the table knows, and some that it does not.
std::vector<std::pair<std::string, std::string>> all_requests() {
  std::vector<std::pair<std::string, std::string>> requests = {
      {"GET", "/"}, {"GET", "/exec/default/web-0/app"}, {"POST", "/pods"}, {"BREW", "/pods"}};
  for (const Route& route : routes()) {
    for (const std::string end : {"", "/"}) {
      requests.emplace_back(route.method, std::string(route.path) + end);
      requests.emplace_back("HEAD", std::string(route.path) + end);
    }
  }
  return requests;
}

// The handler behind a real server with TLS, so that what is tested is what answers.
class KubeletApi : public ::testing::Test {
 protected:
  void start(AccessSettings settings, bool with_api_server = true) {
    access_ = std::make_unique<Access>(std::move(settings), with_api_server ? &reviewer_ : nullptr,
                                       clock_);
    const auto own = testing::issue_for_loopback(authority_);
    http::ServerSettings server_settings;
    server_settings.refusal = status_reply;
    server_ = std::move(http::Server::create(server_settings,
                                             std::make_shared<KubeletHandler>(
                                                 *access_, pods_, observe::Logger(),
                                                 [](auto) { return std::string("vkhost_up 1\n"); }),
                                             clock_, {}))
                  .value();
    http::Listen listen;
    listen.identity = *http::TlsIdentity::create({own.certificate_pem, own.key_pem});
    listen.clients = *http::ClientAuthority::create(authority_.certificate_pem());
    port_ = *server_->listen(listen);
  }

  http::Response ask(const std::string& method,
                     const std::string& target,
                     const http::Headers& headers = {},
                     const testing::IssuedCertificate& certificate = {}) {
    http::TransportSettings settings;
    settings.url = "https://127.0.0.1:" + std::to_string(port_);
    settings.tls.ca_pem = authority_.certificate_pem();
    settings.tls.certificate_pem = certificate.certificate_pem;
    settings.tls.key_pem = certificate.key_pem;
    const auto client = std::move(http::make_poco_transport(settings, clock_)).value();
    auto response = client->send({.method = method, .target = target, .headers = headers},
                                 Deadline::after(*clock_, 20s), {});
    EXPECT_TRUE(response.is_ok()) << response.status().to_string();
    return response.is_ok() ? *response : http::Response();
  }

  testing::CertificateAuthority authority_;
  testing::FakeReviewer reviewer_;
  std::shared_ptr<const Clock> clock_ = std::make_shared<SystemClock>();
  OnePod pods_;
  std::unique_ptr<Access> access_;
  std::unique_ptr<http::Server> server_;
  int port_ = 0;
};

const http::Headers kAlice = {{"Authorization", "Bearer alice"}};

TEST_F(KubeletApi, AnswersNothingWithoutACredential) {
  start({.owner_token = Secret("owner")});
  const auto stranger =
      testing::CertificateAuthority("other").issue({.common_name = "mallory",
                                                    .organizations = {"system:masters"},
                                                    .use = testing::CertificateUse::Client});
  const std::vector<http::Headers> unknown = {
      {}, {{"Authorization", "Bearer wrong"}}, {{"Authorization", "Basic b3duZXI="}}};
  for (const auto& [method, path] : all_requests()) {
    for (const http::Headers& headers : unknown) {
      const http::Response response = ask(method, path, headers);

      EXPECT_EQ(response.status, 401) << method << " " << path;
      EXPECT_EQ(response.body.find("secret-name"), std::string::npos) << path;
      if (method != "HEAD") {
        EXPECT_NE(response.body.find("\"reason\":\"Unauthorized\""), std::string::npos) << path;
      }
    }
    EXPECT_EQ(ask(method, path, {}, stranger).status, 401) << method << " " << path;
  }
}

TEST_F(KubeletApi, AnswersNothingToThoseWhoMayNot) {
  start({});
  kube::UserInfo alice;
  alice.username = "alice";
  reviewer_.know_token("alice", alice);
  for (const auto& [method, path] : all_requests()) {
    const http::Response response = ask(method, path, kAlice);

    EXPECT_EQ(response.status, 403) << method << " " << path << ": paths are no secret only to "
                                    << "those who may ask";
    EXPECT_EQ(response.body.find("secret-name"), std::string::npos) << path;
  }
}

TEST_F(KubeletApi, AnswersEveryRouteToThoseWhoMay) {
  start({});
  kube::UserInfo alice;
  alice.username = "alice";
  reviewer_.know_token("alice", alice);
  reviewer_.allow("alice get nodes/proxy node-1");
  reviewer_.allow("alice get nodes/metrics node-1");

  for (const Route& route : routes()) {
    EXPECT_EQ(ask("GET", std::string(route.path), kAlice).status, 200) << route.path;
    EXPECT_EQ(ask("HEAD", std::string(route.path), kAlice).body, "") << route.path;
  }
  EXPECT_EQ(ask("GET", "/healthz", kAlice).body, "ok");
  for (const char* path : {"/pods", "/runningpods/", "/vkhost/v1/pods"}) {
    const http::Response response = ask("GET", path, kAlice);
    EXPECT_NE(response.body.find("secret-name"), std::string::npos) << path;
    EXPECT_EQ(http::find_header(response.headers, "Content-Type"), "application/json") << path;
  }
}

TEST_F(KubeletApi, ShowsMetricsToThoseWhoMayReadMetricsAlone) {
  start({});
  kube::UserInfo alice;
  alice.username = "alice";
  reviewer_.know_token("alice", alice);
  reviewer_.allow("alice get nodes/proxy node-1");
  EXPECT_EQ(ask("GET", "/metrics", kAlice).status, 403) << "to proxy is another right";
  kube::UserInfo prometheus;
  prometheus.username = "prometheus";
  reviewer_.know_token("prometheus", prometheus);
  reviewer_.allow("prometheus get nodes/metrics node-1");
  const http::Headers headers = {{"Authorization", "Bearer prometheus"}};

  const http::Response metrics = ask("GET", "/metrics", headers);

  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.body, "vkhost_up 1\n");
  EXPECT_EQ(http::find_header(metrics.headers, "Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(ask("GET", "/pods", headers).status, 403);
}

TEST_F(KubeletApi, TellsUnknownPathsAndMethodsOnlyToThoseWhoMayAskAnything) {
  start({});
  kube::UserInfo alice;
  alice.username = "alice";
  reviewer_.know_token("alice", alice);
  reviewer_.allow("alice get nodes/proxy node-1");
  reviewer_.allow("alice create nodes/proxy node-1");

  EXPECT_EQ(ask("GET", "/nothing", kAlice).status, 404);
  const http::Response wrong_method = ask("POST", "/pods", kAlice);
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_EQ(http::find_header(wrong_method.headers, "Allow"), "GET, HEAD");
  EXPECT_EQ(ask("DELETE", "/pods", kAlice).status, 403) << "has no right for that verb";
}

TEST_F(KubeletApi, KnowsTheApiServerByItsCertificate) {
  start({});
  reviewer_.allow("api-server get nodes/proxy node-1");
  const auto certificate = authority_.issue({.common_name = "api-server",
                                             .organizations = {"kubeadm:cluster-admins"},
                                             .use = testing::CertificateUse::Client});

  EXPECT_EQ(ask("GET", "/pods", {}, certificate).status, 200);
  const auto groups = reviewer_.last_question().user.groups;
  EXPECT_NE(std::find(groups.begin(), groups.end(), "kubeadm:cluster-admins"), groups.end());
}

TEST_F(KubeletApi, ObeysItsOwnerWithoutAnApiServer) {
  start({.owner_token = Secret("owner")}, false);

  EXPECT_EQ(ask("GET", "/vkhost/v1/pods", {{"Authorization", "Bearer owner"}}).status, 200);
  EXPECT_EQ(ask("GET", "/vkhost/v1/pods", {{"Authorization", "Bearer 0wner"}}).status, 401);
}

TEST_F(KubeletApi, SaysThatItCannotTellWhenTheApiServerIsAway) {
  start({});
  reviewer_.go_away();

  EXPECT_EQ(ask("GET", "/pods", kAlice).status, 500);
}

TEST_F(KubeletApi, RefusesMalformedRequestsWithAStatusOfKubernetes) {
  start({});

  const http::Response response = ask("GET", "/%zz");

  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("\"kind\":\"Status\""), std::string::npos) << response.body;
}

}  // namespace
}  // namespace vkhost::kubelet
