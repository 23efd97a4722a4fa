// Pods of one virtual node, from kubectl to the provider and back.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// For pods that the scheduler shall place on this node.
std::string placement(const NodeUnderTest& node) {
  return R"("nodeSelector":{"kubernetes.io/hostname":")" + node.name() +
         R"("},"tolerations":[{"key":"virtual-kubelet.io/provider","operator":"Exists"}])";
}

TEST(Pods, RunWhenKubectlBindsThemToTheNode) {
  NodeUnderTest node;

  const CommandResult run =
      node.kubectl({"run", "web", "--image=registry.example/web:1",
                    R"(--overrides={"spec":{"nodeName":")" + node.name() + R"("}})"});

  ASSERT_EQ(run.status, 0) << run.output;
  node.wait_until_running("web");
  const std::string ip = node.book().page("web").last().ip;
  const CommandResult wide = node.kubectl({"get", "pod", "web", "-o", "wide", "--no-headers"});
  ASSERT_EQ(wide.status, 0) << wide.output;
  EXPECT_THAT(wide.output, HasSubstr("Running"));
  EXPECT_THAT(wide.output, HasSubstr("1/1"));
  EXPECT_THAT(wide.output, HasSubstr(ip));
  EXPECT_THAT(wide.output, HasSubstr(node.name()));
  EXPECT_THAT(ip, ::testing::StartsWith("198.1"));
}

TEST(Pods, RunWhenTheSchedulerBindsThoseThatTolerateTheTaint) {
  NodeUnderTest node;

  const CommandResult run = node.kubectl({"run", "web", "--image=registry.example/web:1",
                                          "--overrides={\"spec\":{" + placement(node) + "}}"});

  ASSERT_EQ(run.status, 0) << run.output;
  node.wait_until_running("web");
  EXPECT_EQ(node.book().page("web").last().node, node.name());
}

TEST(Pods, OfADeploymentAllRunAndAllGoWhenItIsScaledToNothing) {
  NodeUnderTest node;
  constexpr std::size_t kReplicas = 50;

  const CommandResult applied = node.kubectl({"apply", "-f", "-"}, R"({
    "apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
    "spec":{"replicas":50,"selector":{"matchLabels":{"app":"web"}},
      "template":{"metadata":{"labels":{"app":"web"}},
        "spec":{)" + placement(node) + R"(,
          "containers":[{"name":"web","image":"registry.example/web:1"}]}}}})");

  ASSERT_EQ(applied.status, 0) << applied.output;
  ASSERT_TRUE(node.book().wait_until_running(kReplicas, kLong)) << node.book().summary();
  EXPECT_THAT(node.journal().living(), SizeIs(kReplicas));
  const CommandResult available =
      node.kubectl({"wait", "deployment/web", "--for=condition=Available", "--timeout=60s"});
  EXPECT_EQ(available.status, 0) << available.output;

  const CommandResult scaled = node.kubectl({"scale", "deployment/web", "--replicas=0"});

  ASSERT_EQ(scaled.status, 0) << scaled.output;
  ASSERT_TRUE(node.book().wait_until_empty(kLong)) << node.book().summary();
  EXPECT_TRUE(node.journal().wait_until(
      [](const MockJournal& journal) { return journal.living().empty(); }, kLong));
  EXPECT_EQ(json_size(node.cluster().get(node.pods_path()), "/items"), 0U);
  const auto creations = node.journal().creations();
  EXPECT_THAT(creations, SizeIs(kReplicas));
  for (const auto& [uid, count] : creations) {
    EXPECT_EQ(count, 1) << uid;
  }
}

// virtual-kubelet#787, #760: A pod that has ended stays Terminating for its whole grace
TEST(Pods, EndWithTheProviderAndNotWithTheirGrace) {
  NodeUnderTest node;
  constexpr int kGraceBeyondTheTest = 3600;
  const std::string uid = node.create_pod(
      "web",
      {.annotations = {{"mock.vkhost.io/stop-delay-ms", "300"}}, .grace_s = kGraceBeyondTheTest});
  node.wait_until_running("web");

  node.cluster().remove(node.pod_path("web"));

  node.cluster().wait_until_gone(node.pod_path("web"), kLong);
  ASSERT_TRUE(node.book().wait_until_empty(kLong));
  const PodSight& last = node.book().page("web").last();
  EXPECT_THAT(last.exit_codes, ::testing::ElementsAre(0));
  EXPECT_EQ(last.phase, "Succeeded");
  EXPECT_FALSE(last.ready);
  EXPECT_EQ(node.journal().count("delete_pod", uid, "ok"), 1U);
  EXPECT_EQ(node.journal().count("gone", uid), 1U);
}

