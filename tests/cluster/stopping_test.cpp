// What becomes of a node when its daemon stops: policies.on_stop.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <string>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kMark = "vkhost.io/cordoned";

NodeOptions stopping_with(const std::string& policy, const std::string& more = {}) {
  NodeOptions options;
  options.daemon.more = "[policies]\non_stop = '" + policy + "'\n" + more;
  return options;
}

std::string ready_of(NodeUnderTest& node) {
  return condition_of(node.cluster().get(node.path()), "Ready");
}

// Where the disruption budgets of the node's pods are.
std::string budgets_path(NodeUnderTest& node) {
  const std::string version = node.cluster().minor_version() < 21 ? "v1beta1" : "v1";
  return "/apis/policy/" + version + "/namespaces/" + node.space() + "/poddisruptionbudgets";
}

// After the start of a daemon, which is told by its log since the node may have been Ready all along.
void start_again(NodeUnderTest& node) {
  node.daemon().start();
  ASSERT_TRUE(node.daemon().wait_for_log("node is up", kLong)) << node.daemon().log();
  node.wait_until_ready();
}

TEST(Stopping, LeavesTheNodeAsItIsByDefault) {
  NodeUnderTest node;
  const std::string uid = node.create_pod("web");
  node.wait_until_running("web");

  EXPECT_EQ(node.daemon().stop(), 0);

  const std::string object = node.cluster().get(node.path());
  EXPECT_EQ(condition_of(object, "Ready"), "True");
  EXPECT_EQ(json_at(object, "/spec/unschedulable"), "");
  EXPECT_TRUE(node.cluster().exists(node.pod_path("web")));
  EXPECT_EQ(node.journal().count("delete_pod", uid), 0U);
}

TEST(Stopping, CallsTheNodeNotReadyAndBackAgain) {
  NodeUnderTest node(stopping_with("not_ready"));
  const std::string uid = node.create_pod("web");
  node.wait_until_running("web");

  EXPECT_EQ(node.daemon().stop(), 0);

  const std::string object = node.cluster().get(node.path());
  EXPECT_EQ(condition_of(object, "Ready"), "False");
  EXPECT_THAT(object, HasSubstr("NodeShutdown"));
  EXPECT_EQ(json_at(object, "/spec/unschedulable"), "");
  start_again(node);
  EXPECT_EQ(node.journal().count("delete_pod", uid), 0U);
}

// wlm-operator#136: A node whose daemon stops does not say so
TEST(Stopping, CordonsTheNodeUntilTheNextStart) {
  NodeUnderTest node(stopping_with("cordon"));
  const std::string uid = node.create_pod("web");
  node.wait_until_running("web");

  EXPECT_EQ(node.daemon().stop(), 0);

  const std::string object = node.cluster().get(node.path());
  EXPECT_EQ(json_at(object, "/spec/unschedulable"), "true");
  EXPECT_THAT(object, HasSubstr(kMark));
  EXPECT_EQ(condition_of(object, "Ready"), "False");
  start_again(node);
  const std::string back = node.cluster().get(node.path());
  EXPECT_EQ(json_at(back, "/spec/unschedulable"), "");
  EXPECT_THAT(back, Not(HasSubstr(kMark)));
  EXPECT_EQ(node.journal().count("delete_pod", uid), 0U);
}

TEST(Stopping, KeepsTheCordonOfSomebodyElse) {
  NodeUnderTest node(stopping_with("cordon"));
  ASSERT_EQ(node.cluster().kubectl({"cordon", node.name()}).status, 0);

  EXPECT_EQ(node.daemon().stop(), 0);
  start_again(node);

  EXPECT_EQ(json_at(node.cluster().get(node.path()), "/spec/unschedulable"), "true");
}

// wlm-operator#136: A node whose daemon stops leaves its pods to their fate
TEST(Stopping, DrainsTheNodeAsBudgetsAllow) {
  NodeUnderTest node(stopping_with("drain"));
  node.create_pod("free");
  // As `create_pod` makes them, but with a label that a budget selects.
  node.cluster().create(
      node.pods_path(),
      R"({"metadata":{"name":"guarded","labels":{"app":"guarded"}},"spec":{"nodeName":")" +
          node.name() + R"(","containers":[{"name":"main","image":"registry.example/app:1"}]}})");
  node.wait_until_running("free");
  node.wait_until_running("guarded");
  const std::string budget = budgets_path(node);
  node.cluster().create(budget, R"({"metadata":{"name":"guard"},"spec":{"minAvailable":1,)"
                                R"("selector":{"matchLabels":{"app":"guarded"}}}})");
  node.cluster().wait_for(
      budget + "/guard",
      [](const std::string& object) { return json_at(object, "/status/currentHealthy") == "1"; },
      kLong);

  node.daemon().send_signal(SIGTERM);

  node.cluster().wait_until_gone(node.pod_path("free"), kLong);
  ASSERT_TRUE(node.daemon().wait_for_log("not evicted yet", kLong)) << node.daemon().log();
  EXPECT_TRUE(node.cluster().exists(node.pod_path("guarded")));
  EXPECT_EQ(json_at(node.cluster().get(node.path()), "/spec/unschedulable"), "true");
  EXPECT_EQ(ready_of(node), "True");  // pods are still served
  node.cluster().remove(budget + "/guard");
  node.cluster().wait_until_gone(node.pod_path("guarded"), kLong);
  EXPECT_EQ(node.daemon().wait(kLong), 0);
  EXPECT_EQ(ready_of(node), "False");
  EXPECT_TRUE(node.journal().living().empty());
}

TEST(Stopping, DrainsNoLongerThanItMay) {
  NodeUnderTest node(stopping_with("drain", "[stop]\ndrain_timeout = '1s'\n"));
  node.cluster().create(
      node.pods_path(),
      R"({"metadata":{"name":"guarded","labels":{"app":"guarded"}},"spec":{"nodeName":")" +
          node.name() + R"(","containers":[{"name":"main","image":"registry.example/app:1"}]}})");
  node.wait_until_running("guarded");
  const std::string budget = budgets_path(node);
  node.cluster().create(budget, R"({"metadata":{"name":"guard"},"spec":{"minAvailable":1,)"
                                R"("selector":{"matchLabels":{"app":"guarded"}}}})");

  EXPECT_EQ(node.daemon().stop(kLong), 0);

  EXPECT_TRUE(node.cluster().exists(node.pod_path("guarded")));
  EXPECT_THAT(node.daemon().log(), HasSubstr("the drain is over before its end"));
  EXPECT_EQ(ready_of(node), "False");
}

}  // namespace
}  // namespace vkhost::testing
