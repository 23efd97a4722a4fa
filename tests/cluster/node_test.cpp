// The node object and its lease.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;

std::string lease_path(const NodeUnderTest& node) {
  return "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/" + node.name();
}

std::string wait_for_lease(NodeUnderTest& node,
                           const std::function<bool(const std::string& lease)>& condition) {
  return node.cluster().wait_for(
      lease_path(node),
      [&](const std::string& lease) { return !lease.empty() && condition(lease); }, kLong);
}

// How long the API server had no Ready node of that name, as its watch saw it.
class Outage {
 public:
  explicit Outage(NodeUnderTest& node)
      : path_("/api/v1/nodes?watch=true&fieldSelector=metadata.name%3D" + node.name()),
        api_(node.cluster().port(), node.cluster().ca_pem(), node.cluster().token("admin")),
        watch_("outage", [this] { watch(); }) {}

  std::optional<std::chrono::milliseconds> length() {
    watch_.join();
    if (!began_ || !ended_) {
      return std::nullopt;
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(*ended_ - *began_);
  }
  // The watch shows what is there before anything happens to it.
  bool wait_until_watching() {
    const SteadyTime until = std::chrono::steady_clock::now() + kLong;
    const MutexLock lock(mutex_);
    while (!watching_ && changed_.wait_until(mutex_, until)) {
    }
    return watching_;
  }

 private:
  void watch() {
    api_.watch(path_, kLong, [this](std::string_view event) {
      {
        const MutexLock lock(mutex_);
        watching_ = true;
        changed_.notify_all();
      }
      const SteadyTime now = std::chrono::steady_clock::now();
      if (json_at(event, "/type") == "DELETED") {
        began_ = now;
      } else if (began_ && condition_of(json_at(event, "/object"), "Ready") == "True") {
        ended_ = now;
      }
      return !ended_;
    });
  }

  const std::string path_;
  ApiClient api_;
  Mutex mutex_;
  CondVar changed_;
  bool watching_ VKHOST_GUARDED_BY(mutex_) = false;
  std::optional<SteadyTime> began_;
  std::optional<SteadyTime> ended_;
  Thread watch_;
};

// virtual-kubelet#886, #1143, #68: A node that somebody deleted stays away
TEST(Node, ComesBackAtOnceWhenItIsDeletedAndKeepsItsPods) {
  NodeUnderTest node;
  constexpr std::size_t kPods = 10;
  std::set<std::string> uids;
  for (std::size_t i = 0; i < kPods; ++i) {
    uids.insert(node.create_pod("web-" + std::to_string(i)));
  }
  ASSERT_TRUE(node.book().wait_until_running(kPods, kLong)) << node.book().summary();
  const std::string old_uid = json_at(node.cluster().get(node.path()), "/metadata/uid");
  Outage outage(node);
  ASSERT_TRUE(outage.wait_until_watching());

  const CommandResult deleted = node.cluster().kubectl({"delete", "node", node.name()});

  ASSERT_EQ(deleted.status, 0) << deleted.output;
  const auto length = outage.length();
  ASSERT_TRUE(length);
  std::cout << "the node was away for " << length->count() << " ms\n";
  if (!kSanitized) {
    EXPECT_LT(*length, 2s);
  }
  const std::string back = node.wait_until_ready();
  EXPECT_NE(json_at(back, "/metadata/uid"), old_uid);
  // A pod made afterwards has gone all the way, so the earlier ones had their chance to go wrong.
  node.create_pod("later");
  ASSERT_TRUE(node.book().wait_until_running(kPods + 1, kLong)) << node.book().summary();
  for (const auto& [uid, page] : node.book().pages()) {
    EXPECT_FALSE(page.gone);
    EXPECT_EQ(node.journal().count("create_pod", uid), 1U) << page.name;
  }
  for (const std::string& uid : uids) {
    EXPECT_TRUE(node.book().pages().contains(uid));
  }
}

// virtual-kubelet#886: The lease of a node that was made again belongs to the old one
TEST(Node, RenewsALeaseThatBelongsToItAlsoAfterItWasMadeAgain) {
  NodeUnderTest node({.daemon = {.node_settings = "lease_duration = '10s'"}});
  const auto belongs_to = [](const std::string& lease, const std::string& object) {
    return json_at(lease, "/metadata/ownerReferences/0/uid") == json_at(object, "/metadata/uid") &&
           json_at(lease, "/metadata/ownerReferences/0/kind") == "Node";
  };
  const std::string first = node.wait_until_ready();
  const std::string lease =
      wait_for_lease(node, [&](const std::string& now) { return belongs_to(now, first); });
  EXPECT_EQ(json_at(lease, "/spec/holderIdentity"), node.name());
  const std::string renewed = json_at(lease, "/spec/renewTime");
  wait_for_lease(node, [&](const std::string& now) {
    return json_at(now, "/spec/renewTime") > renewed && belongs_to(now, first);
  });

  node.cluster().remove(node.path());

  const std::string uid = json_at(first, "/metadata/uid");
  const std::string second = node.cluster().wait_for(
      node.path(),
      [&](const std::string& object) {
        return !object.empty() && json_at(object, "/metadata/uid") != uid &&
               condition_of(object, "Ready") == "True";
      },
      kLong);
  const std::string fresh =
      wait_for_lease(node, [&](const std::string& now) { return belongs_to(now, second); });
  wait_for_lease(node, [&](const std::string& now) {
    return json_at(now, "/spec/renewTime") > json_at(fresh, "/spec/renewTime") &&
           belongs_to(now, second);
  });
}

TEST(Node, ShowsWhatTheConfigurationAndTheProviderSayOfIt) {
  NodeUnderTest node({.daemon = {.provider_settings = "cpu = '7'\nmemory = '9Gi'\n",
                                 .node_settings = "labels = {'example.com/zone' = 'z'}\n"}});

  const std::string object = node.wait_until_ready();

  EXPECT_EQ(json_at(object, "/status/capacity/cpu"), "7");
  EXPECT_EQ(json_at(object, "/status/allocatable/memory"), "9Gi");
  EXPECT_EQ(json_at(object, "/status/capacity/pods"), "1k");  // as the API server writes it
  EXPECT_EQ(json_at(object, "/metadata/labels/example.com~1zone"), "z");
  EXPECT_EQ(json_at(object, "/metadata/labels/kubernetes.io~1hostname"), node.name());
  EXPECT_EQ(json_at(object, "/spec/taints/0/key"), "virtual-kubelet.io/provider");
  EXPECT_EQ(json_at(object, "/spec/taints/0/value"), "mock");
  EXPECT_EQ(json_at(object, "/status/addresses/0/address"), "127.0.0.1");
  EXPECT_NE(json_at(object, "/status/daemonEndpoints/kubeletEndpoint/Port"), "0");
}

TEST(Node, PutsBackWhatOthersDidToItsTaintsAndLabels) {
  NodeUnderTest node(
      {.daemon = {.node_settings = "labels = {'example.com/zone' = 'z'}\n"
                                   "taints = [{key = 'example.com/mine', value = '1'}]\n"
                                   "provider_id = 'static://rack-1'\n"}});
  const std::string first = node.wait_until_ready();
  EXPECT_EQ(json_at(first, "/spec/providerID"), "static://rack-1");

  ASSERT_EQ(node.cluster()
                .kubectl({"taint", "node", node.name(), "example.com/mine-",
                          "example.com/theirs=1:NoSchedule"})
                .status,
            0);
  ASSERT_EQ(node.cluster()
                .kubectl({"label", "--overwrite", "node", node.name(), "example.com/zone=y",
                          "example.com/foreign=1"})
                .status,
            0);

  const std::string back = node.cluster().wait_for(
      node.path(),
      [](const std::string& object) {
        return object.find(R"("key":"example.com/mine")") != std::string::npos &&
               json_at(object, "/metadata/labels/example.com~1zone") == "z";
      },
      kLong);
  EXPECT_THAT(back, ::testing::HasSubstr(R"("key":"example.com/theirs")"));
  EXPECT_EQ(json_at(back, "/metadata/labels/example.com~1foreign"), "1");
}

TEST(Node, IsNotReadyWithTheReasonOfItsProviderAndComesBack) {
  NodeUnderTest node(
      {.daemon = {.provider_settings = "ping = {after_ms = 4000, for_ms = 3000, code = "
                                       "'unauthenticated', reason = 'BadKey', message = 'the key "
                                       "has expired'}\n",
                  .node_settings = "ping_interval = '1s'\n"}},
      false);
  const std::string broken = node.cluster().wait_for(
      node.path(),
      [](const std::string& object) {
        return object.find(R"("reason":"BadKey")") != std::string::npos;
      },
      kLong);
  const std::string back = node.wait_until_ready();

  EXPECT_EQ(condition_of(broken, "Ready"), "False");
  EXPECT_THAT(broken, ::testing::HasSubstr("the key has expired"));
  // The host was alive all the time, and said so.
  EXPECT_EQ(json_at(broken, "/metadata/uid"), json_at(back, "/metadata/uid"));
  EXPECT_THAT(broken, ::testing::Not(::testing::HasSubstr("NodeStatusUnknown")));
}

TEST(Node, HasAnAddressOfEachFamily) {
  NodeUnderTest node(
      {.daemon = {.node_settings = "addresses = [{type = 'InternalIP', address = '127.0.0.1'}, "
                                   "{type = 'InternalIP', address = 'fd00::1'}, "
                                   "{type = 'Hostname', address = 'virtual'}]\n"
                                   "status_interval = '1s'\n"}});
  const std::string first = node.wait_until_ready();
  const auto heartbeat = [](const std::string& object) {
    return json_at(object, "/status/conditions/0/lastHeartbeatTime");
  };

  // Also after it has been patched: a merge by type would make one of two.
  const std::string later = node.cluster().wait_for(
      node.path(), [&](const std::string& object) { return heartbeat(object) > heartbeat(first); },
      kLong);
  EXPECT_EQ(json_at(later, "/status/addresses/0/address"), "127.0.0.1");
  EXPECT_EQ(json_at(later, "/status/addresses/1/address"), "fd00::1");
  EXPECT_EQ(json_at(later, "/status/addresses/2/address"), "virtual");
}

TEST(Node, StaysWhenTheDaemonStopsAndSoDoItsPods) {
  NodeUnderTest node;
  const std::string uid = node.create_pod("web");
  node.wait_until_running("web");
  const std::string start_time = node.book().page("web").last().start_time;
  const std::string node_uid = json_at(node.cluster().get(node.path()), "/metadata/uid");

  ASSERT_EQ(node.daemon().stop(kLong), 0);
  EXPECT_TRUE(node.cluster().exists(node.path()));
  node.daemon().start();

  node.create_pod("later");
  node.wait_until_running("later");
  EXPECT_EQ(json_at(node.cluster().get(node.path()), "/metadata/uid"), node_uid);
  EXPECT_THAT(node.book().page("web").start_times(), ::testing::ElementsAre(start_time));
  EXPECT_EQ(node.journal().creations().at(uid), 1);
  EXPECT_EQ(node.journal().count("create_pod", uid), 1U);
}

// Under another UID the provider would list none of the node's workloads.
TEST(Node, LosesNoPodBecauseItsClusterIsKnownByAnotherUid) {
  NodeUnderTest node;
  const std::string uid = node.create_pod("web");
  node.wait_until_running("web");
  const std::string cluster_uid =
      json_at(node.cluster().get("/api/v1/namespaces/kube-system"), "/metadata/uid");
  const auto keeps = [](const std::string& object) {
    return json_at(object, "/metadata/annotations/vkhost.io~1cluster-uid");
  };
  node.cluster().wait_for(
      node.path(), [&](const std::string& object) { return keeps(object) == cluster_uid; }, kLong);
  ASSERT_EQ(node.daemon().stop(kLong), 0);
  const DaemonSettings right = node.daemon_settings();
  DaemonSettings wrong = right;
  wrong.kubernetes_settings = "cluster_uid = 'another-cluster'";
  node.daemon().configure(wrong);
  node.daemon().start();

  const std::string refused = node.cluster().wait_for(
      node.path(),
      [](const std::string& object) { return object.find("another-cluster") != std::string::npos; },
      kLong);
  EXPECT_EQ(condition_of(refused, "Ready"), "False");
  EXPECT_EQ(keeps(refused), cluster_uid);
  EXPECT_THAT(node.daemon().log(), ::testing::HasSubstr("kubernetes.cluster_uid"));

  ASSERT_EQ(node.daemon().stop(kLong), 0);
  node.daemon().configure(right);
  node.daemon().start();
  node.create_pod("later");
  node.wait_until_running("later");
  EXPECT_EQ(json_at(node.cluster().get(node.pod_path("web")), "/status/phase"), "Running");
  EXPECT_EQ(node.journal().count("create_pod", uid), 1U);
  EXPECT_EQ(node.journal().count("delete_pod", uid), 0U);
}

}  // namespace
}  // namespace vkhost::testing
