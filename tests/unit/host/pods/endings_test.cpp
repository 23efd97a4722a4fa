// The end of pods: lost ones, and the removal of API objects.
#include "engine_fixture.hpp"

#include <chrono>
#include <string>

namespace vkhost::pods {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

class PodWorker : public EngineFixture {
 protected:
  PodWorker() { settings_.backoff = {seconds{1}, minutes{1}}; }
};

TEST_F(PodWorker, WritesTheFinalStatusBeforeItRemovesTheApiObject) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{30});
  settle();

  std::string exit_code;
  api_.during_next(Call::Remove, [&] {
    exit_code = api_.status(uid, "containerStatuses.0.state.terminated.exitCode");
  });
  provider_.finish_delete(uid);
  settle();

  EXPECT_EQ(exit_code, "143");
  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodWorker, WaitsForAStatusThatIsBeingWrittenBeforeItRemovesTheApiObject) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{30});
  settle();

  provider_.finish_delete(uid);
  api_.during_next(Call::Patch, [&] {
    while (engine_->step_worker()) {
    }
    EXPECT_EQ(api_.count(Call::Remove), 0);
  });
  settle();

  EXPECT_EQ(api_.count(Call::Remove), 1);
}

TEST_F(PodWorker, RepeatsARemovalThatFailedAtGrowingDistances) {
  boot();
  const std::string uid = given_running_pod();
  provider_.deletes_at_once = true;
  api_.answer(Call::Remove, unavailable("the API server is away"), 5);

  api_.remove(uid, seconds{30});
  settle();
  EXPECT_EQ(api_.count(Call::Remove), 1);
  pass(minutes{2});

  EXPECT_EQ(api_.count(Call::Remove), 6);
  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodWorker, RepeatsTheRemovalOfAPodThatNeverWasAtTheProviderAtGrowingDistances) {
  boot();
  const std::string uid = api_.create({});
  api_.remove(uid, seconds{30});
  api_.answer(Call::Remove, unavailable("the API server is away"), 5);

  settle();
  EXPECT_EQ(api_.count(Call::Remove), 1);
  pass(minutes{2});

  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodWorker, TakesAnObjectThatIsGoneAlreadyForRemoved) {
  boot();
  const std::string uid = given_running_pod();
  provider_.deletes_at_once = true;
  api_.answer(Call::Remove, not_found("gone"));

  api_.remove(uid, seconds{30});
  settle();

  EXPECT_FALSE(engine_->find(uid).has_value());
}

TEST_F(PodWorker, LeavesAPodWithFinalizersToThem) {
  boot();
  const std::string uid = given_running_pod({.finalizers = {"example.com/bookkeeping"}});
  provider_.deletes_at_once = true;
  api_.remove(uid, seconds{30});
  settle();
  EXPECT_TRUE(api_.has(uid));

  api_.annotate(uid, "example.com/seen", "1");
  pass(seconds{10});
  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_EQ(api_.count(Call::Remove), 1);
  api_.edit(uid, [](Poco::JSON::Object& pod) { pod.getObject("metadata")->remove("finalizers"); });
  settle();

  EXPECT_FALSE(engine_->find(uid).has_value());
}

// virtual-kubelet#583, #938: A status that the API server refuses keeps a pod for ever
TEST_F(PodWorker, RemovesTheApiObjectAlthoughItsLastStatusIsRefused) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{30});
  settle();
  api_.answer(Call::Patch, invalid_argument("status.podIPs: Invalid value"), 1000);

  provider_.finish_delete(uid);
  pass(minutes{5});

  EXPECT_FALSE(api_.has(uid));
}

// virtual-kubelet#938: A pod whose status is refused is never deleted in the back end
TEST_F(PodWorker, DeletesAPodWhoseStatusIsRefused) {
  boot();
  const std::string uid = given_running_pod();
  api_.answer(Call::Patch, invalid_argument("status.conditions: Invalid value"), 1000);
  provider_.report(uid, R"({"phase":"Running","conditions":[{"type":"x","status":"odd"}]})");
  pass(seconds{10});

  api_.remove(uid, seconds{30});
  settle();

  ASSERT_EQ(deletes(uid), 1U);
  EXPECT_TRUE(provider_.calls(Kind::Delete, uid)[0].has_document);
}

