// The life of pods between API server and provider, and of the engine itself.
#include "pods/engine.hpp"

#include "engine_fixture.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace vkhost::pods {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PodEngineTest : public EngineFixture {};

// Each scenario with a provider that pushes and one that is polled.
class PodLife : public EngineFixture, public ::testing::WithParamInterface<bool> {
 protected:
  PodLife() { provider_.shape.pushes = GetParam(); }

  // Its deletion reaches the provider with the grace it was given, and its object waits for the end.
  void expect_end_with_grace(const std::string& uid) {
    api_.remove(uid, seconds{25});
    settle();
    ASSERT_EQ(deletes(uid), 1U);
    EXPECT_EQ(provider_.calls(Kind::Delete, uid)[0].grace, seconds{25});
    EXPECT_TRUE(api_.has(uid));
    provider_.finish_delete(uid);
    look();

    EXPECT_FALSE(api_.has(uid));
  }
};

INSTANTIATE_TEST_SUITE_P(Providers, PodLife, ::testing::Bool(), [](const auto& kind) {
  return kind.param ? "Pushing" : "Polled";
});

TEST_P(PodLife, RunsAPodThatIsBound) {
  boot();

  const std::string uid = given_pod();
  provider_.run(uid);
  look();

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(api_.condition(uid, "Ready"), "True");
  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(provider_.calls(Kind::Create, uid)[0].why, plugin::CreateReason::First);
  EXPECT_TRUE(view(uid).runs_in_backend);
  EXPECT_EQ(events_.count(uid, "ProviderCreateSuccess"), 1);
}

// virtual-kubelet#977, #391: A deletion that the watch missed never reaches the provider
TEST_P(PodLife, DeletesOnceWhenTheWatchMissedTheDelete) {
  boot();
  const std::string uid = given_running_pod();

  api_.lose_watch();
  api_.remove(uid, seconds{0});
  api_.list_again();
  settle();
  provider_.finish_deletes();
  look();
  pass(minutes{2});

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(provider_.has(uid));
  EXPECT_FALSE(engine_->find(uid).has_value());
}

// virtual-kubelet#787, #760: A pod that has ended stays Terminating for its whole grace
TEST_P(PodLife, RemovesTheApiObjectAsSoonAsTheProviderSaysGone) {
  boot();
  const std::string uid = given_running_pod();

  api_.remove(uid, seconds{600});
  settle();
  EXPECT_TRUE(api_.has(uid));
  EXPECT_EQ(provider_.calls(Kind::Delete, uid)[0].grace, seconds{600});
  pass(seconds{3});
  provider_.finish_delete(uid);
  look();

  EXPECT_FALSE(api_.has(uid));
  EXPECT_EQ(deletes(uid), 1U);
  settle();
  EXPECT_FALSE(engine_->find(uid).has_value());
}

TEST_P(PodLife, EndsAsItsContainersEnd) {
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});

  provider_.end(uid, "Failed", 3);
  look();

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.terminated.exitCode"), "3");
  EXPECT_EQ(api_.condition(uid, "Ready"), "False");
  EXPECT_EQ(deletes(uid), 0U);
}

TEST_P(PodLife, EndsAPodInItsInitPhaseWithItsGrace) {
  boot();
  const std::string uid = given_pod({.init_containers = {"setup"}});
  provider_.report(uid, R"({"phase":"Pending","initContainerStatuses":[
      {"name":"setup","state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}}],
      "containerStatuses":[{"name":"main","state":{"waiting":{"reason":"PodInitializing"}}}]})");
  look();

  expect_end_with_grace(uid);
}

TEST_P(PodLife, EndsAPodOfWhichOnlyASidecarRunsWithItsGrace) {
  boot();
  const std::string uid =
      given_pod({.spec_json = R"({"initContainers":[{"name":"proxy","restartPolicy":"Always"}]})"});
  provider_.report(uid, R"({"phase":"Running","initContainerStatuses":[
      {"name":"proxy","state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}}],
      "containerStatuses":[{"name":"main","state":{"terminated":{"exitCode":0}}}]})");
  look();

  expect_end_with_grace(uid);
}

