#include "pods/status_merge.hpp"

#include "support/fake_provider.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::pods {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using vkhost::testing::pod_status;

const WallTime kNow{std::chrono::seconds{1'767'323'045}};

kube::PodPtr pod_with(std::string_view status, std::string_view spec = "") {
  auto pod = kube::parse_pod(
      R"({"metadata":{"name":"web","namespace":"default","uid":"u-1","generation":3},
          "spec":{"containers":[{"name":"a"},{"name":"b"}])" +
      std::string(spec) + R"(},"status":)" + std::string(status) + "}");
  EXPECT_TRUE(pod.is_ok()) << pod.status().to_string();
  return *pod;
}

std::string merged(const kube::PodPtr& pod,
                   std::string_view observed,
                   std::string_view host_ip = "") {
  auto patch = merge_status({*pod, observed, host_ip, kNow});
  EXPECT_TRUE(patch.is_ok()) << patch.status().to_string();
  return patch.is_ok() ? *patch : std::string();
}

Poco::JSON::Object::Ptr parsed(const std::string& json) {
  return Poco::JSON::Parser().parse(json).extract<Poco::JSON::Object::Ptr>();
}

Poco::JSON::Object::Ptr condition(const std::string& patch, const std::string& type) {
  const auto list = parsed(patch)->getArray("conditions");
  for (unsigned i = 0; !list.isNull() && i < list->size(); ++i) {
    Poco::JSON::Object::Ptr item = list->getObject(i);
    if (item->getValue<std::string>("type") == type) {
      return item;
    }
  }
  return new Poco::JSON::Object;
}

std::string status_of(const std::string& patch, const std::string& type) {
  return condition(patch, type)->optValue<std::string>("status", "");
}

TEST(MergeStatus, AddsWhatTheProviderLeftOut) {
  const std::string patch = merged(pod_with(R"({"phase":"Pending"})"),
                                   pod_status("Running", {"a", "b"}, "running"), "10.0.0.9");

  const auto status = parsed(patch);
  EXPECT_EQ(status->getValue<std::string>("phase"), "Running");
  EXPECT_EQ(status->getValue<std::string>("startTime"), "2026-01-02T03:04:05Z");
  EXPECT_EQ(status->getValue<std::string>("hostIP"), "10.0.0.9");
  EXPECT_EQ(status->getValue<int>("observedGeneration"), 3);
  for (const char* type : {"PodScheduled", "Initialized", "ContainersReady", "Ready"}) {
    EXPECT_EQ(status_of(patch, type), "True") << type;
  }
  const auto container = status->getArray("containerStatuses")->getObject(0);
  EXPECT_TRUE(container->getValue<bool>("ready"));
  EXPECT_TRUE(container->getValue<bool>("started"));
  EXPECT_EQ(container->getValue<int>("restartCount"), 0);
}

TEST(MergeStatus, NamesTheContainersThatAreNotReady) {
  const std::string patch =
      merged(pod_with("{}"),
             R"({"phase":"Running","containerStatuses":[{"name":"a","state":{"running":{}}}]})");

  EXPECT_EQ(status_of(patch, "Ready"), "False");
  EXPECT_EQ(condition(patch, "Ready")->getValue<std::string>("message"),
            "containers with unready status: [b]");
}

TEST(MergeStatus, LetsTheProvidersConditionsWin) {
  const std::string patch =
      merged(pod_with("{}"),
             R"({"phase":"Running","conditions":[{"type":"Ready","status":"False",
                 "reason":"Warming"}],"containerStatuses":[{"name":"a","state":{"running":{}}},
                 {"name":"b","state":{"running":{}}}]})");

  EXPECT_EQ(status_of(patch, "Ready"), "False");
  EXPECT_EQ(condition(patch, "Ready")->getValue<std::string>("reason"), "Warming");
}

