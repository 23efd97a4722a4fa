#include "engine_fixture.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using plugin::kChangedDeadline;
using plugin::kChangedEphemeralContainers;
using plugin::kChangedImage;
using plugin::kChangedMetadata;
using plugin::kChangedResources;
using plugin::kChangedTokens;
using plugin::UpdateOutcome;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSmall = R"({"requests":{"cpu":"100m"}})";
constexpr const char* kLarge = R"({"requests":{"cpu":"2"}})";

class Updates : public EngineFixture {
 protected:
  Updates() {
    settings_.backoff = {seconds{1}, minutes{1}};
    provider_.shape.updates = kSpecParts;
  }
  std::size_t updates(const std::string& uid) { return provider_.calls(Kind::Update, uid).size(); }
  std::uint64_t last_changed(const std::string& uid) {
    const auto calls = provider_.calls(Kind::Update, uid);
    return calls.empty() ? 0 : calls.back().changed;
  }
  std::string given_small_pod() { return given_running_pod({.resources_json = kSmall}); }
  void edit_tolerations(const std::string& uid) {
    api_.edit_spec(uid, [](Poco::JSON::Object& spec) { spec.set("priority", 7); });
  }
};

TEST_F(Updates, NameThePartThatChanged) {
  boot();
  const std::string uid = given_running_pod();

  api_.set_image(uid, "nginx:2");
  pass(seconds{5});
  EXPECT_EQ(last_changed(uid), kChangedImage);
  api_.resize(uid, kLarge);
  pass(seconds{5});
  EXPECT_EQ(last_changed(uid), kChangedResources);
  api_.add_ephemeral_container(uid, "debug");
  pass(seconds{5});
  EXPECT_EQ(last_changed(uid), kChangedEphemeralContainers);
  api_.edit_spec(uid, [](Poco::JSON::Object& spec) { spec.set("activeDeadlineSeconds", 3600); });
  pass(minutes{2});

  EXPECT_EQ(last_changed(uid), kChangedDeadline);
  EXPECT_EQ(updates(uid), 4U);
}

TEST_F(Updates, AreNotMadeForChangesThatMeanNothingToAnyProvider) {
  boot();
  const std::string uid = given_running_pod();

  edit_tolerations(uid);
  pass(minutes{2});

  EXPECT_EQ(updates(uid), 0U);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 0);
}

TEST_F(Updates, AreNotMadeForWhatOnlyTheResolvedSpecShows) {
  provider_.shape.updates = kSpecParts | kChangedMetadata;
  material_.answer(R"({"env":{"SHOP_SERVICE_HOST":"10.0.0.1","COLOUR":"red"}})");
  boot();
  const std::string uid = given_running_pod();

  material_.answer(R"({"env":{"COLOUR":"blue","SHOP_SERVICE_HOST":"10.0.0.2"}})");
  api_.list_again();
  list_all();
  pass(minutes{2});
  EXPECT_EQ(updates(uid), 0U);
  api_.annotate(uid, "team", "blue");
  pass(minutes{2});

  EXPECT_EQ(updates(uid), 1U);
  EXPECT_EQ(last_changed(uid), kChangedMetadata);
}

TEST_F(Updates, TellWhatWasDeferredAgainAndNothingElse) {
  boot();
  const std::string uid = given_small_pod();
  provider_.answer_update_of(kChangedResources, UpdateOutcome::Deferred, "no room yet");
  api_.edit_spec(uid, [](Poco::JSON::Object& spec) {
    spec.getArray("containers")->getObject(0)->set("image", "nginx:2");
    spec.getArray("containers")->getObject(0)->remove("resources");
  });
  pass(seconds{30});

  const auto calls = provider_.calls(Kind::Update, uid);
  ASSERT_GE(calls.size(), 2U);
  EXPECT_EQ(calls[0].changed, kChangedImage | kChangedResources);
  EXPECT_EQ(calls.back().changed, kChangedResources);
  EXPECT_THAT(view(uid).last_error.message(), HasSubstr("no room yet"));
  EXPECT_TRUE(view(uid).next_try.has_value());
}

