#include "daemon/known_node.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_node_api.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace vkhost::daemon {
namespace {

class KnownNodeTest : public ::testing::Test {
 protected:
  KnownNode::Parts parts(kube::Client* api) {
    return {[] { return "vk-0"; },
            [this] {
              ++documents_;
              return document_;
            },
            [this] { return version_; },
            api,
            std::make_shared<testing::FakeClock>(),
            {}};
  }

  std::string document_ = R"({"metadata":{"name":"vk-0","labels":{"zone":"a"}},)"
                          R"("status":{"allocatable":{"cpu":"4"}}})";
  std::uint64_t version_ = 1;
  int documents_ = 0;
  testing::FakeNodeApi api_;
};

TEST_F(KnownNodeTest, IsMadeOnceForEachVersion) {
  KnownNode known(parts(nullptr));

  EXPECT_EQ(known.node()->allocatable.at("cpu"), 4000);
  EXPECT_EQ(known.node(), known.node());
  EXPECT_EQ(documents_, 1);

  document_ = R"({"metadata":{"name":"vk-0"},"status":{"allocatable":{"cpu":"8"}}})";
  ++version_;
  EXPECT_EQ(known.node()->allocatable.at("cpu"), 8000);
  EXPECT_EQ(documents_, 2);
}

TEST_F(KnownNodeTest, HasWhatOthersWroteIntoItsObject) {
  KnownNode known(parts(&api_));
  known.object_changed(R"({"metadata":{"name":"vk-0","labels":{"team":"red"}},
    "spec":{"taints":[{"key":"gone","effect":"NoExecute"}]}})");

  EXPECT_EQ(known.node()->labels.at("team"), "red");
  EXPECT_EQ(known.node()->labels.at("zone"), "a");
  EXPECT_EQ(known.node()->taints.size(), 1U);

  known.object_gone();
  EXPECT_FALSE(known.node()->labels.contains("team"));
  EXPECT_TRUE(known.node()->taints.empty());
}

TEST_F(KnownNodeTest, KeepsWhatItKnewWhenADocumentCannotBeRead) {
  KnownNode known(parts(&api_));
  ASSERT_NE(known.node(), nullptr);

  known.object_changed("[]");
  document_ = "nonsense";
  ++version_;

  ASSERT_NE(known.node(), nullptr);
  EXPECT_EQ(known.node()->labels.at("zone"), "a");
}

TEST_F(KnownNodeTest, KnowsNothingBeforeItsFirstDocument) {
  document_.clear();
  KnownNode known(parts(nullptr));

  EXPECT_EQ(known.node(), nullptr);
}

TEST_F(KnownNodeTest, ReadsItsObjectAnew) {
  KnownNode known(parts(&api_));
  api_.put("/api/v1/nodes/vk-0", R"({"metadata":{"name":"vk-0","labels":{"team":"red"}}})");

  EXPECT_FALSE(known.node()->labels.contains("team"));
  EXPECT_EQ(known.read_node({})->labels.at("team"), "red");

  api_.erase("/api/v1/nodes/vk-0");
  EXPECT_FALSE(known.read_node({})->labels.contains("team"));
  api_.go_away();
  EXPECT_EQ(known.read_node({}), nullptr);
  EXPECT_EQ(KnownNode(parts(nullptr)).read_node({})->labels.at("zone"), "a");
}

}  // namespace
}  // namespace vkhost::daemon
