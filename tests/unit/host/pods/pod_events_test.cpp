#include "pods/pod_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kSpec =
    R"({"nodeName":"vk-0","initContainers":[{"name":"setup","image":"init:1"}],)"
    R"("containers":[{"name":"app","image":"app:1"},{"name":"side","image":"side:2"}]})";

kube::PodPtr pod_with(const std::string& status, const std::string& spec = kSpec) {
  auto parsed =
      kube::parse_pod(R"({"metadata":{"name":"web","namespace":"default","uid":"uid-1"},"spec":)" +
                      spec + R"(,"status":)" + status + "}");
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().to_string();
  return *parsed;
}

std::string containers(const std::string& list, const char* member = "containerStatuses") {
  return "{\"" + std::string(member) + "\":[" + list + "]}";
}

std::string one(const std::string& state, int restarts = 0, const char* image_id = "") {
  return R"({"name":"app","restartCount":)" + std::to_string(restarts) + R"(,"imageID":")" +
         image_id + R"(","state":)" + state + "}";
}

const std::string kWaiting = R"({"waiting":{"reason":"ContainerCreating"}})";
const std::string kCrashing = R"({"waiting":{"reason":"CrashLoopBackOff"}})";
const std::string kRunning = R"({"running":{"startedAt":"2026-01-02T03:04:05Z"}})";
const std::string kEnded = R"({"terminated":{"exitCode":0,"startedAt":"2026-01-02T03:04:05Z"}})";
const std::string kNeverSeen =
    R"({"terminated":{"exitCode":137,"reason":"ContainerStatusUnknown"}})";

// "Reason message" of each, from one state of the container app to another.
std::vector<std::string> story(const std::string& before, const std::string& after) {
  std::vector<std::string> told;
  for (const PodEvent& event : container_events(*pod_with(containers(before)), containers(after))) {
    told.push_back(event.reason + " " + event.message);
  }
  return told;
}

TEST(ContainerEvents, TellOfAStartOnce) {
  EXPECT_THAT(story("", one(kRunning)), ElementsAre("Started Started container app"));
  EXPECT_THAT(story(one(kWaiting), one(kRunning)), ElementsAre("Started Started container app"));
  EXPECT_THAT(story(one(kRunning), one(kRunning)), IsEmpty());
  EXPECT_THAT(story(one(kWaiting), one(kWaiting)), IsEmpty());
}

TEST(ContainerEvents, TellOfARunThatNobodySawRunning) {
  EXPECT_THAT(story(one(kWaiting), one(kEnded)), ElementsAre("Started Started container app"));
  EXPECT_THAT(story(one(kRunning), one(kEnded)), IsEmpty());
  EXPECT_THAT(story(one(kWaiting), one(kNeverSeen)), IsEmpty());
}

TEST(ContainerEvents, TellOfEachRestart) {
  EXPECT_THAT(story(one(kRunning, 1), one(kRunning, 2)),
              ElementsAre("Started Started container app"));
  EXPECT_THAT(story(one(kEnded, 1), one(kRunning, 2)),
              ElementsAre("Started Started container app"));
}

TEST(ContainerEvents, TellThatTheImageIsThere) {
  EXPECT_THAT(story(one(kWaiting), one(kWaiting, 0, "sha256:1")),
              ElementsAre("Pulled Container image \"app:1\" is present"));
  EXPECT_THAT(
      story(one(kWaiting), one(kRunning, 0, "sha256:1")),
      ElementsAre("Pulled Container image \"app:1\" is present", "Started Started container app"));
  EXPECT_THAT(story(one(kWaiting, 0, "sha256:1"), one(kWaiting, 0, "sha256:1")), IsEmpty());
}

TEST(ContainerEvents, WarnOfAContainerThatCrashesAgainAndAgain) {
  EXPECT_THAT(story(one(kRunning), one(kCrashing, 1)),
              ElementsAre("BackOff Back-off restarting failed container app in pod default/web"));
  EXPECT_THAT(story(one(kCrashing, 1), one(kCrashing, 1)), IsEmpty());
  EXPECT_THAT(story(one(kCrashing, 1), one(kCrashing, 2)), ::testing::SizeIs(1));
  EXPECT_TRUE(may_warn(containers(one(kCrashing))));
  EXPECT_FALSE(may_warn(containers(one(kRunning))));
}

TEST(ContainerEvents, NameTheContainerByItsFieldInTheSpec) {
  const auto events = container_events(
      *pod_with("{}"), R"({"initContainerStatuses":[{"name":"setup","state":)" + kEnded +
                           R"(}],"containerStatuses":[{"name":"side","state":)" + kRunning + "}]}");

  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].field_path, "spec.initContainers{setup}");
  EXPECT_EQ(events[1].field_path, "spec.containers{side}");
  EXPECT_NE(events[0].mark, events[1].mark);
}

TEST(ContainerEvents, FindNothingInNonsense) {
  for (const char* status :
       {"", "{}", "[]", "7", R"({"containerStatuses":7})", R"({"containerStatuses":[7,null,[]]})",
        R"({"containerStatuses":[{"name":"app","state":7}]})",
        R"({"containerStatuses":[{"name":"app","state":{"running":true}}]})",
        R"({"containerStatuses":[{"name":"app","restartCount":"many"}]})",
        R"({"containerStatuses":[{"name":"other","state":{"running":{}}}]})",
        R"({"containerStatuses":[{"name":"app","state":{"running":)"}) {
    EXPECT_THAT(container_events(*pod_with("{}"), status), IsEmpty()) << status;
  }
}

TEST(ScheduledEvent, IsSaidWhereTheSchedulerDidNot) {
  const auto event = scheduled_event(*pod_with(R"({"phase":"Pending"})"));

  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->message, "Successfully assigned default/web to vk-0");
  EXPECT_EQ(event->key, "Scheduled");
  EXPECT_TRUE(
      scheduled_event(*pod_with(R"({"conditions":[{"type":"PodScheduled","status":"False"}]})")));
  EXPECT_FALSE(scheduled_event(
      *pod_with(R"({"conditions":[{"type":"Ready"},{"status":"True","type":"PodScheduled"}]})")));
}

TEST(PullingEvents, NameTheImageOfEachContainer) {
  std::vector<std::string> told;
  for (const PodEvent& event : pulling_events(*pod_with("{}"))) {
    told.push_back(event.field_path + " " + event.message);
  }
  EXPECT_THAT(told, ElementsAre("spec.initContainers{setup} Pulling image \"init:1\"",
                                "spec.containers{app} Pulling image \"app:1\"",
                                "spec.containers{side} Pulling image \"side:2\""));
  EXPECT_THAT(pulling_events(*pod_with("{}", R"({"containers":[{"name":"app"}]})")), IsEmpty());
}

TEST(KillingEvents, NameTheContainersThatRun) {
  const auto events =
      killing_events(*pod_with(R"({"containerStatuses":[{"name":"side","state":)" + kEnded +
                               R"(},{"name":"app","state":)" + kRunning + "}]}"));

  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].message, "Stopping container app");
  EXPECT_THAT(killing_events(*pod_with("{}")), IsEmpty());
}

TEST(ToldMarks, ForgetTheOldestOnly) {
  ToldMarks marks;

  EXPECT_TRUE(marks.add(1));
  EXPECT_FALSE(marks.add(1));
  for (std::uint64_t mark = 2; mark <= 33; ++mark) {
    EXPECT_TRUE(marks.add(mark));
  }
  EXPECT_TRUE(marks.add(1));
  EXPECT_FALSE(marks.add(33));
}

}  // namespace
}  // namespace vkhost::pods
