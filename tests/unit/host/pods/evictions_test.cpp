// Pods that end although their objects stay: by their provider's wish, or by their deadline.
#include "engine_fixture.hpp"
#include "kube/json_cut.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace vkhost::pods {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

// How the provider's news reach the engine.
class EndsByOrder : public EngineFixture, public ::testing::WithParamInterface<bool> {
 protected:
  EndsByOrder() {
    settings_.backoff = {seconds{1}, minutes{1}};
    provider_.shape.pushes = GetParam();
  }

  Status evict(const std::string& uid, std::optional<milliseconds> grace = std::nullopt) {
    return engine_->evict({uid, "SpotReclaimed", "the cloud wants its capacity back", grace});
  }

  // A pod that is running; the deadline counts from now.
  std::string given_pod_with_deadline(std::chrono::seconds deadline, const NewPod& pod = {}) {
    const std::string uid = api_.create(pod);
    set_deadline(uid, deadline);
    settle();
    provider_.run(uid);
    look();
    EXPECT_EQ(api_.phase(uid), "Running");
    return uid;
  }
  void set_deadline(const std::string& uid, std::chrono::seconds deadline) {
    api_.edit(uid, [&](Poco::JSON::Object& pod) {
      pod.getObject("spec")->set("activeDeadlineSeconds", deadline.count());
      pod.getObject("spec")->set("terminationGracePeriodSeconds", 10);
    });
  }

  void expect_end(const std::string& uid, const std::string& reason) {
    EXPECT_EQ(api_.phase(uid), "Failed");
    EXPECT_EQ(api_.status(uid, "reason"), reason);
    EXPECT_EQ(api_.count(Call::Remove), 0) << "the object stays";
    EXPECT_EQ(provider_.made(uid), 1);
  }

  static constexpr const char* kMark = "vkhost.io/eviction";
};

class Eviction : public EndsByOrder {};
class ActiveDeadline : public EndsByOrder {};

INSTANTIATE_TEST_SUITE_P(News, Eviction, ::testing::Bool(), [](const auto& news) {
  return news.param ? "Pushed" : "Polled";
});
INSTANTIATE_TEST_SUITE_P(News, ActiveDeadline, ::testing::Bool(), [](const auto& news) {
  return news.param ? "Pushed" : "Polled";
});

// ---- Evictions

// virtual-kubelet#874: Provider: two notifications are needed to end a pod
TEST_P(Eviction, MarksThePodBeforeAnythingIsStopped) {
  boot();
  const std::string uid = given_running_pod();
  std::size_t deletes_before = 99;
  api_.during_next(Call::Patch, [&] { deletes_before = deletes(uid); });

  EXPECT_TRUE(evict(uid, seconds{20}).is_ok());
  settle();

  EXPECT_EQ(deletes_before, 0U);
  EXPECT_EQ(api_.condition(uid, "DisruptionTarget"), "True");
  EXPECT_THAT(api_.pod(uid)->raw, HasSubstr("TerminationByKubelet"));
  EXPECT_THAT(api_.annotation(uid, kMark), HasSubstr(uid));
  EXPECT_EQ(events_.count(uid, "Evicted"), 1);
  const auto calls = provider_.calls(Kind::Delete, uid);
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].reason, plugin::DeleteReason::Evicted);
  EXPECT_EQ(calls[0].grace, seconds{20});
  EXPECT_EQ(api_.phase(uid), "Running") << "until its containers have ended";
}

TEST_P(Eviction, GivesThePodItsOwnGraceWhereTheProviderNamesNone) {
  boot();
  const std::string uid = given_running_pod();

  EXPECT_TRUE(evict(uid).is_ok());
  settle();

  EXPECT_EQ(provider_.calls(Kind::Delete, uid).at(0).grace, seconds{30});
}

TEST_P(Eviction, FailsThePodWhenItsContainersHaveEnded) {
  boot();
  const std::string uid = given_running_pod({.containers = {"a", "b"}});
  EXPECT_TRUE(evict(uid).is_ok());
  settle();

  provider_.report(uid, R"({"phase":"Running","containerStatuses":[
      {"name":"a","state":{"terminated":{"exitCode":0}}},
      {"name":"b","state":{"running":{}}}]})");
  look();
  EXPECT_EQ(api_.phase(uid), "Running");
  provider_.report(uid, R"({"phase":"Running","containerStatuses":[
      {"name":"a","state":{"terminated":{"exitCode":0}}},
      {"name":"b","state":{"terminated":{"exitCode":143}}}]})");
  look();

  expect_end(uid, "SpotReclaimed");
  EXPECT_EQ(api_.status(uid, "message"), "the cloud wants its capacity back");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.terminated.exitCode"), "0");
  EXPECT_EQ(api_.status(uid, "containerStatuses.1.state.terminated.exitCode"), "143");
  EXPECT_EQ(api_.condition(uid, "Ready"), "False");
  EXPECT_TRUE(provider_.has(uid)) << "its end is not waited for";
}

