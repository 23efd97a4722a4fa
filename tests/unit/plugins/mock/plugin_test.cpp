// The whole plugin through its table, as the host calls it.
#include "mock/json.hpp"
#include "mock/material_hashes.hpp"
#include "sample_workloads.hpp"

#include <vkhost/provider.hpp>
#include <vkhost/support/plugin_driver.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace vkhost::mock {
namespace {

using sdk::Code;
using sdk::Listed;
using sdk::Outcome;
using sdk::Recovered;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string pod_json(const std::string& name, const std::string& annotations = "{}") {
  return R"({"metadata":{"namespace":"default","name":")" + name + R"(","annotations":)" +
         annotations +
         R"(},"spec":{"restartPolicy":"Never","containers":[{"name":"app","image":"a:1"}]}})";
}

sdk::PodRef ref(std::string_view uid, std::string_view handle = {}) {
  sdk::PodRef result;
  result.pod_namespace = "default";
  result.name = uid;
  result.uid = uid;
  result.handle = handle;
  return result;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class PluginTest : public ::testing::Test {
 protected:
  PluginTest() { begin(); }
  ~PluginTest() override { end(); }

  // A daemon starts; its settings are `settings_`.
  void begin(std::string_view owner_key = "owner") {
    host_ = std::make_unique<sdk::FakeHost>();
    plugin_ = std::make_unique<sdk::PluginDriver>(vkp_plugin, *host_);
    owner_key_ = owner_key;
  }
  void start(const std::string& settings = "{}",
             const std::vector<sdk::PluginDriver::PodToRecover>& pods = {}) {
    if (!initialized_) {
      EXPECT_TRUE(plugin_->init().ok());
      initialized_ = true;
    }
    const Outcome created = plugin_->create(settings);
    ASSERT_TRUE(created.ok()) << created.error.message;
    verdicts_ = plugin_->recover(pods);
    const Outcome started = plugin_->start(owner_key_);
    ASSERT_TRUE(started.ok()) << started.error.message;
  }
  void end() {
    plugin_.reset();
    if (initialized_) {
      vkp_plugin.shutdown();
      initialized_ = false;
    }
  }
  std::string with_state(const std::string& rules = "[]") const {
    return R"({"state_dir":")" + folder_.path() + R"(","rules":)" + rules + "}";
  }

  std::string with_kept_material(const std::string& keep, const std::string& rules = "[]") const {
    return R"({"state_dir":")" + folder_.path() + R"(","keep_material":")" + keep +
           R"(","rules":)" + rules + "}";
  }
  // Of the owner "owner".
  std::vector<Json> log_lines() const {
    std::vector<Json> lines;
    std::ifstream log(folder_.path() + "/owner/calls.log");
    for (std::string line; std::getline(log, line);) {
      lines.push_back(Json::parse(line, "a line"));
    }
    return lines;
  }

  std::optional<sdk::FakeHost::Push> push_of(std::string_view uid, const std::string& phase) {
    return host_->wait_for_push([&](const sdk::FakeHost::Push& push) {
      return push.uid == uid &&
             push.status_json.find("\"phase\":\"" + phase + "\"") != std::string::npos;
    });
  }
  bool gone(std::string_view uid) {
    return host_
        ->wait_for_push(
            [&](const sdk::FakeHost::Push& push) { return push.uid == uid && push.gone; })
        .has_value();
  }

  ScratchFolder folder_;
  std::unique_ptr<sdk::FakeHost> host_;
  std::unique_ptr<sdk::PluginDriver> plugin_;
  std::map<std::string, Recovered> verdicts_;
  std::string owner_key_;
  bool initialized_ = false;
};

TEST_F(PluginTest, DescribesItself) {
  const Json description = Json::parse(plugin_->describe().text, "the description");

  EXPECT_EQ(description["name"].text(), "mock");
  EXPECT_EQ(description["settings_schema"]["type"].text(), "object");
  EXPECT_EQ(description["annotation_prefixes"].elements().at(0).text(), "mock.vkhost.io/");
  EXPECT_EQ(description["metric_prefixes"].elements().at(0).text(), "vkhost_mock_");
}

