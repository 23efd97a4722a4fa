#include "daemon/identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vkhost::daemon {
namespace {

TEST(ContentUid, IsAUuidOfVersionEight) {
  EXPECT_THAT(content_uid("node", "content"),
              ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                      "[0-9a-f]{12}"));
}

TEST(ContentUid, DependsOnNodeAndContentAndNothingElse) {
  EXPECT_EQ(content_uid("node", "content"), content_uid("node", "content"));
  EXPECT_NE(content_uid("node", "content"), content_uid("node", "contents"));
  EXPECT_NE(content_uid("node", "content"), content_uid("nodec", "ontent"));
}

TEST(OwnerKey, FitsLabelsTagsAndNames) {
  EXPECT_THAT(owner_key("cluster", "node"), ::testing::MatchesRegex("[a-z0-9][a-z0-9-]{0,62}"));
  EXPECT_NE(owner_key("cluster", "node"), owner_key("cluster", "other"));
}

TEST(NodeOfUser, IsEmptyForAllWhoAreNoNode) {
  EXPECT_EQ(node_of_user("system:node:web-1", {"system:authenticated", "system:nodes"}), "web-1");
  EXPECT_EQ(node_of_user("system:node:web-1", {"system:authenticated"}), "");
  EXPECT_EQ(node_of_user("system:nodes:web-1", {"system:nodes"}), "");
  EXPECT_EQ(node_of_user("web-1", {"system:nodes"}), "");
  EXPECT_EQ(node_of_user("", {}), "");
}

TEST(NodeIdentityCheck, NamesBothNodesWhereTheyDiffer) {
  EXPECT_TRUE(check_node_identity("", "web-1").is_ok());
  EXPECT_TRUE(check_node_identity("web-1", "web-1").is_ok());

  const Status refused = check_node_identity("web-2", "web-1");

  EXPECT_EQ(refused.code(), StatusCode::FailedPrecondition);
  EXPECT_THAT(refused.message(), ::testing::HasSubstr("web-1"));
  EXPECT_THAT(refused.message(), ::testing::HasSubstr("web-2"));
}

TEST(ClusterCheck, NamesBothUidsWhereTheyDifferAndBothWaysOn) {
  EXPECT_TRUE(check_cluster_uid("", "uid-b", "web-1").is_ok());
  EXPECT_TRUE(check_cluster_uid("uid-b", "uid-b", "web-1").is_ok());

  const Status refused = check_cluster_uid("uid-a", "uid-b", "web-1");

  EXPECT_EQ(refused.code(), StatusCode::FailedPrecondition);
  for (const char* part : {"uid-a", "uid-b", "kubernetes.cluster_uid",
                           "kubectl annotate node web-1 vkhost.io/cluster-uid-"}) {
    EXPECT_THAT(refused.message(), ::testing::HasSubstr(part));
  }
}

}  // namespace
}  // namespace vkhost::daemon
