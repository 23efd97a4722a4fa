#include "daemon/surroundings.hpp"
#include "support/test_folder.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace vkhost::daemon