TEST(Pods, AreKilledAndShowItWhenTheirGraceIsTooShort) {
  NodeUnderTest node;
  node.create_pod("web",
                  {.annotations = {{"mock.vkhost.io/stop-delay-ms", "3600000"}}, .grace_s = 1});
  node.wait_until_running("web");

  node.cluster().remove(node.pod_path("web"));

  ASSERT_TRUE(node.book().wait_until(
      [](const PodPages& pages) { return pages.begin()->second.gone; }, kLong))
      << node.book().summary();
  EXPECT_THAT(node.book().page("web").last().exit_codes, ::testing::ElementsAre(137));
}

TEST(Pods, ShowHowTheyEndedByThemselves) {
  NodeUnderTest node;
  node.create_pod("good", {.annotations = {{"mock.vkhost.io/exit-code", "0"},
                                           {"mock.vkhost.io/exit-after-ms", "200"}},
                           .restart_policy = "Never"});
  node.create_pod("bad", {.annotations = {{"mock.vkhost.io/exit-code", "3"},
                                          {"mock.vkhost.io/exit-after-ms", "200"}},
                          .restart_policy = "Never"});

  const auto has_ended = [](const std::string& pod) {
    const std::string phase = json_at(pod, "/status/phase");
    return phase == "Succeeded" || phase == "Failed";
  };
  const std::string good = node.cluster().wait_for(node.pod_path("good"), has_ended, kLong);
  const std::string bad = node.cluster().wait_for(node.pod_path("bad"), has_ended, kLong);

  constexpr std::string_view kExitCode = "/status/containerStatuses/0/state/terminated/exitCode";
  EXPECT_EQ(json_at(good, "/status/phase"), "Succeeded");
  EXPECT_EQ(json_at(good, kExitCode), "0");
  EXPECT_EQ(json_at(bad, "/status/phase"), "Failed");
  EXPECT_EQ(json_at(bad, kExitCode), "3");
}

TEST(Pods, DeletedByForceAreDeletedInTheProviderToo) {
  NodeUnderTest node;
  const std::string uid = node.create_pod("web");
  node.wait_until_running("web");

  const CommandResult deleted =
      node.kubectl({"delete", "pod", "web", "--force", "--grace-period=0"});

  ASSERT_EQ(deleted.status, 0) << deleted.output;
  EXPECT_FALSE(node.cluster().exists(node.pod_path("web")));
  EXPECT_TRUE(node.journal().wait_until(
      [](const MockJournal& journal) { return journal.living().empty(); }, kLong));
  EXPECT_EQ(node.journal().count("delete_pod", uid, "ok"), 1U);
}

// virtual-kubelet#867, #907: A deletion meant for the old pod of a name hits the new one
TEST(Pods, ReplacedUnderTheirNameAreTwoPodsToTheProvider) {
  NodeUnderTest node;
  const std::string first = node.create_pod("web");
  node.wait_until_running("web");

  node.cluster().remove(node.pod_path("web"), 0);
  const std::string second = node.create_pod("web");

  node.wait_until_running("web");
  EXPECT_NE(first, second);
  EXPECT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return journal.living() == std::set<std::string>{second}; },
      kLong));
  EXPECT_EQ(node.journal().creations(), (std::map<std::string, int>{{first, 1}, {second, 1}}));
}

// True once the events of that pod have that reason; what was seen goes to *seen.
bool wait_for_event(NodeUnderTest& node,
                    const std::string& uid,
                    std::string_view reason,
                    std::string* message) {
  bool found = false;
  node.cluster().api().watch("/api/v1/namespaces/" + node.space() +
                                 "/events?watch=true&fieldSelector=involvedObject.uid%3D" + uid,
                             kLong, [&](std::string_view event) {
                               found = json_at(event, "/object/reason") == reason;
                               if (found) {
                                 *message = json_at(event, "/object/message");
                               }
                               return !found;
                             });
  return found;
}

