// What the provider pushes.
#include "engine_fixture.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace vkhost::pods {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class PodNews : public EngineFixture {
 protected:
  plugin::PodChange change_of(const std::string& uid) {
    plugin::PodChange change;
    change.uid = uid;
    change.seq = provider_.last_seq() + 1;
    return change;
  }
};

TEST_F(PodNews, OfAnUnknownPodAreRefused) {
  boot();

  EXPECT_EQ(engine_->pod_changed(change_of("nobody")).code(), StatusCode::NotFound);
}

TEST_F(PodNews, ThatCameBeforeTheirPodAreMadeUpForByAList) {
  boot();
  provider_.plant({"default", "web", "early", ""});
  plugin::PodChange change = change_of("early");
  change.status_json = pod_status("Running", {"main"}, "running");
  // At once: the provider's thread waits for nothing.
  EXPECT_EQ(engine_->pod_changed(std::move(change)).code(), StatusCode::NotFound);

  given_pod({.uid = "early"});
  list_all();

  EXPECT_EQ(api_.phase("early"), "Running");
  EXPECT_EQ(provider_.made("early"), 0);
}

TEST_F(PodNews, AreRefusedOnceTheEngineStops) {
  boot();
  const std::string uid = given_pod();

  engine_->stop();

  EXPECT_EQ(engine_->pod_changed(change_of(uid)).code(), StatusCode::Cancelled);
}

TEST_F(PodNews, ThatAreOlderThanWhatIsKnownAreDropped) {
  boot();
  const std::string uid = given_running_pod();
  const std::uint64_t seq = provider_.last_seq();

  provider_.report_late(uid, pod_status("Pending", {"main"}, "waiting"), seq - 1);
  settle();

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(PodNews, OfEqualAgeAreTakenAsTheyCome) {
  boot();
  const std::string uid = given_running_pod();

  provider_.report_late(uid, pod_status("Succeeded", {"main"}, "terminated"), provider_.last_seq());
  settle();

  EXPECT_EQ(api_.phase(uid), "Succeeded");
}

TEST_F(PodNews, CarryAnnotationsAndErrorsHoweverOldTheyAre) {
  boot();
  const std::string uid = given_pod();
  provider_.report(uid, pod_status("Pending", {"main"}, "waiting"));
  settle();

  plugin::PodChange change = change_of(uid);
  change.seq = 1;
  change.annotations["example.com/id"] = "i-1";
  change.error = unavailable("no capacity");
  static_cast<void>(provider_.push(std::move(change)));
  settle();

  EXPECT_EQ(api_.annotation(uid, "example.com/id"), "i-1");
  EXPECT_EQ(view(uid).failures, 1U);
}

TEST_F(PodNews, ThatTheWorkloadIsGoneAreDroppedWhenTheyAreOld) {
  boot();
  const std::string uid = given_running_pod();
  plugin::PodChange change = change_of(uid);
  change.seq = 1;
  change.gone = true;

  static_cast<void>(provider_.push(std::move(change)));
  settle();

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(PodNews, RemoveAnAnnotation) {
  boot();
  const std::string uid = given_running_pod({.annotations = {{"example.com/id", "old"}}});
  plugin::PodChange change = change_of(uid);
  change.annotations["example.com/id"] = std::nullopt;

  static_cast<void>(provider_.push(std::move(change)));
  settle();

  EXPECT_EQ(api_.annotation(uid, "example.com/id"), "");
}

TEST_F(PodNews, ThatAPodWithoutADeletionIsGoneMakeItLost) {
  boot();
  const std::string uid = given_running_pod();

  provider_.lose(uid);
  settle();

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(deletes(uid), 0U);
}

TEST_F(PodNews, ThatAPodIsGoneWhichNeverRanLeadToANewCreate) {
  boot();
  const std::string uid = given_pod();

  provider_.lose(uid);
  settle();
  provider_.run(uid);
  settle();

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(PodNews, ThatAPodIsGoneWithoutAnyEffectLeadToANewCreateAlsoWhereItMayRunOnlyOnce) {
  boot();
  const std::string uid = given_pod({.restart_policy = "Never"});
  plugin::PodChange change = change_of(uid);
  change.gone = true;
  change.error = unavailable("it was never begun").with_effect(Effect::None);
  provider_.vanish(uid);

  static_cast<void>(provider_.push(std::move(change)));
  settle();

  EXPECT_EQ(creates(uid), 2U);
}

TEST_F(PodNews, ThatAPodIsGoneWhileItsCreateIsUnderWayAreHeard) {
  boot();
  const std::string uid = api_.create({});
  provider_.after_next(Kind::Create, [&] { provider_.lose(uid); });

  settle();

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_TRUE(provider_.has(uid));
}

TEST_F(PodNews, ThatAPodIsGoneBeforeItsDeletionWasAskedForDoNotReplaceTheDeletion) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{30});
  api_.deliver();

  provider_.lose(uid);
  settle();

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodNews, OfAStartThatWasOvertakenByTheEndKeepAPodFromRunningTwice) {
  provider_.handle_prefix = "";
  boot();
  const std::string uid = api_.create({.restart_policy = "Never"});
  provider_.fail_create_after_effect(uid, deadline_exceeded("no answer"));
  settle();
  const std::uint64_t seq = provider_.last_seq();
  provider_.lose(uid);

  provider_.report_late(uid, pod_status("Running", {"main"}, "running"), seq);
  pass(minutes{2});

  EXPECT_EQ(provider_.made(uid), 1);
  EXPECT_EQ(api_.phase(uid), "Failed");
}

TEST_F(PodNews, ThatAreOlderThanTheEndOfAPodDoNotBringItBack) {
  boot();
  const std::string uid = given_running_pod();
  const std::uint64_t seq = provider_.last_seq();
  provider_.vanish(uid);
  list_all();
  while (engine_->step_worker() || engine_->step_status_writer()) {
  }
  ASSERT_EQ(api_.phase(uid), "Failed");

  const int writes = api_.count(Call::Patch);

  // The watch has not shown the end yet.
  provider_.report_late(uid, pod_status("Pending", {"main"}, "waiting"), seq + 1);
  while (engine_->step_status_writer()) {
  }
  settle();

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.count(Call::Patch), writes);
}