TEST_F(PluginTest, NamesWhatIsWrongWithSettings) {
  const auto problems = plugin_->check_config(R"({"cpu":"much"})");

  ASSERT_EQ(problems.size(), 1U);
  EXPECT_TRUE(problems[0].is_error);
  EXPECT_EQ(problems[0].pointer, "/cpu");
  EXPECT_TRUE(plugin_->check_config("{}").empty());
}

TEST_F(PluginTest, MakesNoInstanceFromWrongSettings) {
  const Outcome outcome = plugin_->create(R"({"cpu":"much"})");

  EXPECT_EQ(outcome.code, Code::InvalidArgument);
  EXPECT_THAT(outcome.error.message, HasSubstr("/cpu: invalid CPU value"));
}

TEST_F(PluginTest, OffersANodeWithItsCapacity) {
  start(R"({"cpu":"4","others":{"example.com/gpu":"2"},"provider_id":"x://1","labels":{"zone":"a"},
           "node-b":{"pods":"7"}})");

  const Json node = Json::parse(plugin_->node("node-a").text, "the node");
  EXPECT_EQ(node["status"]["capacity"]["cpu"].text(), "4");
  EXPECT_EQ(node["status"]["capacity"]["memory"].text(), "100Gi");
  EXPECT_EQ(node["status"]["allocatable"]["pods"].text(), "20");
  EXPECT_EQ(node["status"]["allocatable"]["example.com/gpu"].text(), "2");
  EXPECT_EQ(node["spec"]["providerID"].text(), "x://1");
  EXPECT_EQ(node["metadata"]["labels"]["zone"].text(), "a");
  EXPECT_EQ(
      node["metadata"]["labels"]["node.kubernetes.io/exclude-from-external-load-balancers"].text(),
      "true");
  EXPECT_EQ(
      node["metadata"]["labels"]["alpha.service-controller.kubernetes.io/exclude-balancer"].text(),
      "true");

  const Json other = Json::parse(plugin_->node("node-b").text, "the node");
  EXPECT_EQ(other["status"]["capacity"]["pods"].text(), "7");
}

TEST_F(PluginTest, TellsItsCapabilities) {
  start(R"({"material":["env"],"max_parallel_calls":3})");

  const Json capabilities = Json::parse(plugin_->capabilities().text, "the capabilities");

  EXPECT_EQ(capabilities["status_updates"].text(), "push");
  EXPECT_EQ(capabilities["max_parallel_calls"].number(), 3);
  EXPECT_EQ(capabilities["material"].elements().at(0).text(), "env");
  EXPECT_EQ(capabilities["updates"].elements().at(0).text(), "image");
  EXPECT_FALSE(capabilities["late_env"].boolean());
}

TEST_F(PluginTest, DeclaresWhatItsSettingsSay) {
  start(R"({"material":["files","tokens"],"updates":["files"],"late_env":true})");

  const Json capabilities = Json::parse(plugin_->capabilities().text, "the capabilities");

  EXPECT_EQ(capabilities["material"].elements().size(), 2U);
  ASSERT_EQ(capabilities["updates"].elements().size(), 1U);
  EXPECT_EQ(capabilities["updates"].elements().at(0).text(), "files");
  EXPECT_TRUE(capabilities["late_env"].boolean());
}

TEST_F(PluginTest, RunsAPodAtOnce) {
  start();

  const Outcome outcome = plugin_->create_pod(ref("a"), pod_json("a"));

  EXPECT_TRUE(outcome.ok());
  EXPECT_EQ(outcome.text, "attempt-1");
  EXPECT_TRUE(push_of("a", "Running"));
}

