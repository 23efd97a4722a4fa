// What lists of the provider change, and workloads without a pod.
#include "engine_fixture.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using plugin::ListVerdict;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PodLists : public EngineFixture {};

TEST_F(PodLists, OfAnotherOpinionChangeTheStatus) {
  boot();
  const std::string uid = given_pod();

  provider_.shape.pushes = false;
  provider_.run(uid);
  EXPECT_EQ(api_.phase(uid), "Pending");
  list_all();

  EXPECT_EQ(api_.phase(uid), "Running");
}

// virtual-kubelet#250: Each pod of a provider that does not push costs a call of its own
TEST_F(PodLists, AskOnceForAllPodsOfAProviderThatIsPolled) {
  provider_.shape.pushes = false;
  boot();
  std::vector<std::string> uids;
  for (int i = 0; i < 100; ++i) {
    uids.push_back(given_pod({.name = "web-" + std::to_string(i)}));
    provider_.run(uids.back());
  }
  const std::size_t lists = provider_.count(Kind::List);

  list_all();

  EXPECT_EQ(provider_.count(Kind::List), lists + 1);
  EXPECT_THAT(provider_.calls(Kind::List).back().uids, IsEmpty());
  for (const std::string& uid : uids) {
    EXPECT_EQ(api_.phase(uid), "Running");
  }
}

TEST_F(PodLists, ThatFailChangeNothing) {
  boot();
  const std::string uid = given_running_pod();
  provider_.vanish(uid);
  provider_.fail_list(unavailable("away"));

  list_all();

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(PodLists, ThatAreIncompleteProveNoAbsence) {
  boot();
  const std::string uid = given_running_pod();
  provider_.vanish(uid);
  provider_.lists_completely = false;

  list_all();

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(PodLists, ThatCannotTellChangeNothing) {
  boot();
  const std::string uid = given_running_pod();
  provider_.answer_list(uid, ListVerdict::Unknown);

  list_all();

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_TRUE(view(uid).runs_in_backend);
}

TEST_F(PodLists, ThatKnowNoStatusLeaveTheOneThatIsThere) {
  boot();
  const std::string uid = given_running_pod();
  provider_.answer_list(uid, ListVerdict::PresentStatusUnknown);

  list_all();

  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(PodLists, ThatBeganBeforeACreateReturnedSayNothingAboutItsPod) {
  boot();
  std::string uid;
  provider_.after_next(Kind::List, [&] {
    uid = api_.create({});
    settle();
    provider_.run(uid);
    settle();
  });

  list_all();

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(PodLists, ThatBeganBeforeACreateReturnedSayNothingEvenWhenTheyNameItsPod) {
  boot();
  const std::string uid = api_.create({});
  provider_.answer_list(uid, ListVerdict::Absent);
  provider_.after_next(Kind::List, [&] {
    settle();
    provider_.run(uid);
    settle();
    provider_.answer_list_honestly(uid);
  });

  list_all();

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(PodLists, ThatAreOlderThanAPushDoNotOverruleIt) {
  boot();
  const std::string uid = given_running_pod();
  provider_.after_next(Kind::List, [&] { provider_.end(uid, "Succeeded", 0); });

  list_all();
  settle();

  EXPECT_EQ(api_.phase(uid), "Succeeded");
}

TEST_F(PodLists, MissingAPodThatWasAcceptedAndNeverRanLeadToANewCreate) {
  boot();
  const std::string uid = given_pod();
  provider_.vanish(uid);

  list_all();

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_EQ(provider_.calls(Kind::Create, uid)[1].why, plugin::CreateReason::Retry);
}

TEST_F(PodLists, MissingADeletedPodEndIt) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{30});
  settle();
  provider_.vanish(uid);

  list_all();

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodLists, AreAskedAboutADeletionWhoseEndNobodyPushed) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{10});
  settle();
  provider_.vanish(uid);

  pass(seconds{20});

  EXPECT_EQ(deletes(uid), 1U);
  EXPECT_FALSE(api_.has(uid));
}

TEST_F(PodLists, GiveBackAHandleThatWasNeverSaved) {
  boot();
  const std::string uid = api_.create({});
  provider_.answer_recover(uid, plugin::RecoverVerdict::Attached);
  provider_.plant({"default", "web", uid, "i-42"});
  boot();

  list_all();
  pass(seconds{1});

  EXPECT_EQ(api_.annotation(uid, "vkhost.io/handle"), "i-42");
}

TEST_F(PodLists, OfAPodThatWasNeverNamedToTheProviderAreFullOnes) {
  boot();
  api_.create({.uid = "late", .status_json = R"({"phase":"Running","containerStatuses":[
                   {"name":"main","state":{"running":{}}}]})"});
  provider_.plant({"default", "web", "late", ""});

  pass(seconds{10});
  list_all();

  EXPECT_TRUE(view("late").runs_in_backend);
  EXPECT_EQ(creates("late"), 0U);
}

