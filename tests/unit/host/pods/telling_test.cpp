// What users hear of a pod.
#include "engine_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PodEvents : public EngineFixture {
 protected:
  PodEvents() { settings_.backoff = {seconds{1}, minutes{1}}; }

  // A pod of which no scheduler has said anything.
  std::string bound_by_hand(const NewPod& pod = {}) {
    NewPod unscheduled = pod;
    unscheduled.status_json = R"({"phase":"Pending"})";
    const std::string uid = api_.create(unscheduled);
    api_.edit(uid, [](Poco::JSON::Object& object) {
      const Poco::JSON::Array::Ptr list = object.getObject("spec")->getArray("containers");
      for (unsigned i = 0; i < list->size(); ++i) {
        list->getObject(i)->set("image", "registry.example/web:1");
      }
    });
    settle();
    return uid;
  }
  void run(const std::string& uid) {
    provider_.report(uid, R"({"phase":"Running","containerStatuses":[{"name":"main",
        "imageID":"sha256:1","state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}}]})");
    settle();
  }
};

// virtual-kubelet#465: Events of a pod's life are missing
TEST_F(PodEvents, TellTheStoryOfAPod) {
  boot();
  const std::string uid = bound_by_hand();
  run(uid);
  api_.remove(uid, seconds{30});
  settle();
  provider_.finish_delete(uid);
  settle();

  EXPECT_THAT(events_.story(uid),
              ElementsAre("Scheduled: Successfully assigned default/web to vk-0",
                          "Pulling: Pulling image \"registry.example/web:1\"",
                          "Pulled: Container image \"registry.example/web:1\" is present",
                          "Started: Started container main", "Killing: Stopping container main"));
  EXPECT_THAT(events_.keys(), ElementsAre("Scheduled"));
}

TEST_F(PodEvents, AreNotToldAgainAfterARestart) {
  boot();
  const std::string uid = bound_by_hand();
  run(uid);
  const auto told = events_.story(uid);

  boot();
  settle();
  run(uid);
  pass(minutes{2});

  EXPECT_EQ(events_.story(uid), told);
}

TEST_F(PodEvents, AreToldOnceThoughTheWatchIsLate) {
  boot();
  const std::string uid = bound_by_hand();
  api_.lose_watch();
  run(uid);
  provider_.report(uid, R"({"phase":"Running","message":"more","containerStatuses":[
      {"name":"main","state":{"running":{"startedAt":"2026-01-02T03:04:05Z"}}}]})");
  settle();

  EXPECT_EQ(events_.count(uid, "Started"), 1);
}

TEST_F(PodEvents, AreNotToldOfAStatusThatCouldNotBeWritten) {
  boot();
  const std::string uid = bound_by_hand();
  api_.answer(Call::Patch, unavailable("the API server is away"), 3);
  run(uid);
  EXPECT_EQ(events_.count(uid, "Started"), 0);

  pass(minutes{1});

  EXPECT_EQ(events_.count(uid, "Started"), 1);
}

TEST_F(PodEvents, WarnOfContainersThatCrash) {
  boot();
  const std::string uid = bound_by_hand();
  for (int restarts = 1; restarts <= 2; ++restarts) {
    provider_.report(uid, R"({"phase":"Running","containerStatuses":[{"name":"main",
        "restartCount":)" + std::to_string(restarts) +
                              R"(,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]})");
    settle();
  }

  EXPECT_EQ(events_.count(uid, "BackOff"), 2);
}

TEST_F(PodEvents, SayWhenACreateIsTriedAgain) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("no capacity"));
  settle();

  for (const char* reason : {"ProviderCreateFailed", "FailedCreate"}) {
    EXPECT_THAT(
        events_.events(),
        Contains(::testing::AllOf(HasSubstr(reason), HasSubstr("no capacity; next try at 20"))));
  }
  const auto lines = log_->lines();
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const std::string& line) {
                            return line.find("no capacity") != std::string::npos;
                          }),
            1)
      << "the log says it once";
}

TEST_F(PodEvents, SayThatARefusedPodIsNotTriedAgain) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, invalid_argument("no such size").with_retry(Retry::Never));
  settle();

  EXPECT_THAT(events_.events(),
              Contains(HasSubstr("no such size; not tried again before the pod changes")));
}

TEST_F(PodEvents, OfDeletionsSayWhenTheNextTryIs) {
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_delete(uid, unavailable("the cloud is busy"));
  api_.remove(uid, seconds{30});
  settle();

  EXPECT_THAT(events_.events(), Contains(HasSubstr("the cloud is busy; next try at 20")));
}

TEST_F(PodEvents, AreNotPutTogetherWhileNobodyTakesThem) {
  events_.take_normal(false);
  boot();
  const std::string uid = bound_by_hand();
  run(uid);
  provider_.report(uid, R"({"phase":"Running","containerStatuses":[{"name":"main",
      "restartCount":1,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]})");
  settle();

  EXPECT_EQ(events_.count(uid, "Pulling"), 0);
  EXPECT_EQ(events_.count(uid, "Started"), 0);
  EXPECT_EQ(events_.count(uid, "BackOff"), 1) << "warnings are";
}

TEST_F(PodEvents, AreWarningsOnlyIfSoSet) {
  settings_.normal_events = false;
  boot();
  const std::string uid = bound_by_hand();
  run(uid);
  provider_.fail_delete(uid, unavailable("the cloud is busy"));
  api_.remove(uid, seconds{30});
  settle();

  EXPECT_THAT(events_.events(), ElementsAre(HasSubstr("ProviderDeleteFailed")));
}

TEST_F(PodEvents, OfTheProviderReachThePod) {
  boot();
  const std::string uid = given_running_pod();
  plugin::ProviderEvent event;
  event.pod_uid = uid;
  event.reason = "SpotNotice";
  event.message = "two minutes are left";
  event.key = "notice-1";
  event.is_warning = true;

  EXPECT_TRUE(engine_->emit(event).is_ok());
  event.pod_uid = "nobody";
  EXPECT_EQ(engine_->emit(event).code(), StatusCode::NotFound);
  engine_->stop();
  event.pod_uid = uid;
  EXPECT_EQ(engine_->emit(event).code(), StatusCode::Cancelled);

  EXPECT_THAT(events_.story(uid), Contains("SpotNotice: two minutes are left"));
  EXPECT_THAT(events_.keys(), Contains("notice-1"));
}

TEST_F(PodEvents, OfANormalKindComeFromTheProviderOnlyIfSoSet) {
  settings_.normal_events = false;
  boot();
  const std::string uid = given_running_pod();
  plugin::ProviderEvent event;
  event.pod_uid = uid;
  event.reason = "Chatter";

  EXPECT_TRUE(engine_->emit(event).is_ok());

  EXPECT_EQ(events_.count(uid, "Chatter"), 0);
}

TEST_F(PodEvents, ShowOrphansOnTheNodeOnce) {
  boot();
  provider_.plant({"default", "left", "uid-left", "h-left"});
  list_all();
  EXPECT_EQ(engine_->orphans().ours, 0U) << "seen once only";

  for (int i = 0; i < 3; ++i) {
    list_all();
    pass(minutes{15});
  }

  EXPECT_EQ(events_.count("node/vk-0", "OrphanedWorkload"), 1);
  EXPECT_THAT(events_.events(),
              Contains(::testing::AllOf(HasSubstr("default/left"), HasSubstr("uid-left"))));
  EXPECT_EQ(engine_->orphans().ours, 1U);
  EXPECT_EQ(engine_->orphans().legacy, 0U);
}

}  // namespace
}  // namespace vkhost::pods
