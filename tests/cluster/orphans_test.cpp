// Workloads in the back end that no pod of the node stands for.
#include "cluster/node_under_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace vkhost::testing {
namespace {

// kip#107, k3k#520, k3k#1021: A start deletes workloads that are alive or of somebody else
TEST(ForeignWorkloads, AndOwnPodsSurviveTenRestarts) {
  NodeUnderTest node({.daemon = {.more = "[pods]\nresync_interval = '1s'\n"}});
  const std::string own = node.create_pod("own");
  const std::string foreign = node.create_pod("foreign");
  ASSERT_TRUE(node.book().wait_until_running(2, kLong)) << node.book().summary();
  ASSERT_EQ(node.daemon().stop(kLong), 0);
  // While nobody hears of it: each daemon from now on finds a workload that it cannot place.
  node.cluster().remove(node.pod_path("foreign"), 0);
  node.cluster().wait_until_gone(node.pod_path("foreign"), kLong);

  for (int restart = 0; restart < 10; ++restart) {
    node.daemon().start();
    // Two lists held it by then, and the API server was asked for its pod.
    ASSERT_TRUE(node.daemon().wait_for_log("orphan", kLong)) << restart;
    ASSERT_THAT(node.daemon().log(), ::testing::HasSubstr(foreign));
    if (restart % 2 == 0) {
      ASSERT_EQ(node.daemon().stop(kLong), 0);
    } else {
      node.daemon().kill();
    }
  }

  EXPECT_EQ(node.journal().living(), (std::set{own, foreign}));
  EXPECT_EQ(node.journal().count("delete_pod", foreign), 0U);
  EXPECT_EQ(node.journal().count("delete_pod", own), 0U);
  // It is deleted by those only who ask for that, and then it alone.
  DaemonSettings settings = node.daemon_settings();
  settings.more += "[policies]\norphans = 'delete'\n";
  node.daemon().configure(settings);
  node.daemon().start();
  EXPECT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return journal.living() == std::set{own}; }, kLong));
  EXPECT_EQ(node.journal().count("delete_pod", own), 0U);
  EXPECT_EQ(node.journal().creations(), (std::map<std::string, int>{{own, 1}, {foreign, 1}}));
  EXPECT_THAT(node.book().page("own").start_times(), ::testing::SizeIs(1));
}

}  // namespace
}  // namespace vkhost::testing