TEST_F(Updates, OfAnotherPartDoNotWaitForADeferredOne) {
  settings_.backoff = {minutes{5}, minutes{5}};
  boot();
  const std::string uid = given_small_pod();
  provider_.answer_update_of(kChangedResources, UpdateOutcome::Deferred, "no room yet");
  api_.resize(uid, kLarge);
  settle();

  api_.set_image(uid, "nginx:2");
  settle();

  EXPECT_EQ(updates(uid), 2U);
  EXPECT_EQ(last_changed(uid), kChangedImage);
}

TEST_F(Updates, ThatAreTurnedDownAreReportedOnceAndMadeAgainWhenAskedForAnew) {
  boot();
  const std::string uid = given_small_pod();
  provider_.answer_update_of(kChangedResources, UpdateOutcome::Infeasible,
                             "no machine is so large");

  api_.resize(uid, kLarge);
  pass(minutes{10});
  EXPECT_EQ(updates(uid), 1U);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 1);
  api_.set_image(uid, "nginx:2");
  pass(seconds{5});
  EXPECT_EQ(last_changed(uid), kChangedImage);

  api_.resize(uid, kSmall);  // taken back: it has that
  pass(seconds{5});
  EXPECT_EQ(updates(uid), 2U);
  api_.resize(uid, kLarge);
  pass(seconds{5});
  EXPECT_EQ(updates(uid), 3U);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 2);
}

TEST_F(Updates, ThatNoCapabilityCoversAreReportedOnceWithoutACall) {
  provider_.shape.updates = kChangedImage;
  boot();
  const std::string uid = given_small_pod();

  api_.resize(uid, kLarge);
  api_.annotate(uid, "team", "blue");
  pass(minutes{10});
  edit_tolerations(uid);
  pass(minutes{1});

  EXPECT_EQ(updates(uid), 0U);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 1);
}

TEST_F(Updates, OfADeadlineAreTheHostsUnlessTheProviderKeepsIt) {
  const auto set_deadline = [this](const std::string& uid) {
    api_.edit_spec(uid, [](Poco::JSON::Object& spec) { spec.set("activeDeadlineSeconds", 6000); });
    pass(seconds{5});
  };
  provider_.shape.updates = kChangedImage;
  boot();
  const std::string uid = given_running_pod();
  set_deadline(uid);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 0);

  provider_.shape.native_deadline = true;
  const std::string other = given_running_pod({.name = "other"});
  set_deadline(other);
  EXPECT_EQ(events_.count(other, "ProviderUpdateRefused"), 1);
}

// ---- What the next process knows

TEST_F(Updates, AreNotMadeForAdoptedPodsOfWhichNothingChanged) {
  provider_.shape.updates = kPodParts;
  boot();
  std::vector<std::string> uids;
  for (int i = 0; i < 50; ++i) {
    uids.push_back(given_running_pod({.name = "web-" + std::to_string(i)}));
  }
  pass(seconds{5});
  const int patches = api_.count(Call::Patch);

  boot();
  pass(minutes{2});

  EXPECT_EQ(provider_.count(Kind::Update), 0U);
  EXPECT_EQ(api_.count(Call::Patch), patches);
  for (const std::string& uid : uids) {
    EXPECT_EQ(creates(uid), 1U);
  }
}

TEST_F(Updates, TellAnAdoptedPodWhatChangedMeanwhile) {
  boot();
  const std::string uid = given_small_pod();
  pass(seconds{5});
  engine_->stop();
  api_.resize(uid, kLarge);

  boot();
  pass(minutes{2});

  EXPECT_EQ(updates(uid), 1U);
  EXPECT_NE(last_changed(uid) & kChangedResources, 0U);
}

