#include "mock/translate.hpp"

#include "mock/timeline.hpp"
#include "sample_workloads.hpp"

#include <vkhost/provider.hpp>

#include <gtest/gtest.h>

namespace vkhost::mock {
namespace {

constexpr const char* kPod = R"({
  "metadata": {"namespace": "shop", "name": "web-0", "labels": {"app": "web"},
               "annotations": {"note": "x"}, "managedFields": [{"fieldsV1": {"f:spec": {}}}]},
  "spec": {"restartPolicy": "OnFailure", "hostNetwork": true,
    "initContainers": [{"name": "setup", "image": "i:1"},
                       {"name": "proxy", "image": "p:1", "restartPolicy": "Always"}],
    "containers": [{"name": "app", "image": "a:1"}],
    "ephemeralContainers": [{"name": "debug", "image": "d:1"}]}})";

TEST(ParsePod, TakesWhatTheMockNeeds) {
  const Pod pod = parse_pod(kPod);

  EXPECT_EQ(pod.pod_namespace, "shop");
  EXPECT_EQ(pod.name, "web-0");
  EXPECT_EQ(pod.labels.at("app"), "web");
  EXPECT_EQ(pod.annotations.at("note"), "x");
  EXPECT_EQ(pod.restart_policy, RestartPolicy::OnFailure);
  EXPECT_TRUE(pod.host_network);
  ASSERT_EQ(pod.containers.size(), 4U);
  EXPECT_EQ(pod.containers[0].kind, ContainerKind::Init);
  EXPECT_EQ(pod.containers[1].kind, ContainerKind::Sidecar);
  EXPECT_EQ(pod.containers[2].image, "a:1");
  EXPECT_EQ(pod.containers[3].kind, ContainerKind::Ephemeral);
}

TEST(ParsePod, RefusesWhatIsNoPod) {
  EXPECT_THROW(static_cast<void>(parse_pod("nonsense")), sdk::Error);
  EXPECT_THROW(static_cast<void>(parse_pod("[]")), sdk::Error);
  EXPECT_THROW(static_cast<void>(parse_pod("{}")), sdk::Error);
  EXPECT_THROW(static_cast<void>(parse_pod(R"({"spec":{"containers":[]}})")), sdk::Error);
  EXPECT_THROW(static_cast<void>(parse_pod(R"({"spec":{"containers":{"name":"a"}}})")), sdk::Error);
}

constexpr std::uint64_t kEverything = ~std::uint64_t{0};

TEST(ApplyUpdate, ChangesOnlyWhatItIsTold) {
  Workload workload = make_workload();
  Pod pod;
  pod.containers = {make_container("app"), make_container("debug", ContainerKind::Ephemeral)};
  pod.containers[0].image = "registry.example/app:2";

  EXPECT_FALSE(apply_update(workload, pod, VKP_CHANGED_RESOURCES, kAccepted + 4000));
  EXPECT_EQ(workload.containers.size(), 1U);
  EXPECT_FALSE(apply_update(workload, pod, VKP_CHANGED_EPHEMERAL_CONTAINERS, kAccepted + 4000));
  EXPECT_EQ(workload.containers.size(), 2U);
  EXPECT_NE(workload.containers[0].image, "registry.example/app:2");
  EXPECT_TRUE(apply_update(workload, pod, VKP_CHANGED_IMAGE, kAccepted + 4000));
}

TEST(ApplyUpdate, StartsAContainerWithANewImageAgain) {
  Workload workload = make_workload();
  Pod pod;
  pod.containers = {make_container("app")};
  pod.containers[0].image = "registry.example/app:2";

  EXPECT_TRUE(apply_update(workload, pod, kEverything, kAccepted + 4000));

  const View view = observe(workload, kAccepted + 4000);
  EXPECT_EQ(workload.containers[0].image, "registry.example/app:2");
  EXPECT_EQ(view.containers[0].restarts, 1);
  EXPECT_EQ(view.containers[0].run.began, kAccepted + 4000);
  EXPECT_EQ(view.containers[0].last->ended, kAccepted + 4000);
}

TEST(ApplyUpdate, DoesNotStartAPodThatHasFinishedAgain) {
  Workload workload = make_workload(RestartPolicy::Never);
  workload.course.exit = make_exit(0, 100);
  Pod pod;
  pod.containers = {make_container("app")};
  pod.containers[0].image = "registry.example/app:2";

  EXPECT_FALSE(apply_update(workload, pod, kEverything, kAccepted + 4000));
  EXPECT_EQ(observe(workload, kAccepted + 4000).phase, Phase::Succeeded);
}

TEST(ApplyUpdate, AddsAnEphemeralContainerThatRunsFromNowOn) {
  Workload workload = make_workload();
  Pod pod;
  pod.containers = {make_container("app"), make_container("debug", ContainerKind::Ephemeral)};

  EXPECT_FALSE(apply_update(workload, pod, kEverything, kAccepted + 4000));

  const View view = observe(workload, kAccepted + 4000);
  ASSERT_EQ(view.containers.size(), 2U);
  EXPECT_EQ(view.containers[0].restarts, 0);
  EXPECT_EQ(view.containers[1].run.began, kAccepted + 4000);
}

}  // namespace
}  // namespace vkhost::mock