TEST(MergeStatus, LeavesOutConditionsThatSayNothing) {
  const std::string patch =
      merged(pod_with(R"({"phase":"Running","conditions":[{"type":"Ready","status":"False"}]})"),
             R"({"phase":"Running","conditions":[{"type":"Ready"},{"type":"mine","status":7},null,)"
             R"({"status":"True"}],"containerStatuses":[{"name":"a","state":{"running":{}}},)"
             R"({"name":"b","state":{"running":{}}}]})");

  EXPECT_EQ(status_of(patch, "Ready"), "True");
  EXPECT_EQ(condition(patch, "mine")->size(), 0U);
}

TEST(MergeStatus, DerivesReadyFromTheProvidersContainersReady) {
  const std::string patch =
      merged(pod_with("{}"),
             R"({"phase":"Running","conditions":[{"type":"ContainersReady","status":"False"}],
                 "containerStatuses":[{"name":"a","state":{"running":{}}},
                 {"name":"b","state":{"running":{}}}]})");

  EXPECT_EQ(status_of(patch, "Ready"), "False");
}

TEST(MergeStatus, KeepsReadyClosedUntilTheGatesAreOpen) {
  const std::string running = pod_status("Running", {"a", "b"}, "running");
  const std::string_view gate = R"(,"readinessGates":[{"conditionType":"example.com/lb"}])";

  EXPECT_EQ(status_of(merged(pod_with("{}", gate), running), "Ready"), "False");
  EXPECT_EQ(status_of(merged(pod_with(R"({"conditions":[{"type":"example.com/lb",
                                 "status":"True"}]})",
                                      gate),
                             running),
                      "Ready"),
            "True");
}

// virtual-kubelet#976, #988: Readiness gates of others are overwritten
TEST(MergeStatus, LeavesForeignConditionsAlone) {
  const std::string patch =
      merged(pod_with(R"({"conditions":[{"type":"DisruptionTarget","status":"True"}]})"),
             pod_status("Running", {"a", "b"}, "running"));

  EXPECT_THAT(patch, Not(HasSubstr("DisruptionTarget")));
}

TEST(MergeStatus, ChangesTransitionTimesOnlyWithTheStatus) {
  const auto before = pod_with(R"({"conditions":[{"type":"Ready","status":"False",
      "lastTransitionTime":"2020-01-01T00:00:00Z","reason":"Other"},
      {"type":"ContainersReady","status":"True","lastTransitionTime":"2020-01-01T00:00:00Z"}]})");

  const std::string waiting = merged(before, pod_status("Pending", {"a", "b"}, "waiting"));

  EXPECT_EQ(condition(waiting, "Ready")->getValue<std::string>("lastTransitionTime"),
            "2020-01-01T00:00:00Z");
  EXPECT_EQ(condition(waiting, "ContainersReady")->getValue<std::string>("lastTransitionTime"),
            "2026-01-02T03:04:05Z");
}

TEST(MergeStatus, RemovesTheReasonOfAConditionThatIsTrueNow) {
  const auto before = pod_with(R"({"conditions":[{"type":"Ready","status":"False",
      "reason":"ContainersNotReady","message":"containers with unready status: [a]"}]})");

  const std::string patch = merged(before, pod_status("Running", {"a", "b"}, "running"));

  EXPECT_TRUE(condition(patch, "Ready")->has("reason"));
  EXPECT_TRUE(condition(patch, "Ready")->get("reason").isEmpty());
}

TEST(MergeStatus, RemovesAReasonAndMessageThatAreOver) {
  const std::string patch =
      merged(pod_with(R"({"phase":"Pending","reason":"ProviderFailed","message":"HTTP 500"})"),
             pod_status("Running", {"a", "b"}, "running"));

  EXPECT_TRUE(parsed(patch)->has("reason"));
  EXPECT_TRUE(parsed(patch)->get("reason").isEmpty());
  EXPECT_TRUE(parsed(patch)->get("message").isEmpty());
}

