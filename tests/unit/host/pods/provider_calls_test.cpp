// create_pod, update_pod and delete_pod: when they are called, with what, and what follows.
#include "engine_fixture.hpp"

#include <chrono>
#include <string>

namespace vkhost::pods {
namespace {

using plugin::CreateReason;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Status account_fault(std::string message = "the access key has expired") {
  return Status(StatusCode::Unauthenticated, std::move(message)).with_scope(Scope::Provider);
}

// ---- Create

class CreatePodCalls : public EngineFixture {
 protected:
  CreatePodCalls() { settings_.backoff = {seconds{1}, seconds{64}}; }

  // Its first create_pod took effect, which the host was not told.
  std::string given_unanswered_create(const NewPod& pod = {}) {
    const std::string uid = api_.create(pod);
    provider_.fail_create_after_effect(uid, deadline_exceeded("no answer"));
    settle();
    return uid;
  }
};

TEST_F(CreatePodCalls, AFailureNeverMakesThePodReady) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, Status(StatusCode::Internal, "HTTP 500"), 1000);

  pass(minutes{5});

  EXPECT_EQ(api_.phase(uid), "Pending");
  EXPECT_EQ(api_.condition(uid, "Ready"), "False");
  EXPECT_EQ(api_.status(uid, "message"), "HTTP 500");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.waiting.message"), "HTTP 500");
  EXPECT_FALSE(view(uid).runs_in_backend);
}

TEST_F(CreatePodCalls, ComeAtGrowingDistancesUpToTheCap) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("away"), 1000);

  pass(seconds{60});
  const std::size_t first_minute = creates(uid);
  pass(minutes{10});

  EXPECT_GE(first_minute, 5U);
  EXPECT_LE(first_minute, 8U);
  EXPECT_GE(creates(uid) - first_minute, 9U);
  EXPECT_LE(creates(uid) - first_minute, 20U);
}

TEST_F(CreatePodCalls, FollowTheAdviceWhenToRetry) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("quota").with_retry(Retry::After, seconds{20}));

  pass(seconds{19});
  EXPECT_EQ(creates(uid), 1U);
  pass(seconds{2});
  EXPECT_EQ(creates(uid), 2U);
  EXPECT_EQ(provider_.calls(Kind::Create, uid)[1].why, CreateReason::Retry);
}

TEST_F(CreatePodCalls, EndForAPodThatIsRejectedForGoodUntilItChanges) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, invalid_argument("two containers").with_retry(Retry::Never));
  pass(minutes{30});
  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(api_.phase(uid), "Pending");
  EXPECT_FALSE(view(uid).next_try.has_value());

  api_.set_image(uid, "other");
  pass(seconds{1});

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_TRUE(view(uid).runs_in_backend);
}

TEST_F(CreatePodCalls, BackOffAgainWhenAPodThatWasRejectedForGoodHasChanged) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, invalid_argument("two containers").with_retry(Retry::Never));
  pass(seconds{5});
  provider_.fail_create(uid, unavailable("not now").with_retry(Retry::After, seconds{60}));

  api_.set_image(uid, "other");
  pass(seconds{30});
  EXPECT_EQ(creates(uid), 2U);
  pass(seconds{40});

  EXPECT_EQ(creates(uid), 3U);
}

TEST_F(CreatePodCalls, AreMadeForAPodThatWasCorrectedWhileItWasRejected) {
  boot();
  const std::string uid = api_.create({.restart_policy = "Never"});
  provider_.fail_create(uid, invalid_argument("two containers").with_retry(Retry::Never));
  provider_.during_next(Kind::Create, [&] {
    api_.set_image(uid, "other");
    api_.deliver();
  });

  pass(seconds{5});

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_NE(api_.phase(uid), "Failed");
}

TEST_F(CreatePodCalls, AreNoFirstOnesAfterARestart) {
  const std::string uid = api_.create({});

  boot();
  settle();

  const auto calls = provider_.calls(Kind::Create, uid);
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].why, CreateReason::Retry);
}

TEST_F(CreatePodCalls, AreRepeatedForARejectedPodWhenItsAnnotationsChange) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, invalid_argument("no such region").with_retry(Retry::Never));
  pass(seconds{5});

  api_.annotate(uid, "example.com/region", "eu");
  pass(seconds{1});

  EXPECT_EQ(creates(uid), 2U);
}