TEST_P(PodLife, EndsAPodThatWaitsInAQueueOfTheBackEndWithItsGrace) {
  boot();
  const std::string uid = given_pod();
  provider_.report(uid, R"({"phase":"Pending","containerStatuses":[
      {"name":"main","state":{"waiting":{"reason":"Queued"}}}]})");
  look();

  expect_end_with_grace(uid);
}

// virtual-kubelet#689: A pod that cannot be created for a minute is Failed
TEST_P(PodLife, LeavesAPodPendingHoweverLongItCannotBeCreated) {
  settings_.backoff = {seconds{1}, minutes{1}};
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("no capacity"), 1000);

  pass(minutes{20});
  EXPECT_EQ(api_.phase(uid), "Pending");
  EXPECT_EQ(api_.status(uid, "reason"), "ProviderFailed");
  provider_.stop_failing();
  pass(minutes{2});
  provider_.run(uid);
  look();

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_P(PodLife, FailsALostPodByDefault) {
  boot();
  const std::string uid = given_running_pod();

  provider_.vanish(uid);
  list_all();

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "ProviderLost");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.terminated.reason"),
            "ContainerStatusUnknown");
  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(events_.count(uid, "ProviderLost"), 1);
}

TEST_P(PodLife, ClosesReadyOfALostPodThatShallWait) {
  settings_.on_lost = OnLost::Wait;
  boot();
  const std::string uid = given_running_pod();

  provider_.answer_list(uid, plugin::ListVerdict::Absent);
  list_all();
  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(api_.condition(uid, "Ready"), "False");
  EXPECT_EQ(api_.condition(uid, "ContainersReady"), "False");
  pass(minutes{5});
  EXPECT_EQ(events_.count(uid, "ProviderLost"), 1);

  provider_.answer_list_honestly(uid);
  list_all();

  EXPECT_EQ(api_.condition(uid, "Ready"), "True");
  EXPECT_EQ(api_.condition(uid, "ContainersReady"), "True");
  EXPECT_EQ(creates(uid), 1U);
}

TEST_P(PodLife, ClosesReadyOfALostPodUntilItsNextWorkloadRuns) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_create(uid, unavailable("no capacity"), 3);

  provider_.vanish(uid);
  list_all();
  EXPECT_EQ(api_.condition(uid, "Ready"), "False");
  pass(minutes{1});
  ASSERT_TRUE(provider_.has(uid));
  EXPECT_EQ(api_.condition(uid, "Ready"), "False");
  provider_.run(uid);
  look();

  EXPECT_EQ(api_.condition(uid, "Ready"), "True");
}

TEST_P(PodLife, AdoptsWhatRunsAfterARestart) {
  boot();
  const std::string uid = given_running_pod();
  const std::string start_time = api_.status(uid, "startTime");
  clock_->advance(minutes{10});

  boot();
  list_all();
  provider_.run(uid);
  look();

  EXPECT_EQ(provider_.made(uid), 1);
  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(deletes(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(api_.status(uid, "startTime"), start_time);
}

// ---- The desired side

// virtual-kubelet#1328, #781, #464: A change of a pod that it never saw ends the process
TEST_F(PodEngineTest, RunsAPodWhoseAdditionItNeverSaw) {
  boot();
  api_.lose_watch();
  const std::string uid = api_.create({});
  engine_->pod_applied(api_.pod(uid));  // as Modified before any Added
  settle();

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(PodEngineTest, TakesARemovalOfAPodItNeverSawAsNoNews) {
  boot();

  engine_->pod_removed("nobody");
  settle();

  EXPECT_THAT(engine_->pods(), IsEmpty());
}

// virtual-kubelet#773, #1257, #1310: After twenty failures a pod is given up without a word
TEST_F(PodEngineTest, RunsAPodAfterAHundredFailures) {
  settings_.backoff = {milliseconds{100}, seconds{1}};
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("the back end is away"), 100);

  pass(minutes{3});
  provider_.run(uid);
  settle();

  EXPECT_EQ(creates(uid), 101U);
  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(view(uid).failures, 0U);
}

TEST_F(PodEngineTest, SaysWhatFailedAndWhenTheNextTryIs) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("the back end is away").with_reason("BackEndAway"), 100);

  settle();

  EXPECT_THAT(view(uid).last_error.message(), HasSubstr("the back end is away"));
  EXPECT_EQ(view(uid).failures, 1U);
  ASSERT_TRUE(view(uid).next_try.has_value());
  EXPECT_GT(*view(uid).next_try, clock_->wall_now());
  EXPECT_FALSE(view(uid).runs_in_backend);
  EXPECT_EQ(events_.count(uid, "ProviderCreateFailed"), 1);
}

