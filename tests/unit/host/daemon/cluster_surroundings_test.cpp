#include "base/mutex.hpp"
#include "daemon/surroundings.hpp"
#include "support/certificates.hpp"
#include "support/played_server.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace vkhost::daemon {
namespace {

constexpr const char* kKubeconfig = R"(
apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
)";

Result<std::unique_ptr<Surroundings>> open(const config::KubernetesConfig& kubernetes) {
  config::Config config;
  config.kubernetes = kubernetes;
  config.nodes.resize(1);
  config.nodes[0].name = "web-1";
  return make_cluster_surroundings(
      config, {std::make_shared<SystemClock>(),
               std::make_shared<SeededRandom>(SeededRandom::seed_from_system()),
               {}});
}

Result<std::unique_ptr<Surroundings>> open(const std::string& kubeconfig) {
  config::KubernetesConfig kubernetes;
  kubernetes.kubeconfig = kubeconfig;
  return open(kubernetes);
}

TEST(ClusterSurroundings, NameAKubeconfigThatIsNotThereWhereThereIsNoServiceAccountEither) {
  const testing::TestFolder folder;

  const auto opened = open(folder.path() / "none");

  ASSERT_FALSE(opened.is_ok());
  EXPECT_NE(opened.status().message().find("none"), std::string::npos);
  EXPECT_NE(opened.status().message().find("KUBERNETES_SERVICE_HOST"), std::string::npos);
}

TEST(ClusterSurroundings, TalkToNobodyBeforeTheyAreUsed) {
  const testing::TestFolder folder;

  const auto opened = open(folder.write("config", kKubeconfig));

  ASSERT_TRUE(opened.is_ok()) << opened.status().to_string();
  EXPECT_NE((*opened)->api(), nullptr);
}

TEST(ClusterSurroundings, AskNobodyForTheNameOfTheClusterThatIsConfigured) {
  const testing::TestFolder folder;
  config::KubernetesConfig kubernetes;
  kubernetes.kubeconfig = folder.write("config", kKubeconfig);
  kubernetes.cluster_uid = "the-cluster";

  const auto opened = open(kubernetes);

  ASSERT_TRUE(opened.is_ok()) << opened.status().to_string();
  EXPECT_EQ(*(*opened)->cluster_uid({}), "the-cluster");
}

TEST(ClusterSurroundings, TakeTheBootstrapKubeconfigBeforeAllOthers) {
  const testing::TestFolder folder;
  config::KubernetesConfig kubernetes;
  kubernetes.kubeconfig = folder.path() / "none";
  kubernetes.bootstrap_kubeconfig = folder.write("bootstrap", kKubeconfig);

  const auto opened = open(kubernetes);
  kubernetes.bootstrap_kubeconfig = folder.path() / "missing";
  const auto without = open(kubernetes);

  EXPECT_TRUE(opened.is_ok()) << opened.status().to_string();
  EXPECT_NE(without.status().message().find("missing"), std::string::npos);
}

// ---- Who we are, and where

constexpr const char* kReview = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
constexpr const char* kNamespace = "/api/v1/namespaces/kube-system";
constexpr const char* kService = "/api/v1/namespaces/default/services/kubernetes";

// Surroundings of an API server that answers by path, and 503 elsewhere.
class SurroundingsOfAServer : public ::testing::Test {
 protected:
  void answers(const std::string& path, const std::string& status, const std::string& body) {
    const MutexLock lock(mutex_);
    answers_[path] = {"HTTP/1.1 " + status +
                      "\r\nContent-Type: application/json\r\nContent-Length: " +
                      std::to_string(body.size()) + "\r\n\r\n" + body};
  }
  void forbids(const std::string& path) {
    answers(path, "403 Forbidden",
            R"({"kind":"Status","code":403,"reason":"Forbidden","message":"you may not"})");
  }
  void has(const std::string& path, const std::string& uid) {
    answers(path, "200 OK", R"({"metadata":{"uid":")" + uid + R"("}})");
  }
  void knows_us_as(const std::string& user, const std::string& group) {
    answers(
        kReview, "201 Created",
        R"({"status":{"userInfo":{"username":")" + user + R"(","groups":[")" + group + R"("]}}})");
  }
  // `user` is YAML.
  config::KubernetesConfig given_kubeconfig(const std::string& user, int port) {
    config::KubernetesConfig kubernetes;
    kubernetes.kubeconfig =
        folder_.write("config",
                      "current-context: a\n"
                      "contexts: [{name: a, context: {cluster: c, user: u}}]\n"
                      "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:" +
                          std::to_string(port) +
                          "', certificate-authority: ca.pem}}]\n"
                          "users: [{name: u, user: " +
                          user + "}]\n");
    return kubernetes;
  }
  std::unique_ptr<Surroundings> open_as(const std::string& user) {
    auto opened = open(given_kubeconfig(user, server_.port()));
    EXPECT_TRUE(opened.is_ok()) << opened.status().to_string();
    return std::move(*opened);
  }
  // Reads the kubeconfig once more, as at a reload.
  void read_again(Surroundings& surroundings) {
    config::Config config;
    config.kubernetes.kubeconfig = folder_.path() / "config";
    const auto commit = surroundings.prepare_credentials(config);
    ASSERT_TRUE(commit.is_ok()) << commit.status().to_string();
    (*commit)();
  }
  // What a request shows.
  std::string shown(Surroundings& surroundings) {
    static_cast<void>(surroundings.api()->get(kNamespace, {}, {}));
    const MutexLock lock(mutex_);
    return shown_;
  }
  int asked(const std::string& path) {
    const MutexLock lock(mutex_);
    return asked_[path];
  }