TEST_F(CreatePodCalls, AreNotRepeatedForARejectedPodBecauseItsStatusChanges) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, invalid_argument("two containers").with_retry(Retry::Never));
  pass(seconds{5});

  api_.set_condition(uid, "example.com/seen", "True");
  pass(minutes{5});

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(CreatePodCalls, RejectedForGoodFailAPodThatMayRunOnlyOnce) {
  boot();
  const std::string uid = api_.create({.restart_policy = "Never"});
  provider_.fail_create(
      uid, invalid_argument("no GPU here").with_reason("NoGpu").with_retry(Retry::Never));

  pass(minutes{5});

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "NoGpu");
  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(CreatePodCalls, WaitForMaterialThatIsMissing) {
  boot();
  const std::string uid = api_.create({});
  material_.fail(failed_precondition("configmap \"settings\" not found")
                     .with_reason("CreateContainerConfigError"));
  settle();
  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.waiting.reason"),
            "CreateContainerConfigError");

  pass(seconds{3});

  ASSERT_EQ(creates(uid), 1U);
  EXPECT_EQ(provider_.calls(Kind::Create, uid)[0].why, CreateReason::First);
}

TEST_F(CreatePodCalls, SaveTheHandleThatComesWithAFailure) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create_after_effect(uid, deadline_exceeded("no answer"));

  pass(seconds{5});

  ASSERT_EQ(creates(uid), 2U);
  EXPECT_EQ(provider_.calls(Kind::Create, uid)[1].handle, "h-" + uid);
  EXPECT_EQ(provider_.made(uid), 1);
  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "h-" + uid);
}

TEST_F(CreatePodCalls, AreRepeatedWhenAcceptedWorkFails) {
  boot();
  const std::string uid = given_pod();

  provider_.fail_work(uid, unavailable("the image cannot be pulled").with_reason("ErrImagePull"));
  settle();
  EXPECT_EQ(events_.count(uid, "ProviderCreateFailed"), 1);
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.waiting.reason"), "ErrImagePull");
  pass(seconds{3});

  ASSERT_EQ(creates(uid), 2U);
  EXPECT_EQ(provider_.calls(Kind::Create, uid)[1].why, CreateReason::Retry);
}

TEST_F(CreatePodCalls, AreRepeatedWhenTheWorkFailsBeforeTheCallHasReturned) {
  boot();
  const std::string uid = api_.create({});
  provider_.after_next(Kind::Create, [&] { provider_.fail_work(uid, unavailable("too fast")); });

  pass(seconds{5});

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_TRUE(provider_.has(uid));
}

TEST_F(CreatePodCalls, BackOffAlsoWhenEachIsAcceptedAndFailsAfterwards) {
  boot();
  const std::string uid = given_pod();

  for (int i = 0; i < 600; ++i) {
    if (provider_.has(uid)) {
      provider_.fail_work(uid, unavailable("no capacity"));
    }
    pass(milliseconds{500});
  }

  EXPECT_LE(creates(uid), 16U);
}

TEST_F(CreatePodCalls, EndWhenAcceptedWorkIsRejectedForGood) {
  boot();
  const std::string uid = given_pod();

  provider_.fail_work(uid, invalid_argument("no such image").with_retry(Retry::Never));
  pass(minutes{10});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(api_.status(uid, "message"), "no such image");
}

TEST_F(CreatePodCalls, AreNotRepeatedForAnErrorOfAPodThatRanOnce) {
  boot();
  const std::string uid = given_running_pod();

  provider_.fail_work(uid, unavailable("something broke"), true);
  pass(minutes{2});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_TRUE(view(uid).runs_in_backend);
}

TEST_F(CreatePodCalls, AreMadeAgainForALostPodIfThePolicySaysSo) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_running_pod();

  provider_.fail_create(uid, unavailable("not yet"));
  provider_.lose(uid);
  pass(seconds{5});
  provider_.run(uid);
  settle();

  const auto calls = provider_.calls(Kind::Create, uid);
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[1].why, CreateReason::Lost);
  EXPECT_EQ(calls[1].handle, "h-" + uid);
  EXPECT_EQ(calls[2].why, CreateReason::Lost);
  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(CreatePodCalls, AreNeverMadeAgainForALostPodThatMayRunOnlyOnce) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});

  provider_.lose(uid);
  pass(minutes{5});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(api_.phase(uid), "Failed");
}

TEST_F(CreatePodCalls, AreNotMadeAgainForALostPodThatShallWait) {
  settings_.on_lost = OnLost::Wait;
  boot();
  const std::string uid = given_running_pod();
  provider_.vanish(uid);
  list_all();
  pass(minutes{3});
  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(creates(uid), 1U);

  provider_.plant({"default", "web", uid, ""});
  list_all();

  EXPECT_TRUE(view(uid).runs_in_backend);
}

TEST_F(CreatePodCalls, BackOffWhenTheWorkloadIsLostAgainAndAgain) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_running_pod();

  for (int i = 0; i < 600; ++i) {
    if (provider_.has(uid)) {
      provider_.run(uid);
      provider_.lose(uid);
    }
    pass(milliseconds{500});
  }

  EXPECT_GE(creates(uid), 5U);
  EXPECT_LE(creates(uid), 16U);
}