// virtual-kubelet#867, #907, #1157: A pod that is made again under its name never starts
TEST_F(PodEngineTest, DeletesTheOldPodBeforeItCreatesTheNewOneOfTheSameName) {
  boot();
  const std::string old_uid = given_running_pod();

  api_.remove(old_uid, seconds{0});
  const std::string new_uid = given_pod();
  EXPECT_EQ(deletes(old_uid), 1U);
  EXPECT_EQ(creates(new_uid), 0U);
  pass(seconds{2});
  EXPECT_EQ(creates(new_uid), 0U);
  EXPECT_THAT(view(new_uid).last_error.message(), HasSubstr("same name"));

  provider_.finish_delete(old_uid);
  settle();

  EXPECT_EQ(creates(new_uid), 1U);
  EXPECT_EQ(deletes(new_uid), 0U);
}

TEST_F(PodEngineTest, SaysThatAPodWaitsForTheOldOneOfItsName) {
  boot();
  const std::string old_uid = given_running_pod();
  api_.remove(old_uid, seconds{0});
  const std::string new_uid = given_pod();
  EXPECT_EQ(events_.count(new_uid, "WaitsForNamesake"), 0);

  pass(seconds{5});
  EXPECT_EQ(events_.count(new_uid, "WaitsForNamesake"), 1);
  EXPECT_EQ(api_.condition(new_uid, "vkhost.io/Provider"), "False");
  provider_.finish_delete(old_uid);
  settle();

  EXPECT_EQ(creates(new_uid), 1U);
  EXPECT_EQ(api_.condition(new_uid, "vkhost.io/Provider"), "True");
}

TEST_F(PodEngineTest, TakesAnotherUidInAListForAnotherPod) {
  boot();
  const std::string old_uid = given_running_pod();
  api_.lose_watch();
  api_.remove(old_uid, seconds{0});
  const std::string new_uid = api_.create({});
  api_.list_again();

  settle();
  EXPECT_EQ(deletes(old_uid), 1U);
  EXPECT_EQ(creates(new_uid), 0U);
  provider_.finish_delete(old_uid);
  settle();

  EXPECT_EQ(creates(new_uid), 1U);
  EXPECT_EQ(deletes(new_uid), 0U);
  EXPECT_FALSE(engine_->find(old_uid).has_value());
}

// virtual-kubelet#978: What becomes of a lost pod is not the user's choice
TEST_F(PodEngineTest, FollowsThePolicyThatAPodNamesForItsLoss) {
  settings_.on_lost = OnLost::Fail;
  boot();
  const std::string waits =
      given_running_pod({.name = "waits", .annotations = {{"vkhost.io/on-lost", "wait"}}});
  const std::string again =
      given_running_pod({.name = "again", .annotations = {{"vkhost.io/on-lost", "recreate"}}});
  const std::string wrong =
      given_running_pod({.name = "wrong", .annotations = {{"vkhost.io/on-lost", "Wait!"}}});

  for (const std::string& uid : {waits, again, wrong}) {
    provider_.lose(uid);
  }
  settle();

  EXPECT_EQ(api_.phase(waits), "Running");
  EXPECT_EQ(api_.condition(waits, "Ready"), "False");
  EXPECT_EQ(creates(again), 2U);
  EXPECT_EQ(api_.phase(wrong), "Failed");
  EXPECT_THAT(events_.events(), ::testing::Contains(::testing::AllOf(
                                    HasSubstr(wrong), HasSubstr("vkhost.io/on-lost"))));
}

