#include "mock/rules.hpp"

#include "sample_workloads.hpp"

#include <vkhost/provider.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::mock {
namespace {

using ::testing::HasSubstr;

Pod make_pod(const std::string& name = "web-0") {
  Pod pod;
  pod.pod_namespace = "shop";
  pod.name = name;
  pod.labels = {{"app", "web"}};
  pod.annotations = {{"team", "blue"}};
  pod.containers = {make_container("app")};
  return pod;
}

Rule rule(const std::string& json) { return parse_rule(Json::parse(json, "the rule")); }

Fate fate_of(const std::vector<Rule>& rules, const Pod& pod = make_pod()) {
  return decide_fate(rules, 1, pod);
}

TEST(Match, TakesEveryPodWhenItSaysNothing) { EXPECT_TRUE(matches({}, make_pod())); }

TEST(Match, ComparesNamespaceNameImageLabelsAndAnnotations) {
  const auto match = [](const std::string& json) {
    return matches(rule(R"({"match":)" + json + "}").match, make_pod());
  };

  EXPECT_TRUE(match(R"({"name":"web-*"})"));
  EXPECT_FALSE(match(R"({"name":"db-*"})"));
  EXPECT_TRUE(match(R"({"namespace":"sh?p"})"));
  EXPECT_FALSE(match(R"({"namespace":"default"})"));
  EXPECT_TRUE(match(R"({"image":"*/app:*"})"));
  EXPECT_FALSE(match(R"({"image":"*:broken"})"));
  EXPECT_TRUE(match(R"({"labels":{"app":"w*"}})"));
  EXPECT_FALSE(match(R"({"labels":{"app":"web","tier":"*"}})"));
  EXPECT_TRUE(match(R"({"annotations":{"team":"blue"}})"));
  EXPECT_FALSE(match(R"({"name":"web-*","annotations":{"team":"red"}})"));
}

TEST(Rule, ReadsAllThatCanHappen) {
  const Actions all = rule(R"({
    "start_delay_ms": 10, "stop_delay_ms": 20, "vanish_after_ms": 30, "jitter_ms": 5,
    "evict": {"after_ms": 80, "reason": "Reclaimed", "message": "go", "grace_ms": 90},
    "lie": "old_seq",
    "fail": {"stage": "start", "code": "resource_exhausted", "reason": "Full", "message": "no room",
             "retry": "never", "effect": "happened", "scope": "provider", "tries": 3},
    "hang": {"for_ms": 40, "ignore_cancel": true, "tries": 2},
    "exit": {"code": 9, "after_ms": 50, "times": 4, "restart_delay_ms": 600, "container": "app"},
    "unready": {"after_ms": 60, "for_ms": 70},
    "update": {"image": "unsupported", "resources": "deferred", "message": "not today"}})")
                          .actions;

  EXPECT_EQ(all.start_delay, 10);
  EXPECT_EQ(all.stop_delay, 20);
  EXPECT_EQ(all.vanish_after, 30);
  EXPECT_EQ(all.jitter, 5);
  EXPECT_EQ(all.evict->after, 80);
  EXPECT_EQ(all.evict->reason, "Reclaimed");
  EXPECT_EQ(all.evict->message, "go");
  EXPECT_EQ(all.evict->grace, 90);
  EXPECT_EQ(all.lie, Lie::OldSeq);
  EXPECT_EQ(all.fail->stage, FailStage::Start);
  EXPECT_EQ(all.fail->code, VKP_RESOURCE_EXHAUSTED);
  EXPECT_EQ(all.fail->reason, "Full");
  EXPECT_EQ(all.fail->message, "no room");
  EXPECT_EQ(all.fail->retry, VKP_RETRY_NEVER);
  EXPECT_EQ(all.fail->effect, VKP_EFFECT_HAPPENED);
  EXPECT_EQ(all.fail->scope, VKP_SCOPE_PROVIDER);
  EXPECT_EQ(all.fail->tries, 3);
  EXPECT_EQ(all.hang->length, 40);
  EXPECT_TRUE(all.hang->ignore_cancel);
  EXPECT_EQ(all.exit->code, 9);
  EXPECT_EQ(all.exit->restart_delay, 600);
  EXPECT_EQ(all.exit->container, "app");
  EXPECT_EQ(all.unready->length, 70);
  EXPECT_EQ(all.update->image, VKP_UPDATE_UNSUPPORTED);
  EXPECT_EQ(all.update->resources, VKP_UPDATE_DEFERRED);
  EXPECT_EQ(all.update->ephemeral_containers, VKP_UPDATE_APPLIED);
  EXPECT_EQ(all.update->message, "not today");
}

TEST(Rule, RetriesAfterItsTimeWhenItNamesOne) {
  const auto fault = *rule(R"({"fail":{"retry_after_ms":250}})").actions.fail;

  EXPECT_EQ(fault.retry, VKP_RETRY_AFTER);
  EXPECT_EQ(fault.retry_after, 250);
  EXPECT_EQ(fault.code, VKP_UNAVAILABLE);
  EXPECT_EQ(fault.effect, VKP_EFFECT_NONE);
}

TEST(Rule, NamesTheWordsItKnows) {
  try {
    rule(R"({"lie":"white"})");
    FAIL() << "nothing was thrown";
  } catch (const sdk::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'white' is none of nonsense, wrong_containers, old_seq"));
  }
}

TEST(Fate, IsRunningAtOnceWithoutRules) {
  const Fate fate = fate_of({});

  EXPECT_FALSE(fate.fail);
  EXPECT_FALSE(fate.hang);
  EXPECT_EQ(fate.course.start_delay, 0);
  EXPECT_FALSE(fate.course.exit);
}