TEST_F(CreatePodCalls, BackOffWhenEachIsAcceptedAndGoneBeforeItEverRan) {
  boot();
  const std::string uid = given_pod();

  for (int i = 0; i < 600; ++i) {
    if (provider_.has(uid)) {
      provider_.lose(uid);
    }
    pass(milliseconds{500});
  }

  EXPECT_GE(creates(uid), 5U);
  EXPECT_LE(creates(uid), 16U);
}

TEST_F(CreatePodCalls, ComeAtOnceAgainForAWorkloadThatRanForAWhile) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_running_pod();

  for (int i = 0; i < 5; ++i) {
    pass(minutes{2});
    provider_.lose(uid);
    settle();
    provider_.run(uid);
    settle();
  }

  EXPECT_EQ(creates(uid), 6U);
}

TEST_F(CreatePodCalls, FollowTheAdviceThatComesWithALoss) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_running_pod();
  plugin::PodChange change;
  change.uid = uid;
  change.seq = provider_.last_seq() + 1;
  change.gone = true;
  change.error = unavailable("no spot capacity").with_retry(Retry::After, seconds{40});
  provider_.vanish(uid);

  static_cast<void>(provider_.push(std::move(change)));
  pass(seconds{39});
  EXPECT_EQ(creates(uid), 1U);
  pass(seconds{2});

  EXPECT_EQ(creates(uid), 2U);
}

TEST_F(CreatePodCalls, AreNotMadeAgainForAnAcceptedPodThatMayRunOnlyOnce) {
  settings_.on_lost = OnLost::Recreate;
  boot();
  const std::string uid = given_pod({.restart_policy = "Never"});

  provider_.vanish(uid);  // it may have run, and ended, between two lists
  list_all();
  pass(minutes{5});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(events_.count(uid, "ProviderLost"), 1);
}

// ---- Deletion while a create is under way

TEST_F(CreatePodCalls, AreCancelledByADeletionWhichThenReachesTheProvider) {
  boot();
  const std::string uid = api_.create({});
  provider_.during_next(Kind::Create, [&] {
    api_.remove(uid, seconds{30});
    api_.deliver();
  });

  settle();

  EXPECT_EQ(provider_.made(uid), 0);
  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
  EXPECT_EQ(events_.count(uid, "ProviderCreateFailed"), 0);
}

TEST_F(CreatePodCalls, AreCancelledByARemovalFromTheApi) {
  boot();
  const std::string uid = api_.create({});
  provider_.after_next(Kind::Create, [&] {
    api_.remove(uid, seconds{0});
    api_.deliver();
  });

  settle();
  EXPECT_EQ(deletes(uid), 1U);
  provider_.finish_delete(uid);
  settle();

  EXPECT_FALSE(provider_.has(uid));
  EXPECT_FALSE(engine_->find(uid).has_value());
}

TEST_F(CreatePodCalls, AreNotMadeForAPodDeletedWhileItsMaterialWasResolved) {
  boot();
  const std::string uid = api_.create({});
  material_.during_next([&] {
    api_.remove(uid, seconds{30});
    api_.deliver();
  });

  settle();

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(deletes(uid), 0U);
  EXPECT_FALSE(api_.has(uid));
}

TEST_F(CreatePodCalls, AreNotRepeatedForAPodThatRanAndEndedWhileItsMaterialWasResolved) {
  boot();
  const std::string uid = given_unanswered_create({.restart_policy = "Never"});
  material_.during_next([&] {
    provider_.run(uid);
    provider_.lose(uid);
  });

  pass(minutes{2});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(provider_.made(uid), 1);
  EXPECT_EQ(api_.phase(uid), "Failed");
}

TEST_F(CreatePodCalls, AreNotRepeatedForAPodThatRanAndEndedWhileItsMaterialWasMissing) {
  provider_.handle_prefix = "";
  boot();
  const std::string uid = given_unanswered_create({.restart_policy = "Never"});
  material_.during_next([&] {
    provider_.run(uid);
    provider_.lose(uid);
  });
  material_.fail(failed_precondition("no such Secret"));

  pass(minutes{2});

  EXPECT_EQ(provider_.made(uid), 1);
  EXPECT_EQ(api_.phase(uid), "Failed");
}

TEST_F(CreatePodCalls, AreNotTakenForLostBecauseWhatStoodBeforeThemIsGone) {
  provider_.handle_prefix = "";
  boot();
  const std::string uid = given_unanswered_create({.restart_policy = "Never"});
  material_.during_next([&] { provider_.lose(uid); });

  pass(minutes{2});

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_EQ(api_.phase(uid), "Pending");
  EXPECT_TRUE(view(uid).runs_in_backend);
}

