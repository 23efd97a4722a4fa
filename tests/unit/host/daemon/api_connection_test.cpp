#include "daemon/api_connection.hpp"

#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::daemon {
namespace {

using ::testing::HasSubstr;

std::string kubeconfig(const std::string& server) {
  return "current-context: a\n"
         "contexts: [{name: a, context: {cluster: c, user: u}}]\n"
         "clusters: [{name: c, cluster: {server: '" +
         server + "', tls-server-name: api}}]\nusers: [{name: u, user: {token: t}}]\n";
}

struct ApiConnectionTest : ::testing::Test {
  const testing::TestFolder folder;
  config::KubernetesConfig config;
};

TEST_F(ApiConnectionTest, ComesFromTheKubeconfig) {
  config.kubeconfig = folder.write("config", kubeconfig("https://one:6443"));

  const auto connection = api_connection(config);

  ASSERT_TRUE(connection.is_ok()) << connection.status().to_string();
  EXPECT_EQ(connection->server, "https://one:6443");
  EXPECT_EQ(connection->token.reveal(), "t");
}

TEST_F(ApiConnectionTest, ComesFromTheBootstrapKubeconfigBeforeAllOthers) {
  config.kubeconfig = folder.write("config", kubeconfig("https://one:6443"));
  config.bootstrap_kubeconfig = folder.write("bootstrap", kubeconfig("https://two:6443"));

  EXPECT_EQ(api_connection(config)->server, "https://two:6443");
}

TEST_F(ApiConnectionTest, GoesToTheServerThatIsConfigured) {
  config.kubeconfig = folder.write("config", kubeconfig("https://one:6443"));
  config.server = "https://three:6443";

  EXPECT_EQ(api_connection(config)->server, "https://three:6443");
}

TEST_F(ApiConnectionTest, NamesTheFileThatIsMissing) {
  config.kubeconfig = folder.path() / "none";

  const Status status = api_connection(config).status();

  EXPECT_EQ(status.code(), StatusCode::NotFound);
  EXPECT_THAT(status.message(), HasSubstr(config.kubeconfig));
}

TEST_F(ApiConnectionTest, WithoutIdentityTrustsTheSameServerAndShowsNothing) {
  config.kubeconfig = folder.write("config", kubeconfig("https://one:6443"));

  const kube::Connection bare = without_identity(*api_connection(config));

  EXPECT_EQ(bare.server, "https://one:6443");
  EXPECT_EQ(bare.tls_server_name, "api");
  EXPECT_TRUE(bare.token.empty());
}

}  // namespace
}  // namespace vkhost::daemon