TEST_F(PodEngineTest, FailsAPodThatWaitedWhenItsPolicyChanges) {
  boot();
  const std::string uid = given_running_pod({.annotations = {{"vkhost.io/on-lost", "wait"}}});
  provider_.lose(uid);
  settle();
  ASSERT_EQ(api_.phase(uid), "Running");

  api_.annotate(uid, "vkhost.io/on-lost", "fail");
  settle();

  EXPECT_EQ(api_.phase(uid), "Failed");
}

TEST_F(PodEngineTest, NeverChangesAPodThatOthersShare) {
  boot();
  const std::string uid = api_.create({});
  const kube::PodPtr shared = api_.pod(uid);
  const std::string bytes = shared->raw;
  engine_->pod_applied(shared);
  provider_.fail_create(uid, unavailable("away"), 3);

  pass(minutes{1});

  EXPECT_EQ(shared->raw, bytes);
}

// virtual-kubelet#840, #841, liqo#619: First attempts wait for a limit that is meant for retries
TEST_F(PodEngineTest, CreatesAThousandPodsWithoutLettingTimeGoBy) {
  provider_.runs_in_create = true;
  boot();
  const std::string failing = api_.create({.name = "failing"});
  provider_.fail_create(failing, unavailable("away"), 1000);
  for (int i = 0; i < 1000; ++i) {
    api_.create({.name = "web-" + std::to_string(i)});
  }
  const SteadyTime before = clock_->steady_now();

  settle();

  EXPECT_EQ(provider_.count(Kind::Create), 1001U);
  EXPECT_EQ(clock_->steady_now(), before);
}

// virtual-kubelet#1045: Records of pods that are gone pile up
TEST_F(PodEngineTest, KeepsNothingOfAThousandPodsThatAreGone) {
  provider_.runs_in_create = true;
  provider_.deletes_at_once = true;
  provider_.handle_prefix.clear();
  boot();

  for (int round = 0; round < 10; ++round) {
    std::vector<std::string> uids;
    for (int i = 0; i < 100; ++i) {
      uids.push_back(api_.create({.name = "web-" + std::to_string(i)}));
    }
    settle();
    for (const std::string& uid : uids) {
      api_.remove(uid, seconds{30});
    }
    settle();
  }

  EXPECT_THAT(api_.uids(), IsEmpty());
  EXPECT_THAT(engine_->pods(), IsEmpty());
  EXPECT_EQ(engine_->footprint(), 0U);
}

TEST_F(PodEngineTest, RunsPodsOfTheSameNameInTwoNamespacesBesideEachOther) {
  boot();

  const std::string one = given_pod({.pod_namespace = "blue"});
  const std::string other = given_pod({.pod_namespace = "green"});

  EXPECT_EQ(creates(one), 1U);
  EXPECT_EQ(creates(other), 1U);
}

TEST_F(PodEngineTest, IgnoresAHandleThatBelongsToAnotherPod) {
  boot();

  const std::string uid = given_pod(
      {.annotations = {{"vkhost.io/handle", "stolen"}, {"vkhost.io/handle-uid", "somebody-else"}}});

  ASSERT_EQ(creates(uid), 1U);
  EXPECT_EQ(provider_.calls(Kind::Create, uid)[0].handle, "");
}