TEST_F(CreatePodCalls, ThatOnlyTakeOverWhatStandsAreFollowedByTheChangeThatCameBetween) {
  provider_.shape.updates = plugin::kChangedImage;
  boot();
  const std::string uid = given_unanswered_create();

  api_.set_image(uid, "other");
  pass(minutes{1});

  EXPECT_EQ(creates(uid), 2U);
  ASSERT_EQ(provider_.count(Kind::Update), 1U);
  EXPECT_EQ(provider_.calls(Kind::Update, uid)[0].changed, plugin::kChangedImage);
}

TEST_F(CreatePodCalls, ThatAreRepeatedForAnUnchangedPodAreFollowedByNoUpdate) {
  provider_.shape.updates = plugin::kChangedImage;
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create_after_effect(uid, deadline_exceeded("no answer"));

  pass(minutes{1});

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_EQ(provider_.count(Kind::Update), 0U);
}

// ---- Faults of the whole account

class AccountFault : public EngineFixture {
 protected:
  AccountFault() { settings_.backoff = {seconds{4}, minutes{1}}; }

  std::vector<std::string> given_pods(int count) {
    std::vector<std::string> uids;
    for (int i = 0; i < count; ++i) {
      uids.push_back(api_.create({.name = "web-" + std::to_string(i)}));
    }
    return uids;
  }
};

TEST_F(AccountFault, HoldsAllCreatesAndProbesWithOne) {
  boot();
  provider_.fail_create("", account_fault(), 3);
  given_pods(50);
  settle();
  EXPECT_EQ(provider_.count(Kind::Create), 1U);

  pass(seconds{10});
  const std::size_t while_held = provider_.count(Kind::Create);
  pass(minutes{3});

  EXPECT_LE(while_held, 3U);
  EXPECT_EQ(provider_.count(Kind::Create), 53U);
  EXPECT_EQ(provider_.uids().size(), 50U);
}

TEST_F(AccountFault, IsShownOnceOnTheNodeAndNotOnEveryPod) {
  boot();
  provider_.fail_create("", account_fault(), 2);
  const auto uids = given_pods(3);

  pass(minutes{1});

  EXPECT_EQ(faults_.faults().front(), "UNAUTHENTICATED: the access key has expired");
  EXPECT_EQ(faults_.faults().back(), "OK");
  for (const std::string& uid : uids) {
    EXPECT_EQ(events_.count(uid, "ProviderCreateFailed"), 0) << uid;
  }
}

TEST_F(AccountFault, IsNamedByThePodsThatWaitForItsEnd) {
  boot();
  provider_.fail_create("", account_fault(), 100);
  const auto uids = given_pods(3);

  settle();

  for (const std::string& uid : uids) {
    EXPECT_THAT(view(uid).last_error.message(), HasSubstr("access key")) << uid;
    EXPECT_TRUE(view(uid).next_try.has_value()) << uid;
  }
}

TEST_F(AccountFault, LeavesNoPodBackingOffOnItsOwn) {
  boot();
  provider_.fail_create("", account_fault(), 4);
  given_pods(4);

  pass(minutes{1});

  EXPECT_EQ(provider_.uids().size(), 4U);
}

TEST_F(AccountFault, HoldsAsLongAsTheProviderSays) {
  boot();
  provider_.fail_create("", account_fault("slow down").with_retry(Retry::After, seconds{30}));
  given_pods(5);

  pass(seconds{29});
  EXPECT_EQ(provider_.count(Kind::Create), 1U);
  pass(seconds{2});

  EXPECT_EQ(provider_.uids().size(), 5U);
}

TEST_F(AccountFault, IsNotOverBecauseAProbeWasCancelled) {
  boot();
  provider_.fail_create("", account_fault(), 1);
  const auto uids = given_pods(10);
  settle();
  ASSERT_EQ(provider_.count(Kind::Create), 1U);
  provider_.fail_create("", account_fault(), 1);

  std::string probe;
  provider_.during_next(Kind::Create, [&] {
    probe = provider_.calls(Kind::Create).back().uid;
    api_.remove(probe, seconds{0});
    api_.deliver();
  });
  pass(milliseconds{4250});

  // The first one, the cancelled probe, and the next probe, which fails.
  EXPECT_EQ(provider_.count(Kind::Create), 3U);
}

TEST_F(AccountFault, IsOverForEverybodyWhenTheOnlyProbeIsDeleted) {
  boot();
  provider_.fail_create("", account_fault(), 1);
  const auto uids = given_pods(2);
  settle();
  api_.remove(uids[0], seconds{0});

  pass(seconds{10});

  EXPECT_EQ(provider_.uids(), std::vector<std::string>{uids[1]});
  EXPECT_EQ(faults_.faults().back(), "OK");
}

TEST_F(AccountFault, IsOverWhenNothingIsLeftToProbeWithAndTheProviderListsAgain) {
  boot();
  provider_.fail_create("", account_fault(), 1);
  const auto uids = given_pods(1);
  settle();
  api_.remove(uids[0], seconds{0});
  pass(minutes{2});

  list_all();

  EXPECT_EQ(faults_.faults().back(), "OK");
}

