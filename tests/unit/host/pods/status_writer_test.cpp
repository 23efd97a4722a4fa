// How statuses reach the API server.
#include "engine_fixture.hpp"

#include <chrono>
#include <string>

namespace vkhost::pods {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

class StatusWriter : public EngineFixture {
 protected:
  StatusWriter() { settings_.backoff = {seconds{1}, minutes{1}}; }
};

TEST_F(StatusWriter, NeedsOnePatchFromBoundToRunning) {
  provider_.runs_in_create = true;
  boot();

  const std::string uid = given_pod();
  pass(seconds{5});

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "h-" + uid);
  EXPECT_EQ(api_.patch_count(uid), 1U);
}

TEST_F(StatusWriter, NeedsOnePatchWhenTheEchoComesBeforeItsAnswer) {
  provider_.runs_in_create = true;
  api_.deliver_at_once(true);
  boot();

  const std::string uid = given_pod();
  pass(seconds{5});

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(api_.patch_count(uid), 1U);
}

TEST_F(StatusWriter, WritesTheHandleWithTheFirstStatus) {
  boot();
  const std::string uid = given_pod();

  clock_->advance(milliseconds{50});
  provider_.run(uid);
  pass(seconds{5});

  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "h-" + uid);
  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle-uid"), uid);
  EXPECT_EQ(api_.patch_count(uid), 1U);
}

TEST_F(StatusWriter, WritesTheHandleSoonWhenNoStatusComes) {
  boot();
  const std::string uid = given_pod();

  pass(seconds{1});

  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "h-" + uid);
}

TEST_F(StatusWriter, WritesNothingWhenNothingIsNew) {
  boot();
  const std::string uid = given_running_pod();
  const std::size_t before = api_.patch_count(uid);

  for (int i = 0; i < 5; ++i) {
    provider_.run(uid);
    list_all();
    pass(minutes{1});
  }

  EXPECT_EQ(api_.patch_count(uid), before);
}

TEST_F(StatusWriter, WritesNothingWhenSomebodyElseChangesWhatIsTheirs) {
  boot();
  const std::string uid = given_running_pod();
  const std::size_t before = api_.patch_count(uid);

  api_.set_condition(uid, "example.com/checked", "True");
  pass(seconds{5});

  EXPECT_EQ(api_.patch_count(uid), before);
  EXPECT_EQ(api_.condition(uid, "example.com/checked"), "True");
}

TEST_F(StatusWriter, KeepsOnlyTheNewestStatusWhileAWriteIsUnderWay) {
  boot();
  const std::string uid = given_pod();
  pass(seconds{1});
  const std::size_t before = api_.patch_count(uid);

  api_.during_next(Call::Patch, [&] {
    for (int i = 0; i < 20; ++i) {
      provider_.report(uid, R"({"phase":"Running","message":"step )" + std::to_string(i) +
                                R"(","containerStatuses":[]})");
    }
  });
  provider_.run(uid);
  settle();

  EXPECT_EQ(api_.patch_count(uid), before + 2);
  EXPECT_EQ(api_.status(uid, "message"), "step 19");
}

// As after an outage, when the node controller has closed Ready of thousands.
TEST_F(StatusWriter, WritesFirstAndLastStatusesBeforeItPutsOthersRight) {
  provider_.runs_in_create = true;
  boot();
  const std::string old = given_running_pod({.name = "old"});
  const std::string done = given_running_pod({.name = "done", .restart_policy = "Never"});
  for (int i = 0; i < 5; ++i) {
    given_running_pod({.name = "web-" + std::to_string(i)});
  }
  const auto rework = [&] {
    api_.deliver();
    while (engine_->step_worker()) {
    }
  };

  for (const std::string& uid : api_.uids()) {
    api_.set_condition(uid, "Ready", "False");
  }
  rework();
  const std::string fresh = api_.create({.name = "fresh"});
  rework();
  provider_.report(done, R"({"phase":"Succeeded"})");
  rework();
  engine_->step_status_writer();
  engine_->step_status_writer();

  EXPECT_EQ(api_.phase(fresh), "Running");
  EXPECT_EQ(api_.phase(done), "Succeeded");
  EXPECT_EQ(api_.condition(old, "Ready"), "False");
  settle();
  EXPECT_EQ(api_.condition(old, "Ready"), "True");
}