  Mutex mutex_;
  std::map<std::string, testing::PlayedServer::Answer> answers_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, int> asked_ VKHOST_GUARDED_BY(mutex_);
  std::string shown_ VKHOST_GUARDED_BY(mutex_);  // by the last request
  const testing::TestFolder folder_;
  testing::PlayedServer server_{[this](const testing::Head& head, const std::string&) {
    const MutexLock lock(mutex_);
    const std::string path(head.target());
    ++asked_[path];
    shown_ = head.field("Authorization");
    const auto found = answers_.find(path);
    return found == answers_.end()
               ? testing::PlayedServer::Answer{"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"}
               : found->second;
  }};
  const std::string ca_ = folder_.write("ca.pem", server_.ca_pem());
};

TEST_F(SurroundingsOfAServer, TakeNoOtherUidForTheClusterWhereTheUsualOneIsRefusedInPassing) {
  knows_us_as("system:serviceaccount:vkhost:vkhost", "system:authenticated");
  forbids(kNamespace);
  has(kService, "uid-of-the-service");
  const auto surroundings = open_as("{token: t}");

  const auto refused = surroundings->cluster_uid({});
  has(kNamespace, "uid-of-the-namespace");
  const auto found = surroundings->cluster_uid({});

  EXPECT_EQ(refused.status().code(), StatusCode::PermissionDenied);
  EXPECT_THAT(refused.status().to_string(), ::testing::HasSubstr("kubernetes.cluster_uid"));
  ASSERT_TRUE(found.is_ok()) << found.status().to_string();
  EXPECT_EQ(*found, "uid-of-the-namespace");
}

TEST_F(SurroundingsOfAServer, AreKnownToANodeByTheServiceThatItMayRead) {
  knows_us_as("system:node:web-1", "system:nodes");
  forbids(kNamespace);
  has(kService, "uid-of-the-service");
  const auto surroundings = open_as("{token: t}");

  const auto found = surroundings->cluster_uid({});

  ASSERT_TRUE(found.is_ok()) << found.status().to_string();
  EXPECT_EQ(*found, "uid-of-the-service");
}

TEST_F(SurroundingsOfAServer, AskOnceWhoTheyAreAndAgainLater) {
  const auto surroundings = open_as("{token: t}");

  const auto unknown = surroundings->node_identity({});
  const int asked_so_far = asked(kReview);
  knows_us_as("system:node:web-1", "system:nodes");
  const auto known = surroundings->node_identity({});

  EXPECT_FALSE(unknown.is_ok());
  EXPECT_EQ(asked_so_far, 1);
  ASSERT_TRUE(known.is_ok()) << known.status().to_string();
  EXPECT_EQ(*known, "web-1");
}

TEST_F(SurroundingsOfAServer, AreThoseOfNobodyWhereTheServerKnowsNoSuchQuestion) {
  answers(kReview, "405 Method Not Allowed", "");
  const auto surroundings = open_as("{token: t}");

  const auto identity = surroundings->node_identity({});

  ASSERT_TRUE(identity.is_ok()) << identity.status().to_string();
  EXPECT_EQ(*identity, "");
}

TEST_F(SurroundingsOfAServer, KnowANodeByItsCertificateWhenTheServerIsTooBusyToSay) {
  const testing::CertificateAuthority authority;
  const auto issued = authority.issue({.common_name = "system:node:web-1",
                                       .organizations = {"system:nodes"},
                                       .use = testing::CertificateUse::Client});
  static_cast<void>(folder_.write("client.pem", issued.certificate_pem));
  static_cast<void>(folder_.write("client.key", issued.key_pem));
  const auto surroundings = open_as("{client-certificate: client.pem, client-key: client.key}");

  const auto identity = surroundings->node_identity({});

  ASSERT_TRUE(identity.is_ok()) << identity.status().to_string();
  EXPECT_EQ(*identity, "web-1");
}

TEST_F(SurroundingsOfAServer, ShowTheIdentityOfAKubeconfigThatWasReadAgain) {
  has(kNamespace, "uid");
  const auto surroundings = open_as("{token: first}");
  ASSERT_EQ(shown(*surroundings), "Bearer first");

  static_cast<void>(given_kubeconfig("{token: the-second}", server_.port()));
  EXPECT_EQ(shown(*surroundings), "Bearer first");
  read_again(*surroundings);

  EXPECT_EQ(shown(*surroundings), "Bearer the-second");
}

TEST_F(SurroundingsOfAServer, KeepTheirIdentityWhenTheKubeconfigNamesAnotherServer) {
  has(kNamespace, "uid");
  const auto surroundings = open_as("{token: first}");

  static_cast<void>(given_kubeconfig("{token: of-somebody-else}", 1));
  read_again(*surroundings);

  EXPECT_EQ(shown(*surroundings), "Bearer first");
}

TEST_F(SurroundingsOfAServer, KeepTheirIdentityWhenTheKubeconfigIsWrong) {
  has(kNamespace, "uid");
  const auto surroundings = open_as("{token: first}");
  config::Config config;
  config.kubernetes.kubeconfig = folder_.write("config", "current-context: [");

  EXPECT_FALSE(surroundings->prepare_credentials(config).is_ok());
  EXPECT_FALSE(surroundings->prepare_credentials(config).is_ok());  // it is still wrong

  EXPECT_EQ(shown(*surroundings), "Bearer first");
}

}  // namespace
}  // namespace vkhost::daemon
