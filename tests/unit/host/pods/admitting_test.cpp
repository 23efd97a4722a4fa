// What the engine makes of the verdict: who is judged, when, and what follows.
#include "engine_fixture.hpp"
#include "support/fake_node_source.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace vkhost::pods {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;

class AdmittedPods : public EngineFixture {
 protected:
  AdmittedPods() {
    node_ = &source_;
    facts_.name = "vk-0";
    facts_.operating_system = "linux";
    facts_.labels = {{"zone", "a"}};
    facts_.allocatable = {{"cpu", 4000}, {"memory", 1'000'000}, {"pods", 10}};
    source_.set(facts_);
  }

  static NewPod asking(const std::string& name, const std::string& cpu) {
    return {.name = name,
            .spec_json = R"({"containers":[{"name":"main","resources":{"requests":{"cpu":")" + cpu +
                         R"("}}}]})"};
  }

  kube::NodeFacts facts_;
  testing::FakeNodeSource source_;
};

// Something happens while a pod is judged.
class InterruptedNode final : public NodeSource {
 public:
  InterruptedNode(NodeSource& node, std::function<void()> hook)
      : node_(node), hook_(std::move(hook)) {}
  std::shared_ptr<const kube::NodeFacts> node() override {
    if (const auto hook = std::exchange(hook_, nullptr)) {
      hook();
    }
    return node_.node();
  }
  std::shared_ptr<const kube::NodeFacts> read_node(const CancelToken& cancel) override {
    return node_.read_node(cancel);
  }

 private:
  NodeSource& node_;
  std::function<void()> hook_;
};

TEST_F(AdmittedPods, AreCreatedAtOnce) {
  boot();

  const std::string uid = given_pod(asking("web", "4"));

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(source_.reads(), 0);
}

