#include "mock/status.hpp"

#include "mock/json.hpp"
#include "sample_workloads.hpp"

#include <vkhost/provider.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::mock {
namespace {

using ::testing::StartsWith;

Json status_at(const Workload& workload, Millis now) {
  return Json::parse(render_status(workload, observe(workload, now)), "the status");
}

Json condition(const Json& status, const std::string& type) {
  for (const Json& item : status["conditions"].elements()) {
    if (item["type"].text() == type) {
      return item;
    }
  }
  return {};
}

TEST(Status, ShowsARunningPod) {
  const Json status = status_at(make_workload(), kAccepted);

  EXPECT_EQ(status["phase"].text(), "Running");
  EXPECT_EQ(status["startTime"].text(), "2023-11-14T22:13:20Z");
  EXPECT_EQ(status["podIP"].text(), "198.18.0.1");
  EXPECT_EQ(status["podIPs"].elements().at(0)["ip"].text(), "198.18.0.1");
  EXPECT_EQ(condition(status, "Initialized")["status"].text(), "True");
  EXPECT_EQ(condition(status, "ContainersReady")["status"].text(), "True");
  const Json app = status["containerStatuses"].elements().at(0);
  EXPECT_EQ(app["name"].text(), "app");
  EXPECT_EQ(app["image"].text(), "registry.example/app:1");
  EXPECT_TRUE(app["ready"].boolean());
  EXPECT_TRUE(app["started"].boolean());
  EXPECT_EQ(app["restartCount"].number(-1), 0);
  EXPECT_THAT(app["imageID"].text(), StartsWith("mock://sha256:"));
  EXPECT_THAT(app["containerID"].text(), StartsWith("mock://"));
  EXPECT_EQ(app["state"]["running"]["startedAt"].text(), "2023-11-14T22:13:20Z");
  EXPECT_TRUE(status["initContainerStatuses"].is_null());
}

TEST(Status, LeavesToTheHostWhatOnlyTheHostKnows) {
  const Json status = status_at(make_workload(), kAccepted);

  EXPECT_TRUE(condition(status, "Ready").is_null()) << "readiness gates";
  EXPECT_TRUE(status["hostIP"].is_null());
  EXPECT_TRUE(status["qosClass"].is_null());
}

TEST(Status, ShowsAPodThatHasNotStarted) {
  Workload workload = make_workload();
  workload.course.start_delay = 5000;

  const Json status = status_at(workload, kAccepted);

  EXPECT_EQ(status["phase"].text(), "Pending");
  EXPECT_EQ(condition(status, "Initialized")["status"].text(), "False");
  const Json app = status["containerStatuses"].elements().at(0);
  EXPECT_EQ(app["state"]["waiting"]["reason"].text(), "ContainerCreating");
  EXPECT_TRUE(app["containerID"].is_null());
  EXPECT_EQ(render_pending(workload), render_status(workload, observe(workload, kAccepted)));
}

TEST(Status, ShowsACrashedContainerWithItsLastRun) {
  Workload workload = make_workload();
  workload.course.exit = make_exit(7, 2000);

  const Json waiting = status_at(workload, kAccepted + 2500)["containerStatuses"].elements().at(0);
  EXPECT_EQ(waiting["state"]["waiting"]["reason"].text(), "CrashLoopBackOff");
  EXPECT_EQ(waiting["lastState"]["terminated"]["exitCode"].number(), 7);
  EXPECT_EQ(waiting["lastState"]["terminated"]["reason"].text(), "Error");
  EXPECT_EQ(waiting["lastState"]["terminated"]["containerID"].text(),
            waiting["containerID"].text());

  const Json again = status_at(workload, kAccepted + 3000)["containerStatuses"].elements().at(0);
  EXPECT_EQ(again["restartCount"].number(), 1);
  EXPECT_NE(again["containerID"].text(), waiting["containerID"].text());
  EXPECT_EQ(again["lastState"]["terminated"]["containerID"].text(), waiting["containerID"].text());
}

TEST(Status, ShowsADeletedPodWithExitCodes) {
  Workload workload = make_workload();
  workload.stop_at = kAccepted + 1000;

  const Json status = status_at(workload, kAccepted + 1000);

  EXPECT_EQ(status["phase"].text(), "Succeeded");
  EXPECT_EQ(status["reason"].text(), "MockProviderPodDeleted");
  const Json ended = status["containerStatuses"].elements().at(0)["state"]["terminated"];
  EXPECT_EQ(ended["exitCode"].number(-1), 0);
  EXPECT_EQ(ended["reason"].text(), "MockProviderPodContainerDeleted");
  EXPECT_EQ(ended["message"].text(), "Mock provider terminated container upon deletion");
  EXPECT_EQ(ended["startedAt"].text(), "2023-11-14T22:13:20Z");
  EXPECT_EQ(ended["finishedAt"].text(), "2023-11-14T22:13:21Z");
  EXPECT_EQ(condition(status, "ContainersReady")["reason"].text(), "PodCompleted");
}

TEST(Status, SortsContainersByKind) {
  Workload workload = make_workload();
  workload.containers = {make_container("setup", ContainerKind::Init),
                         make_container("proxy", ContainerKind::Sidecar), make_container("app"),
                         make_container("debug", ContainerKind::Ephemeral)};

  const Json status = status_at(workload, kAccepted);

  const auto init = status["initContainerStatuses"].elements();
  ASSERT_EQ(init.size(), 2U);
  EXPECT_TRUE(init[0]["ready"].boolean()) << "done counts as ready";
  EXPECT_EQ(init[0]["state"]["terminated"]["reason"].text(), "Completed");
  EXPECT_TRUE(init[1]["started"].boolean());
  EXPECT_EQ(status["containerStatuses"].elements().size(), 1U);
  EXPECT_EQ(status["ephemeralContainerStatuses"].elements().at(0)["name"].text(), "debug");
}

TEST(Status, HasNoAddressInTheNetworkOfTheHost) {
  Workload workload = make_workload();
  workload.ip.clear();

  const Json status = status_at(workload, kAccepted);

  EXPECT_TRUE(status["podIP"].is_null());
  EXPECT_TRUE(status["podIPs"].is_null());
}

TEST(Status, HasOtherContainerIdsInAnotherAttempt) {
  Workload workload = make_workload();
  const std::string first = render_status(workload, observe(workload, kAccepted));

  workload.attempt = 2;

  EXPECT_NE(render_status(workload, observe(workload, kAccepted)), first);
}

TEST(Lie, IsNotJson) {
  Workload workload = make_workload();
  workload.course.lie = Lie::Nonsense;

  EXPECT_THROW(
      static_cast<void>(Json::parse(render_lie(workload, observe(workload, kAccepted)), "it")),
      sdk::Error);
}

TEST(Lie, NamesContainersOfAnotherPod) {
  Workload workload = make_workload();
  workload.course.lie = Lie::WrongContainers;

  const Json status = Json::parse(render_lie(workload, observe(workload, kAccepted)), "it");

  EXPECT_EQ(status["containerStatuses"].elements().at(0)["name"].text(), "app-of-another-pod");
}

}  // namespace
}  // namespace vkhost::mock