// ---- Orphans

class OrphanSweep : public EngineFixture {
 protected:
  OrphanSweep() { settings_.orphans = Orphans::Delete; }
};

TEST_F(OrphanSweep, DeletesWhatWasSeenTwice) {
  boot();
  provider_.plant({"default", "web", "lost-one", "i-1"});

  list_all();
  EXPECT_EQ(deletes("lost-one"), 0U);
  list_all();

  const auto calls = provider_.calls(Kind::Delete, "lost-one");
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].reason, plugin::DeleteReason::Orphan);
  EXPECT_EQ(calls[0].grace, seconds{0});
  EXPECT_EQ(calls[0].handle, "i-1");
  EXPECT_FALSE(calls[0].has_document);
}

TEST_F(OrphanSweep, ForgetsAnOrphanThatIsGone) {
  boot();
  provider_.plant({"default", "web", "lost-one", ""});
  list_all();
  list_all();
  provider_.finish_delete("lost-one");
  settle();

  list_all();
  pass(minutes{5});

  EXPECT_EQ(deletes("lost-one"), 1U);
  EXPECT_FALSE(engine_->find("lost-one").has_value());
}

// virtual-kubelet#397: Orphans are looked for once, at the start
TEST_F(OrphanSweep, FindsAnOrphanAlthoughTheFirstListsFail) {
  boot();
  provider_.plant({"default", "web", "lost-one", ""});
  provider_.fail_list(unavailable("away"), 3);

  for (int i = 0; i < 5; ++i) {
    list_all();
  }

  EXPECT_EQ(deletes("lost-one"), 1U);
}

TEST_F(OrphanSweep, TellsAPodFromAnOldOneOfTheSameName) {
  boot();
  provider_.plant({"default", "web", "old", ""});
  const std::string uid = given_running_pod();

  list_all();
  list_all();

  EXPECT_EQ(deletes("old"), 1U);
  EXPECT_EQ(deletes(uid), 0U);
  EXPECT_TRUE(provider_.has(uid));
}

TEST_F(OrphanSweep, SparesAWorkloadWhosePodTheApiHas) {
  boot();
  const std::string uid = api_.create({.name = "filtered"});
  api_.lose_watch();  // as for a pod that a filter hides from this engine
  provider_.plant({"default", "filtered", uid, ""});

  list_all();
  list_all();

  EXPECT_EQ(deletes(uid), 0U);
}

TEST_F(OrphanSweep, SparesEverythingWhileTheApiCannotBeRead) {
  boot();
  provider_.plant({"default", "web", "lost-one", ""});
  api_.answer(Call::Read, Status(StatusCode::PermissionDenied, "forbidden"), 2);

  list_all();
  list_all();
  list_all();
  EXPECT_EQ(deletes("lost-one"), 0U);
  pass(minutes{15});
  list_all();

  EXPECT_EQ(deletes("lost-one"), 1U);
}

TEST_F(OrphanSweep, SparesWhatWasMatchedWithoutItsUid) {
  boot();
  provider_.plant({"default", "web", "legacy", ""}, plugin::Marks::Legacy);

  list_all();
  list_all();
  list_all();

  EXPECT_EQ(deletes("legacy"), 0U);
}

TEST_F(OrphanSweep, SparesWhatHasNoName) {
  boot();
  provider_.plant({"", "", "nameless", ""});

  list_all();
  list_all();
  list_all();

  EXPECT_EQ(deletes("nameless"), 0U);
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("nameless")));
}

TEST_F(OrphanSweep, SparesWhatWasSeenOnlyOnceInARow) {
  boot();
  provider_.plant({"default", "web", "flicker", ""});
  list_all();
  provider_.vanish("flicker");
  list_all();
  provider_.plant({"default", "web", "flicker", ""});

  list_all();

  EXPECT_EQ(deletes("flicker"), 0U);
}

