#include "daemon/surroundings.hpp"
#include "support/test_folder.hpp"

#include <gtest/gtest.h>

namespace vkhost::daemon {
namespace {

Result<std::unique_ptr<Surroundings>> open(const std::string& kubeconfig) {
  config::Config config;
  config.kubernetes.kubeconfig = kubeconfig;
  return make_cluster_surroundings(
      config, {std::make_shared<SystemClock>(),
               std::make_shared<SeededRandom>(SeededRandom::seed_from_system()),
               {}});
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
  const auto file = folder.write("config", R"(
apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
)");

  const auto opened = open(file);

  ASSERT_TRUE(opened.is_ok()) << opened.status().to_string();
  EXPECT_NE((*opened)->api(), nullptr);
}

}  // namespace
}  // namespace vkhost::daemon