TEST(MergeStatus, KeepsTheStartTimeOfTheApi) {
  const std::string patch =
      merged(pod_with(R"({"phase":"Running","startTime":"2020-01-01T00:00:00Z"})"),
             R"({"phase":"Running","startTime":"2026-01-01T00:00:00Z"})");

  EXPECT_THAT(patch, Not(HasSubstr("startTime")));
}

TEST(MergeStatus, CutsFractionsOfSeconds) {
  const std::string patch =
      merged(pod_with("{}"),
             R"({"phase":"Running","containerStatuses":[{"name":"a","state":{"running":
          {"startedAt":"2026-01-02T03:04:05.678Z"}}}]})");

  EXPECT_THAT(patch, HasSubstr(R"("startedAt":"2026-01-02T03:04:05Z")"));
}

TEST(MergeStatus, CompletesAddressesInBothForms) {
  EXPECT_THAT(merged(pod_with("{}"), R"({"phase":"Running","podIP":"10.1.1.1"})"),
              HasSubstr(R"("podIPs":[{"ip":"10.1.1.1"}])"));
  EXPECT_THAT(merged(pod_with("{}"),
                     R"({"phase":"Running","podIPs":[{"ip":"10.1.1.1"},{"ip":"fd00::1"}]})"),
              HasSubstr(R"("podIP":"10.1.1.1")"));
}

TEST(MergeStatus, ReplacesAddressesThatAreNoLongerTrue) {
  const std::string patch = merged(pod_with(R"({"podIP":"10.1.1.1","podIPs":[{"ip":"10.1.1.1"}]})"),
                                   R"({"phase":"Running","podIP":"10.2.2.2"})");

  EXPECT_THAT(patch, HasSubstr(R"("podIPs":[{"ip":"10.2.2.2"},{"$patch":"replace"}])"));
}

TEST(MergeStatus, NamesAnAddressOnceAndTheOneThatStandsAloneFirst) {
  const std::string patch =
      merged(pod_with("{}"), R"({"phase":"Running","podIP":"10.1.0.2",)"
                             R"("podIPs":[{"ip":"fd00::2"},{"ip":"10.1.0.2"},{"ip":"fd00::2"}]})");

  EXPECT_THAT(patch, HasSubstr(R"("podIPs":[{"ip":"10.1.0.2"},{"ip":"fd00::2"}])"));
}

TEST(MergeStatus, SendsNothingWhenTheApiHasItAll) {
  const std::string observed = pod_status("Running", {"a", "b"}, "running");
  const std::string first = merged(pod_with(R"({"phase":"Pending"})"), observed, "10.0.0.9");
  auto stored = parsed(first);
  for (unsigned i = 0; i < 2; ++i) {
    // As an API server writes them out.
    auto container = stored->getArray("containerStatuses")->getObject(i);
    container->getObject("state")->getObject("running")->set("startedAt", "2026-01-02T03:04:05Z");
    container->set("allocatedResources", Poco::Dynamic::Var());
  }
  stored->set("qosClass", "BestEffort");
  std::ostringstream text;
  stored->stringify(text);

  EXPECT_EQ(merged(pod_with(text.str()), observed, "10.0.0.9"), "");
}

TEST(MergeStatus, RemovesWhatIsNoLongerInAnObject) {
  const std::string patch = merged(
      pod_with(R"({"resources":{"requests":{"cpu":"1","memory":"2"},"limits":{"cpu":"1"}}})"),
      R"({"phase":"Running","resources":{"requests":{"cpu":"3"}}})");

  EXPECT_THAT(patch,
              HasSubstr(R"("resources":{"limits":null,"requests":{"cpu":"3","memory":null}})"));
}

TEST(MergeStatus, RefusesOrdersOfAPatchInsideAStatus) {
  for (const char* status :
       {R"({"phase":"Running","$patch":"replace"})",
        R"({"phase":"Running","podIPs":[{"$patch":"delete","ip":"10.1.0.1"}]})",
        R"({"phase":"Running","resources":{"$retainKeys":["a"]}})"}) {
    EXPECT_EQ(merge_status({*pod_with("{}"), status, "", kNow}).status().code(),
              StatusCode::InvalidArgument)
        << status;
  }
}