TEST_F(PluginTest, RunsAPodOnceHoweverOftenItIsCreated) {
  start(with_state());

  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  const Outcome again =
      plugin_->create_pod(ref("a", "attempt-1"), pod_json("a"), sdk::CreateReason::Retry);

  EXPECT_TRUE(again.ok());
  EXPECT_EQ(again.text, "attempt-1");
  EXPECT_EQ(plugin_->list_pods().pods.size(), 1U);
}

TEST_F(PluginTest, SavesTheHandleBeforeThereIsAWorkloadIfToldTo) {
  start(R"({"save_handle":true})");
  host_->answer_handles(Code::Unavailable);

  const Outcome failed = plugin_->create_pod(ref("a"), pod_json("a"));

  EXPECT_EQ(failed.code, Code::Unavailable);
  EXPECT_EQ(failed.error.effect, sdk::Effect::None);
  EXPECT_TRUE(plugin_->list_pods().pods.empty());

  host_->answer_handles(Code::Ok);
  const Outcome created = plugin_->create_pod(ref("a"), pod_json("a"));

  EXPECT_TRUE(created.ok());
  EXPECT_THAT(host_->handles(), ElementsAre(Pair("a", created.text)));
}

TEST_F(PluginTest, GivesEachPodAnAddressOfItsOwn) {
  start(R"({"pod_cidr":"10.9.0.0/28"})");
  std::set<std::string> addresses;

  for (const char* uid : {"a", "b", "c"}) {
    EXPECT_TRUE(plugin_->create_pod(ref(uid), pod_json(uid)).ok());
    addresses.insert(
        Json::parse(push_of(uid, "Running")->status_json, "the status")["podIP"].text());
  }

  EXPECT_EQ(addresses.size(), 3U);
  EXPECT_THAT(*addresses.begin(), HasSubstr("10.9.0."));
}

TEST_F(PluginTest, SaysWhenNoAddressIsLeft) {
  start(R"({"pod_cidr":"10.9.0.0/30"})");
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  EXPECT_TRUE(plugin_->create_pod(ref("b"), pod_json("b")).ok());

  const Outcome third = plugin_->create_pod(ref("c"), pod_json("c"));

  EXPECT_EQ(third.code, Code::ResourceExhausted);
  EXPECT_EQ(third.error.effect, sdk::Effect::None);
}

TEST_F(PluginTest, PushesTheEndAndGoneWhenAPodIsDeleted) {
  start();
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  EXPECT_TRUE(push_of("a", "Running"));

  EXPECT_TRUE(plugin_->delete_pod(ref("a")).ok());

  const auto end = push_of("a", "Succeeded");
  ASSERT_TRUE(end);
  EXPECT_THAT(end->status_json, HasSubstr("MockProviderPodDeleted"));
  EXPECT_TRUE(gone("a"));
  EXPECT_EQ(plugin_->delete_pod(ref("a")).code, Code::NotFound);
}

TEST_F(PluginTest, KillsAPodWhoseGraceIsShorterThanItsEnd) {
  start(R"({"rules":[{"stop_delay_ms":3600000}]})");
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  EXPECT_TRUE(push_of("a", "Running"));

  EXPECT_TRUE(plugin_->delete_pod(ref("a"), std::chrono::hours(2)).ok());
  EXPECT_EQ(plugin_->create_pod(ref("a"), pod_json("a")).code, Code::Aborted);
  EXPECT_TRUE(plugin_->delete_pod(ref("a"), milliseconds(0)).ok()) << "the user insists";

  const auto end = push_of("a", "Failed");
  ASSERT_TRUE(end);
  EXPECT_THAT(end->status_json, HasSubstr("\"exitCode\":137"));
  EXPECT_TRUE(gone("a"));
}