TEST_F(AccountFault, DoesNotHoldDeletions) {
  boot();
  const std::string running = given_running_pod();
  provider_.fail_create("", account_fault(), 100);
  given_pods(2);
  settle();

  api_.remove(running, seconds{30});
  settle();

  EXPECT_EQ(deletes(running), 1U);
}

TEST_F(AccountFault, HoldsUpdatesToo) {
  provider_.shape.updates = plugin::kChangedImage;
  boot();
  const std::string running = given_running_pod();
  provider_.fail_create("", account_fault(), 1);
  given_pods(1);
  settle();

  api_.set_image(running, "nginx:2");
  settle();
  EXPECT_EQ(provider_.calls(Kind::Update, running).size(), 0U);
  pass(seconds{10});

  EXPECT_EQ(provider_.calls(Kind::Update, running).size(), 1U);
}

TEST_F(AccountFault, MayBeFoundByAPush) {
  boot();
  const std::string uid = given_pod();

  provider_.fail_work(uid, account_fault());
  const std::string other = given_pod({.name = "other"});
  EXPECT_EQ(creates(other), 0U);
  pass(seconds{10});

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_EQ(creates(other), 1U);
}

TEST_F(AccountFault, HoldsDeletionsAndListsAsLongAsTheProviderSays) {
  boot();
  const std::string running = given_running_pod();
  provider_.fail_create("", account_fault("slow down").with_retry(Retry::After, seconds{60}));
  given_pods(1);
  settle();
  const std::size_t lists = provider_.count(Kind::List);

  api_.remove(running, seconds{30});
  list_all();
  pass(seconds{59});
  EXPECT_EQ(deletes(running), 0U);
  EXPECT_EQ(provider_.count(Kind::List), lists);
  EXPECT_THAT(view(running).last_error.message(), HasSubstr("slow down"));
  pass(seconds{2});

  EXPECT_EQ(deletes(running), 1U);
}

// ---- Update

class UpdatePodCalls : public EngineFixture {
 protected:
  UpdatePodCalls() {
    settings_.backoff = {seconds{1}, minutes{1}};
    provider_.shape.updates = plugin::kChangedImage | plugin::kChangedMetadata;
  }
  std::size_t updates(const std::string& uid) { return provider_.calls(Kind::Update, uid).size(); }
};

TEST_F(UpdatePodCalls, ComeOnceForAChange) {
  boot();
  const std::string uid = given_running_pod();

  api_.set_image(uid, "nginx:2");
  pass(minutes{2});

  ASSERT_EQ(updates(uid), 1U);
  EXPECT_EQ(provider_.calls(Kind::Update, uid)[0].changed, plugin::kChangedImage);
  EXPECT_EQ(provider_.calls(Kind::Update, uid)[0].handle, "h-" + uid);
}

TEST_F(UpdatePodCalls, AreNotMadeForWhatTheProviderDoesNotSupport) {
  provider_.shape.updates = 0;
  boot();
  const std::string uid = given_running_pod();

  api_.set_image(uid, "nginx:2");
  api_.annotate(uid, "example.com/a", "1");
  pass(minutes{2});

  EXPECT_EQ(updates(uid), 0U);
}

TEST_F(UpdatePodCalls, AreNotMadeForWhatTheHostOrTheProviderWroteItself) {
  settings_.annotation_prefixes = {"example.com/"};
  boot();
  const std::string uid = given_running_pod();

  plugin::PodChange change;
  change.uid = uid;
  change.seq = provider_.last_seq();
  change.annotations["example.com/instance"] = "i-1";
  static_cast<void>(provider_.push(std::move(change)));
  pass(minutes{1});

  EXPECT_EQ(api_.annotation(uid, "example.com/instance"), "i-1");
  EXPECT_EQ(updates(uid), 0U);
}

TEST_F(UpdatePodCalls, AreRepeatedUntilTheyAreAccepted) {
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_update(uid, unavailable("busy"), 3);

  api_.annotate(uid, "team", "blue");
  pass(minutes{2});

  EXPECT_EQ(updates(uid), 4U);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateFailed"), 3);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateSuccess"), 1);
}

TEST_F(UpdatePodCalls, EndWhenTheChangeIsRejectedForGood) {
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_update(uid, invalid_argument("never").with_retry(Retry::Never));

  api_.annotate(uid, "team", "blue");
  pass(minutes{10});
  EXPECT_EQ(updates(uid), 1U);
  api_.annotate(uid, "team", "red");
  pass(minutes{1});

  EXPECT_EQ(updates(uid), 2U);
}

