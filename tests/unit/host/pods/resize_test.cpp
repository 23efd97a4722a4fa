#include "pods/resize.hpp"

#include "pods/status_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace vkhost::pods {
namespace {

using Poco::JSON::Object;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kContainers =
    R"("containers":[{"name":"a","resources":{"requests":{"cpu":"500m"},"limits":{"cpu":"1"}}},
                     {"name":"b"}])";

kube::PodPtr pod_with(int generation = 2, std::string_view status = "{}") {
  auto pod = kube::parse_pod(
      R"({"metadata":{"name":"web","namespace":"default","uid":"u-1","generation":)" +
      std::to_string(generation) + "},\"spec\":{" + std::string(kContainers) +
      "},\"status\":" + std::string(status) + "}");
  EXPECT_TRUE(pod.is_ok()) << pod.status().to_string();
  return *pod;
}

Object::Ptr object(std::string_view json) { return *parse_object(json, "a test's document"); }

std::string completed(const ResizeView& view,
                      std::string_view observed,
                      const kube::PodPtr& pod = pod_with()) {
  const Object::Ptr status = object(observed);
  Object::Ptr changed = status;
  complete_resources(*pod, view, object(pod->status_json()), *changed);
  return text_of(Poco::Dynamic::Var(changed->getArray("containerStatuses")));
}

TEST(ResizeStatus, ShowsWhatTheSpecAsksForOnceItIsSettled) {
  EXPECT_EQ(
      completed({true, true, nullptr}, R"({"containerStatuses":[{"name":"a"},{"name":"b"}]})"),
      R"([{"allocatedResources":{"cpu":"500m"},"name":"a",)"
      R"("resources":{"limits":{"cpu":"1"},"requests":{"cpu":"500m"}}},)"
      R"({"name":"b","resources":{}}])");
}

TEST(ResizeStatus, KeepsWhatTheApiHasUntilThen) {
  const auto pod = pod_with(2, R"({"containerStatuses":[{"name":"a",
      "allocatedResources":{"cpu":"100m"},"resources":{"requests":{"cpu":"100m"}}}]})");

  EXPECT_EQ(completed({true, false, nullptr}, R"({"containerStatuses":[{"name":"a"}]})", pod),
            R"([{"allocatedResources":{"cpu":"100m"},"name":"a",)"
            R"("resources":{"requests":{"cpu":"100m"}}}])");
}

TEST(ResizeStatus, LetsTheProvidersWordWin) {
  EXPECT_EQ(completed({true, true, nullptr},
                      R"({"containerStatuses":[{"name":"a","allocatedResources":{},
                          "resources":{"requests":{"cpu":"1"}}}]})"),
            R"([{"allocatedResources":{},"name":"a","resources":{"requests":{"cpu":"1"}}}])");
}

TEST(ResizeStatus, ShowsNothingToAnOldServerOrForAProviderThatCannotResize) {
  constexpr std::string_view kObserved = R"({"containerStatuses":[{"name":"a"}]})";

  EXPECT_EQ(completed({true, true, nullptr}, kObserved, pod_with(0)), R"([{"name":"a"}])");
  EXPECT_EQ(completed({false, true, nullptr}, kObserved), R"([{"name":"a"}])");
}

TEST(ResizeConditionsOf, ADeferredOrInfeasibleResizeSayThatItIsPending) {
  for (const auto& [outcome, reason] : {std::pair{ResizeOutcome::Deferred, "Deferred"},
                                        std::pair{ResizeOutcome::Infeasible, "Infeasible"}}) {
    const ResizeAnswer answer{outcome, "because", 2};
    const auto conditions =
        resize_conditions(*pod_with(), {true, false, &answer}, object("{}"), *object("{}"));

    EXPECT_EQ(conditions.wanted, "PodResizePending");
    EXPECT_EQ(conditions.reason, reason);
    EXPECT_EQ(conditions.message, "because");
    EXPECT_EQ(conditions.generation, 2);
    EXPECT_THAT(conditions.unwanted, ElementsAre("PodResizeInProgress"));
  }
}

TEST(ResizeConditionsOf, AnUnansweredResizeAreLeftAsTheyAre) {
  const auto conditions =
      resize_conditions(*pod_with(), {true, false, nullptr}, object("{}"), *object("{}"));

  EXPECT_EQ(conditions.wanted, "");
  EXPECT_THAT(conditions.unwanted, IsEmpty());
}

TEST(ResizeConditionsOf, AnAcceptedResizeFollowTheProvidersWord) {
  const ResizeAnswer answer{ResizeOutcome::Accepted, "", 2};
  const auto with = [&](std::string_view resources) {
    return resize_conditions(*pod_with(), {true, true, &answer}, object("{}"),
                             *object(R"({"containerStatuses":[{"name":"a","resources":)" +
                                     std::string(resources) + "}]}"))
        .wanted;
  };

  EXPECT_EQ(with(R"({"requests":{"cpu":"100m"}})"), "PodResizeInProgress");
  EXPECT_EQ(with(R"({"limits":{"cpu":"0.9"}})"), "PodResizeInProgress");
  EXPECT_EQ(with(R"({"requests":{"cpu":"much"}})"), "PodResizeInProgress");
  EXPECT_EQ(with(R"({"requests":{"cpu":"0.5"},"limits":{"cpu":"1000m"}})"), "");
  EXPECT_EQ(with(R"({"requests":{"memory":"1Gi"}})"), "");
  EXPECT_EQ(with("{}"), "");
}

// The pod asks for 500m, limited to 1.
TEST(ResizeConditionsOf, AResizeThatTheProviderRoundsUpAreNone) {
  const ResizeAnswer answer{ResizeOutcome::Accepted, "", 2};
  for (const char* resources :
       {R"({"requests":{"cpu":"512m"}})", R"({"requests":{"cpu":1}})", R"({"limits":{"cpu":2}})"}) {
    const Object::Ptr observed = object(R"({"containerStatuses":[{"name":"a","resources":)" +
                                        std::string(resources) + "}]}");
    const Object::Ptr api = object(R"({"conditions":[{"type":"PodResizeInProgress"}]})");

    for (const ResizeAnswer* by_this_process :
         {&answer, static_cast<const ResizeAnswer*>(nullptr)}) {
      const auto conditions =
          resize_conditions(*pod_with(), {true, true, by_this_process}, api, *observed);

      EXPECT_EQ(conditions.wanted, "") << resources;
      EXPECT_THAT(conditions.unwanted, ElementsAre("PodResizePending", "PodResizeInProgress"));
    }
  }
}

TEST(ResizeConditionsOf, APodThatWasNeverResizedAreNone) {
  const Object::Ptr observed =
      object(R"({"containerStatuses":[{"name":"a","resources":{"requests":{"cpu":"0.4"}}}]})");
  const ResizeView settled{true, true, nullptr};

  EXPECT_EQ(resize_conditions(*pod_with(), settled, object("{}"), *observed).wanted, "");
  // ... by this process: the one before may have resized it.
  const Object::Ptr api = object(R"({"conditions":[{"type":"PodResizeInProgress"}]})");
  EXPECT_EQ(resize_conditions(*pod_with(), settled, api, *observed).wanted, "PodResizeInProgress");
  EXPECT_THAT(resize_conditions(*pod_with(), settled, api, *object("{}")).unwanted,
              ElementsAre("PodResizePending", "PodResizeInProgress"));
}

}  // namespace
}  // namespace vkhost::pods