TEST_F(PodWorker, RemovesTheApiObjectAlthoughItsLastStatusMayNotBeWritten) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{30});
  settle();
  api_.answer(Call::Patch, Status(StatusCode::PermissionDenied, "forbidden"), 1000);

  provider_.finish_delete(uid);
  pass(minutes{10});

  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodWorker, WritesATerminalPhaseBeforeItRemovesAnUnfinishedPod) {
  boot();
  const std::string uid = given_running_pod({.containers = {"a", "b"}});
  provider_.report(uid, R"({"phase":"Running","containerStatuses":[
      {"name":"a","state":{"terminated":{"exitCode":9}}},
      {"name":"b","state":{"running":{}}}]})");
  api_.remove(uid, seconds{30});
  settle();

  kube::PodPtr last;
  api_.during_next(Call::Remove, [&] { last = api_.pod(uid); });
  provider_.lose(uid);  // gone, without a last word
  settle();

  ASSERT_TRUE(last);
  EXPECT_EQ(last->phase, "Failed");
  EXPECT_THAT(last->status_json(), HasSubstr(R"("exitCode":9)"));
  EXPECT_THAT(last->status_json(), HasSubstr(R"("exitCode":137)"));
  EXPECT_THAT(last->status_json(), HasSubstr("ContainerStatusUnknown"));
  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodWorker, WritesATerminalPhaseBeforeItRemovesAPodThatNeverRan) {
  boot();
  const std::string uid = api_.create({});
  api_.remove(uid, seconds{30});

  std::string phase;
  api_.during_next(Call::Remove, [&] { phase = api_.phase(uid); });
  settle();

  EXPECT_EQ(phase, "Failed");
  EXPECT_EQ(api_.patch_count(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodWorker, RemovesAnUnfinishedPodAlthoughItsTerminalPhaseIsRefused) {
  boot();
  const std::string uid = api_.create({});
  api_.answer(Call::Patch, invalid_argument("status.containerStatuses: Invalid value"), 1000);

  api_.remove(uid, seconds{30});
  pass(minutes{2});

  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodWorker, KeepsAnObjectWhoseLastStatusDidNotArriveWhileTheApiServerIsAway) {
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});
  api_.remove(uid, seconds{30});
  settle();
  api_.answer(Call::Patch, unavailable("the API server is away"), 6);

  std::string phase;
  api_.during_next(Call::Remove, [&] { phase = api_.phase(uid); });
  provider_.finish_delete(uid);
  pass(seconds{5});
  EXPECT_EQ(api_.count(Call::Remove), 0);
  pass(minutes{5});

  EXPECT_EQ(phase, "Failed");
  EXPECT_FALSE(api_.has(uid));
}

// ---- Lost pods

TEST_F(PodWorker, KeepsWhatTheProviderSaidLastOfALostPod) {
  boot();
  const std::string uid = given_running_pod({.containers = {"a", "b"}});

  plugin::PodChange change;
  change.uid = uid;
  change.seq = provider_.last_seq() + 1;
  change.status_json =
      R"({"phase":"Running","containerStatuses":[
          {"name":"a","state":{"terminated":{"exitCode":9,"reason":"OOMKilled"}}},
          {"name":"b","state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}}]})";
  change.error =
      unavailable("the instance was terminated by the cloud").with_reason("SpotReclaimed");
  change.gone = true;
  provider_.vanish(uid);
  static_cast<void>(provider_.push(std::move(change)));
  settle();

  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "SpotReclaimed");
  EXPECT_THAT(api_.status(uid, "message"), HasSubstr("terminated by the cloud"));
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.terminated.exitCode"), "9");
  EXPECT_EQ(api_.status(uid, "containerStatuses.1.state.terminated.exitCode"), "137");
}

TEST_F(PodWorker, LetsAPodStaySucceededWhenItsWorkloadIsTidiedUpAtOnce) {
  boot();
  const std::string uid = given_running_pod({.restart_policy = "Never"});

  provider_.end(uid, "Succeeded", 0);
  provider_.lose(uid);
  settle();
  pass(minutes{2});

  EXPECT_EQ(api_.phase(uid), "Succeeded");
  EXPECT_EQ(events_.count(uid, "ProviderLost"), 0);
}

TEST_F(PodWorker, TakesALostWorkloadBackThatWasSeenAgainBeforeAnybodyHeardOfIt) {
  settings_.on_lost = OnLost::Wait;
  boot();
  const std::string uid = given_running_pod();
  provider_.answer_list(uid, plugin::ListVerdict::Absent);
  list_all();
  EXPECT_FALSE(view(uid).runs_in_backend);

  provider_.answer_list_honestly(uid);
  provider_.run(uid);
  settle();

  EXPECT_TRUE(view(uid).runs_in_backend);
}

TEST_F(PodWorker, NeverStartsWhatAForeignHandEnded) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("away"));
  settle();

  api_.set_phase(uid, "Failed");
  pass(minutes{5});

  EXPECT_EQ(creates(uid), 1U);
}

}  // namespace
}  // namespace vkhost::pods
