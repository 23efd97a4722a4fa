// Changes of pods that run, as users make them: in-place resize, debug containers, images.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;

class PodUpdates : public ::testing::Test {
 protected:
  // A pod that asks for 100m, running.
  std::string given_pod(const std::string& annotations = "") {
    const std::string created = node_.cluster().create(
        node_.pods_path(), R"({"metadata":{"name":"web","annotations":{)" + annotations +
                               R"(}},"spec":{"nodeName":")" + node_.name() +
                               R"(","containers":[{"name":"main","image":"registry.example/app:1",
                                  "resources":{"requests":{"cpu":"100m"}}}]}})");
    node_.wait_until_running("web");
    return json_at(created, "/metadata/uid");
  }
  CommandResult resize(std::string_view cpu) {
    return node_.kubectl(
        {"patch", "pod", "web", "--subresource", "resize", "--patch",
         R"({"spec":{"containers":[{"name":"main","resources":{"requests":{"cpu":")" +
             std::string(cpu) + R"("}}}]}})"});
  }
  std::string wait_for(const std::function<bool(const std::string& pod)>& condition) {
    return node_.cluster().wait_for(node_.pod_path("web"), condition, kLong);
  }
  static std::string allocated(const std::string& pod) {
    return json_at(pod, "/status/containerStatuses/0/allocatedResources/cpu");
  }
  std::size_t updates(const std::string& uid) { return node_.journal().count("update_pod", uid); }

  NodeUnderTest node_;
};

class InPlaceResize : public PodUpdates {
 protected:
  void SetUp() override {
    if (node_.cluster().minor_version() < 33) {
      GTEST_SKIP() << "the API server has no pods/resize";
    }
  }
};

TEST_F(InPlaceResize, ReachesTheProviderAndIsShown) {
  const std::string uid = given_pod();

  const CommandResult patched = resize("200m");

  ASSERT_EQ(patched.status, 0) << patched.output;
  const std::string pod =
      wait_for([](const std::string& object) { return allocated(object) == "200m"; });
  EXPECT_EQ(json_at(pod, "/status/containerStatuses/0/resources/requests/cpu"), "200m");
  EXPECT_EQ(json_at(pod, "/status/observedGeneration"), json_at(pod, "/metadata/generation"));
  EXPECT_EQ(condition_of(pod, "PodResizePending"), "");
  EXPECT_EQ(condition_of(pod, "PodResizeInProgress"), "");
  EXPECT_EQ(json_at(pod, "/status/containerStatuses/0/restartCount"), "0");
  EXPECT_EQ(updates(uid), 1U);
  EXPECT_EQ(node_.journal().creations(), (std::map<std::string, int>{{uid, 1}}));
}

TEST_F(InPlaceResize, IsDeferredUntilItIsDone) {
  given_pod(R"("mock.vkhost.io/update-resources":"deferred")");

  ASSERT_EQ(resize("200m").status, 0);
  std::string pod = wait_for(
      [](const std::string& object) { return condition_of(object, "PodResizePending") == "True"; });
  EXPECT_EQ(allocated(pod), "100m");
  EXPECT_THAT(pod, HasSubstr("Deferred"));

  node_.cluster().patch(node_.pod_path("web"),
                        R"({"metadata":{"annotations":{"mock.vkhost.io/update-resources":null}}})");

  pod = wait_for([](const std::string& object) { return allocated(object) == "200m"; });
  EXPECT_EQ(condition_of(pod, "PodResizePending"), "");
}

TEST_F(InPlaceResize, IsInfeasible) {
  const std::string uid = given_pod(R"("mock.vkhost.io/update-resources":"infeasible")");

  ASSERT_EQ(resize("200m").status, 0);

  const std::string pod = wait_for(
      [](const std::string& object) { return condition_of(object, "PodResizePending") == "True"; });
  EXPECT_THAT(pod, HasSubstr("Infeasible"));
  EXPECT_EQ(allocated(pod), "100m");
  ASSERT_EQ(resize("100m").status, 0);
  wait_for(
      [](const std::string& object) { return condition_of(object, "PodResizePending").empty(); });
  EXPECT_EQ(updates(uid), 1U);
}

TEST_F(PodUpdates, AddADebugContainer) {
  if (node_.cluster().minor_version() < 23) {
    GTEST_SKIP() << "the API server has no pods/ephemeralcontainers";
  }
  const std::string uid = given_pod();

  const CommandResult debug = node_.kubectl({"debug", "web", "--image=registry.example/tools:1",
                                             "--container=tools", "--", "sleep", "1"});

  ASSERT_EQ(debug.status, 0) << debug.output;
  const std::string pod = wait_for([](const std::string& object) {
    return !json_at(object, "/status/ephemeralContainerStatuses/0/state/running/startedAt").empty();
  });
  EXPECT_EQ(json_at(pod, "/status/ephemeralContainerStatuses/0/name"), "tools");
  EXPECT_EQ(condition_of(pod, "Ready"), "True");
  EXPECT_EQ(updates(uid), 1U);
}

TEST_F(PodUpdates, AreNotMadeAgainAfterARestartOfTheDaemon) {
  const std::string uid = given_pod();
  const auto told = [](const std::string& object) {
    return json_at(object, "/metadata/annotations/vkhost.io~1told");
  };
  const std::string before = told(node_.cluster().get(node_.pod_path("web")));
  ASSERT_EQ(node_.kubectl({"set", "image", "pod/web", "main=registry.example/app:2"}).status, 0);
  wait_for([&](const std::string& object) { return told(object) != before; });
  ASSERT_EQ(updates(uid), 1U);

  node_.daemon().kill();
  node_.daemon().start();
  node_.wait_until_ready();
  node_.cluster().patch(node_.pod_path("web"), R"({"metadata":{"labels":{"any":"thing"}}})");
  node_.create_pod("later");
  node_.wait_until_running("later");

  EXPECT_EQ(updates(uid), 1U);
}

}  // namespace
}  // namespace vkhost::testing