// Between two runs of a crash loop: its replacement must not begin while it may begin again.
TEST_P(Eviction, FailsNoPodBeforeItsProviderWasToldToEndIt) {
  boot();
  const std::string uid = given_running_pod();
  provider_.report(uid, R"({"phase":"Running","containerStatuses":[
      {"name":"main","state":{"terminated":{"exitCode":1}}}]})");
  look();
  provider_.fail_delete(uid, unavailable("busy"), 2);

  EXPECT_TRUE(evict(uid).is_ok());
  settle();
  EXPECT_EQ(api_.phase(uid), "Running");
  pass(minutes{1});

  expect_end(uid, "SpotReclaimed");
}

TEST_P(Eviction, FailsThePodWhatEverPhaseItsProviderEndsItWith) {
  boot();
  const std::string uid = given_running_pod();
  EXPECT_TRUE(evict(uid).is_ok());
  settle();

  provider_.end(uid, "Succeeded", 0);
  look();

  expect_end(uid, "SpotReclaimed");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.terminated.exitCode"), "0");
}

TEST_P(Eviction, FailsThePodWhenItsGraceIsOver) {
  boot();
  const std::string uid = given_running_pod();
  EXPECT_TRUE(evict(uid, seconds{20}).is_ok());
  pass(seconds{19});
  EXPECT_EQ(api_.phase(uid), "Running");

  pass(seconds{10});

  expect_end(uid, "SpotReclaimed");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.terminated.reason"),
            "ContainerStatusUnknown");
}

TEST_P(Eviction, KeepsItsEndThoughTheProviderSaysSomethingOlder) {
  boot();
  const std::string uid = given_running_pod();
  EXPECT_TRUE(evict(uid, seconds{20}).is_ok());
  pass(seconds{20});
  api_.answer(Call::Patch, unavailable("the API server is away"), 3);

  for (int i = 0; i < 6; ++i) {  // while the last status finds its way
    pass(seconds{2});
    provider_.report(uid, R"({"phase":"Running","message":")" + std::to_string(i) +
                              R"(","containerStatuses":[{"name":"main","state":{"running":{}}}]})");
    look();
  }
  pass(minutes{1});

  expect_end(uid, "SpotReclaimed");
}

TEST_P(Eviction, DeletesTheWorkloadOnUntilNothingIsLeft) {
  boot();
  const std::string uid = given_running_pod();
  EXPECT_TRUE(evict(uid, seconds{20}).is_ok());
  pass(minutes{5});
  const auto calls = provider_.calls(Kind::Delete, uid);
  ASSERT_GE(calls.size(), 2U);
  EXPECT_EQ(calls[1].grace, seconds{0});
  EXPECT_EQ(calls[1].reason, plugin::DeleteReason::Evicted);

  provider_.finish_delete(uid);
  look();
  const std::size_t deleted = deletes(uid);
  pass(minutes{5});

  EXPECT_EQ(deletes(uid), deleted);
  expect_end(uid, "SpotReclaimed");
  EXPECT_EQ(creates(uid), 1U);
}

TEST_P(Eviction, IsTheReasonOfAWorkloadThatIsLostMeanwhile) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_running_pod();
  api_.answer(Call::Patch, unavailable("the API server is away"), 2);
  EXPECT_TRUE(evict(uid).is_ok());

  provider_.lose(uid);
  look();
  pass(minutes{1});

  expect_end(uid, "SpotReclaimed");
  EXPECT_EQ(events_.count(uid, "ProviderLost"), 0);
  EXPECT_EQ(api_.condition(uid, "DisruptionTarget"), "True");
}

TEST_P(Eviction, WaitsForTheApiServerBeforeAnythingIsStopped) {
  boot();
  const std::string uid = given_running_pod();
  api_.answer(Call::Patch, unavailable("the API server is away"), 4);

  EXPECT_TRUE(evict(uid).is_ok());
  pass(seconds{3});
  EXPECT_EQ(deletes(uid), 0U);
  pass(minutes{2});

  EXPECT_NE(api_.annotation(uid, kMark), "");
  EXPECT_GE(deletes(uid), 1U);
}