TEST_F(PluginTest, FailsTheFirstCreatesAndThenSucceeds) {
  start(R"({"rules":[{"fail":{"code":"resource_exhausted","reason":"Full","message":"no room",
           "retry_after_ms":250,"scope":"provider","tries":2}}]})");

  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = plugin_->create_pod(ref("a"), pod_json("a"));
    EXPECT_EQ(outcome.code, Code::ResourceExhausted);
    EXPECT_EQ(outcome.error.reason, "Full");
    EXPECT_EQ(outcome.error.retry, sdk::Retry::After);
    EXPECT_EQ(outcome.error.retry_after, milliseconds(250));
    EXPECT_EQ(outcome.error.scope, sdk::Scope::Provider);
    EXPECT_EQ(outcome.error.effect, sdk::Effect::None);
  }
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
}

TEST_F(PluginTest, HasCreatedThePodOfAFailureThatHappened) {
  start(R"({"rules":[{"fail":{"code":"deadline_exceeded","effect":"happened","tries":1}}]})");

  const Outcome outcome = plugin_->create_pod(ref("a"), pod_json("a"));

  EXPECT_EQ(outcome.code, Code::DeadlineExceeded);
  EXPECT_EQ(outcome.text, "attempt-1") << "the handle counts also when the call fails";
  EXPECT_TRUE(push_of("a", "Running"));
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
}

TEST_F(PluginTest, PushesAFailureThatComesAfterAcceptance) {
  start(R"({"rules":[{"fail":{"stage":"start","tries":1}}]})");
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());

  EXPECT_TRUE(
      host_->wait_for_push([](const sdk::FakeHost::Push& push) { return push.error.has_value(); }));

  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a"), sdk::CreateReason::Retry).ok());
  EXPECT_TRUE(push_of("a", "Running"));
}

TEST_F(PluginTest, HangsUntilItIsCancelled) {
  start(R"({"rules":[{"hang":{}}]})");
  sdk::FakeCall call;
  std::thread canceller([&] {
    EXPECT_TRUE(call.wait_for_registration());
    call.cancel();
  });

  const Outcome outcome = plugin_->create_pod(call, ref("a"), pod_json("a"));

  canceller.join();
  EXPECT_EQ(outcome.code, Code::Cancelled);
  EXPECT_EQ(outcome.error.effect, sdk::Effect::None);
  EXPECT_TRUE(plugin_->list_pods().pods.empty());
}

TEST_F(PluginTest, LeavesAHangThatIgnoresItsCancelWhenItStops) {
  start(R"({"rules":[{"hang":{"ignore_cancel":true}}]})");
  sdk::FakeCall call;
  Outcome outcome;
  std::thread create([&] { outcome = plugin_->create_pod(call, ref("a"), pod_json("a")); });
  EXPECT_TRUE(call.wait_for_registration());
  call.cancel();

  EXPECT_TRUE(plugin_->stop().ok());

  create.join();
  EXPECT_EQ(outcome.code, Code::Cancelled);
  plugin_->destroy();
}

TEST_F(PluginTest, GoesOnAfterAHangOfLimitedLength) {
  start(R"({"rules":[{"hang":{"for_ms":1}}]})");

  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
}

TEST_F(PluginTest, RefusesAPodWithABadAnnotation) {
  start();

  const Outcome outcome =
      plugin_->create_pod(ref("a"), pod_json("a", R"({"mock.vkhost.io/exit-code":"many"})"));

  EXPECT_EQ(outcome.code, Code::InvalidArgument);
  EXPECT_EQ(outcome.error.retry, sdk::Retry::Never);
}

TEST_F(PluginTest, AppliesAnImageByRestart) {
  start();
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  std::string changed = pod_json("a");
  changed.replace(changed.find("a:1"), 3, "a:2");

  EXPECT_THAT(plugin_->update_pod(ref("a"), changed, VKP_CHANGED_IMAGE | VKP_CHANGED_RESOURCES),
              UnorderedElementsAre(Pair(VKP_CHANGED_IMAGE, sdk::UpdateOutcome::AppliedByRestart),
                                   Pair(VKP_CHANGED_RESOURCES, sdk::UpdateOutcome::Applied)));

  EXPECT_TRUE(host_->wait_for_push([](const sdk::FakeHost::Push& push) {
    return push.status_json.find("\"restartCount\":1") != std::string::npos;
  }));
}

