#include "cluster/crash_stories.hpp"

#include "support/json_pointer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace vkhost::testing {
namespace {

// Lost workloads and orphans show in lists.
constexpr const char* kListsOften = "[pods]\nresync_interval = '1s'\n";

std::string uid_of_web(const NodeUnderTest& node) {
  for (const auto& [uid, page] : node.book().pages()) {
    if (page.name == "web") {
      return uid;
    }
  }
  throw std::runtime_error("there is no pod web:\n" + node.book().summary());
}

void make_web(NodeUnderTest& node) { node.create_pod("web"); }
void remove_web(NodeUnderTest& node) { node.cluster().remove(node.pod_path("web")); }
void remove_web_by_force(NodeUnderTest& node) {
  node.cluster().remove(node.pod_path("web"), 0);
  node.cluster().wait_until_gone(node.pod_path("web"));
}
void run_web(NodeUnderTest& node) {
  node.create_pod("web", {.annotations = {{"mock.vkhost.io/stop-delay-ms", "100"}}});
  node.wait_until_running("web");
}
void run_web_once(NodeUnderTest& node) {
  node.create_pod("web", {.restart_policy = "Never"});
  node.wait_until_running("web");
}
void take_web_away(NodeUnderTest& node) { node.journal().take_away(uid_of_web(node)); }

void expect_running(NodeUnderTest& node) { node.wait_until_running("web"); }
void expect_nothing_left(NodeUnderTest& node) {
  node.cluster().wait_until_gone(node.pod_path("web"), kLong);
  EXPECT_TRUE(node.journal().wait_until(
      [](const MockJournal& journal) { return journal.living().empty(); }, kLong));
}
// ... of the workload; the pod stays.
std::string expect_failed(NodeUnderTest& node, std::string_view reason) {
  std::string pod = node.cluster().wait_for(
      node.pod_path("web"),
      [](const std::string& object) { return json_at(object, "/status/phase") == "Failed"; },
      kLong);
  EXPECT_EQ(json_at(pod, "/status/reason"), reason);
  EXPECT_TRUE(node.journal().wait_until(
      [](const MockJournal& journal) { return journal.living().empty(); }, kLong));
  return pod;
}
void expect_evicted(NodeUnderTest& node) {
  EXPECT_EQ(condition_of(expect_failed(node, "MockEviction"), "DisruptionTarget"), "True");
}
void expect_untouched(NodeUnderTest& node) {
  expect_running(node);
  const std::string uid = uid_of_web(node);
  EXPECT_EQ(node.journal().count("update_pod", uid), 0U);
  EXPECT_EQ(node.journal().count("delete_pod", uid), 0U);
}
void expect_lease_of_node(NodeUnderTest& node) {
  const std::string uid = json_at(node.wait_until_ready(), "/metadata/uid");
  node.cluster().wait_for(
      "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/" + node.name(),
      [&](const std::string& lease) {
        return !lease.empty() && json_at(lease, "/metadata/ownerReferences/0/uid") == uid;
      },
      kLong);
}

std::vector<Story> stories_of_the_node() {
  return {
      {.name = "ANodeIsMade",
       .points = {"BeforeNodeCreated", "AfterNodeCreated", "BeforeLeaseCreated",
                  "AfterLeaseCreated"},
       .crashes = Crashes::AtFirstStart,
       .expect = expect_lease_of_node},
      {.name = "ANodeIsPutRight",
       .points = {"BeforeNodeSpec", "AfterNodeSpec"},
       .provoke =
           [](NodeUnderTest& node) {
             // Who takes this one away writes all taints, and would put the daemon's back with them.
             node.cluster().wait_for(
                 node.path(),
                 [](const std::string& object) {
                   return json_at(object, "/spec/taints").find("node.kubernetes.io/not-ready") ==
                          std::string::npos;
                 },
                 kLong);
             node.cluster().patch(node.path(), R"({"spec":{"taints":null}})");
           },
       .expect =
           [](NodeUnderTest& node) {
             node.cluster().wait_for(
                 node.path(),
                 [](const std::string& object) {
                   return json_at(object, "/spec/taints").find("virtual-kubelet.io/provider") !=
                          std::string::npos;
                 },
                 kLong);
           }},
      {.name = "APodIsAdopted",
       .points = {"BeforeRecovery", "AfterRecovery", "BeforeWork", "BeforeList", "AfterList",
                  "BeforeNodeStatus", "AfterNodeStatus", "BeforeLeaseRenewed", "AfterLeaseRenewed"},
       .crashes = Crashes::AtSecondStart,
       .prepare = run_web_once,
       .expect = [](NodeUnderTest& node) {
         expect_untouched(node);
         expect_lease_of_node(node);
       }}};
}

std::vector<Story> stories_of_beginnings() {
  return {
      {.name = "APodIsMade",
       .points = {"AfterJudged", "BeforeCreateCall", "AfterCreateCall", "BeforeStatusWrite",
                  "AfterStatusWrite"},
       .provoke = [](NodeUnderTest& node) { node.create_pod("web", {.restart_policy = "Never"}); },
       .expect = expect_running},
      {.name = "APodIsMadeWithASavedHandle",
       .points = {"BeforeHandleSaved", "AfterCreateCall"},
       .mock = "save_handle = true\n",
       .provoke = make_web,
       .expect = expect_running},
      // The handle names nothing then.
      {.name = "AHandleIsSaved",
       .points = {"AfterHandleSaved"},
       .mock = "save_handle = true\n",
       .provoke = make_web,
       .expect = expect_running,
       .handles = 2},
      {.name = "APodIsMadeByACallThatFails",
       .points = {"AfterCreateCall", "AfterStatusWrite"},
       .mock = "rules = [{fail = {code = 'unavailable', effect = 'happened', tries = 1}}]\n",
       .provoke = make_web,
       .expect = expect_running},
      {.name = "APodRunsForAMoment",
       .points = {"AfterCreateCall", "BeforeLastStatus", "AfterLastStatus"},
       .provoke =
           [](NodeUnderTest& node) {
             node.create_pod("web", {.annotations = {{"mock.vkhost.io/exit-code", "0"},
                                                     {"mock.vkhost.io/exit-after-ms", "1"}},
                                     .restart_policy = "Never"});
           },
       .expect =
           [](NodeUnderTest& node) {
             node.cluster().wait_for(
                 node.pod_path("web"),
                 [](const std::string& pod) {
                   return json_at(pod, "/status/phase") == "Succeeded";
                 },
                 kLong);
           }},
      {.name = "APodIsRejected",
       .points = {"AfterJudged", "BeforeLastStatus", "AfterLastStatus"},
       .provoke =
           [](NodeUnderTest& node) {
             node.create_pod("web", {.spec = R"("nodeSelector":{"kubernetes.io/arch":"s390x"})"});
           },
       .expect = [](NodeUnderTest& node) { expect_failed(node, "NodeAffinity"); },
       .creations = 0},
      {.name = "APodIsChanged",
       .points = {"BeforeUpdateCall", "AfterUpdateCall", "AfterStatusWrite"},
       .prepare = run_web,
       .provoke =
           [](NodeUnderTest& node) {
             EXPECT_EQ(
                 node.kubectl({"set", "image", "pod/web", "main=registry.example/app:2"}).status,
                 0);
           },
       .expect =
           [](NodeUnderTest& node) {
             const std::string pod = node.cluster().wait_for(
                 node.pod_path("web"),
                 [](const std::string& object) {
                   return json_at(object, "/status/containerStatuses/0/image") ==
                              "registry.example/app:2" &&
                          condition_of(object, "Ready") == "True" &&
                          json_at(object, "/status/observedGeneration") ==
                              json_at(object, "/metadata/generation");
                 },
                 kLong);
             EXPECT_EQ(json_at(pod, "/status/containerStatuses/0/restartCount"), "1");
           }}};
}

std::vector<Story> stories_of_deletions() {
  return {{.name = "APodIsDeleted",
           .points = {"BeforeDeleteCall", "AfterDeleteCall", "AfterAbsence", "BeforeLastStatus",
                      "AfterLastStatus", "BeforeRemoval", "AfterRemoval", "AfterRemovalSeen",
                      "BeforeForgotten"},
           .prepare = run_web,
           .provoke = remove_web,
           .expect = expect_nothing_left},
          {.name = "APodIsDeletedWhileItIsMade",
           .points = {"AfterCreateCall", "AfterDeleteCall", "BeforeConclusion", "AfterLastStatus"},
           .prepare =
               [](NodeUnderTest& node) {
                 node.create_pod("web", {.annotations = {{"mock.vkhost.io/hang-for-ms", "0"}}});
                 EXPECT_TRUE(node.daemon().wait_for_log("create_pod hangs", kLong));
               },
           .provoke = remove_web,
           .expect = expect_nothing_left,
           .creations = 0},
          {.name = "APodIsDeletedByForce",
           .points = {"AfterRemovalSeen", "BeforeDeleteCall", "AfterDeleteCall"},
           .more = std::string(kListsOften) + "[policies]\norphans = 'delete'\n",
           .prepare = run_web,
           .provoke = remove_web_by_force,
           .expect = expect_nothing_left},
          {.name = "AnOrphanIsDeleted",
           .points = {"BeforeOrphanRead", "AfterOrphanRead", "AfterOrphanAdopted",
                      "BeforeDeleteCall", "AfterDeleteCall", "BeforeForgotten"},
           .crashes = Crashes::AtSecondStart,
           .more = std::string(kListsOften) + "[policies]\norphans = 'delete'\n",
           .prepare =
               [](NodeUnderTest& node) {
                 node.create_pod("kept");
                 run_web(node);
                 node.wait_until_running("kept");
               },
           .provoke = remove_web_by_force,
           .expect =
               [](NodeUnderTest& node) {
                 EXPECT_TRUE(node.journal().wait_until(
                     [uid = uid_of_web(node)](const MockJournal& journal) {
                       return !journal.living().contains(uid);
                     },
                     kLong));
                 node.wait_until_running("kept");
               }}};
}

std::vector<Story> stories_of_other_ends() {
  constexpr const char* kRecreate = "[policies]\non_lost = 'recreate'\n";
  return {{.name = "ALostPodFails",
           .points = {"BeforeLossFails", "BeforeLastStatus", "AfterLastStatus"},
           .crashes = Crashes::AtSecondStart,
           .more = kRecreate,  // but it may run once only
           .prepare = run_web_once,
           .provoke = take_web_away,
           .expect = [](NodeUnderTest& node) { expect_failed(node, "WorkloadLost"); }},
          {.name = "ALostPodIsMadeAgain",
           .points = {"BeforeLossShows", "BeforeCreateCall", "AfterCreateCall", "AfterStatusWrite"},
           .crashes = Crashes::AtSecondStart,
           .more = kRecreate,
           .prepare = run_web,
           .provoke = take_web_away,
           .expect =
               [](NodeUnderTest& node) {
                 EXPECT_TRUE(node.journal().wait_until(
                     [uid = uid_of_web(node)](const MockJournal& journal) {
                       return journal.living() == std::set{uid};
                     },
                     kLong));
                 expect_running(node);
               },
           .creations = 2,
           .handles = 2},
          {.name = "APodIsEvicted",
           .points = {"AfterEvictionAsked", "BeforeEvictionMark", "AfterEvictionMark",
                      "BeforeDeleteCall", "AfterDeleteCall", "BeforeLastStatus", "AfterLastStatus"},
           .provoke =
               [](NodeUnderTest& node) {
                 node.create_pod("web", {.annotations = {{"mock.vkhost.io/evict-after-ms", "100"},
                                                         {"mock.vkhost.io/stop-delay-ms", "200"}}});
               },
           .expect = expect_evicted},
          {.name = "AnEvictedPodIsLost",
           .points = {"BeforeOrderedEnd", "BeforeLastStatus"},
           .crashes = Crashes::AtSecondStart,
           .prepare =
               [](NodeUnderTest& node) {
                 node.create_pod("web",
                                 {.annotations = {{"mock.vkhost.io/evict-after-ms", "100"},
                                                  {"mock.vkhost.io/stop-delay-ms", "600000"}},
                                  .grace_s = 600});
                 node.cluster().wait_for(
                     node.pod_path("web"),
                     [](const std::string& pod) {
                       return condition_of(pod, "DisruptionTarget") == "True";
                     },
                     kLong);
               },
           .provoke = take_web_away,
           .expect = expect_evicted},
          {.name = "APodExceedsItsDeadline",
           .points = {"AfterDeadline", "BeforeDeleteCall", "AfterDeleteCall", "AfterLastStatus"},
           .provoke =
               [](NodeUnderTest& node) {
                 node.create_pod("web", {.annotations = {{"mock.vkhost.io/stop-delay-ms", "100"}},
                                         .spec = R"("activeDeadlineSeconds":1)"});
               },
           .expect = [](NodeUnderTest& node) { expect_failed(node, "DeadlineExceeded"); }}};
}

}  // namespace

const std::vector<Story>& crash_stories() {
  static const std::vector<Story> kStories = [] {
    std::vector<Story> all;
    for (auto some : {stories_of_the_node(), stories_of_beginnings(), stories_of_deletions(),
                      stories_of_other_ends()}) {
      std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
  }();
  return kStories;
}

}  // namespace vkhost::testing