TEST(Fate, TakesEachEventFromTheFirstRuleThatMatchesAndNamesIt) {
  const Fate fate = fate_of({rule(R"({"match":{"name":"db-*"},"start_delay_ms":1})"),
                             rule(R"({"match":{"name":"web-*"},"start_delay_ms":2})"),
                             rule(R"({"start_delay_ms":3,"exit":{"code":4}})")});

  EXPECT_EQ(fate.course.start_delay, 2);
  EXPECT_EQ(fate.course.exit->code, 4);
}

TEST(Fate, PutsAFailureWhereItsStageIs) {
  const Fate create = fate_of({rule(R"({"fail":{}})")});
  EXPECT_TRUE(create.fail);
  EXPECT_FALSE(create.course.start_fault);

  const Fate start = fate_of({rule(R"({"fail":{"stage":"start"}})")});
  EXPECT_FALSE(start.fail);
  EXPECT_TRUE(start.course.start_fault);
}

TEST(Fate, FollowsAnnotationsBeforeRules) {
  Pod pod = make_pod();
  pod.annotations = {{"mock.vkhost.io/exit-code", "3"},
                     {"mock.vkhost.io/exit-after-ms", "250"},
                     {"mock.vkhost.io/fail", "internal"},
                     {"mock.vkhost.io/fail-tries", "2"},
                     {"other.example/exit-code", "9"}};

  const Fate fate = fate_of({rule(R"({"exit":{"code":1},"stop_delay_ms":7})")}, pod);

  EXPECT_EQ(fate.course.exit->code, 3);
  EXPECT_EQ(fate.course.exit->after, 250);
  EXPECT_EQ(fate.fail->code, VKP_INTERNAL);
  EXPECT_EQ(fate.fail->tries, 2);
  EXPECT_EQ(fate.course.stop_delay, 7) << "what annotations do not name is for the rules";
}

TEST(Fate, ReadsEveryAnnotation) {
  Pod pod = make_pod();
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"start-delay-ms", "1"},
           {"fail-stage", "start"},
           {"fail-retry", "never"},
           {"hang-for-ms", "2"},
           {"exit-times", "3"},
           {"unready-after-ms", "4"},
           {"unready-for-ms", "5"},
           {"vanish-after-ms", "6"},
           {"evict-after-ms", "8"},
           {"stop-delay-ms", "7"},
           {"lie", "nonsense"},
           {"update-image", "deferred"},
           {"update-resources", "infeasible"},
           {"update-ephemeral-containers", "unsupported"}}) {
    pod.annotations["mock.vkhost.io/" + name] = value;
  }

  const Fate fate = fate_of({}, pod);

  EXPECT_EQ(fate.course.start_delay, 1);
  EXPECT_EQ(fate.course.start_fault->retry, VKP_RETRY_NEVER);
  EXPECT_EQ(fate.hang->length, 2);
  EXPECT_EQ(fate.course.exit->times, 3);
  EXPECT_EQ(fate.course.unready->after, 4);
  EXPECT_EQ(fate.course.unready->length, 5);
  EXPECT_EQ(fate.course.vanish_after, 6);
  EXPECT_EQ(fate.course.evict->after, 8);
  EXPECT_EQ(fate.course.evict->reason, "MockEviction");
  EXPECT_EQ(fate.course.evict->grace, std::nullopt);
  EXPECT_EQ(fate.course.stop_delay, 7);
  EXPECT_EQ(fate.course.lie, Lie::Nonsense);
  EXPECT_EQ(fate.update.image, VKP_UPDATE_DEFERRED);
  EXPECT_EQ(fate.update.resources, VKP_UPDATE_INFEASIBLE);
  EXPECT_EQ(fate.update.ephemeral_containers, VKP_UPDATE_UNSUPPORTED);
}

TEST(Fate, RefusesAnAnnotationThatItCannotRead) {
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"exit-code", "one"},
                                                        {"exit-code", "-1"},
                                                        {"exit-code", ""},
                                                        {"start-delay-ms", "99999999999999"},
                                                        {"fail", "badly"},
                                                        {"exitcode", "1"}}) {
    Pod pod = make_pod();
    pod.annotations = {{"mock.vkhost.io/" + name, value}};
    try {
      static_cast<void>(fate_of({}, pod));
      FAIL() << name << "=" << value;
    } catch (const sdk::Error& error) {
      EXPECT_EQ(error.code(), sdk::Code::InvalidArgument);
      EXPECT_EQ(error.retry(), sdk::Retry::Never);
      EXPECT_THAT(error.what(), HasSubstr("mock.vkhost.io/" + name));
    }
  }
}

TEST(Fate, RepeatsForTheSameSeedAndPod) {
  const std::vector<Rule> rules{rule(R"({"start_delay_ms":100,"jitter_ms":100000})")};
  const auto delay = [&](std::uint64_t seed, const std::string& name) {
    return decide_fate(rules, seed, make_pod(name)).course.start_delay;
  };

  EXPECT_EQ(delay(1, "web-0"), delay(1, "web-0"));
  EXPECT_NE(delay(1, "web-0"), delay(2, "web-0"));
  EXPECT_NE(delay(1, "web-0"), delay(1, "web-1"));
  EXPECT_GE(delay(1, "web-0"), 100);
  EXPECT_LE(delay(1, "web-0"), 100'100);
}

TEST(CodeName, IsTheWordOfTheRules) {
  EXPECT_EQ(code_name(VKP_OK), "ok");
  EXPECT_EQ(code_name(VKP_RESOURCE_EXHAUSTED), "resource_exhausted");
  EXPECT_EQ(code_name(99), "unknown");
}

}  // namespace
}  // namespace vkhost::mock
