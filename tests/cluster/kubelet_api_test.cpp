// Who may use the kubelet API of a node in a cluster: by the cluster's CA, TokenReview and
// SubjectAccessReview.
//
// kube-apiserver itself refuses to dial a loopback address, so the tests dial the node's port with
// the kind of certificate that it would show.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;

class KubeletApi : public ::testing::Test {
 protected:
  KubeletApi()
      : port_(std::stoi(json_at(node_.cluster().get(node_.path()),
                                "/status/daemonEndpoints/kubeletEndpoint/Port"))),
        ca_(json_at(read_file(node_.daemon().folder() / "runtime/daemon.json"), "/certificate")) {}
  ~KubeletApi() override {
    for (const std::string& path : to_remove_) {
      node_.cluster().remove(path);
    }
  }

  [[nodiscard]] std::unique_ptr<ApiClient> by_token(const std::string& token) const {
    return std::make_unique<ApiClient>(port_, ca_, token);
  }
  [[nodiscard]] std::unique_ptr<ApiClient> by_certificate(
      const CertificateAuthority& authority,
      const std::string& user,
      const std::vector<std::string>& groups) const {
    return std::make_unique<ApiClient>(
        port_, ca_,
        authority.issue(
            {.common_name = user, .organizations = groups, .use = CertificateUse::Client}));
  }

  // A service account of the node's namespace; its token.
  std::string account_token(const std::string& account) {
    const std::string accounts = "/api/v1/namespaces/" + node_.space() + "/serviceaccounts";
    node_.cluster().create(accounts, R"({"metadata":{"name":")" + account + R"("}})");
    return json_at(
        node_.cluster().create(accounts + "/" + account + "/token",
                               R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",)"
                               R"("spec":{"expirationSeconds":3600}})"),
        "/status/token");
  }

  // Lets a service account do that verb on that subresource of nodes, this node's only.
  void allow(const std::string& account, const std::string& subresource, const std::string& verb) {
    const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
    const std::string name = Cluster::unique_name("kubelet-api");
    node_.cluster().create(rbac + "clusterroles",
                           R"({"metadata":{"name":")" + name +
                               R"("},"rules":[{"apiGroups":[""],"resources":["nodes/)" +
                               subresource + R"("],"resourceNames":[")" + node_.name() +
                               R"("],"verbs":[")" + verb + R"("]}]})");
    node_.cluster().create(
        rbac + "clusterrolebindings",
        R"({"metadata":{"name":")" + name +
            R"("},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":")" +
            name + R"("},"subjects":[{"kind":"ServiceAccount","name":")" + account +
            R"(","namespace":")" + node_.space() + R"("}]})");
    to_remove_.push_back(rbac + "clusterroles/" + name);
    to_remove_.push_back(rbac + "clusterrolebindings/" + name);
  }

  NodeUnderTest node_;
  const int port_;
  const std::string ca_;
  std::vector<std::string> to_remove_;
};

TEST_F(KubeletApi, IsOpenToTheApiServersClientCertificate) {
  node_.create_pod("web");
  node_.wait_until_running("web");
  const auto client =
      by_certificate(node_.cluster().ca(), "kube-apiserver-kubelet-client", {"system:masters"});

  const ApiAnswer health = client->get("/healthz");
  const ApiAnswer pods = client->get("/pods");

  EXPECT_EQ(health.status, 200) << health.body;
  EXPECT_EQ(health.body, "ok");
  EXPECT_EQ(pods.status, 200) << pods.body;
  EXPECT_EQ(json_at(pods.body, "/kind"), "PodList");
  EXPECT_EQ(json_at(pods.body, "/items/0/metadata/name"), "web");
}

TEST_F(KubeletApi, AsksRbacWhatTheHolderOfACertificateMayDo) {
  const auto client = by_certificate(node_.cluster().ca(), "somebody", {"some-group"});

  const ApiAnswer answer = client->get("/pods");

  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("somebody"));
}

TEST_F(KubeletApi, TrustsNoOtherAuthority) {
  const CertificateAuthority stranger("a stranger");
  const auto client = by_certificate(stranger, "kube-apiserver-kubelet-client", {"system:masters"});

  int status = 0;
  try {
    status = client->get("/pods").status;
  } catch (const std::runtime_error&) {
    status = 401;  // refused in the handshake already
  }

  EXPECT_EQ(status, 401);
}

TEST_F(KubeletApi, RefusesRequestsWithoutACredentialThatIsBelieved) {
  for (const char* path : {"/pods", "/healthz", "/metrics", "/nothing", "/exec/a/b/c"}) {
    EXPECT_EQ(by_token("")->get(path).status, 401) << path;
    EXPECT_EQ(by_token("wrong")->get(path).status, 401) << path;
  }
}

TEST_F(KubeletApi, LetsTokensDoWhatRbacAllowsThem) {
  const std::string nobody = account_token("nobody");
  const std::string reader = account_token("reader");
  allow("reader", "proxy", "get");

  EXPECT_EQ(by_token(nobody)->get("/pods").status, 403);
  EXPECT_EQ(by_token(nobody)->get("/healthz").status, 403);
  const ApiAnswer pods = by_token(reader)->get("/pods");
  EXPECT_EQ(pods.status, 200) << pods.body;
  EXPECT_EQ(by_token(reader)->get("/healthz").status, 200);
  EXPECT_EQ(by_token(node_.cluster().token("admin"))->get("/pods").status, 200);
  EXPECT_EQ(by_token(node_.cluster().token("vkhost"))->get("/pods").status, 403);
}

TEST_F(KubeletApi, KnowsTheFineGrainedRights) {
  const std::string prober = account_token("prober");
  allow("prober", "healthz", "get");

  const ApiAnswer health = by_token(prober)->get("/healthz");

  EXPECT_EQ(health.status, 200) << health.body;
  EXPECT_EQ(by_token(prober)->get("/pods").status, 403);
}

TEST_F(KubeletApi, ShowsMetricsToThoseWhoMayReadMetrics) {
  const std::string monitoring = account_token("monitoring");
  allow("monitoring", "metrics", "get");
  const std::string proxying = account_token("proxying");
  allow("proxying", "proxy", "get");

  const ApiAnswer metrics = by_token(monitoring)->get("/metrics");

  EXPECT_EQ(metrics.status, 200) << metrics.body;
  EXPECT_THAT(metrics.body, HasSubstr("\nvkhost_build_info{"));
  EXPECT_EQ(by_token(monitoring)->get("/pods").status, 403);
  EXPECT_EQ(by_token(proxying)->get("/metrics").status, 403);
}

}  // namespace
}  // namespace vkhost::testing