TEST_P(Eviction, IsCarriedOutAlthoughItsMarkMayNotBeWritten) {
  boot();
  const std::string uid = given_running_pod();
  api_.answer(Call::Patch, Status(StatusCode::PermissionDenied, "forbidden"), 1000);

  EXPECT_TRUE(evict(uid).is_ok());
  pass(minutes{2});

  EXPECT_GE(deletes(uid), 1U);
}

TEST_P(Eviction, MayBeAskedForAgain) {
  boot();
  const std::string uid = given_running_pod();

  EXPECT_TRUE(evict(uid).is_ok());
  EXPECT_TRUE(evict(uid).is_ok());
  settle();
  provider_.finish_delete(uid);
  look();
  EXPECT_TRUE(evict(uid).is_ok());
  pass(minutes{1});

  EXPECT_EQ(events_.count(uid, "Evicted"), 1);
  EXPECT_EQ(deletes(uid), 1U);
  expect_end(uid, "SpotReclaimed");
}

TEST_P(Eviction, IsRefusedForPodsThatEndAnyway) {
  boot();
  const std::string deleted = given_running_pod({.name = "deleted"});
  api_.remove(deleted, seconds{30});
  settle();
  const std::string finished = given_running_pod({.name = "finished", .restart_policy = "Never"});
  provider_.end(finished, "Succeeded", 0);
  look();

  EXPECT_EQ(evict("nobody").code(), StatusCode::NotFound);
  EXPECT_EQ(evict(deleted).code(), StatusCode::NotFound);
  EXPECT_EQ(evict(finished).code(), StatusCode::NotFound);
  engine_->stop();
  EXPECT_EQ(evict(finished).code(), StatusCode::Cancelled);
}

TEST_P(Eviction, LeavesASuccessThatCameFirst) {
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});
  api_.answer(Call::Patch, unavailable("the API server is away"), 2);
  EXPECT_TRUE(evict(uid).is_ok());

  provider_.end(uid, "Succeeded", 0);
  look();
  pass(minutes{1});

  EXPECT_EQ(api_.phase(uid), "Succeeded");
}

// A process that follows knows nothing of the success before it is written, and would call it a loss.
TEST_P(Eviction, StopsNothingBeforeASuccessThatCameFirstIsWritten) {
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});
  api_.answer(Call::Patch, unavailable("the API server is away"), 4);
  EXPECT_TRUE(evict(uid).is_ok());

  provider_.end(uid, "Succeeded", 0);
  look();
  pass(seconds{3});
  EXPECT_EQ(deletes(uid), 0U);
  pass(minutes{2});

  EXPECT_EQ(api_.phase(uid), "Succeeded");
  EXPECT_GE(deletes(uid), 1U);
}

TEST_P(Eviction, EndsAPodThatCouldNotBeCreated) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("no capacity"), 1000);
  pass(seconds{5});

  EXPECT_TRUE(evict(uid).is_ok());
  settle();
  const std::size_t tried = creates(uid);
  pass(minutes{5});

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "SpotReclaimed");
  EXPECT_EQ(creates(uid), tried);
}

TEST_P(Eviction, ComesBeforeACreateWhoseMaterialIsBeingLookedFor) {
  boot();
  const std::string uid = api_.create({});
  material_.during_next([&] { EXPECT_TRUE(evict(uid).is_ok()); });
  settle();

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Failed");
}

TEST_P(Eviction, GivesWayToADeletionWithLessGrace) {
  boot();
  const std::string uid = given_running_pod();
  EXPECT_TRUE(evict(uid, minutes{2}).is_ok());
  settle();

  api_.remove(uid, seconds{5});
  settle();
  const auto calls = provider_.calls(Kind::Delete, uid);
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[1].grace, seconds{5});
  EXPECT_EQ(calls[1].reason, plugin::DeleteReason::Deleted);
  provider_.finish_delete(uid);
  look();

  EXPECT_FALSE(api_.has(uid));
}

TEST_P(Eviction, LeavesTheDeletionOfTheObjectItsWholeTime) {
  boot();
  const std::string uid = given_running_pod({.finalizers = {"example.com/bookkeeping"}});
  EXPECT_TRUE(evict(uid).is_ok());
  pass(hours{1});
  expect_end(uid, "SpotReclaimed");

  api_.remove(uid, seconds{30});
  pass(minutes{5});

  EXPECT_EQ(events_.count(uid, "DeletionTimeout"), 0);
  pass(minutes{10});
  EXPECT_EQ(events_.count(uid, "DeletionTimeout"), 1);
}

