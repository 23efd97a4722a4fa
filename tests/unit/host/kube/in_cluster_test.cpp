#include "kube/in_cluster.hpp"

#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vkhost::kube {
namespace {

using ::testing::HasSubstr;
using vkhost::testing::TestFolder;

TEST(InClusterConnection, TakesTheServiceAccount) {
  const TestFolder folder;
  static_cast<void>(folder.write("token", "t"));
  static_cast<void>(folder.write("ca.crt", "pem"));
  static_cast<void>(folder.write("namespace", "vkhost\n"));

  const auto connection = in_cluster_connection({folder.path(), "10.0.0.1", "443"});

  ASSERT_TRUE(connection.is_ok()) << connection.status().to_string();
  EXPECT_EQ(connection->server, "https://10.0.0.1:443");
  EXPECT_EQ(connection->token_file, folder.path() / "token");
  EXPECT_EQ(connection->certificate_authority.file, folder.path() / "ca.crt");
  EXPECT_EQ(connection->default_namespace, "vkhost");
  EXPECT_EQ(in_cluster_connection({folder.path(), "fd00::1", "6443"})->server,
            "https://[fd00::1]:6443");
}

TEST(InClusterConnection, SaysWhatIsMissing) {
  const TestFolder folder;

  EXPECT_THAT(in_cluster_connection({folder.path(), "", "443"}).status().message(),
              HasSubstr("KUBERNETES_SERVICE_HOST"));
  const Status no_token = in_cluster_connection({folder.path(), "10.0.0.1", "443"}).status();
  EXPECT_EQ(no_token.code(), StatusCode::FailedPrecondition);
  EXPECT_THAT(no_token.message(), HasSubstr("token"));
}

}  // namespace
}  // namespace vkhost::kube