TEST_F(OrphanSweep, DeletesNoMoreAtOnceThanAllowed) {
  settings_.max_orphan_deletions = 3;
  boot();
  for (int i = 0; i < 10; ++i) {
    provider_.plant({"default", "web-" + std::to_string(i), "o-" + std::to_string(i), ""});
  }

  list_all();
  list_all();
  EXPECT_EQ(provider_.count(Kind::Delete), 3U);
  provider_.finish_deletes();
  list_all();
  EXPECT_EQ(provider_.count(Kind::Delete), 6U);
  for (int i = 0; i < 5; ++i) {
    provider_.finish_deletes();
    list_all();
  }

  EXPECT_THAT(provider_.uids(), IsEmpty());
}

TEST_F(OrphanSweep, OnlyReportsByDefaultAndOnlyOnce) {
  settings_.orphans = Orphans::Report;
  boot();
  provider_.plant({"default", "web", "lost-one", ""});

  for (int i = 0; i < 10; ++i) {
    list_all();
  }

  EXPECT_EQ(deletes("lost-one"), 0U);
  const auto lines = log_->lines();
  EXPECT_EQ(std::count_if(
                lines.begin(), lines.end(),
                [](const std::string& line) { return line.find("lost-one") != std::string::npos; }),
            1);
  EXPECT_LE(api_.count(Call::Read), 2);
}

TEST_F(OrphanSweep, DoesNotReadAllLivingPodsInEverySweep) {
  boot();
  for (int i = 0; i < 100; ++i) {
    const std::string name = "filtered-" + std::to_string(i);
    provider_.plant({"default", name, api_.create({.name = name}), ""});
  }
  api_.lose_watch();

  for (int i = 0; i < 10; ++i) {
    list_all();
  }

  EXPECT_LE(api_.count(Call::Read), 150);
  EXPECT_EQ(provider_.count(Kind::Delete), 0U);
}

// kip#107, k3k#520, k3k#1021: A start deletes workloads that are alive or of somebody else
TEST_F(OrphanSweep, SurvivesTenRestartsWithForeignWorkloadsUntouched) {
  boot();
  const std::string uid = given_running_pod();
  provider_.plant({"", "", "", ""}, plugin::Marks::Legacy);

  for (int i = 0; i < 10; ++i) {
    boot();
    list_all();
    list_all();
    pass(minutes{2});
  }

  EXPECT_EQ(provider_.count(Kind::Delete), 0U);
  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(api_.phase(uid), "Running");
}

TEST_F(OrphanSweep, EndsWhenTheApiServerDoesNotAnswer) {
  boot();
  for (int i = 0; i < 20; ++i) {
    provider_.plant({"default", "web-" + std::to_string(i), "o-" + std::to_string(i), ""});
  }
  list_all();
  api_.answer(Call::Read, deadline_exceeded("no answer within 30 s"), 2);

  list_all();
  EXPECT_EQ(api_.count(Call::Read), 1);
  list_all();
  EXPECT_EQ(api_.count(Call::Read), 2);
  list_all();

  EXPECT_EQ(provider_.count(Kind::Delete), 10U);
}

TEST_F(OrphanSweep, LetsPodsGoFirstThatWaitForAnAnswer) {
  boot();
  const std::string uid = given_running_pod();
  api_.remove(uid, seconds{1});
  settle();
  provider_.plant({"default", "one", "o-1", ""});
  provider_.plant({"default", "two", "o-2", ""});
  list_all();
  std::size_t lists_before = 0;
  std::size_t lists_between = 0;
  api_.during_next(Call::Read, [&] {
    clock_->advance(seconds{9});
    while (engine_->step_worker()) {
    }
    lists_before = provider_.count(Kind::List);
    api_.during_next(Call::Read, [&] { lists_between = provider_.count(Kind::List); });
  });

  list_all();

  EXPECT_EQ(lists_between, lists_before + 1);
}

TEST_F(OrphanSweep, KeepsAnOrphanWhosePodComesBack) {
  boot();
  provider_.plant({"default", "web", "uid-1", ""});
  list_all();
  api_.during_next(Call::Read, [&] { api_.create({.uid = "uid-1"}); });

  list_all();
  settle();

  EXPECT_EQ(deletes("uid-1"), 0U);
}

}  // namespace
}  // namespace vkhost::pods