TEST_F(PluginTest, AnswersUpdatesAsARuleSays) {
  start(R"({"rules":[{"update":{"image":"deferred","message":"later"}}]})");
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  std::string changed = pod_json("a");
  changed.replace(changed.find("a:1"), 3, "a:2");

  EXPECT_THAT(plugin_->update_pod(ref("a"), changed, VKP_CHANGED_IMAGE | VKP_CHANGED_RESOURCES),
              UnorderedElementsAre(Pair(VKP_CHANGED_IMAGE, sdk::UpdateOutcome::Deferred),
                                   Pair(VKP_CHANGED_RESOURCES, sdk::UpdateOutcome::Applied)));
  EXPECT_THAT(plugin_->list_pods().pods.at(0).status_json, Not(HasSubstr("a:2")));
}

TEST_F(PluginTest, ListsWhatItHoldsAndWhatItDoesNot) {
  start();
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());

  const sdk::ListOutcome all = plugin_->list_pods();
  EXPECT_TRUE(all.complete);
  ASSERT_EQ(all.pods.size(), 1U);
  EXPECT_EQ(all.pods[0].marks, sdk::Marks::Ours);
  EXPECT_EQ(all.pods[0].verdict, Listed::Present);
  EXPECT_THAT(all.pods[0].status_json, HasSubstr("Running"));

  const sdk::ListOutcome some = plugin_->list_pods({"a", "b"});
  EXPECT_TRUE(some.complete);
  ASSERT_EQ(some.pods.size(), 2U);
  EXPECT_EQ(some.pods[0].uid, "b");
  EXPECT_EQ(some.pods[0].verdict, Listed::Absent);
  EXPECT_GT(some.pods[0].seq, 0U);
}

TEST_F(PluginTest, ListsAVanishedPodAsAbsent) {
  start(R"({"rules":[{"vanish_after_ms":0}]})");
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());

  const sdk::ListOutcome list = plugin_->list_pods({"a"});

  ASSERT_EQ(list.pods.size(), 1U);
  EXPECT_EQ(list.pods[0].verdict, Listed::Absent);
}

TEST_F(PluginTest, AdoptsItsPodsAfterARestart) {
  start(with_state());
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  const auto before = push_of("a", "Running");
  end();
  begin();

  start(with_state(), {{ref("a", "attempt-1"), "{}"}, {ref("b"), "{}"}});

  EXPECT_THAT(verdicts_, ElementsAre(Pair("a", Recovered::Attached), Pair("b", Recovered::Create)));
  const auto after = push_of("a", "Running");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->status_json, before->status_json) << "addresses, times and ids stay";
}

TEST_F(PluginTest, ReportsWhatHasEndedWhileItWasAway) {
  start(with_state(R"([{"exit":{"code":4,"after_ms":1}}])"));
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  end();
  begin();

  start(with_state(), {{ref("a", "attempt-1"), "{}"}});

  const auto push = push_of("a", "Failed");
  ASSERT_TRUE(push);
  EXPECT_THAT(push->status_json, HasSubstr("\"exitCode\":4"));
}

TEST_F(PluginTest, SaysThatAWorkloadIsLostWhenItHoldsNothingOfIt) {
  start(with_state(), {{ref("a", "attempt-3"), "{}"}});

  EXPECT_TRUE(gone("a"));
  const auto pushes = host_->pushes();
  ASSERT_TRUE(pushes[0].error);
  EXPECT_EQ(pushes[0].error->reason, "WorkloadLost");

  const Outcome again =
      plugin_->create_pod(ref("a", "attempt-3"), pod_json("a"), sdk::CreateReason::Lost);
  EXPECT_EQ(again.text, "attempt-4");
}