TEST_F(UpdatePodCalls, AreRepeatedWhileTheProviderDefersThem) {
  boot();
  const std::string uid = given_running_pod();
  provider_.answer_update(plugin::UpdateOutcome::Deferred, "");
  api_.set_image(uid, "nginx:2");
  pass(seconds{10});
  EXPECT_GE(updates(uid), 2U);

  provider_.answer_update(plugin::UpdateOutcome::Applied, "");
  pass(minutes{2});
  const std::size_t after = updates(uid);
  pass(minutes{5});

  EXPECT_EQ(updates(uid), after);
}

TEST_F(UpdatePodCalls, ReportWhatCannotBeChangedOnce) {
  boot();
  const std::string uid = given_running_pod();
  provider_.answer_update(plugin::UpdateOutcome::Unsupported, "spec.containers[0].image");

  api_.set_image(uid, "nginx:2");
  pass(minutes{5});

  EXPECT_EQ(updates(uid), 1U);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 1);
}

TEST_F(UpdatePodCalls, AskForTheTruthWhenTheWorkloadIsNotFound) {
  boot();
  const std::string uid = given_running_pod();
  provider_.vanish(uid);

  api_.set_image(uid, "nginx:2");
  pass(seconds{10});

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(creates(uid), 1U);
}

constexpr const char* kMaterialWithToken =
    R"({"volumes":{"v":{"files":[{"path":"t","data":"MQ==","audience":"vault"}]}}})";

TEST_F(UpdatePodCalls, ComeForMaterialThatChanged) {
  provider_.shape.updates = plugin::kChangedTokens;
  material_.answer(kMaterialWithToken);
  boot();
  const std::string uid = given_running_pod();

  engine_->material_changed(uid, plugin::kChangedTokens | plugin::kChangedFiles);
  pass(minutes{1});

  ASSERT_EQ(updates(uid), 1U);
  EXPECT_EQ(provider_.calls(Kind::Update, uid)[0].changed, plugin::kChangedTokens);
}

TEST_F(UpdatePodCalls, SeeMaterialThatChangesWhileTheyAreUnderWay) {
  provider_.shape.updates = plugin::kChangedTokens;
  material_.answer(kMaterialWithToken);
  boot();
  const std::string uid = given_running_pod();
  provider_.during_next(Kind::Update,
                        [&] { engine_->material_changed(uid, plugin::kChangedTokens); });

  engine_->material_changed(uid, plugin::kChangedTokens);
  pass(minutes{1});

  EXPECT_EQ(updates(uid), 2U);
}

// ---- Delete

class DeletePodCalls : public EngineFixture {
 protected:
  DeletePodCalls() { settings_.backoff = {seconds{1}, minutes{5}}; }
};

TEST_F(DeletePodCalls, CarryDocumentHandleAndReason) {
  boot();
  const std::string uid = given_running_pod();

  api_.remove(uid, seconds{30});
  settle();

  const auto calls = provider_.calls(Kind::Delete, uid);
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].grace, seconds{30});
  EXPECT_EQ(calls[0].reason, plugin::DeleteReason::Deleted);
  EXPECT_EQ(calls[0].handle, "h-" + uid);
  EXPECT_TRUE(calls[0].has_document);
}

TEST_F(DeletePodCalls, HaveNoGraceWhenTheDeletionIsForced) {
  boot();
  const std::string uid = given_running_pod();

  api_.remove(uid, seconds{0});
  settle();

  ASSERT_EQ(deletes(uid), 1U);
  EXPECT_EQ(provider_.calls(Kind::Delete, uid)[0].grace, seconds{0});
  provider_.finish_delete(uid);
  settle();
  EXPECT_FALSE(engine_->find(uid).has_value());
}

TEST_F(DeletePodCalls, CarryTheShorterGraceOfASecondDeletion) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{300});
  pass(seconds{10});

  api_.remove(uid, seconds{5});
  pass(seconds{1});
  api_.remove(uid, seconds{0});
  pass(seconds{1});

  const auto calls = provider_.calls(Kind::Delete, uid);
  ASSERT_EQ(calls.size(), 3U);
  EXPECT_EQ(calls[0].grace, seconds{300});
  EXPECT_EQ(calls[1].grace, seconds{5});
  EXPECT_EQ(calls[2].grace, seconds{0});
}

TEST_F(DeletePodCalls, SucceedWhereTheProviderKnowsNothing) {
  boot();
  const std::string uid = given_running_pod();
  provider_.vanish(uid);

  api_.remove(uid, seconds{30});
  settle();

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
  EXPECT_EQ(events_.count(uid, "ProviderDeleteFailed"), 0);
}