TEST(MergeStatus, FindsNoDifferenceInWhatTheApiServerLeavesOut) {
  const std::string observed =
      R"({"phase":"Failed","message":"","podIPs":[],"containerStatuses":[)"
      R"({"name":"a","containerID":"","state":{"terminated":{"exitCode":1,"signal":0}}},)"
      R"({"name":"b","state":{"terminated":{"exitCode":1}}}]})";
  Poco::JSON::Object::Ptr first = parsed(merged(pod_with("{}"), observed));
  EXPECT_FALSE(first->has("message"));
  EXPECT_FALSE(first->has("podIPs"));
  for (unsigned i = 0; i < 2; ++i) {
    Poco::JSON::Object::Ptr container = first->getArray("containerStatuses")->getObject(i);
    container->remove("containerID");
    Poco::JSON::Object::Ptr state = container->getObject("state");
    Poco::JSON::Object::Ptr terminated = state->getObject("terminated");
    terminated->remove("signal");
  }
  first->set("phase", "Running");  // an ended pod would not be looked at
  std::ostringstream kept;
  first->stringify(kept);

  const std::string patch = merged(pod_with(kept.str()), observed);

  EXPECT_THAT(patch, Not(HasSubstr("containerStatuses")));
  EXPECT_THAT(patch, HasSubstr(R"("phase":"Failed")"));
}

TEST(MergeStatus, WritesThatAContainerRunsThoughNothingMoreIsKnown) {
  const std::string observed =
      R"({"phase":"Running","containerStatuses":[{"name":"a","state":{"running":{}}},)"
      R"({"name":"b","state":{"running":{}}}]})";

  EXPECT_THAT(merged(pod_with(R"({"containerStatuses":[{"name":"a","state":{}}]})"), observed),
              HasSubstr(R"("running":{})"));
}

TEST(MergeStatus, NeverTouchesTheQosClass) {
  EXPECT_THAT(merged(pod_with("{}"), R"({"phase":"Running","qosClass":"Guaranteed"})"),
              Not(HasSubstr("qosClass")));
}

TEST(MergeStatus, TakesNoMissingExitCodeForSuccess) {
  EXPECT_THAT(merged(pod_with("{}"), R"({"phase":"Failed","containerStatuses":[
                  {"name":"a","state":{"terminated":{}}}]})"),
              HasSubstr(R"("exitCode":137)"));
}

TEST(MergeStatus, TakesOnlyMoreDetailAfterTheEnd) {
  const auto ended = pod_with(R"({"phase":"Failed","reason":"Evicted"})");

  EXPECT_EQ(merged(ended, pod_status("Running", {"a", "b"}, "running")), "");
  const std::string patch = merged(ended, pod_status("Succeeded", {"a", "b"}, "terminated", 3));
  EXPECT_THAT(patch, HasSubstr(R"("exitCode":3)"));
  EXPECT_THAT(patch, Not(HasSubstr("phase")));
}

// virtual-kubelet#583, #938: A malformed status makes every write fail
TEST(MergeStatus, RefusesWhatIsNoStatusOfThisPod) {
  const std::vector<std::string> broken = {
      "",
      "[]",
      "{",
      "{}",
      R"({"phase":"Sleeping"})",
      R"({"phase":7})",
      R"({"phase":"Running","containerStatuses":{}})",
      R"({"phase":"Running","containerStatuses":[7]})",
      R"({"phase":"Running","containerStatuses":[{"name":"stranger"}]})",
      R"({"phase":"Running","containerStatuses":[{"name":"a"},{"name":"a"}]})",
      R"({"phase":"Running","initContainerStatuses":[{"name":"a"}]})",
  };
  for (const std::string& observed : broken) {
    const auto patch = merge_status({*pod_with("{}"), observed, "", kNow});

    EXPECT_EQ(patch.status().code(), StatusCode::InvalidArgument) << observed;
  }
}