TEST_F(Updates, AskAgainQuietlyWhatWasTurnedDownBeforeTheRestart) {
  boot();
  const std::string uid = given_small_pod();
  provider_.answer_update_of(kChangedResources, UpdateOutcome::Infeasible,
                             "no machine is so large");
  api_.resize(uid, kLarge);
  pass(seconds{5});
  ASSERT_EQ(events_.count(uid, "ProviderUpdateRefused"), 1);
  EXPECT_EQ(api_.condition(uid, "PodResizePending"), "True");

  boot();
  pass(seconds{5});

  EXPECT_EQ(updates(uid), 2U);
  EXPECT_EQ(last_changed(uid), kChangedResources);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 1);
  EXPECT_EQ(api_.condition(uid, "PodResizePending"), "True");
}

TEST_F(Updates, LeaveNoAnnotationWhereTheProviderTakesNone) {
  provider_.shape.updates = kChangedTokens;
  boot();
  const std::string uid = given_running_pod();
  pass(seconds{5});
  EXPECT_EQ(api_.annotation(uid, "vkhost.io/told"), "");

  provider_.shape.updates = kChangedImage;
  provider_.handle_prefix = "";
  const std::string other = given_running_pod({.name = "other"});
  pass(seconds{5});

  EXPECT_THAT(api_.annotation(other, "vkhost.io/told"), HasSubstr("i:"));
  EXPECT_EQ(api_.annotation(other, "vkhost.io/handle-uid"), other);
}

TEST_F(Updates, OfTokensComeToNoPodWithoutOneAfterARestart) {
  provider_.shape.uses_tokens = true;
  provider_.shape.updates = kChangedTokens;
  boot();
  given_running_pod();
  pass(seconds{5});

  boot();
  pass(seconds{90});

  EXPECT_EQ(provider_.count(Kind::Update), 0U);
}

TEST_F(Updates, WithNewTokensAreSpreadOverTimeAfterARestart) {
  constexpr std::size_t kPods = 60;
  material_.answer(
      R"({"volumes":{"v":{"files":[{"path":"t","data":"MQ==","audience":"vault"}]}}})");
  provider_.shape.uses_tokens = true;
  provider_.shape.updates = kChangedTokens;
  boot();
  for (std::size_t i = 0; i < kPods; ++i) {
    given_running_pod({.name = "web-" + std::to_string(i)});
  }
  pass(seconds{5});
  ASSERT_EQ(provider_.count(Kind::Update), 0U);

  boot();
  pass(seconds{9});
  EXPECT_EQ(provider_.count(Kind::Update), 0U);
  pass(seconds{10});
  EXPECT_LT(provider_.count(Kind::Update), kPods / 2);
  pass(seconds{42});

  EXPECT_EQ(provider_.count(Kind::Update), kPods);
}

TEST_F(Updates, TravelWithTheFirstStatusInOnePatch) {
  provider_.runs_in_create = true;
  boot();
  const std::string uid = given_pod();
  pass(seconds{5});

  EXPECT_EQ(api_.patch_count(uid), 1U);
  EXPECT_THAT(api_.annotation(uid, "vkhost.io/told"), HasSubstr("g:1"));
  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "h-" + uid);
}