TEST_P(Eviction, GoesOnAfterARestartOnceItIsMarked) {
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_delete(uid, unavailable("away"), 1);
  EXPECT_TRUE(evict(uid, seconds{20}).is_ok());
  settle();
  ASSERT_NE(api_.annotation(uid, kMark), "");

  boot();
  settle();

  const auto calls = provider_.calls(Kind::Delete, uid);
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[1].reason, plugin::DeleteReason::Evicted);
  EXPECT_EQ(calls[1].grace, seconds{20});
  provider_.finish_delete(uid);
  look();
  expect_end(uid, "SpotReclaimed");
}

TEST_P(Eviction, GoesOnAfterARestartThatMissedTheEnd) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_running_pod();
  EXPECT_TRUE(evict(uid).is_ok());
  settle();
  provider_.vanish(uid);

  boot();
  settle();

  expect_end(uid, "SpotReclaimed");
  EXPECT_EQ(api_.status(uid, "message"), "the cloud wants its capacity back");
}

TEST_P(Eviction, DeletesWhatIsLeftAfterARestart) {
  boot();
  const std::string uid = given_running_pod();
  EXPECT_TRUE(evict(uid, seconds{5}).is_ok());
  pass(seconds{15});
  expect_end(uid, "SpotReclaimed");
  const std::size_t deleted = deletes(uid);

  boot();
  settle();
  EXPECT_EQ(deletes(uid), deleted + 1);
  provider_.finish_delete(uid);
  look();
  pass(minutes{5});

  EXPECT_EQ(deletes(uid), deleted + 1);
  expect_end(uid, "SpotReclaimed");
}

TEST_P(Eviction, DeletesNothingAgainOfWhatIsKnownToBeGone) {
  boot();
  const std::string uid = given_running_pod();
  EXPECT_TRUE(evict(uid, seconds{1}).is_ok());
  settle();
  provider_.finish_delete(uid);
  pass(minutes{1});
  expect_end(uid, "SpotReclaimed");
  const std::size_t before = deletes(uid);

  boot();
  pass(minutes{10});

  EXPECT_EQ(deletes(uid), before);
}

TEST_P(Eviction, IsNotTakenFromTheManifestOfAnotherPod) {
  boot();
  const std::string uid =
      given_running_pod({.annotations = {{kMark, R"({"uid":"uid-0","reason":"Evicted"})"}}});
  pass(minutes{1});

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(deletes(uid), 0U);
}

// ---- Deadlines

TEST_P(ActiveDeadline, EndsThePod) {
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60});
  pass(seconds{58});
  EXPECT_EQ(deletes(uid), 0U);

  pass(seconds{4});
  const auto calls = provider_.calls(Kind::Delete, uid);
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].reason, plugin::DeleteReason::Deadline);
  EXPECT_EQ(calls[0].grace, seconds{10});
  provider_.finish_delete(uid);
  look();

  expect_end(uid, "DeadlineExceeded");
  EXPECT_EQ(api_.status(uid, "message"),
            "Pod was active on the node longer than the specified deadline");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.terminated.exitCode"),
            GetParam() ? "143" : "137")
      << "what nobody pushes is known by its absence only";
  EXPECT_EQ(api_.condition(uid, "DisruptionTarget"), "");
  EXPECT_EQ(events_.count(uid, "DeadlineExceeded"), 1);
}

TEST_P(ActiveDeadline, EndsThePodWhenTheGraceIsOver) {
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60});

  pass(seconds{80});

  expect_end(uid, "DeadlineExceeded");
}

TEST_P(ActiveDeadline, IsLeftToAProviderThatKeepsIt) {
  provider_.shape.native_deadline = true;
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60});

  pass(minutes{5});

  EXPECT_EQ(deletes(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_P(ActiveDeadline, MovesWhenItIsChanged) {
  boot();
  const std::string uid = given_running_pod();
  pass(seconds{10});

  set_deadline(uid, hours{1});
  pass(seconds{10});
  set_deadline(uid, seconds{30});
  pass(seconds{8});
  EXPECT_EQ(deletes(uid), 0U);
  pass(seconds{5});

  EXPECT_EQ(deletes(uid), 1U);
}

TEST_P(ActiveDeadline, LeavesAPodThatEndedInTime) {
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60}, {.restart_policy = "Never"});
  pass(seconds{59} + milliseconds{500});
  provider_.end(uid, "Succeeded", 0);  // a polled provider says so when it is asked only

  pass(minutes{2});

  EXPECT_EQ(api_.phase(uid), "Succeeded");
  EXPECT_EQ(deletes(uid), 0U);
}