TEST(MergeStatus, SurvivesMembersOfUnexpectedTypes) {
  for (const char* observed :
       {R"({"phase":"Running","conditions":{"a":1}})", R"({"phase":"Running","conditions":[1]})",
        R"({"phase":"Running","podIPs":"x","podIP":[]})",
        R"({"phase":"Running","containerStatuses":[{"name":"a","state":7,"ready":"x"}]})",
        R"({"phase":"Running","startTime":{},"hostIP":[1,[2]],"reason":null})"}) {
    static_cast<void>(merge_status({*pod_with("{}"), observed, "10.0.0.9", kNow}));
  }
}

TEST(MergeStatus, LetsAConditionOfTheHostWin) {
  const HostCondition closed{"Ready", false, "ProviderLost", "it is gone"};
  const auto patch = merge_status(
      {*pod_with("{}"), pod_status("Running", {"a", "b"}, "running"), "", kNow, {closed}});

  ASSERT_TRUE(patch.is_ok());
  EXPECT_THAT(*patch, HasSubstr(R"("reason":"ProviderLost","status":"False","type":"Ready")"));
  EXPECT_THAT(*patch, HasSubstr(R"("status":"True","type":"ContainersReady")"));
}

TEST(MergeStatus, WritesAConditionOfTheHostAloneWhereTheProviderHasSaidNothing) {
  const HostCondition trouble{"vkhost.io/Provider", false, "NoCapacity", "none left"};
  const auto first = merge_status({*pod_with(R"({"phase":"Running"})"), "", "", kNow, {trouble}});
  ASSERT_TRUE(first.is_ok());
  EXPECT_THAT(*first, HasSubstr("NoCapacity"));
  EXPECT_THAT(*first, Not(HasSubstr("phase")));

  const auto again = merge_status({*pod_with(*first), "", "", kNow, {trouble}});
  ASSERT_TRUE(again.is_ok());
  EXPECT_EQ(*again, "");
  const auto ended = merge_status({*pod_with(R"({"phase":"Failed"})"), "", "", kNow, {trouble}});
  ASSERT_TRUE(ended.is_ok());
  EXPECT_EQ(*ended, "");
}

TEST(MergeStatus, KeepsOneStateOfAContainer) {
  const std::string patch = merged(pod_with("{}"), R"({"phase":"Running","containerStatuses":[
      {"name":"a","state":{"running":{},"terminated":{"exitCode":3},"waiting":{"reason":"X"}},
       "lastState":{"running":{},"terminated":{"exitCode":4}}},
      {"name":"b","state":{"waiting":{},"running":{}}}]})");

  const auto list = parsed(patch)->getArray("containerStatuses");
  EXPECT_EQ(list->getObject(0)->getObject("state")->getNames(),
            std::vector<std::string>{"terminated"});
  EXPECT_EQ(list->getObject(0)->getObject("lastState")->getNames(),
            std::vector<std::string>{"terminated"});
  EXPECT_EQ(list->getObject(1)->getObject("state")->getNames(),
            std::vector<std::string>{"running"});
  EXPECT_FALSE(list->getObject(0)->getValue<bool>("ready"));
}

