// Many pods that mount the same ConfigMaps and Secrets: what is asked of the API server goes by the
// objects, however many pods there are.
#include "cluster/node_under_test.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace vkhost::testing {
namespace {

constexpr std::size_t kObjects = 5;  // of each kind
constexpr std::size_t kPods = kSanitized ? 20 : 40;
// Pods, node, and the cluster's client authority.
constexpr std::size_t kOwnWatches = 3;

class SharedObjects : public ::testing::Test {
 protected:
  SharedObjects() {
    for (std::size_t i = 0; i < kObjects; ++i) {
      const std::string metadata = R"({"metadata":{"name":"shared-)" + std::to_string(i) + "\"},";
      node_.cluster().create(path_of("configmaps"), metadata + R"("data":{"k":"one"}})");
      node_.cluster().create(path_of("secrets"), metadata + R"("stringData":{"k":"sesame"}})");
    }
  }

  // Each mounts all objects, as volumes of their own, and has two of them in its environment.
  void create_pods(std::size_t first, std::size_t count) {
    std::string volumes;
    std::string mounts;
    for (std::size_t i = 0; i < kObjects; ++i) {
      const std::string number = std::to_string(i);
      volumes += (volumes.empty() ? "" : ",") + (R"({"name":"s-)" + number) +
                 R"(","secret":{"secretName":"shared-)" + number + R"("}},{"name":"c-)" + number +
                 R"(","configMap":{"name":"shared-)" + number + R"("}})";
      for (const std::string& name : {"s-" + number, "c-" + number}) {
        mounts += (mounts.empty() ? "" : ",") + (R"({"name":")" + name) + R"(","mountPath":"/)" +
                  name + R"("})";
      }
    }
    for (std::size_t i = first; i < first + count; ++i) {
      node_.cluster().create(
          node_.pods_path(),
          R"({"metadata":{"name":"web-)" + std::to_string(i) + R"("},"spec":{"nodeName":")" +
              node_.name() + R"(","automountServiceAccountToken":false,"volumes":[)" + volumes +
              R"(],"containers":[{"name":"main","image":"registry.example/app:1","volumeMounts":[)" +
              mounts +
              R"(],"envFrom":[)"
              R"({"configMapRef":{"name":"shared-0"}},{"secretRef":{"name":"shared-1"}}]}]}})");
    }
  }
  [[nodiscard]] std::string path_of(const std::string& kind) const {
    return "/api/v1/namespaces/" + node_.space() + "/" + kind;
  }
  bool wait_until_running(std::size_t count) {
    return node_.book().wait_until_running(count, kLong);
  }
  bool wait_for_watches(std::size_t count) {
    return proxy_->traffic().wait_for_watches(count, kLong);
  }
  // Requests of that verb for ConfigMaps and Secrets.
  [[nodiscard]] std::uint64_t count(const std::string& verb) const {
    return proxy_->traffic().count(verb + " configmaps") +
           proxy_->traffic().count(verb + " secrets");
  }
  // That the provider took, of whichever pod.
  [[nodiscard]] std::size_t updates() const {
    const auto calls = node_.journal().calls();
    return static_cast<std::size_t>(std::count_if(
        calls.begin(), calls.end(),
        [](const MockCall& call) { return call.call == "update_pod" && call.outcome == "ok"; }));
  }

  const std::unique_ptr<FaultProxy> proxy_ = Cluster::instance().proxy();
  NodeUnderTest node_{
      {.proxy = proxy_.get(),
       .daemon = {.provider_settings = "material = ['env', 'files']\nupdates = ['files']\n"
                                       "keep_material = 'hashes'\n"}}};
};

TEST_F(SharedObjects, AreReadAndWatchedOnceForHoweverManyPods) {
  ASSERT_TRUE(wait_for_watches(kOwnWatches));
  const std::uint64_t reads = count("get");
  const std::uint64_t watches = count("watch");
  create_pods(0, 1);
  ASSERT_TRUE(wait_until_running(1)) << node_.book().summary();
  ASSERT_TRUE(wait_for_watches(kOwnWatches + 2 * kObjects)) << proxy_->traffic().open_watches();

  create_pods(1, kPods - 1);
  ASSERT_TRUE(wait_until_running(kPods)) << node_.book().summary();

  // One more where a watch had been opened and had shown nothing yet.
  EXPECT_GE(count("get"), reads + 2 * kObjects);
  EXPECT_LE(count("get"), reads + 4 * kObjects);
  EXPECT_EQ(count("watch"), watches + 2 * kObjects);
  EXPECT_EQ(proxy_->traffic().count("list secrets"), 0U);
  EXPECT_EQ(proxy_->traffic().open_watches(), kOwnWatches + 2 * kObjects);
}

TEST_F(SharedObjects, ThatChangeReachEachPodOnceAndAreNotReadForThat) {
  create_pods(0, kPods);
  ASSERT_TRUE(wait_until_running(kPods)) << node_.book().summary();
  ASSERT_TRUE(wait_for_watches(kOwnWatches + 2 * kObjects));
  const std::uint64_t reads = count("get");
  const std::uint64_t watches = count("watch");
  ASSERT_EQ(updates(), 0U);

  node_.cluster().patch(path_of("secrets") + "/shared-2", R"({"stringData":{"k":"open-sesame"}})");
  ASSERT_TRUE(
      node_.journal().wait_until([&](const MockJournal&) { return updates() >= kPods; }, kLong));

  for (const std::string& uid : node_.journal().living()) {
    EXPECT_EQ(node_.journal().count("update_pod", uid, "ok"), 1U);
  }
  EXPECT_LE(count("get"), reads + 2 * kObjects) << "one where a watch had only just been opened";
  EXPECT_EQ(count("watch"), watches);
}

TEST_F(SharedObjects, AreWatchedNoMoreOnceTheirLastPodIsGone) {
  create_pods(0, 3);
  ASSERT_TRUE(wait_until_running(3)) << node_.book().summary();
  ASSERT_TRUE(wait_for_watches(kOwnWatches + 2 * kObjects));

  node_.cluster().remove(node_.pod_path("web-0"), 0);
  node_.cluster().remove(node_.pod_path("web-1"), 0);
  ASSERT_TRUE(wait_until_running(1)) << node_.book().summary();
  EXPECT_TRUE(wait_for_watches(kOwnWatches + 2 * kObjects));
  node_.cluster().remove(node_.pod_path("web-2"), 0);

  EXPECT_TRUE(wait_for_watches(kOwnWatches));
}

}  // namespace
}  // namespace vkhost::testing