TEST(Pods, ThatTheProviderRefusesSayWhyAndAreTriedUntilTheyRun) {
  NodeUnderTest node({.rules =
                          "{match = {name = 'refused'}, fail = {code = 'resource_exhausted', "
                          "reason = 'QuotaExceeded', message = 'no room for it', tries = 3}}"});

  const std::string uid = node.create_pod("refused");

  std::string message;
  ASSERT_TRUE(wait_for_event(node, uid, "ProviderCreateFailed", &message));
  EXPECT_THAT(message, HasSubstr("no room for it"));
  node.wait_until_running("refused");
  const PodHistory history = node.book().page("refused");
  const auto& sights = history.sights;
  EXPECT_TRUE(std::any_of(sights.begin(), sights.end(), [](const PodSight& sight) {
    return sight.phase == "Pending" && sight.reason == "QuotaExceeded" &&
           sight.waiting_reason == "QuotaExceeded";
  })) << node.book().summary();
  EXPECT_EQ(history.last().reason, "");
  EXPECT_EQ(node.journal().count("create_pod", uid, "resource_exhausted"), 3U);
  EXPECT_EQ(node.journal().creations(), (std::map<std::string, int>{{uid, 1}}));
}

// virtual-kubelet#465: Events of a pod's life are missing
TEST(Pods, TellTheirStoryInEvents) {
  NodeUnderTest node;
  const std::string uid = node.create_pod("web");
  node.wait_until_running("web");
  std::string message;
  ASSERT_TRUE(wait_for_event(node, uid, "Started", &message));
  node.cluster().remove(node.pod_path("web"));
  ASSERT_TRUE(wait_for_event(node, uid, "Killing", &message));
  EXPECT_THAT(message, HasSubstr("Stopping container"));

  const CommandResult events =
      node.kubectl({"get", "events", "--field-selector=involvedObject.uid=" + uid, "-o",
                    R"(jsonpath={range .items[*]}{.reason} {.count} {end})"});
  ASSERT_EQ(events.status, 0) << events.output;
  for (const char* reason : {"Scheduled 1", "Pulling 1", "Started 1", "Killing 1"}) {
    EXPECT_THAT(events.output, HasSubstr(reason));
  }
}

TEST(Pods, AreNeverReadyWhileTheirCreationFails) {
  NodeUnderTest node({.rules = "{match = {name = 'refused'}, fail = {code = 'internal'}}"});

  const std::string uid = node.create_pod("refused");

  ASSERT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return journal.count("create_pod", uid) >= 3; }, kLong));
  const PodHistory history = node.book().page("refused");
  EXPECT_FALSE(history.was_running());
  EXPECT_FALSE(history.was_ready());
  // It was never there, so it goes at once, whatever its grace.
  node.cluster().remove(node.pod_path("refused"));
  node.cluster().wait_until_gone(node.pod_path("refused"), kLong);
}

TEST(Pods, ThatFailDoNotHoldUpOthers) {
  NodeUnderTest node({.rules = "{match = {name = 'hangs-*'}, hang = {}},"
                               "{match = {name = 'fails-*'}, fail = {}}"});
  for (int i = 0; i < 8; ++i) {
    node.create_pod("hangs-" + std::to_string(i));
    node.create_pod("fails-" + std::to_string(i));
  }

  node.create_pod("good");

  node.wait_until_running("good");
}

// virtual-kubelet#976, #988, #780: A status write takes labels and conditions of others away
TEST(Pods, KeepWhatOthersWroteIntoThem) {
  NodeUnderTest node;
  node.create_pod("web", {.annotations = {{"mock.vkhost.io/unready-after-ms", "2000"},
                                          {"mock.vkhost.io/unready-for-ms", "500"}}});
  node.wait_until_running("web");

  node.cluster().patch(node.pod_path("web"),
                       R"({"metadata":{"labels":{"l":"1"},"annotations":{"a":"2"}}})");
  node.cluster().patch(
      node.pod_path("web") + "/status",
      R"({"status":{"conditions":[{"type":"example.com/mine","status":"True"}]}})");

  // A merge patch replaced all conditions: the daemon's own come back, the other one stays.
  const std::string pod = node.cluster().wait_for(
      node.pod_path("web"),
      [](const std::string& object) { return condition_of(object, "Ready") == "False"; }, kLong);
  EXPECT_EQ(condition_of(pod, "example.com/mine"), "True");
  const std::string later = node.cluster().wait_for(
      node.pod_path("web"),
      [](const std::string& object) { return condition_of(object, "Ready") == "True"; }, kLong);
  EXPECT_EQ(condition_of(later, "example.com/mine"), "True");
  EXPECT_EQ(json_at(later, "/metadata/labels/l"), "1");
  EXPECT_EQ(json_at(later, "/metadata/annotations/a"), "2");
}

}  // namespace
}  // namespace vkhost::testing