TEST_F(Updates, WhoseWorkFailsAfterwardsAreMadeAgain) {
  boot();
  const std::string uid = given_running_pod();
  api_.set_image(uid, "nginx:2");
  pass(seconds{2});
  ASSERT_EQ(updates(uid), 1U);

  provider_.fail_work(uid, unavailable("the new image cannot be pulled"), true);
  pass(seconds{10});

  EXPECT_EQ(updates(uid), 2U);
  EXPECT_EQ(last_changed(uid), kChangedImage);
  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(Updates, WhoseWorkFailsForGoodAreNotMadeAgain) {
  boot();
  const std::string uid = given_small_pod();
  api_.resize(uid, kLarge);
  pass(seconds{2});

  provider_.fail_work(uid, invalid_argument("too large").with_retry(Retry::Never), true);
  pass(minutes{5});

  EXPECT_EQ(updates(uid), 1U);
  EXPECT_EQ(api_.condition(uid, "PodResizePending"), "True");
}

// ---- observedGeneration

class ObservedGeneration : public Updates {};

TEST_F(ObservedGeneration, FollowsTheSpecThatWasTold) {
  boot();
  const std::string uid = given_running_pod();
  EXPECT_EQ(api_.status(uid, "observedGeneration"), "1");
  provider_.fail_update(uid, unavailable("busy"), 3);

  api_.set_image(uid, "nginx:2");
  settle();
  provider_.report(uid, pod_status("Running", {"main"}, "waiting"));
  settle();
  EXPECT_EQ(api_.status(uid, "observedGeneration"), "1");
  pass(minutes{1});

  EXPECT_EQ(api_.status(uid, "observedGeneration"), "2");
}

TEST_F(ObservedGeneration, IsWrittenAloneWhenThereIsNothingToTell) {
  boot();
  const std::string uid = given_running_pod();
  pass(seconds{2});
  const std::size_t before = api_.patch_count(uid);

  edit_tolerations(uid);
  pass(minutes{1});

  EXPECT_EQ(api_.status(uid, "observedGeneration"), "2");
  EXPECT_EQ(api_.patch_count(uid), before + 1);
  EXPECT_THAT(api_.patches().back().patch.status_json, Not(HasSubstr("containerStatuses")));
}

TEST_F(ObservedGeneration, CountsAnAnswerThatIsNo) {
  for (const UpdateOutcome outcome : {UpdateOutcome::Deferred, UpdateOutcome::Infeasible}) {
    provider_.answer_update(outcome, "no");
    boot();
    const std::string uid =
        given_running_pod({.name = "web-" + std::to_string(static_cast<int>(outcome))});

    api_.set_image(uid, "nginx:2");
    settle();

    EXPECT_EQ(api_.status(uid, "observedGeneration"), "2");
  }
}

TEST_F(ObservedGeneration, IsNotWrittenWhereTheServerHasNone) {
  api_.be_an_old_server();
  boot();
  const std::string uid = given_small_pod();
  pass(seconds{2});
  const std::size_t before = api_.patch_count(uid);

  edit_tolerations(uid);
  provider_.report(uid, pod_status("Running", {"main"}, "running") + " ");  // says the same
  pass(minutes{1});

  EXPECT_EQ(api_.patch_count(uid), before);
  for (const auto& patch : api_.patches()) {
    EXPECT_THAT(patch.patch.status_json, Not(HasSubstr("observedGeneration")));
    EXPECT_THAT(patch.patch.status_json, Not(HasSubstr("allocatedResources")));
  }
}

// ---- In-place resize

class Resize : public Updates {
 protected:
  std::string resource(const std::string& uid, const std::string& member) {
    return api_.status(uid, "containerStatuses.0." + member + ".cpu");
  }
};

TEST_F(Resize, IsShownInStatusWhenTheProviderHasDoneIt) {
  boot();
  const std::string uid = given_small_pod();
  EXPECT_EQ(resource(uid, "allocatedResources"), "100m");
  EXPECT_EQ(resource(uid, "resources.requests"), "100m");

  api_.resize(uid, kLarge);
  pass(seconds{5});

  EXPECT_EQ(last_changed(uid), kChangedResources);
  EXPECT_EQ(resource(uid, "allocatedResources"), "2");
  EXPECT_EQ(resource(uid, "resources.requests"), "2");
  EXPECT_EQ(api_.status(uid, "observedGeneration"), "2");
  EXPECT_EQ(api_.condition(uid, "PodResizePending"), "");
  EXPECT_EQ(api_.condition(uid, "PodResizeInProgress"), "");
}

TEST_F(Resize, IsPendingWhileItIsDeferred) {
  boot();
  const std::string uid = given_small_pod();
  provider_.answer_update_of(kChangedResources, UpdateOutcome::Deferred, "no room yet");

  api_.resize(uid, kLarge);
  pass(seconds{5});
  EXPECT_EQ(api_.condition(uid, "PodResizePending"), "True");
  EXPECT_THAT(api_.status(uid, "conditions"), HasSubstr(R"("message":"no room yet")"));
  EXPECT_THAT(api_.status(uid, "conditions"), HasSubstr(R"("reason":"Deferred")"));
  EXPECT_EQ(resource(uid, "allocatedResources"), "100m");
  EXPECT_EQ(resource(uid, "resources.requests"), "100m");

  provider_.answer_update_of(kChangedResources, UpdateOutcome::Applied, "");
  pass(minutes{2});

  EXPECT_EQ(api_.condition(uid, "PodResizePending"), "");
  EXPECT_EQ(resource(uid, "allocatedResources"), "2");
}

TEST_F(Resize, ThatIsInfeasibleStaysPendingUntilItIsTakenBack) {
  boot();
  const std::string uid = given_small_pod();
  provider_.answer_update_of(kChangedResources, UpdateOutcome::Infeasible,
                             "no machine is so large");

  api_.resize(uid, kLarge);
  pass(minutes{5});
  EXPECT_THAT(api_.status(uid, "conditions"), HasSubstr(R"("reason":"Infeasible")"));
  EXPECT_EQ(resource(uid, "allocatedResources"), "100m");

  api_.resize(uid, kSmall);
  pass(seconds{5});

  EXPECT_EQ(api_.condition(uid, "PodResizePending"), "");
  EXPECT_EQ(resource(uid, "allocatedResources"), "100m");
  EXPECT_EQ(updates(uid), 1U);
}

TEST_F(Resize, IsInProgressWhileTheProviderShowsOtherResources) {
  const auto status_with = [](const std::string& cpu) {
    return R"({"phase":"Running","containerStatuses":[{"name":"main","state":{"running":{}},
               "resources":{"requests":{"cpu":")" +
           cpu + "\"}}}]}";
  };
  boot();
  const std::string uid = given_small_pod();
  provider_.report(uid, status_with("0.1"));
  pass(seconds{1});
  EXPECT_EQ(api_.condition(uid, "PodResizeInProgress"), "");

  api_.resize(uid, kLarge);
  pass(seconds{5});
  EXPECT_EQ(api_.condition(uid, "PodResizeInProgress"), "True");
  EXPECT_EQ(resource(uid, "allocatedResources"), "2");
  EXPECT_EQ(resource(uid, "resources.requests"), "0.1");

  provider_.report(uid, status_with("2000m"));
  pass(seconds{5});
  const std::size_t patches = api_.patch_count(uid);
  provider_.report(uid, status_with("2.000"));  // the same amount
  pass(seconds{5});

  EXPECT_EQ(api_.patch_count(uid), patches);
  EXPECT_EQ(api_.condition(uid, "PodResizeInProgress"), "");

  provider_.report(uid, status_with("2048m"));  // rounded up
  pass(seconds{5});
  EXPECT_EQ(api_.condition(uid, "PodResizeInProgress"), "");
  EXPECT_EQ(resource(uid, "resources.requests"), "2048m");
}

TEST_F(Resize, ThatFailsIsInProgressWithTheError) {
  boot();
  const std::string uid = given_small_pod();
  provider_.fail_update(uid, unavailable("busy"), 3);

  api_.resize(uid, kLarge);
  settle();
  EXPECT_EQ(api_.condition(uid, "PodResizeInProgress"), "True");
  EXPECT_THAT(api_.status(uid, "conditions"), HasSubstr(R"("message":"busy")"));
  EXPECT_THAT(api_.status(uid, "conditions"), HasSubstr(R"("reason":"Error")"));
  pass(minutes{2});

  EXPECT_EQ(api_.condition(uid, "PodResizeInProgress"), "");
  EXPECT_EQ(resource(uid, "allocatedResources"), "2");
}

TEST_F(Resize, IsNotOfferedWhereTheProviderTakesNone) {
  provider_.shape.updates = kChangedImage;
  boot();
  const std::string uid = given_small_pod();

  // Without them the API server refuses to resize a pod that runs.
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.resources"), "");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.allocatedResources"), "");
}

TEST_F(Resize, IsOfferedForContainersThatAskForNothing) {
  boot();
  const std::string uid = given_running_pod();

  EXPECT_EQ(api_.status(uid, "containerStatuses.0.resources"), "{}");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.allocatedResources"), "");
}

// The API server refuses to resize a pod whose running containers show none.
TEST_F(Resize, IsOfferedForPodsThatRanBeforeTheProviderTookAny) {
  for (const std::uint64_t taken_before : {std::uint64_t{0}, kChangedImage}) {
    provider_.shape.updates = taken_before;
    boot();
    const std::string uid = given_running_pod(
        {.name = "web-" + std::to_string(taken_before), .resources_json = kSmall});
    pass(seconds{5});
    ASSERT_EQ(resource(uid, "resources.requests"), "");

    provider_.shape.updates = kSpecParts;
    boot();
    list_all();
    pass(seconds{5});

    EXPECT_EQ(resource(uid, "resources.requests"), "100m") << taken_before;
  }
}

TEST_F(Resize, IsOfferedOnceByEachProcessToAServerThatDropsIt) {
  const auto drop = [&](const std::string& uid) {
    api_.edit(uid, [](Poco::JSON::Object& pod) {
      const auto containers = pod.getObject("status")->getArray("containerStatuses");
      containers->getObject(0)->remove("resources");
    });
    pass(minutes{2});
  };
  boot();
  const std::string uid = given_small_pod();
  pass(seconds{5});
  const std::size_t before = api_.patch_count(uid);
  drop(uid);
  EXPECT_EQ(api_.patch_count(uid), before);

  boot();
  list_all();
  pass(seconds{5});
  EXPECT_EQ(api_.patch_count(uid), before + 1);
  drop(uid);
  EXPECT_EQ(api_.patch_count(uid), before + 1);
}

// ---- Ephemeral containers

class EphemeralContainers : public Updates {};

// k3k#343: Debug containers get no status
TEST_F(EphemeralContainers, WaitUntilTheProviderHasNewsOfThem) {
  boot();
  const std::string uid = given_running_pod();

  api_.add_ephemeral_container(uid, "debug");
  pass(seconds{2});
  EXPECT_EQ(last_changed(uid), kChangedEphemeralContainers);
  EXPECT_EQ(api_.status(uid, "ephemeralContainerStatuses.0.name"), "debug");
  EXPECT_EQ(api_.status(uid, "ephemeralContainerStatuses.0.state.waiting.reason"),
            "ContainerCreating");
  EXPECT_EQ(api_.condition(uid, "Ready"), "True");

  provider_.report(uid, R"({"phase":"Running",
      "containerStatuses":[{"name":"main","state":{"running":{}}}],
      "ephemeralContainerStatuses":[{"name":"debug","state":{"running":{}}}]})");
  pass(seconds{2});

  EXPECT_EQ(api_.status(uid, "ephemeralContainerStatuses.0.state.waiting.reason"), "");
  EXPECT_EQ(api_.status(uid, "ephemeralContainerStatuses.0.ready"), "false");
}