TEST_F(PodEngineTest, TouchesNoPodThatHasEnded) {
  const std::string uid = api_.create({.status_json = R"({"phase":"Succeeded"})"});

  boot();
  list_all();
  pass(minutes{5});

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(deletes(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Succeeded");
}

TEST_F(PodEngineTest, RemovesAPodThatWasDeletedBeforeItWasEverTried) {
  boot();
  const std::string uid = api_.create({});
  api_.remove(uid, seconds{30});

  settle();

  EXPECT_FALSE(api_.has(uid));
  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(deletes(uid), 0U);
  EXPECT_FALSE(engine_->find(uid).has_value());
}

// ---- Restart

TEST_F(PodEngineTest, TellsEveryPodToTheProviderAfterARestart) {
  for (int i = 0; i < 3; ++i) {
    api_.create({.name = "web-" + std::to_string(i)});
  }

  boot();

  for (const std::string& uid : api_.uids()) {
    EXPECT_EQ(provider_.calls(Kind::Recover, uid).size(), 1U) << uid;
  }
}

TEST_F(PodEngineTest, CreatesWhatTheProviderAsksForAfterARestart) {
  boot();
  const std::string uid = given_pod();
  pass(seconds{1});
  provider_.vanish(uid);
  provider_.answer_recover(uid, plugin::RecoverVerdict::Create);

  boot();
  settle();

  ASSERT_EQ(creates(uid), 2U);
  EXPECT_EQ(provider_.calls(Kind::Create, uid)[1].why, plugin::CreateReason::Retry);
  EXPECT_EQ(provider_.calls(Kind::Create, uid)[1].handle, "h-" + uid);
}

// virtual-kubelet#762, interLink#195: A restart runs a lost pod again without a word
TEST_F(PodEngineTest, FailsAPodThatIsAbsentAfterARestart) {
  boot();
  const std::string uid = given_running_pod();
  provider_.vanish(uid);

  boot();
  settle();

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(PodEngineTest, AsksAgainWhenTheProviderCannotTellAfterARestart) {
  boot();
  const std::string uid = given_running_pod();
  provider_.answer_recover(uid, plugin::RecoverVerdict::Unknown);
  provider_.answer_list(uid, plugin::ListVerdict::Unknown);

  boot();
  pass(seconds{30});
  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_LE(provider_.count(Kind::List), 20U);
  provider_.answer_list_honestly(uid);
  pass(minutes{6});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_TRUE(view(uid).runs_in_backend);
}

TEST_F(PodEngineTest, NeverCreatesAPodAgainThatRanOnceOnTheWordOfRecoveryAlone) {
  boot();
  const std::string uid = given_running_pod();
  provider_.answer_recover(uid, plugin::RecoverVerdict::Create);

  boot();
  settle();

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_TRUE(view(uid).runs_in_backend);
}

// virtual-kubelet#762, k8s-runpod-kubelet#4: A restart runs a pod twice that may run once
TEST_F(PodEngineTest, FailsAnAcceptedPodThatMayRunOnlyOnceWhenItIsAbsentAfterARestart) {
  boot();
  const std::string uid = given_pod({.restart_policy = "Never"});
  pass(seconds{1});
  ASSERT_EQ(api_.annotation(uid, "vkhost.io/handle"), "h-" + uid);
  provider_.vanish(uid);
  provider_.answer_recover(uid, plugin::RecoverVerdict::Absent);

  boot();
  settle();

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(api_.phase(uid), "Failed");
}

TEST_F(PodEngineTest, CreatesAgainWhatMayRunOnlyOnceWhenTheProviderSaysThatItNeverBegan) {
  boot();
  const std::string uid = given_pod({.restart_policy = "Never"});
  pass(seconds{1});
  provider_.vanish(uid);
  provider_.answer_recover(uid, plugin::RecoverVerdict::Create);

  boot();
  settle();

  EXPECT_EQ(creates(uid), 2U);
}

TEST_F(PodEngineTest, RepeatsARecoveryThatFailed) {
  boot();
  const std::string uid = given_pod();
  engine_ = std::make_unique<PodEngine>(
      settings_, EngineParts{&provider_, &api_, &events_, &material_, &faults_, clock_,
                             std::make_shared<SeededRandom>(1), observe::Logger(log_)});
  listener_.attach(engine_.get());
  api_.listen(engine_.get());
  api_.list_again();
  provider_.fail_recover(unavailable("not now"));

  EXPECT_EQ(engine_->recover({}).code(), StatusCode::Unavailable);
  EXPECT_TRUE(engine_->recover({}).is_ok());
  settle();

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(PodEngineTest, FinishesADeletionThatARestartInterrupted) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{30});
  settle();

  boot();
  settle();
  EXPECT_EQ(deletes(uid), 2U);
  provider_.finish_delete(uid);
  settle();

  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodEngineTest, SendsAnUpdateThatItMayHaveMissedWhileItWasDown) {
  provider_.shape.updates = plugin::kChangedImage;
  boot();
  const std::string uid = given_running_pod();
  api_.set_image(uid, "nginx:2");

  boot();
  settle();

  EXPECT_EQ(provider_.calls(Kind::Update, uid).size(), 1U);
}

// ---- Cancellation and lock order

TEST_F(PodEngineTest, MayBeCalledFromAPluginsCancelFunction) {
  boot();
  const std::string uid = api_.create({});
  std::optional<Status> answer;
  provider_.on_cancelled_create([&] {
    plugin::PodChange change;
    change.uid = uid;
    change.seq = 1;
    change.annotations["example.com/why"] = "cancelled";
    answer = provider_.push(std::move(change));
  });
  provider_.during_next(Kind::Create, [&] {
    api_.remove(uid, seconds{30});
    api_.deliver();
  });

  settle();

  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->is_ok());
}

// ---- Threads

class PodEngineThreads : public EngineFixture {
 protected:
  PodEngineThreads() { api_.deliver_at_once(true); }
  ~PodEngineThreads() override { engine_.reset(); }

  // Waits on real time, as the threads do; only a broken engine lets it run out.
  template <typename Condition>
  bool eventually(Condition condition) {
    const CancelSource never;
    for (int i = 0; i < 20'000; ++i) {
      if (condition()) {
        return true;
      }
      static_cast<void>(never.token().wait_for(milliseconds{1}));
    }
    return false;
  }

  void boot_threads() {
    engine_ = std::make_unique<PodEngine>(
        settings_, EngineParts{&provider_, &api_, &events_, &material_, &faults_,
                               std::make_shared<SystemClock>(), std::make_shared<SeededRandom>(1),
                               observe::Logger(log_)});
    listener_.attach(engine_.get());
    api_.listen(engine_.get());
    api_.list_again();
    ASSERT_TRUE(engine_->recover({}).is_ok());
    engine_->start({&calls_, &writes_, &timers_});
  }

  const SystemClock real_clock_;
  Timers timers_{real_clock_};
  Executor calls_{"calls", 20, real_clock_};
  Executor writes_{"writes", 4, real_clock_};
};

TEST_F(PodEngineThreads, StopsWhenNothingEverHappened) {
  boot_threads();

  engine_->stop();
  engine_->stop();
}

TEST_F(PodEngineThreads, EndsWithoutEverHavingStarted) {
  boot();

  engine_.reset();
}

TEST_F(PodEngineThreads, StopCancelsACreateInFlight) {
  boot_threads();
  provider_.block_creates("uid-1");
  const std::string uid = api_.create({});
  ASSERT_TRUE(eventually([&] { return provider_.is_blocked(uid); }));

  engine_->stop();

  EXPECT_FALSE(provider_.is_blocked(uid));
  EXPECT_TRUE(api_.has(uid));
  EXPECT_EQ(events_.count(uid, "ProviderCreateFailed"), 0);
}

TEST_F(PodEngineThreads, OneBlockedCreateDoesNotHoldUpTheOthers) {
  settings_.workers = 2;
  provider_.runs_in_create = true;
  boot_threads();
  provider_.block_creates("uid-1");
  api_.create({.name = "blocked"});
  ASSERT_TRUE(eventually([&] { return provider_.is_blocked("uid-1"); }));

  const std::string uid = api_.create({.name = "other"});

  EXPECT_TRUE(eventually([&] { return api_.phase(uid) == "Running"; }));
  engine_->stop();
}

TEST_F(PodEngineThreads, BlockedCreatesDoNotHoldUpADeletion) {
  provider_.shape.max_parallel_calls = 1;
  provider_.runs_in_create = true;
  provider_.deletes_at_once = true;
  boot_threads();
  const std::string running = api_.create({.name = "running"});
  ASSERT_TRUE(eventually([&] { return api_.phase(running) == "Running"; }));
  provider_.block_creates("uid-2");
  api_.create({.name = "blocked"});
  ASSERT_TRUE(eventually([&] { return provider_.is_blocked("uid-2"); }));
  api_.create({.name = "waiting"});

  api_.remove(running, seconds{30});

  EXPECT_TRUE(eventually([&] { return !api_.has(running); }));
  EXPECT_EQ(creates("uid-3"), 0U);
  provider_.release_creates();
  EXPECT_TRUE(eventually([&] { return creates("uid-3") == 1; }));
  engine_->stop();
}

TEST_F(PodEngineThreads, ListsEverythingAfterARelist) {
  settings_.resync_interval = minutes{60};
  boot_threads();
  ASSERT_TRUE(eventually([&] { return provider_.count(Kind::List) == 1; }));

  api_.list_again();

  EXPECT_TRUE(eventually([&] { return provider_.count(Kind::List) == 2; }));
  EXPECT_THAT(provider_.calls(Kind::List).back().uids, IsEmpty());
  engine_->stop();
}

TEST_F(PodEngineThreads, ListsEverythingOnATimer) {
  settings_.resync_interval = milliseconds{5};
  boot_threads();

  EXPECT_TRUE(eventually([&] { return provider_.count(Kind::List) >= 5; }));
  engine_->stop();
}

TEST_F(PodEngineThreads, ASavedHandleIsNotWaitedForLongerThanPromised) {
  settings_.handle_timeout = milliseconds{20};
  provider_.handle_prefix.clear();
  boot_threads();
  const std::string uid = api_.create({});
  ASSERT_TRUE(eventually([&] { return view(uid).runs_in_backend; }));
  api_.hang_next(Call::Patch);

  EXPECT_EQ(engine_->save_handle(uid, "i-1").code(), StatusCode::Unavailable);
  EXPECT_TRUE(engine_->save_handle(uid, "i-2").is_ok());

  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "i-2");
  engine_->stop();
}