TEST_F(AdmittedPods, AreRejectedWhenTheyDoNotFitAndNothingIsMadeOfThem) {
  boot();
  const std::string first = given_pod(asking("first", "3"));

  const std::string uid = given_pod(asking("second", "2"));

  EXPECT_EQ(creates(first), 1U);
  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(deletes(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "OutOfcpu");
  EXPECT_EQ(api_.status(uid, "message"),
            "Pod was rejected: Node didn't have enough resource: cpu, requested: 2000, used: 3000, "
            "capacity: 4000");
  EXPECT_EQ(api_.condition(uid, "Ready"), "False");
  EXPECT_EQ(api_.patch_count(uid), 1U);
  EXPECT_THAT(events_.events(),
              Contains(uid + " Warning OutOfcpu: Node didn't have enough resource: cpu, "
                             "requested: 2000, used: 3000, capacity: 4000"));
  EXPECT_EQ(events_.count(uid, "OutOfcpu"), 1);
}

TEST_F(AdmittedPods, ThatWereRejectedStaySo) {
  boot();
  const std::string uid = given_pod(asking("web", "5"));
  facts_.allocatable["cpu"] = 8000;
  source_.set(facts_);

  pass(seconds{10});
  list_all();
  boot();
  pass(seconds{10});

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(events_.count(uid, "OutOfcpu"), 1);
}

TEST_F(AdmittedPods, ThatWereRejectedGoWithTheirObject) {
  boot();
  const std::string uid = given_pod(asking("web", "5"));

  api_.remove(uid, seconds{30});
  settle();

  EXPECT_FALSE(api_.has(uid));
  EXPECT_EQ(deletes(uid), 0U);
  EXPECT_EQ(engine_->footprint(), 0U);
}

TEST_F(AdmittedPods, MakeRoomWhenTheyHaveEnded) {
  boot();
  const std::string first = given_running_pod(asking("first", "4"));
  provider_.end(first, "Succeeded", 0);
  look();

  EXPECT_EQ(creates(given_pod(asking("second", "4"))), 1U);
}

TEST_F(AdmittedPods, MakeRoomWhenTheirObjectIsGoneAndNotBefore) {
  boot();
  const std::string first = given_running_pod(asking("first", "4"));
  api_.remove(first, seconds{30});
  settle();
  const std::string early = given_pod(asking("early", "4"));
  EXPECT_EQ(api_.status(early, "reason"), "OutOfcpu");

  provider_.finish_delete(first);
  settle();

  EXPECT_FALSE(api_.has(first));
  EXPECT_EQ(creates(given_pod(asking("late", "4"))), 1U);
}

TEST_F(AdmittedPods, TakeAsMuchAsTheirChangedSpecSays) {
  boot();
  const std::string first = given_running_pod(asking("first", "1"));
  api_.edit(first, [](Poco::JSON::Object& pod) {
    pod.getObject("spec")
        ->getArray("containers")
        ->getObject(0)
        ->getObject("resources")
        ->getObject("requests")
        ->set("cpu", "3");
  });
  settle();

  EXPECT_EQ(api_.status(given_pod(asking("second", "2")), "reason"), "OutOfcpu");
  EXPECT_EQ(creates(given_pod(asking("third", "1"))), 1U);
}

TEST_F(AdmittedPods, AreNotJudgedAgainAfterARestart) {
  boot();
  const std::string running = given_running_pod(asking("running", "3"));
  facts_.allocatable["cpu"] = 1000;
  facts_.taints = {{"maintenance", "", "NoExecute"}};
  source_.set(facts_);

  boot();
  pass(seconds{5});

  EXPECT_EQ(api_.phase(running), "Running");
  EXPECT_EQ(api_.status(given_pod(asking("new", "1")), "reason"), "OutOfcpu");
}

TEST_F(AdmittedPods, AreNotJudgedAgainWhileTheirCreationFails) {
  boot();
  const std::string uid = api_.create(asking("web", "1"));
  provider_.fail_create(uid, unavailable("full"), 3);
  settle();
  facts_.taints = {{"maintenance", "", "NoExecute"}};
  source_.set(facts_);

  pass(seconds{60});

  EXPECT_EQ(creates(uid), 4U);
  EXPECT_EQ(events_.count(uid, "TaintToleration"), 0);
}

TEST_F(AdmittedPods, ThatCameWhileTheHostWasAwayAreJudgedOldestFirst) {
  const std::string running_status =
      R"({"phase":"Running","startTime":"2026-01-01T00:00:00Z","conditions":[],)"
      R"("containerStatuses":[{"name":"main","state":{"running":{}}}]})";
  NewPod young = asking("a-young", "1");
  young.metadata_json = R"({"creationTimestamp":"2026-01-03T00:00:00Z"})";
  NewPod old = asking("b-old", "1");
  old.metadata_json = R"({"creationTimestamp":"2026-01-02T00:00:00Z"})";
  NewPod present = asking("c-present", "3");
  present.status_json = running_status;
  const std::string young_uid = api_.create(young);
  const std::string old_uid = api_.create(old);
  const std::string present_uid = api_.create(present);
  provider_.answer_recover(present_uid, plugin::RecoverVerdict::Attached);
  provider_.plant({"default", "c-present", present_uid, ""});

  boot();
  settle();

  EXPECT_EQ(creates(old_uid), 1U);
  EXPECT_EQ(creates(young_uid), 0U);
  EXPECT_EQ(api_.status(young_uid, "reason"), "OutOfcpu");
  EXPECT_EQ(creates(present_uid), 0U);
}

// It may have been begun by an earlier process that ended before it could say so.
TEST_F(AdmittedPods, ThatAreRejectedAfterARestartAreCleanedUpAfter) {
  const std::string uid = api_.create(asking("web", "9"));
  provider_.answer_recover(uid, plugin::RecoverVerdict::Create);

  boot();
  settle();

  EXPECT_EQ(creates(uid), 0U);
  ASSERT_EQ(deletes(uid), 1U);
  EXPECT_EQ(provider_.calls(Kind::Delete, uid)[0].reason, plugin::DeleteReason::Rejected);
  EXPECT_EQ(api_.status(uid, "reason"), "OutOfcpu");
}

TEST_F(AdmittedPods, MayWantALabelThatWasSetAMomentAgo) {
  boot();
  kube::NodeFacts fresh = facts_;
  fresh.labels["team"] = "red";
  source_.set_unseen(fresh);

  const std::string uid =
      given_pod({.name = "web", .spec_json = R"({"nodeSelector":{"team":"red"}})"});
  const std::string other =
      given_pod({.name = "other", .spec_json = R"({"nodeSelector":{"team":"blue"}})"});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(creates(other), 0U);
  EXPECT_EQ(api_.status(other, "reason"), "NodeAffinity");
  EXPECT_EQ(source_.reads(), 2);
}

TEST_F(AdmittedPods, WaitForTheApiServerToSayThatTheyDoNotFit) {
  boot();
  source_.fail_reads(3);
  kube::NodeFacts fresh = facts_;
  fresh.labels["team"] = "red";
  source_.set_unseen(fresh);

  const std::string uid =
      given_pod({.name = "web", .spec_json = R"({"nodeSelector":{"team":"red"}})"});
  EXPECT_EQ(api_.phase(uid), "Pending");
  pass(minutes{1});

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(AdmittedPods, DoNotFailForATaintThatIsGoneFromTheObject) {
  kube::NodeFacts own = facts_;
  own.taints = {{"agent-not-ready", "", "NoExecute"}};
  source_.set(own);
  source_.set_unseen(facts_);
  boot();

  const std::string uid = given_pod(asking("web", "1"));

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(AdmittedPods, ThatWereRejectedDoNotComeBackByOlderNews) {
  const std::string uid = api_.create(asking("web", "9"));
  provider_.plant({"default", "web", uid, ""});
  provider_.answer_recover(uid, plugin::RecoverVerdict::Create);
  boot();
  api_.answer(Call::Patch, internal_error("etcd has no leader"));
  settle();

  provider_.report(uid, pod_status("Running", {"main"}, "running"));
  pass(minutes{2});

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "OutOfcpu");
}

TEST_F(AdmittedPods, ThatAreEvictedMeanwhileAreNotRejectedAsWell) {
  std::string uid;
  InterruptedNode node(source_, [&] {
    EXPECT_TRUE(engine_->evict({uid, "SpotReclaimed", "", seconds{0}}).is_ok());
  });
  node_ = &node;
  boot();

  uid = api_.create(asking("web", "5"));
  settle();

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "SpotReclaimed");
  EXPECT_EQ(events_.count(uid, "OutOfcpu"), 0);
}

TEST_F(AdmittedPods, ThatCannotBeReadAreRejected) {
  boot();

  const std::string uid =
      given_pod({.name = "web", .spec_json = R"({"overhead":{"cpu":"a lot"}})"});

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(api_.status(uid, "reason"), "UnexpectedAdmissionError");
}

TEST_F(AdmittedPods, AreAllAdmittedWhenThatIsTheSetting) {
  settings_.check_fit = false;
  boot();

  EXPECT_EQ(creates(given_pod(asking("web", "99"))), 1U);
  EXPECT_EQ(creates(given_pod({.name = "odd", .spec_json = R"({"overhead":{"cpu":"a lot"}})"})),
            1U);
}

// virtual-kubelet#20, #98, #50: Pods of every DaemonSet come to the virtual node
TEST_F(AdmittedPods, OfDaemonSetsAreRefusedWhenThatIsTheSetting) {
  const std::string owned = R"({"ownerReferences":[{"apiVersion":"apps/v1","kind":"DaemonSet",)"
                            R"("name":"agent","uid":"d-1","controller":true}]})";
  settings_.refuse_daemon_sets = true;
  settings_.check_fit = false;
  boot();

  const std::string agent = given_pod({.name = "agent", .metadata_json = owned});
  const std::string web = given_pod({.name = "web"});

  EXPECT_EQ(creates(agent), 0U);
  EXPECT_EQ(api_.phase(agent), "Failed");
  EXPECT_EQ(api_.status(agent, "reason"), "DaemonSetPodsRefused");
  EXPECT_EQ(creates(web), 1U);
}

// ---- Fields

TEST_F(AdmittedPods, AreToldOnceWhatTheProviderDoesNotHonour) {
  provider_.shape.fields = {{"spec.hostNetwork", false}};
  provider_.answer_explain(
      {{plugin::FindingKind::Changed, "/spec/containers/0/resources", "rounded up to 1 CPU"}});
  boot();

  const std::string uid = given_running_pod({.spec_json = R"({"hostNetwork":true})"});
  pass(seconds{60});
  list_all();
  boot();
  pass(seconds{60});

  const std::string told =
      "/spec/containers/0/resources: rounded up to 1 CPU; /spec/hostNetwork: the provider ignores "
      "it";
  EXPECT_EQ(creates(uid), 1U);
  EXPECT_THAT(events_.events(), Contains(uid + " Warning FieldsIgnored: " + told));
  EXPECT_EQ(events_.count(uid, "FieldsIgnored"), 1);
  EXPECT_EQ(api_.condition(uid, "vkhost.io/FieldsHonoured"), "False");
  EXPECT_THAT(api_.patches()[0].patch.status_json,
              ::testing::AllOf(HasSubstr("FieldsHonoured"), HasSubstr("rounded up to 1 CPU; ")));
  EXPECT_EQ(api_.condition(uid, "Ready"), "True");
}

TEST_F(AdmittedPods, CostNoRequestMoreForTheirFields) {
  provider_.runs_in_create = true;
  boot();
  const std::string plain = given_pod({.name = "plain"});
  provider_.answer_explain({{plugin::FindingKind::Ignored, "/spec/x", "not here"}});
  const std::string told = given_pod({.name = "told"});

  EXPECT_EQ(api_.condition(told, "vkhost.io/FieldsHonoured"), "False");
  EXPECT_EQ(api_.condition(plain, "vkhost.io/FieldsHonoured"), "");
  EXPECT_EQ(api_.patch_count(told), api_.patch_count(plain));
}

TEST_F(AdmittedPods, AreRejectedForWhatTheProviderRefuses) {
  provider_.answer_explain(
      {{plugin::FindingKind::Refused, "/spec/containers/1", "a second container cannot run"},
       {plugin::FindingKind::Ignored, "/spec/hostPID", "no such thing"}});
  boot();

  const std::string uid = given_pod(asking("web", "4"));

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(api_.phase(uid), "Failed");
  EXPECT_EQ(api_.status(uid, "reason"), "UnsupportedFields");
  EXPECT_EQ(api_.status(uid, "message"),
            "Pod was rejected: /spec/containers/1: a second container cannot run");
  EXPECT_EQ(events_.count(uid, "UnsupportedFields"), 1);
  provider_.answer_explain({});
  EXPECT_EQ(creates(given_pod(asking("next", "4"))), 1U) << "the seat was not given back";
}

TEST_F(AdmittedPods, AreRejectedForWhatIsIgnoredWhenThatIsTheSetting) {
  settings_.reject_unsupported_fields = true;
  boot();
  provider_.answer_explain({{plugin::FindingKind::Changed, "/spec/x", "rounded up"}});
  EXPECT_EQ(creates(given_pod({.name = "changed"})), 1U);
  provider_.answer_explain({{plugin::FindingKind::Ignored, "/spec/x", "not here"}});

  const std::string uid = given_pod({.name = "ignored"});

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(api_.status(uid, "reason"), "UnsupportedFields");
  EXPECT_EQ(events_.count(uid, "FieldsIgnored"), 0);
}

TEST_F(AdmittedPods, RunAlthoughTheirProviderCannotSayWhatItMakesOfThem) {
  provider_.fail_explain(unavailable("out of words"));
  provider_.shape.fields = {{"spec.hostNetwork", false}};
  boot();

  const std::string uid = given_pod({.spec_json = R"({"hostNetwork":true})"});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(events_.count(uid, "FieldsIgnored"), 1);
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("out of words")));
}

TEST_F(AdmittedPods, LeaveNothingBehind) {
  provider_.runs_in_create = true;
  provider_.deletes_at_once = true;
  provider_.handle_prefix.clear();
  boot();

  for (int i = 0; i < 200; ++i) {
    const std::string uid = given_pod(asking("web", "4"));
    ASSERT_EQ(creates(uid), 1U) << i;
    api_.remove(uid, seconds{30});
    settle();
    ASSERT_FALSE(api_.has(uid)) << i;
  }

  EXPECT_EQ(engine_->footprint(), 0U);
}

}  // namespace
}  // namespace vkhost::pods