TEST_F(PluginTest, CannotTellOfAPodThatRanBeforeWithoutAHandle) {
  start("{}", {{ref("a"),
                R"({"status":{"containerStatuses":[{"state":{"running":{"startedAt":"x"}}}]}})"}});

  EXPECT_THAT(verdicts_, ElementsAre(Pair("a", Recovered::Unknown)));
}

TEST_F(PluginTest, KeepsPodsOfAnotherOwnerApart) {
  start(with_state());
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  sdk::FakeHost other_host;
  sdk::PluginDriver other(vkp_plugin, other_host);
  EXPECT_TRUE(other.create(with_state()).ok());
  EXPECT_TRUE(other.start("another-owner").ok());

  EXPECT_TRUE(other.list_pods().pods.empty());
}

TEST_F(PluginTest, RefusesToShareTheFolderOfOneOwner) {
  start(with_state());
  sdk::FakeHost other_host;
  sdk::PluginDriver other(vkp_plugin, other_host);
  EXPECT_TRUE(other.create(with_state()).ok());

  const Outcome outcome = other.start(owner_key_);

  EXPECT_EQ(outcome.code, Code::FailedPrecondition);
  EXPECT_EQ(outcome.error.reason, "StateFolderInUse");
}

// ---- Material ----

constexpr std::string_view kMaterial =
    R"({"containers":{"app":{"env":[{"name":"P","value":"sesame","secret":true}]}}})";

TEST_F(PluginTest, KeepsNothingOfMaterialAndAnnotationsUnlessToldTo) {
  start(with_state());

  EXPECT_TRUE(plugin_
                  ->create_pod(ref("a"), pod_json("a", R"({"example.com/key":"sesame"})"),
                               sdk::CreateReason::First, kMaterial)
                  .ok());
  plugin_->update_pod(ref("a"), pod_json("a"), VKP_CHANGED_IMAGE, kMaterial);
  end();
  begin();
  start(with_state());

  std::set<std::string> names;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(folder_.path() + "/owner")) {
    names.insert(file.path().filename());
    EXPECT_THAT(text_of(file.path()), Not(HasSubstr("sesame"))) << file.path();
  }
  EXPECT_THAT(names, UnorderedElementsAre("calls.log", "workloads.json"));
}

TEST_F(PluginTest, KeepsTheMaterialOfEachPodWhileItIsThereIfToldTo) {
  start(with_kept_material("all"));
  const std::string file = folder_.path() + "/owner/material/a.json";

  EXPECT_TRUE(
      plugin_->create_pod(ref("a"), pod_json("a"), sdk::CreateReason::First, kMaterial).ok());
  EXPECT_EQ(text_of(file), kMaterial);

  plugin_->update_pod(ref("a"), pod_json("a"), VKP_CHANGED_FILES | VKP_CHANGED_TOKENS,
                      R"({"containers":{}})");
  EXPECT_EQ(text_of(file), R"({"containers":{}})");

  EXPECT_TRUE(plugin_->delete_pod(ref("a")).ok());
  EXPECT_TRUE(gone("a"));
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(PluginTest, KeepsNoMaterialOfAPodThatItRefuses) {
  start(with_kept_material("all", R"([{"fail":{}}])"));

  EXPECT_FALSE(
      plugin_->create_pod(ref("a"), pod_json("a"), sdk::CreateReason::First, kMaterial).ok());

  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() + "/owner/material"));
}

TEST_F(PluginTest, LogsWhatAnUpdateChangesAndTheDigestOfItsMaterial) {
  start(with_kept_material("hashes"));
  EXPECT_TRUE(
      plugin_->create_pod(ref("a"), pod_json("a"), sdk::CreateReason::First, kMaterial).ok());
  plugin_->update_pod(ref("a"), pod_json("a"), VKP_CHANGED_FILES | VKP_CHANGED_TOKENS, "{}");
  end();

  const std::vector<Json> lines = log_lines();
  begin();

  ASSERT_GE(lines.size(), 3U);
  EXPECT_EQ(lines[1]["material"].text(), digest_of(kMaterial));
  EXPECT_TRUE(lines[1]["changed"].is_null());
  EXPECT_EQ(lines[2]["material"].text(), digest_of("{}"));
  const std::vector<Json> changed = lines[2]["changed"].elements();
  ASSERT_EQ(changed.size(), 2U);
  EXPECT_EQ(changed[0].text(), "files");
  EXPECT_EQ(changed[1].text(), "tokens");
}

