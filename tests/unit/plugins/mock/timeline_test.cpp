#include "mock/timeline.hpp"

#include "sample_workloads.hpp"

#include <gtest/gtest.h>

namespace vkhost::mock {
namespace {

TEST(Timeline, RunsAtOnce) {
  const View view = observe(make_workload(), kAccepted);

  EXPECT_EQ(view.presence, Presence::Present);
  EXPECT_EQ(view.phase, Phase::Running);
  EXPECT_TRUE(view.ready);
  EXPECT_EQ(view.containers[0].state, ContainerState::Running);
  EXPECT_EQ(view.containers[0].run.began, kAccepted);
  EXPECT_FALSE(view.next) << "nothing will change";
}

TEST(Timeline, IsPendingUntilTheStartDelayIsOver) {
  Workload workload = make_workload();
  workload.course.start_delay = 2000;

  const View before = observe(workload, kAccepted + 1999);
  EXPECT_EQ(before.phase, Phase::Pending);
  EXPECT_EQ(before.next, kAccepted + 2000);
  EXPECT_FALSE(before.ready);

  const View after = observe(workload, kAccepted + 2000);
  EXPECT_EQ(after.phase, Phase::Running);
  EXPECT_EQ(after.containers[0].run.began, kAccepted + 2000);
}

TEST(Timeline, HasInitContainersDoneBeforeTheOthers) {
  Workload workload = make_workload();
  workload.containers = {make_container("setup", ContainerKind::Init),
                         make_container("proxy", ContainerKind::Sidecar), make_container("app")};

  const View view = observe(workload, kAccepted);

  EXPECT_EQ(view.containers[0].state, ContainerState::Terminated);
  EXPECT_EQ(view.containers[0].run.code, 0);
  EXPECT_EQ(view.containers[1].state, ContainerState::Running);
  EXPECT_TRUE(view.ready);
}

TEST(Timeline, SucceedsWhenContainersFinishAndAreNotStartedAgain) {
  for (const RestartPolicy policy : {RestartPolicy::Never, RestartPolicy::OnFailure}) {
    Workload workload = make_workload(policy);
    workload.course.exit = make_exit(0, 500);

    const View before = observe(workload, kAccepted + 499);
    EXPECT_EQ(before.phase, Phase::Running);
    EXPECT_EQ(before.next, kAccepted + 500);

    const View after = observe(workload, kAccepted + 500);
    EXPECT_EQ(after.phase, Phase::Succeeded);
    EXPECT_EQ(after.containers[0].run.ended, kAccepted + 500);
    EXPECT_EQ(after.containers[0].restarts, 0);
    EXPECT_FALSE(after.next);
  }
}

TEST(Timeline, FailsWhenAContainerCrashesAndIsNeverStartedAgain) {
  Workload workload = make_workload(RestartPolicy::Never);
  workload.course.exit = make_exit(3, 500);

  const View view = observe(workload, kAccepted + 500);

  EXPECT_EQ(view.phase, Phase::Failed);
  EXPECT_EQ(view.containers[0].run.code, 3);
}

TEST(Timeline, StartsContainersAgainByRestartPolicy) {
  for (const auto& [policy, code] :
       {std::pair{RestartPolicy::Always, 0}, {RestartPolicy::OnFailure, 1}}) {
    Workload workload = make_workload(policy);
    workload.course.exit = make_exit(code, 500);  // then a second of rest

    const View waiting = observe(workload, kAccepted + 600);
    EXPECT_EQ(waiting.phase, Phase::Running);
    EXPECT_FALSE(waiting.ready);
    EXPECT_EQ(waiting.containers[0].state, ContainerState::Waiting);
    EXPECT_EQ(waiting.containers[0].restarts, 0);
    ASSERT_TRUE(waiting.containers[0].last);
    EXPECT_EQ(waiting.containers[0].last->ended, kAccepted + 500);
    EXPECT_EQ(waiting.next, kAccepted + 1500);

    const View again = observe(workload, kAccepted + 1500);
    EXPECT_EQ(again.containers[0].state, ContainerState::Running);
    EXPECT_EQ(again.containers[0].restarts, 1);
    EXPECT_EQ(again.containers[0].run.began, kAccepted + 1500);
    EXPECT_EQ(again.next, kAccepted + 2000);
  }
}

TEST(Timeline, RestartsSoManyTimesAndThenRunsOn) {
  Workload workload = make_workload();
  workload.course.exit = make_exit(1, 500, 2);

  const View view = observe(workload, kAccepted + 1'000'000);

  EXPECT_EQ(view.containers[0].state, ContainerState::Running);
  EXPECT_EQ(view.containers[0].restarts, 2);
  EXPECT_EQ(view.containers[0].run.began, kAccepted + 3000);
  EXPECT_EQ(view.containers[0].last->ended, kAccepted + 2000);
  EXPECT_FALSE(view.next);
}

TEST(Timeline, CountsTheRestartsOfATimeInWhichNobodyWatched) {
  Workload workload = make_workload();
  workload.course.exit = make_exit(1, 500);

  const View view = observe(workload, kAccepted + 1500 * 1000 + 100);

  EXPECT_EQ(view.containers[0].restarts, 1000);
  EXPECT_EQ(view.containers[0].run.began, kAccepted + 1500 * 1000);
}

TEST(Timeline, EndsOneContainerAndLeavesTheOtherRunning) {
  Workload workload = make_workload(RestartPolicy::Never);
  workload.containers.push_back(make_container("other"));
  workload.course.exit = make_exit(1, 500);
  workload.course.exit->container = "other";

  const View view = observe(workload, kAccepted + 600);

  EXPECT_EQ(view.phase, Phase::Running);
  EXPECT_FALSE(view.ready);
  EXPECT_EQ(view.containers[0].state, ContainerState::Running);
  EXPECT_EQ(view.containers[1].state, ContainerState::Terminated);
}

TEST(Timeline, EndsSidecarsWithTheLastContainer) {
  Workload workload = make_workload(RestartPolicy::Never);
  workload.containers.insert(workload.containers.begin(),
                             make_container("proxy", ContainerKind::Sidecar));
  workload.course.exit = make_exit(0, 500);

  const View view = observe(workload, kAccepted + 900);

  EXPECT_EQ(view.phase, Phase::Succeeded);
  EXPECT_EQ(view.containers[0].state, ContainerState::Terminated);
  EXPECT_EQ(view.containers[0].run.ended, kAccepted + 500);
}

TEST(Timeline, IsUnreadyForAWhile) {
  Workload workload = make_workload();
  workload.course.unready = Unready{1000, 500};

  EXPECT_EQ(observe(workload, kAccepted).next, kAccepted + 1000);
  const View during = observe(workload, kAccepted + 1200);
  EXPECT_EQ(during.phase, Phase::Running);
  EXPECT_FALSE(during.ready);
  EXPECT_EQ(during.changed, kAccepted + 1000);
  EXPECT_EQ(during.next, kAccepted + 1500);
  const View after = observe(workload, kAccepted + 1500);
  EXPECT_TRUE(after.ready);
  EXPECT_EQ(after.changed, kAccepted + 1500);
  EXPECT_FALSE(after.next);
}

TEST(Timeline, StaysUnreadyWhenThereIsNoEnd) {
  Workload workload = make_workload();
  workload.course.unready = Unready{1000, 0};

  EXPECT_FALSE(observe(workload, kAccepted + 1'000'000).ready);
}

TEST(Timeline, VanishesAfterItsTime) {
  Workload workload = make_workload();
  workload.course.vanish_after = 700;

  EXPECT_EQ(observe(workload, kAccepted).next, kAccepted + 700);
  EXPECT_EQ(observe(workload, kAccepted + 700).presence, Presence::Vanished);
}

TEST(Timeline, FailsToStartWhenItsCourseSaysSo) {
  Workload workload = make_workload();
  workload.course.start_delay = 100;
  workload.course.start_fault = Fault();

  EXPECT_EQ(observe(workload, kAccepted).phase, Phase::Pending);
  EXPECT_EQ(observe(workload, kAccepted + 100).presence, Presence::FailedToStart);
}

TEST(Timeline, EndsWhenItIsDeleted) {
  Workload workload = make_workload();
  workload.stop_at = kAccepted + 5000;

  const View before = observe(workload, kAccepted + 4999);
  EXPECT_EQ(before.phase, Phase::Running);
  EXPECT_EQ(before.next, kAccepted + 5000);

  const View after = observe(workload, kAccepted + 60'000);
  EXPECT_EQ(after.presence, Presence::Gone);
  EXPECT_EQ(after.phase, Phase::Succeeded);
  EXPECT_EQ(after.containers[0].run.code, 0);
  EXPECT_EQ(after.containers[0].run.ended, kAccepted + 5000) << "not the time of the look";
  EXPECT_TRUE(after.containers[0].by_deletion);
}

TEST(Timeline, IsKilledWhenTheGraceWasTooShort) {
  Workload workload = make_workload();
  workload.stop_at = kAccepted + 100;
  workload.killed = true;

  const View view = observe(workload, kAccepted + 100);

  EXPECT_EQ(view.phase, Phase::Failed);
  EXPECT_EQ(view.containers[0].run.code, 137);
}

TEST(Timeline, KeepsTheEndOfAPodThatHadFinishedBeforeItsDeletion) {
  Workload workload = make_workload(RestartPolicy::Never);
  workload.course.exit = make_exit(3, 100);
  workload.stop_at = kAccepted + 5000;

  const View view = observe(workload, kAccepted + 5000);

  EXPECT_EQ(view.presence, Presence::Gone);
  EXPECT_EQ(view.phase, Phase::Failed);
  EXPECT_EQ(view.containers[0].run.code, 3);
  EXPECT_FALSE(view.by_deletion);
}

TEST(Timeline, FailsAPodThatIsDeletedBeforeItStarted) {
  Workload workload = make_workload();
  workload.course.start_delay = 10'000;
  workload.stop_at = kAccepted + 100;

  const View view = observe(workload, kAccepted + 100);

  EXPECT_EQ(view.presence, Presence::Gone);
  EXPECT_EQ(view.phase, Phase::Failed);
  EXPECT_EQ(view.containers[0].state, ContainerState::Waiting);
}

TEST(Timeline, GivesADeletedContainerThatWaitsTheCodeOfItsLastRun) {
  Workload workload = make_workload();
  workload.course.exit = make_exit(5, 100);
  workload.stop_at = kAccepted + 200;

  const View view = observe(workload, kAccepted + 200);

  EXPECT_EQ(view.containers[0].state, ContainerState::Terminated);
  EXPECT_EQ(view.containers[0].run.code, 5);
  EXPECT_EQ(view.phase, Phase::Failed);
}

}  // namespace
}  // namespace vkhost::mock