TEST_P(ActiveDeadline, LeavesAPodThatEndedInTimeWhileNoHostWasThere) {
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60}, {.restart_policy = "Never"});
  engine_->stop();
  const bool pushes = std::exchange(provider_.shape.pushes, false);
  provider_.end(uid, "Succeeded", 0);
  clock_->advance(minutes{10});

  provider_.shape.pushes = pushes;
  boot();
  pass(minutes{1});

  EXPECT_EQ(api_.phase(uid), "Succeeded");
  EXPECT_EQ(deletes(uid), 0U);
}

// Somebody stopped it for its deadline, and ended before anybody was told.
TEST_P(ActiveDeadline, IsTheReasonOfAPodThatEndedAfterItWhileNoHostWasThere) {
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60}, {.restart_policy = "Never"});
  engine_->stop();
  clock_->advance(seconds{65});
  const bool pushes = std::exchange(provider_.shape.pushes, false);
  provider_.report(uid, R"({"phase":"Succeeded","containerStatuses":[{"name":"main","state":
      {"terminated":{"exitCode":0,"finishedAt":")" +
                            format_time(clock_->wall_now()) + R"("}}}]})");

  provider_.shape.pushes = pushes;
  boot();
  pass(minutes{1});

  expect_end(uid, "DeadlineExceeded");
}

TEST_P(ActiveDeadline, WaitsForTheAnswerWhetherThePodEndedInTime) {
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60}, {.restart_policy = "Never"});
  engine_->stop();
  clock_->advance(minutes{10});
  provider_.fail_list(unavailable("the back end is away"), 4);

  boot();
  settle();
  EXPECT_EQ(deletes(uid), 0U);
  const std::size_t asked = provider_.count(Kind::List);
  pass(seconds{1});
  EXPECT_LE(provider_.count(Kind::List), asked + 2) << "at growing distances";
  pass(minutes{2});

  EXPECT_GE(deletes(uid), 1U);
  expect_end(uid, "DeadlineExceeded");
}

TEST_P(ActiveDeadline, IsTheReasonOfAWorkloadThatWasLostAfterIt) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60});
  engine_->stop();
  provider_.vanish(uid);
  clock_->advance(minutes{10});

  boot();
  pass(minutes{1});

  expect_end(uid, "DeadlineExceeded");
  EXPECT_EQ(events_.count(uid, "ProviderLost"), 0);
}

TEST_P(ActiveDeadline, EndsAPodThatCouldNotBeCreated) {
  boot();
  const std::string uid = api_.create({});
  set_deadline(uid, seconds{60});
  provider_.fail_create(uid, unavailable("no capacity"), 1000);

  pass(minutes{3});

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "DeadlineExceeded");
  const std::size_t tried = creates(uid);
  pass(minutes{3});
  EXPECT_EQ(creates(uid), tried);
}

TEST_P(ActiveDeadline, DeletesWhatIsLeftAfterARestart) {
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60});
  pass(seconds{80});
  expect_end(uid, "DeadlineExceeded");
  const std::size_t deleted = deletes(uid);

  boot();
  settle();

  ASSERT_EQ(deletes(uid), deleted + 1);
  EXPECT_EQ(provider_.calls(Kind::Delete, uid).back().reason, plugin::DeleteReason::Deadline);
}

TEST_P(ActiveDeadline, LeavesWhatAProviderThatKeepsItFailed) {
  provider_.shape.native_deadline = true;
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60}, {.restart_policy = "Never"});
  provider_.report(uid, R"({"phase":"Failed","reason":"DeadlineExceeded","containerStatuses":[
      {"name":"main","state":{"terminated":{"exitCode":137}}}]})");
  look();

  boot();
  pass(minutes{1});

  EXPECT_EQ(api_.status(uid, "reason"), "DeadlineExceeded");
  EXPECT_EQ(deletes(uid), 0U) << "its logs stay until the object is deleted";
}

TEST_P(ActiveDeadline, IsNothingForAPodThatIsDeleted) {
  boot();
  const std::string uid = given_pod_with_deadline(seconds{60});
  api_.remove(uid, seconds{300});

  pass(minutes{2});

  EXPECT_EQ(events_.count(uid, "DeadlineExceeded"), 0);
  EXPECT_EQ(provider_.calls(Kind::Delete, uid).at(0).reason, plugin::DeleteReason::Deleted);
}

}  // namespace
}  // namespace vkhost::pods