TEST_F(PluginTest, LogsEveryCallWithItsOutcome) {
  start(with_state(R"([{"match":{"name":"bad"},"fail":{"code":"internal"}}])"));
  EXPECT_TRUE(plugin_->create_pod(ref("a"), pod_json("a")).ok());
  EXPECT_FALSE(plugin_->create_pod(ref("bad"), pod_json("bad")).ok());
  EXPECT_TRUE(plugin_->ping().ok());
  EXPECT_TRUE(plugin_->delete_pod(ref("a")).ok());
  EXPECT_TRUE(gone("a"));
  end();

  std::vector<std::string> lines;
  for (const Json& json : log_lines()) {
    lines.push_back(json["call"].text() + ' ' + json["uid"].text() + ' ' + json["outcome"].text());
  }
  begin();

  EXPECT_THAT(lines, ElementsAre("start  ok", "create_pod a ok", "create_pod bad internal",
                                 "ping  ok", "delete_pod a ok", "gone a ", "stop  ok"));
}

TEST_F(PluginTest, OffersWhatItIsToldToWhileItRuns) {
  start(R"({"cpu":"4"})");

  EXPECT_TRUE(plugin_->reconfigure(R"({"cpu":"8"})").ok());

  EXPECT_THAT(plugin_->node("node").text, HasSubstr(R"("cpu":"8")"));
  EXPECT_EQ(host_->node_changes(), 1U);
}

TEST_F(PluginTest, FollowsChangedRulesForTheNextPod) {
  start(R"({"rules":[{"fail":{"code":"unavailable"}}]})");
  ASSERT_FALSE(plugin_->create_pod(ref("u1"), pod_json("u1")).ok());

  ASSERT_TRUE(plugin_->reconfigure(R"({"rules":[]})").ok());

  EXPECT_TRUE(plugin_->create_pod(ref("u1"), pod_json("u1")).ok());
}

TEST_F(PluginTest, RefusesWhatAnInstanceHasForItsLifeAndTakesNothingThen) {
  start(R"({"cpu":"4"})");

  const Outcome refused = plugin_->reconfigure(R"({"cpu":"8","pod_cidr":"10.0.0.0/8"})");

  EXPECT_EQ(refused.code, Code::FailedPrecondition);
  EXPECT_THAT(refused.error.message, HasSubstr("pod_cidr"));
  EXPECT_THAT(plugin_->node("node").text, HasSubstr(R"("cpu":"4")"));
}

TEST_F(PluginTest, RefusesChangedSettingsThatAreWrong) {
  start();

  EXPECT_EQ(plugin_->reconfigure(R"({"cpu":"many"})").code, Code::InvalidArgument);
}

TEST_F(PluginTest, RefusesCreatesOfTheWholeAccountUntilItHasAnotherKey) {
  start(R"({"api_key":"expired-1"})");

  const Outcome refused = plugin_->create_pod(ref("u1"), pod_json("u1"));
  EXPECT_EQ(refused.code, Code::Unauthenticated);
  EXPECT_EQ(refused.error.reason, "KeyExpired");
  EXPECT_EQ(refused.error.scope, sdk::Scope::Provider);
  ASSERT_TRUE(plugin_->reconfigure(R"({"api_key":"fresh"})").ok());

  EXPECT_TRUE(plugin_->create_pod(ref("u1"), pod_json("u1")).ok());
}

}  // namespace
}  // namespace vkhost::mock