TEST(MergeStatus, CountsSidecarsForReadinessAndDoesNotWaitForTheirEnd) {
  const auto pod = pod_with("{}", R"(,"initContainers":[{"name":"setup"},
                                      {"name":"proxy","restartPolicy":"Always"}])");
  const auto with = [&](const char* phase, const char* setup, const char* proxy) {
    return merged(pod, std::string(R"({"phase":")") + phase +
                           R"(","containerStatuses":[{"name":"a","state":{"running":{}}},
                               {"name":"b","state":{"running":{}}}],"initContainerStatuses":[
                               {"name":"setup","state":)" +
                           setup + R"(},{"name":"proxy","state":)" + proxy + "}]}");
  };
  constexpr const char* kDone = R"({"terminated":{"exitCode":0}})";
  constexpr const char* kFailed = R"({"terminated":{"exitCode":1}})";
  constexpr const char* kRuns = R"({"running":{}})";

  const std::string running = with("Running", kDone, kRuns);
  EXPECT_EQ(status_of(running, "Ready"), "True");
  EXPECT_TRUE(
      parsed(running)->getArray("initContainerStatuses")->getObject(1)->getValue<bool>("ready"));
  EXPECT_EQ(status_of(with("Running", kDone, R"({"waiting":{}})"), "Ready"), "False");
  EXPECT_EQ(status_of(with("Pending", kDone, kRuns), "Initialized"), "True");
  EXPECT_EQ(status_of(with("Pending", kDone, R"({"waiting":{}})"), "Initialized"), "False");
  EXPECT_EQ(status_of(with("Pending", kRuns, kRuns), "Initialized"), "False");
  EXPECT_EQ(status_of(with("Pending", kFailed, kRuns), "Initialized"), "False");
}

TEST(MergeStatus, CompletesEphemeralContainers) {
  const auto pod = pod_with("{}", R"(,"ephemeralContainers":[{"name":"x"},{"name":"y"}])");
  const std::string running = R"("containerStatuses":[{"name":"a","state":{"running":{}}},
                                  {"name":"b","state":{"running":{}}}])";
  const std::string observed =
      R"({"phase":"Running",)" + running +
      R"(,"ephemeralContainerStatuses":[{"name":"y","state":{"running":{}}}]})";

  const std::string patch = merged(pod, observed);

  const auto list = parsed(patch)->getArray("ephemeralContainerStatuses");
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ(list->getObject(0)->getValue<std::string>("name"), "x");
  EXPECT_THAT(patch, HasSubstr(R"({"waiting":{"reason":"ContainerCreating"}})"));
  EXPECT_EQ(list->getObject(1)->getValue<std::string>("name"), "y");
  for (unsigned i = 0; i < 2; ++i) {
    EXPECT_FALSE(list->getObject(i)->getValue<bool>("ready"));
    EXPECT_FALSE(list->getObject(i)->has("started"));
    EXPECT_EQ(list->getObject(i)->getValue<std::string>("imageID"), "");
  }
  EXPECT_EQ(status_of(patch, "Ready"), "True");
  const auto stranger = merge_status(
      {*pod_with("{}"), R"({"phase":"Running","ephemeralContainerStatuses":[{"name":"z"}]})", "",
       kNow});
  EXPECT_EQ(stranger.status().code(), StatusCode::InvalidArgument);
}

TEST(MergeStatus, RemovesAConditionThatTheProviderNoLongerReports) {
  const auto before = pod_with(R"({"conditions":[{"type":"Spot","status":"True"},
                                   {"type":"Other","status":"True"}]})");
  const std::string observed = pod_status("Running", {"a", "b"}, "running");
  StatusSources sources{*before, observed, "", kNow};
  sources.dropped = {"Spot", "NeverWritten", "Ready"};

  const auto patch = merge_status(sources);

  ASSERT_TRUE(patch.is_ok());
  EXPECT_THAT(*patch, HasSubstr(R"({"$patch":"delete","type":"Spot"})"));
  EXPECT_THAT(*patch, Not(HasSubstr("NeverWritten")));
  EXPECT_THAT(*patch, Not(HasSubstr("Other")));
  EXPECT_EQ(status_of(*patch, "Ready"), "True");
}

TEST(MergeStatus, ShowsTheGenerationThatWasTold) {
  const std::string observed = pod_status("Running", {"a", "b"}, "running");
  const auto pod = pod_with("{}");  // generation 3
  StatusSources sources{*pod, observed, "", kNow};
  sources.generation = 2;
  auto patch = merge_status(sources);
  ASSERT_TRUE(patch.is_ok());
  EXPECT_EQ(parsed(*patch)->getValue<int>("observedGeneration"), 2);
  EXPECT_EQ(condition(*patch, "Ready")->getValue<int>("observedGeneration"), 2);

  const auto written = pod_with(*patch);
  StatusSources later{*written, observed, "", kNow};
  later.generation = 3;
  patch = merge_status(later);
  ASSERT_TRUE(patch.is_ok());
  EXPECT_EQ(parsed(*patch)->getValue<int>("observedGeneration"), 3);
  EXPECT_THAT(*patch, Not(HasSubstr("containerStatuses")));
  later.generation = 0;  // not known: left as it is
  patch = merge_status(later);
  ASSERT_TRUE(patch.is_ok());
  EXPECT_EQ(*patch, "");
}

