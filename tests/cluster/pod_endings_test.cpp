// Pods that end although nobody deleted them: by their provider's wish, or by their deadline.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;

std::string placement(const NodeUnderTest& node) {
  return R"("nodeSelector":{"kubernetes.io/hostname":")" + node.name() +
         R"("},"tolerations":[{"key":"virtual-kubelet.io/provider","operator":"Exists"}])";
}

bool has_failed(const std::string& pod) { return json_at(pod, "/status/phase") == "Failed"; }

TEST(PodEndings, AnEvictedPodFailsWithItsReasonAndStays) {
  NodeUnderTest node({.rules =
                          "{match = {name = 'spot'}, stop_delay_ms = 300, evict = {after_ms = "
                          "500, reason = 'SpotReclaimed', message = 'capacity is withdrawn'}}"});
  const std::string uid = node.create_pod("spot");

  const std::string pod = node.cluster().wait_for(node.pod_path("spot"), has_failed, kLong);

  EXPECT_EQ(json_at(pod, "/status/reason"), "SpotReclaimed");
  EXPECT_EQ(json_at(pod, "/status/message"), "capacity is withdrawn");
  EXPECT_EQ(json_at(pod, "/status/containerStatuses/0/state/terminated/exitCode"), "0");
  EXPECT_EQ(condition_of(pod, "DisruptionTarget"), "True");
  EXPECT_TRUE(node.journal().wait_until(
      [](const MockJournal& journal) { return journal.living().empty(); }, kLong));
  EXPECT_EQ(node.journal().count("delete_pod", uid, "ok"), 1U);
  EXPECT_EQ(node.journal().creations(), (std::map<std::string, int>{{uid, 1}}));
  const CommandResult events =
      node.kubectl({"get", "events", "--field-selector=involvedObject.uid=" + uid});
  EXPECT_THAT(events.output, HasSubstr("Evicted"));
}

TEST(PodEndings, AnEvictedPodIsReplacedByItsDeployment) {
  NodeUnderTest node;
  const CommandResult applied = node.kubectl({"apply", "-f", "-"}, R"({
    "apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
    "spec":{"replicas":1,"selector":{"matchLabels":{"app":"web"}},
      "template":{"metadata":{"labels":{"app":"web"},
                              "annotations":{"mock.vkhost.io/evict-after-ms":"1500"}},
        "spec":{)" + placement(node) + R"(,
          "containers":[{"name":"web","image":"registry.example/web:1"}]}}}})");
  ASSERT_EQ(applied.status, 0) << applied.output;

  // The first one fails, and another runs.
  EXPECT_TRUE(node.book().wait_until(
      [](const PodPages& pages) {
        const auto any = [&](const char* phase) {
          return std::any_of(pages.begin(), pages.end(),
                             [&](const auto& page) { return page.second.last().phase == phase; });
        };
        return any("Failed") && any("Running");
      },
      kLong))
      << node.book().summary();
}

TEST(PodEndings, AJobWhosePodExceedsItsDeadlineFails) {
  NodeUnderTest node;
  const CommandResult applied = node.kubectl({"apply", "-f", "-"}, R"({
    "apiVersion":"batch/v1","kind":"Job","metadata":{"name":"slow"},
    "spec":{"backoffLimit":0,"template":{
        "spec":{)" + placement(node) + R"(,"restartPolicy":"Never","activeDeadlineSeconds":2,
          "terminationGracePeriodSeconds":5,
          "containers":[{"name":"work","image":"registry.example/work:1"}]}}}})");
  ASSERT_EQ(applied.status, 0) << applied.output;

  const CommandResult failed =
      node.kubectl({"wait", "job/slow", "--for=condition=Failed", "--timeout=110s"});
  EXPECT_EQ(failed.status, 0) << failed.output << node.book().summary();

  const auto pages = node.book().pages();
  ASSERT_EQ(pages.size(), 1U);
  EXPECT_EQ(pages.begin()->second.last().phase, "Failed");
  EXPECT_EQ(pages.begin()->second.last().reason, "DeadlineExceeded");
  EXPECT_EQ(node.journal().count("delete_pod", pages.begin()->first, "ok"), 1U);
}

TEST(PodEndings, AnEvictionGoesOnAfterTheDaemonWasKilled) {
  NodeUnderTest node({.rules =
                          "{match = {name = 'spot'}, stop_delay_ms = 4000, evict = {after_ms = "
                          "500, reason = 'SpotReclaimed'}}"});
  const std::string uid = node.create_pod("spot");
  node.cluster().wait_for(
      node.pod_path("spot"),
      [](const std::string& pod) { return condition_of(pod, "DisruptionTarget") == "True"; },
      kLong);

  node.daemon().kill();
  node.daemon().start();

  const std::string pod = node.cluster().wait_for(node.pod_path("spot"), has_failed, kLong);
  EXPECT_EQ(json_at(pod, "/status/reason"), "SpotReclaimed");
  EXPECT_TRUE(node.journal().wait_until(
      [](const MockJournal& journal) { return journal.living().empty(); }, kLong));
  EXPECT_EQ(node.journal().creations(), (std::map<std::string, int>{{uid, 1}}));
}

}  // namespace
}  // namespace vkhost::testing