TEST_F(EphemeralContainers, SayWhyTheyDoNotCome) {
  provider_.shape.updates = kChangedImage;
  boot();
  const std::string uid = given_running_pod();
  api_.add_ephemeral_container(uid, "debug");
  pass(seconds{5});
  const std::string path = "ephemeralContainerStatuses.0.state.waiting.";
  EXPECT_EQ(api_.status(uid, path + "reason"), "ProviderUpdateRefused");
  EXPECT_THAT(api_.status(uid, path + "message"), HasSubstr("ephemeral containers"));
  const std::size_t patches = api_.patch_count(uid);

  boot();
  provider_.report(uid, pod_status("Running", {"main"}, "running") + " ");
  pass(seconds{5});

  EXPECT_EQ(api_.status(uid, path + "reason"), "ProviderUpdateRefused");
  EXPECT_EQ(api_.patch_count(uid), patches);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 1);
}

// ---- Pods that have to end

TEST_F(Updates, AreNotMadeOfAPodThatHasToEnd) {
  provider_.shape.updates = kChangedImage;
  boot();
  const std::string uid = given_small_pod();
  EXPECT_TRUE(engine_->evict({uid, "SpotReclaimed", "", seconds{20}}).is_ok());
  settle();

  api_.set_image(uid, "nginx:2");
  api_.resize(uid, kLarge);
  pass(seconds{5});

  EXPECT_EQ(updates(uid), 0U);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 0);
  EXPECT_EQ(deletes(uid), 1U);
}