TEST(MergeStatus, SendsNoMemberAgainThatAnOlderServerDrops) {
  const std::string observed = pod_status("Running", {"a", "b"}, "running");
  const auto pod = pod_with("{}");
  const auto settled = [&](const kube::PodPtr& seen) {
    StatusSources sources{*seen, observed, "10.0.0.9", kNow};
    sources.resize = {true, true, nullptr};
    return *merge_status(sources);
  };
  auto stored = parsed(settled(pod));
  stored->remove("hostIPs");
  stored->remove("observedGeneration");
  for (unsigned i = 0; i < 2; ++i) {
    stored->getArray("containerStatuses")->getObject(i)->remove("resources");
  }
  const auto conditions = stored->getArray("conditions");
  for (unsigned i = 0; i < conditions->size(); ++i) {
    conditions->getObject(i)->remove("observedGeneration");
  }
  std::ostringstream text;
  stored->stringify(text);

  EXPECT_EQ(settled(pod_with(text.str())), "");
}

TEST(MergeStatus, SendsResourcesThatTheApiLacksOnlyWhenTheyAreDue) {
  const std::string observed = pod_status("Running", {"a", "b"}, "running");
  const auto merged_with = [&](const kube::PodPtr& pod, const ResizeView& resize) {
    StatusSources sources{*pod, observed, "", kNow};
    sources.resize = resize;
    return *merge_status(sources);
  };
  const ResizeView settled{true, true, nullptr};
  const ResizeView due{true, true, nullptr, true};
  const auto without = pod_with(merged_with(pod_with("{}"), {}));
  const auto with = pod_with(merged_with(pod_with("{}"), settled));

  EXPECT_EQ(merged_with(without, settled), "");
  EXPECT_EQ(merged_with(with, due), "");
  const std::string patch = merged_with(without, due);
  EXPECT_EQ(parsed(patch)->size(), 1U) << patch;
  const auto containers = parsed(patch)->getArray("containerStatuses");
  for (unsigned i = 0; i < 2; ++i) {
    EXPECT_TRUE(containers->getObject(i)->isObject("resources")) << patch;
  }
}

TEST(ProviderConditions, AreThoseThatTheHostDoesNotMake) {
  EXPECT_EQ(provider_conditions(R"({"conditions":[{"type":"Ready"},{"type":"Spot"},{},7]})"),
            std::vector<std::string>{"Spot"});
  for (const char* broken : {"", "{", "{}", R"({"conditions":7})", R"({"conditions":[{]})"}) {
    EXPECT_EQ(provider_conditions(broken), std::vector<std::string>{}) << broken;
  }
}

TEST(ProviderConditions, OfAnEarlierProcessAreThoseUnderThePrefixesOfTheProvider) {
  constexpr const char* kStatus =
      R"({"conditions":[{"type":"Ready"},{"type":"example.com/Spot"},{"type":"other.com/Gate"},
                        {"type":"vkhost.io/Provider"},{"type":"Spot"}]})";

  EXPECT_EQ(provider_conditions(kStatus, {"mock.com/", "example.com/"}),
            std::vector<std::string>{"example.com/Spot"});
  EXPECT_EQ(provider_conditions(kStatus, {"vkhost.io/"}), std::vector<std::string>{});
  EXPECT_EQ(provider_conditions(kStatus, {}), std::vector<std::string>{});
}

}  // namespace
}  // namespace vkhost::pods