// virtual-kubelet#773, #1257, #1310: After twenty failures a deletion is given up
TEST_F(DeletePodCalls, AreRepeatedUntilTheProviderAccepts) {
  settings_.backoff = {seconds{1}, seconds{8}};
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_delete(uid, unavailable("busy"), 50);

  api_.remove(uid, seconds{30});
  pass(minutes{8});

  EXPECT_GE(deletes(uid), 51U);
  EXPECT_TRUE(provider_.is_deleting(uid));
  EXPECT_EQ(events_.count(uid, "ProviderDeleteFailed"), 50);
}

TEST_F(DeletePodCalls, DoNotWaitForTheBackOffOfEarlierCreates) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("away"), 1000);
  pass(minutes{30});

  api_.remove(uid, seconds{30});
  settle();

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
}

TEST_F(DeletePodCalls, ComeAgainWithoutGraceWhenTheDeletionIsOverdue) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{10});
  pass(seconds{30});
  EXPECT_EQ(deletes(uid), 1U);

  pass(seconds{15});

  ASSERT_EQ(deletes(uid), 2U);
  EXPECT_EQ(provider_.calls(Kind::Delete, uid)[1].grace, seconds{0});
  EXPECT_TRUE(api_.has(uid));
}

// Each with a provider that pushes and one that is polled.
class HardLimit : public EngineFixture, public ::testing::WithParamInterface<bool> {
 protected:
  HardLimit() {
    provider_.shape.pushes = GetParam();
    settings_.backoff = {seconds{1}, minutes{5}};
    settings_.deletion_limit = minutes{2};
  }
};

INSTANTIATE_TEST_SUITE_P(Providers, HardLimit, ::testing::Bool(), [](const auto& kind) {
  return kind.param ? "Pushing" : "Polled";
});

// virtual-kubelet#690, #686, azure-aci#28: The object goes with its grace, the workload runs on
TEST_P(HardLimit, EndsTheWaitForADeletionAndTheWorkloadIsDeletedOn) {
  boot();
  const std::string uid = given_running_pod();
  std::string phase;
  std::string reason;
  api_.during_next(Call::Remove, [&] {
    phase = api_.phase(uid);
    reason = api_.status(uid, "reason");
  });

  api_.remove(uid, seconds{30});
  pass(seconds{148});
  EXPECT_TRUE(api_.has(uid));
  EXPECT_EQ(events_.count(uid, "DeletionTimeout"), 0);
  pass(seconds{8});

  EXPECT_FALSE(api_.has(uid));
  EXPECT_EQ(phase, "Failed");
  EXPECT_EQ(reason, "DeletionTimeout");
  EXPECT_EQ(events_.count(uid, "DeletionTimeout"), 1);
  EXPECT_TRUE(view(uid).is_overdue);
  const std::size_t before = deletes(uid);
  pass(minutes{60});
  EXPECT_GE(deletes(uid), before + 8);
  EXPECT_LE(deletes(uid), before + 20);
  EXPECT_EQ(provider_.calls(Kind::Delete, uid).back().grace, seconds{0});
  EXPECT_EQ(events_.count(uid, "DeletionTimeout"), 1);
  provider_.finish_delete(uid);
  look();
  EXPECT_FALSE(engine_->find(uid).has_value());
}

TEST_P(HardLimit, CountsFromTheFirstTryWhenNoneIsAccepted) {
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_delete(uid, unavailable("the cloud is busy"), 1000);

  api_.remove(uid, seconds{30});
  pass(seconds{148});
  EXPECT_TRUE(api_.has(uid));
  pass(seconds{5});

  EXPECT_FALSE(api_.has(uid));
  const auto events = events_.events();
  EXPECT_THAT(events, ::testing::Contains(::testing::AllOf(HasSubstr("DeletionTimeout"),
                                                           HasSubstr("the cloud is busy"))));
  EXPECT_TRUE(provider_.has(uid));
}

TEST_P(HardLimit, HoldsUpNoPodOfTheSameName) {
  boot();
  const std::string old_uid = given_running_pod();
  api_.remove(old_uid, seconds{0});
  api_.deliver();
  const std::string stuck = given_pod();
  provider_.run(stuck);
  look();
  api_.remove(stuck, seconds{1});
  pass(minutes{3});
  ASSERT_FALSE(api_.has(stuck));

  provider_.finish_delete(old_uid);
  look();
  const std::string next = given_pod();

  EXPECT_EQ(creates(next), 1U);
  EXPECT_TRUE(provider_.has(stuck));
}

TEST_P(HardLimit, IsNoneWhenItIsSwitchedOff) {
  settings_.deletion_limit = seconds{0};
  boot();
  const std::string uid = given_running_pod();

  api_.remove(uid, seconds{30});
  pass(minutes{90});

  EXPECT_TRUE(api_.has(uid));
}

TEST_P(HardLimit, LeavesAnOrphanBehindARestart) {
  settings_.orphans = Orphans::Delete;
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{1});
  pass(minutes{4});
  ASSERT_FALSE(api_.has(uid));

  boot();
  list_all();
  list_all();

  EXPECT_EQ(provider_.calls(Kind::Delete, uid).back().reason, plugin::DeleteReason::Orphan);
}