TEST_F(Updates, ThatFailDoNotHoldUpAnEvictionAskedForMeanwhile) {
  settings_.backoff = {minutes{5}, minutes{5}};
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_update(uid, unavailable("not now"));
  provider_.during_next(Kind::Update, [&] {
    EXPECT_TRUE(engine_->evict({uid, "SpotReclaimed", "", seconds{20}}).is_ok());
  });

  api_.set_image(uid, "nginx:2");
  settle();

  EXPECT_EQ(updates(uid), 1U);
  EXPECT_EQ(deletes(uid), 1U);
}

// ---- Conditions of the provider

constexpr const char* kSpot = R"({"type":"example.com/Spot","status":"True"})";

std::string running_with(const std::string& conditions) {
  return R"({"phase":"Running","containerStatuses":[{"name":"main","state":{"running":{}}}],
             "conditions":[)" +
         conditions + "]}";
}

TEST_F(Updates, RemoveAConditionThatTheProviderNoLongerReports) {
  boot();
  const std::string uid = given_running_pod();
  api_.set_condition(uid, "example.com/foreign", "True");
  provider_.report(uid, running_with(kSpot));
  pass(seconds{2});
  ASSERT_EQ(api_.condition(uid, "example.com/Spot"), "True");

  provider_.report(uid, running_with(""));
  pass(seconds{2});

  EXPECT_EQ(api_.condition(uid, "example.com/Spot"), "");
  EXPECT_EQ(api_.condition(uid, "example.com/foreign"), "True");
  EXPECT_EQ(api_.condition(uid, "Ready"), "True");
}