TEST_F(StatusWriter, PutsBackWhatSomebodyElseOverwrote) {
  boot();
  const std::string uid = given_running_pod();

  api_.set_phase(uid, "Unknown");
  settle();

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(StatusWriter, PutsBackWhatSomebodyElseOverwroteWhileTheWatchWasLost) {
  boot();
  const std::string uid = given_running_pod();

  api_.lose_watch();
  api_.set_phase(uid, "Unknown");
  api_.list_again();
  settle();

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(StatusWriter, IsNotFooledByAnObjectThatIsOlderThanItsOwnWrite) {
  boot();
  const std::string uid = given_pod();
  pass(seconds{1});
  const std::string pending = pod_status("Pending", {"main"}, "waiting");
  provider_.report(uid, pending);
  settle();

  // The write of Running is done, but its echo is still on its way when Pending comes back.
  provider_.run(uid);
  ASSERT_TRUE(engine_->step_status_writer());
  provider_.report(uid, pending);
  ASSERT_TRUE(engine_->step_status_writer());
  settle();

  EXPECT_EQ(api_.phase(uid), "Pending");
}

// virtual-kubelet#899, #780: Status writes that meet a conflict are given up
TEST_F(StatusWriter, OutlastsAnyNumberOfConflicts) {
  settings_.backoff = {seconds{1}, seconds{4}};
  boot();
  const std::string uid = given_pod();
  pass(seconds{1});
  api_.answer(Call::Patch, Status(StatusCode::Aborted, "the object has been modified"), 50);

  provider_.run(uid);
  pass(minutes{5});

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(StatusWriter, RepeatsAWriteThatFailed) {
  boot();
  const std::string uid = given_pod();
  pass(seconds{1});
  api_.answer(Call::Patch, unavailable("the API server is away"), 5);

  provider_.run(uid);
  pass(minutes{2});

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(StatusWriter, LosesNoAnnotationWithAWriteThatFailed) {
  boot();
  const std::string uid = api_.create({});
  api_.answer(Call::Patch, unavailable("the API server is away"), 2);

  settle();
  provider_.run(uid);
  pass(minutes{1});

  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "h-" + uid);
}

TEST_F(StatusWriter, DoesNotPressAnApiServerThatAskedForPatience) {
  boot();
  const std::string uid = given_pod();
  pass(seconds{1});
  api_.answer(
      Call::Patch,
      Status(StatusCode::ResourceExhausted, "slow down").with_retry(Retry::After, seconds{30}), 1);
  const int before = api_.count(Call::Patch);

  for (int i = 0; i < 20; ++i) {
    provider_.report(uid, pod_status("Running", {"main"}, i % 2 == 0 ? "running" : "waiting"));
    pass(seconds{1});
  }
  EXPECT_EQ(api_.count(Call::Patch), before + 1);
  pass(seconds{15});

  EXPECT_EQ(api_.count(Call::Patch), before + 2);
}

TEST_F(StatusWriter, GivesUpAStatusThatTheApiServerRefusesButNotTheHandle) {
  boot();
  const std::string uid = api_.create({});
  api_.refuse_patches([](const StatusPatch& patch) {
    return patch.status_json.find("Running") != std::string::npos;
  });
  provider_.runs_in_create = true;

  pass(minutes{2});

  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "h-" + uid);
  EXPECT_EQ(api_.count(Call::Patch), 3) << "together, and each alone";
  EXPECT_EQ(events_.count(uid, "ProviderStatusInvalid"), 1);
  EXPECT_THAT(view(uid).last_error.message(), HasSubstr("policy"));

  provider_.report(uid, pod_status("Succeeded", {"main"}, "terminated"));
  settle();
  EXPECT_EQ(api_.phase(uid), "Succeeded");
}

TEST_F(StatusWriter, WritesTheStatusWhereOnlyTheAnnotationsAreRefused) {
  boot();
  const std::string uid = api_.create({});
  api_.refuse_patches([](const StatusPatch& patch) { return !patch.annotations.empty(); });
  provider_.runs_in_create = true;

  pass(minutes{10});

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(events_.count(uid, "ProviderStatusInvalid"), 0);
  EXPECT_LE(api_.count(Call::Patch), 60) << "at growing distances";

  api_.refuse_patches({});
  pass(minutes{6});
  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "h-" + uid);
}

TEST_F(StatusWriter, ForgetsAPodThatIsGone) {
  boot();
  const std::string uid = given_running_pod();
  api_.answer(Call::Patch, not_found("gone"));

  provider_.end(uid, "Failed", 1);
  pass(minutes{1});

  EXPECT_LE(api_.count(Call::Patch), 3);
}

TEST_F(StatusWriter, LeavesAPodAloneThatTheApiServerIsAboutToRemove) {
  boot();
  const std::string uid = given_running_pod();
  const std::size_t before = api_.patch_count(uid);

  api_.begin_removal(uid);
  settle();
  provider_.finish_delete(uid);
  pass(minutes{1});

  EXPECT_EQ(api_.patch_count(uid), before);
  EXPECT_FALSE(api_.has(uid));  // the API server did not get to the second step
}

TEST_F(StatusWriter, WritesTheEndOfAPodThatItsFinalizersHold) {
  boot();
  const std::string uid = given_running_pod({.finalizers = {"example.com/bookkeeping"}});

  api_.remove(uid, seconds{0});
  settle();
  provider_.finish_delete(uid);
  pass(seconds{10});

  EXPECT_EQ(api_.phase(uid), "Failed");
}

TEST_F(StatusWriter, TakesAnUnknownContainerForAnOrdinaryError) {
  boot();
  const std::string uid = given_running_pod();

  provider_.report(uid, pod_status("Running", {"main", "stranger"}, "running"));
  settle();
  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(events_.count(uid, "ProviderStatusInvalid"), 1);
  EXPECT_THAT(view(uid).last_error.message(), HasSubstr("containerStatuses"));
  provider_.end(uid, "Succeeded", 0);
  settle();

  EXPECT_EQ(api_.phase(uid), "Succeeded");
}

TEST_F(StatusWriter, OpensReadyOnceTheReadinessGatesAreOpen) {
  boot();
  const std::string uid = given_running_pod({.readiness_gates = {"example.com/load-balancer"}});
  EXPECT_EQ(api_.condition(uid, "ContainersReady"), "True");
  EXPECT_EQ(api_.condition(uid, "Ready"), "False");

  api_.set_condition(uid, "example.com/load-balancer", "True");
  settle();

  EXPECT_EQ(api_.condition(uid, "Ready"), "True");
  EXPECT_EQ(api_.condition(uid, "example.com/load-balancer"), "True");
}

TEST_F(StatusWriter, TakesOnlyMoreDetailOfAPodThatHasEnded) {
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});
  provider_.report(uid, R"({"phase":"Failed","reason":"Evicted","containerStatuses":[]})");
  settle();

  provider_.run(uid);
  settle();
  EXPECT_EQ(api_.phase(uid), "Failed");
  provider_.end(uid, "Succeeded", 4);
  settle();

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "Evicted");
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.terminated.exitCode"), "4");
}

TEST_F(StatusWriter, WritesTheStatusOfManyPodsInTheOrderInWhichTheyChanged) {
  boot();
  std::vector<std::string> uids;
  for (int i = 0; i < 5; ++i) {
    uids.push_back(given_pod({.name = "web-" + std::to_string(i)}));
  }
  pass(seconds{1});
  const std::size_t before = api_.patches().size();

  for (const std::string& uid : uids) {
    provider_.run(uid);
  }
  settle();

  const auto patches = api_.patches();
  for (std::size_t i = 0; i < uids.size(); ++i) {
    EXPECT_EQ(patches.at(before + i).uid, uids[i]);
  }
}

}  // namespace
}  // namespace vkhost::pods