TEST_F(PodNews, OfAnErrorThatComesAfterTheEndOfAPodDoNotBringItBack) {
  boot();
  const std::string uid = given_pod({.restart_policy = "Never"});
  pass(seconds{1});
  api_.answer(Call::Patch, Status(StatusCode::ResourceExhausted, "too many requests"), 1);
  provider_.lose(uid);
  while (engine_->step_worker() || engine_->step_status_writer()) {
  }
  ASSERT_EQ(api_.phase(uid), "Pending");

  provider_.fail_work(uid, unavailable("work failed"));
  pass(minutes{2});

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(PodNews, OfAStatusMakeAnUncertainPodCertain) {
  boot();
  const std::string uid = given_running_pod();
  provider_.answer_recover(uid, plugin::RecoverVerdict::Unknown);
  provider_.answer_list(uid, plugin::ListVerdict::Unknown);
  boot();
  settle();
  ASSERT_FALSE(view(uid).runs_in_backend);

  provider_.report(uid, pod_status("Running", {"main"}, "running"));
  settle();

  EXPECT_TRUE(view(uid).runs_in_backend);
}

TEST_F(PodNews, OfAFailedUpdateDoNotTouchTheWorkload) {
  provider_.shape.updates = plugin::kChangedImage;
  boot();
  const std::string uid = given_running_pod();
  api_.set_image(uid, "nginx:2");
  settle();

  provider_.fail_work(uid, unavailable("cannot pull"), true);
  pass(minutes{1});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(deletes(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Running");
}

// ---- Handles

TEST_F(PodNews, SavedHandlesAreDurableOnReturn) {
  boot();
  const std::string uid = given_pod();

  const Status saved = engine_->save_handle(uid, "i-42");

  EXPECT_TRUE(saved.is_ok());
  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "i-42");
  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle-uid"), uid);
}

TEST_F(PodNews, AHandleThatCouldNotBeSavedIsReportedAndNotUsed) {
  boot();
  const std::string uid = given_pod();
  settle();
  api_.answer(Call::Patch, unavailable("the API server is away"));

  EXPECT_EQ(engine_->save_handle(uid, "i-42").code(), StatusCode::Unavailable);
}

TEST_F(PodNews, AHandleOfAnUnknownPodIsRefused) {
  boot();

  EXPECT_EQ(engine_->save_handle("nobody", "i-42").code(), StatusCode::NotFound);
}

TEST_F(PodNews, ASavedHandleComesWithLaterCallsAndAfterARestart) {
  provider_.handle_prefix.clear();
  boot();
  const std::string uid = given_running_pod();
  ASSERT_TRUE(engine_->save_handle(uid, "i-42").is_ok());

  boot();
  EXPECT_EQ(provider_.calls(Kind::Recover, uid).back().handle, "i-42");
  api_.remove(uid, seconds{0});
  settle();

  EXPECT_EQ(provider_.calls(Kind::Delete, uid)[0].handle, "i-42");
}

TEST_F(PodNews, AnEmptyHandleRemovesTheOldOneForGood) {
  provider_.handle_prefix.clear();
  boot();
  const std::string uid = given_running_pod();
  ASSERT_TRUE(engine_->save_handle(uid, "i-42").is_ok());
  const kube::PodPtr before = api_.pod(uid);

  ASSERT_TRUE(engine_->save_handle(uid, "").is_ok());
  engine_->pod_applied(before);  // an event from before, still on its way
  settle();
  api_.remove(uid, seconds{0});
  settle();

  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "");
  EXPECT_EQ(provider_.calls(Kind::Delete, uid)[0].handle, "");
}

TEST_F(PodNews, ASavedHandleWinsOverAnOlderOneThatIsStillBeingWritten) {
  boot();
  const std::string uid = api_.create({});
  settle();
  clock_->advance(seconds{1});
  plugin::PodChange change = change_of(uid);
  change.annotations["example.com/id"] = "i-1";
  static_cast<void>(provider_.push(std::move(change)));
  std::optional<Status> saved;
  Thread saver;
  api_.during_next(Call::Patch, [&] {
    saver = Thread("saver", [&] { saved = engine_->save_handle(uid, "i-42"); });
  });

  settle();
  saver.join();
  settle();

  EXPECT_TRUE(saved.has_value() && saved->is_ok());
  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "i-42");
}

}  // namespace
}  // namespace vkhost::pods
