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

}  // namespace
}  // namespace vkhost::daemon