TEST_F(Updates, RemoveAConditionThatWasLastReportedToAnEarlierProcess) {
  settings_.annotation_prefixes = {"example.com/"};
  boot();
  const std::string uid = given_running_pod();
  api_.set_condition(uid, "elsewhere.com/foreign", "True");
  provider_.report(uid, running_with(kSpot));
  pass(seconds{2});
  boot();
  list_all();
  pass(seconds{2});
  ASSERT_EQ(api_.condition(uid, "example.com/Spot"), "True");

  engine_->stop();
  provider_.report(uid, running_with(""));
  boot();
  list_all();
  pass(seconds{2});

  EXPECT_EQ(api_.condition(uid, "example.com/Spot"), "");
  EXPECT_EQ(api_.condition(uid, "elsewhere.com/foreign"), "True");
  EXPECT_EQ(api_.condition(uid, "Ready"), "True");
}

TEST_F(Updates, KeepTheConditionsOfAPodWhoseEndIsInTheHostsWords) {
  boot();
  const std::string uid = given_running_pod();
  provider_.report(uid, running_with(kSpot));
  pass(seconds{2});

  EXPECT_TRUE(engine_->evict({uid, "SpotReclaimed", "", seconds{0}}).is_ok());
  pass(minutes{1});

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.condition(uid, "example.com/Spot"), "True");
}

}  // namespace
}  // namespace vkhost::pods