TEST_F(PodEngineThreads, AHandleWaitsNoLongerThanPromisedForAWriteThatIsUnderWay) {
  settings_.handle_timeout = milliseconds{20};
  provider_.handle_prefix.clear();
  boot_threads();
  const std::string uid = api_.create({});
  ASSERT_TRUE(eventually([&] { return view(uid).runs_in_backend; }));
  api_.hang_next(Call::Patch);
  provider_.run(uid);
  ASSERT_TRUE(eventually([&] { return api_.is_hanging(); }));

  EXPECT_EQ(engine_->save_handle(uid, "i-1").code(), StatusCode::Unavailable);
  engine_->stop();
}

TEST_F(PodEngineThreads, ConvergesWhileEverythingHappensAtOnce) {
  provider_.runs_in_create = true;
  provider_.deletes_at_once = true;
  settings_.backoff = {milliseconds{1}, milliseconds{5}};
  boot_threads();
  constexpr int kPods = 200;
  for (int i = 0; i < kPods; ++i) {
    const std::string uid = "uid-" + std::to_string(i + 1);
    if (i % 5 == 0) {
      provider_.fail_create(uid, unavailable("not yet"), 2);
    }
    api_.create({.name = "web-" + std::to_string(i), .uid = uid});
    if (i % 2 == 1) {
      api_.remove(uid, seconds{i % 4 == 1 ? 30 : 0});
    }
  }

  EXPECT_TRUE(eventually([&] {
    std::size_t running = 0;
    for (const std::string& uid : api_.uids()) {
      running += api_.phase(uid) == "Running" ? 1U : 0U;
    }
    return api_.uids().size() == kPods / 2 && running == kPods / 2 &&
           provider_.uids().size() == kPods / 2 && engine_->pods().size() == kPods / 2;
  }));
  engine_->stop();
}

}  // namespace
}  // namespace vkhost::pods