// ---- Finished pods

class KeepFinished : public HardLimit {
 protected:
  KeepFinished() { settings_.keep_finished = minutes{10}; }
};

INSTANTIATE_TEST_SUITE_P(Providers, KeepFinished, ::testing::Bool(), [](const auto& kind) {
  return kind.param ? "Pushing" : "Polled";
});

// virtual-kubelet#787: Pods that have ended are never cleaned up in the back end
TEST_P(KeepFinished, DeletesWhatTheProviderKeepsOfAPodThatHasEnded) {
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});
  provider_.end(uid, "Succeeded", 0);
  look();
  pass(minutes{9});
  EXPECT_EQ(deletes(uid), 0U);

  pass(seconds{63});
  ASSERT_EQ(deletes(uid), 1U);
  EXPECT_EQ(provider_.calls(Kind::Delete, uid)[0].reason, plugin::DeleteReason::Finished);
  EXPECT_EQ(provider_.calls(Kind::Delete, uid)[0].grace, seconds{0});
  provider_.vanish(uid);
  provider_.lose(uid);
  list_all();
  pass(minutes{30});

  EXPECT_TRUE(api_.has(uid));
  EXPECT_EQ(api_.phase(uid), "Succeeded");
  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_EQ(creates(uid), 1U);
}

TEST_P(KeepFinished, AsksAgainForADeletionThatNobodyConfirms) {
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});
  provider_.end(uid, "Succeeded", 0);
  look();

  pass(minutes{13});
  EXPECT_GE(deletes(uid), 2U);
  EXPECT_LE(deletes(uid), 8U);
  EXPECT_TRUE(api_.has(uid));
  EXPECT_LE(provider_.count(Kind::List), 200U);
  api_.remove(uid, seconds{0});
  settle();
  provider_.vanish(uid);
  provider_.lose(uid);
  list_all();

  EXPECT_FALSE(engine_->find(uid).has_value());
}

TEST_F(DeletePodCalls, AreRepeatedWhenAcceptedWorkFails) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{30});
  settle();

  provider_.fail_work(uid, unavailable("the cloud refused"), true);
  pass(seconds{3});

  EXPECT_EQ(deletes(uid), 2U);
  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(events_.count(uid, "ProviderDeleteFailed"), 1);
}

TEST_F(DeletePodCalls, MayBeOverBeforeTheyReturn) {
  provider_.deletes_at_once = true;
  boot();
  const std::string uid = given_running_pod();

  api_.remove(uid, seconds{30});
  settle();

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
  EXPECT_FALSE(engine_->find(uid).has_value());
}

TEST_F(DeletePodCalls, ReachTheProviderForAFinishedPodToo) {
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});
  provider_.end(uid, "Succeeded", 0);
  settle();

  api_.remove(uid, seconds{30});
  settle();

  EXPECT_EQ(deletes(uid), 1U);
}

TEST_F(DeletePodCalls, ReachTheProviderForALostPodToo) {
  boot();
  const std::string uid = given_running_pod();
  provider_.lose(uid);
  settle();
  ASSERT_EQ(api_.phase(uid), "Failed");

  api_.remove(uid, seconds{0});
  settle();

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(engine_->find(uid).has_value());
}

TEST_F(DeletePodCalls, ReachTheProviderForAPodThatItWantedToCreateAfterARestart) {
  provider_.handle_prefix = "";
  boot();
  const std::string uid = given_pod();
  api_.remove(uid, seconds{30});
  provider_.answer_recover(uid, plugin::RecoverVerdict::Create);

  boot();
  settle();

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_TRUE(provider_.is_deleting(uid));
  EXPECT_TRUE(api_.has(uid));
}

TEST_F(DeletePodCalls, ReachTheProviderForAPodOfAnEarlierProcessWhoseWorkFailed) {
  provider_.handle_prefix = "";
  boot();
  const std::string uid = given_pod();
  provider_.answer_recover(uid, plugin::RecoverVerdict::Unknown);
  provider_.answer_list(uid, plugin::ListVerdict::Unknown);
  boot();
  provider_.fail_work(uid, unavailable("half made"), true);

  api_.remove(uid, seconds{30});
  api_.deliver();
  settle();

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_TRUE(api_.has(uid));
}

TEST_F(DeletePodCalls, ReachTheProviderForAPodItCouldNotTellAbout) {
  provider_.answer_recover("uid-1", plugin::RecoverVerdict::Unknown);
  const std::string uid = api_.create({});
  boot();
  api_.remove(uid, seconds{30});
  provider_.fail_list(unavailable("away"), 1000);

  settle();

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
}

}  // namespace
}  // namespace vkhost::pods
