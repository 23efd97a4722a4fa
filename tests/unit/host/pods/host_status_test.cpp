#include "pods/host_status.hpp"

#include "pods/status_merge.hpp"
#include "support/fake_provider.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace vkhost::pods {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using vkhost::testing::pod_status;

const WallTime kNow{std::chrono::seconds{1'767'323'045}};

kube::PodPtr pod_with(std::string_view status) {
  auto pod = kube::parse_pod(R"({"metadata":{"name":"web","namespace":"default","uid":"u-1"},
      "spec":{"containers":[{"name":"a"},{"name":"b"}]},"status":)" +
                             std::string(status) + "}");
  EXPECT_TRUE(pod.is_ok()) << pod.status().to_string();
  return *pod;
}

TEST(LostStatus, EndsContainersWhoseEndNobodySaw) {
  const LossReport lost =
      lost_status(*pod_with(R"({"containerStatuses":[{"name":"a","image":"nginx","restartCount":2,
          "state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}}]})"),
                  "", Status::ok(), kNow);

  EXPECT_EQ(lost.reason, "ProviderLost");
  EXPECT_THAT(lost.status_json, HasSubstr(R"("phase":"Failed")"));
  EXPECT_THAT(lost.status_json, HasSubstr(R"("exitCode":137)"));
  EXPECT_THAT(lost.status_json, HasSubstr(R"("startedAt":"2026-01-01T00:00:00Z")"));
  EXPECT_THAT(lost.status_json, HasSubstr(R"("restartCount":2)"));
  EXPECT_THAT(lost.status_json, HasSubstr(R"("name":"b")"));
}

TEST(LostStatus, KeepsTheEndsThatAreKnown) {
  const LossReport lost = lost_status(
      *pod_with(R"({"containerStatuses":[{"name":"b","state":{"terminated":{"exitCode":5}}}]})"),
      R"({"containerStatuses":[{"name":"a","state":{"terminated":{"exitCode":4}}}]})", Status::ok(),
      kNow);

  EXPECT_THAT(lost.status_json, HasSubstr(R"("exitCode":4)"));
  EXPECT_THAT(lost.status_json, HasSubstr(R"("exitCode":5)"));
  EXPECT_THAT(lost.status_json, Not(HasSubstr("137")));
}

TEST(LostStatus, SaysWhatTheProviderSaid) {
  const LossReport lost =
      lost_status(*pod_with("{}"), "",
                  unavailable("the host was reclaimed").with_reason("SpotReclaimed"), kNow);

  EXPECT_EQ(lost.reason, "SpotReclaimed");
  EXPECT_THAT(lost.message, HasSubstr("the host was reclaimed"));
  EXPECT_THAT(lost.status_json, HasSubstr("the host was reclaimed"));
}

TEST(LostStatus, CanBeMergedWhateverTheProviderSaidBefore) {
  for (const char* observed : {"", "nonsense", "[]", R"({"containerStatuses":7})",
                               R"({"containerStatuses":[7,{"name":"a","state":7}]})"}) {
    const auto pod = pod_with("{}");
    const LossReport lost = lost_status(*pod, observed, Status::ok(), kNow);

    EXPECT_TRUE(merge_status({*pod, lost.status_json, "", kNow}).is_ok()) << observed;
  }
}

TEST(LostStatus, EndsInitContainersToo) {
  auto pod = kube::parse_pod(R"({"metadata":{"name":"web","namespace":"default","uid":"u-1"},
      "spec":{"initContainers":[{"name":"i"},{"name":"j"},{"name":"k"}],"containers":[{"name":"a"}],
              "ephemeralContainers":[{"name":"debug"}]},
      "status":{"initContainerStatuses":[
        {"name":"i","image":"x","state":{"terminated":{"exitCode":0}}},
        {"name":"j","image":"y","state":{"running":{"startedAt":"2026-01-01T00:00:00Z"}}},
        {"name":"k","image":"z","state":{"waiting":{"reason":"PodInitializing"}}}],
      "ephemeralContainerStatuses":[{"name":"debug","image":"sh","state":{"running":{}}}]}})");
  ASSERT_TRUE(pod.is_ok());

  const LossReport lost = lost_status(**pod, "", Status::ok(), kNow);

  EXPECT_THAT(lost.status_json, Not(HasSubstr(R"("running")")));
  EXPECT_THAT(lost.status_json, HasSubstr(R"("exitCode":0)"));
  EXPECT_THAT(lost.status_json, HasSubstr(R"("waiting")"));
  EXPECT_THAT(lost.status_json, HasSubstr(R"("name":"debug")"));
  EXPECT_TRUE(merge_status({**pod, lost.status_json, "", kNow}).is_ok());
}

TEST(ConcludedStatus, SucceedsOnlyWhereEverythingIsKnownToHaveEndedWell) {
  const auto pod = pod_with("{}");
  const std::string well = R"({"phase":"Running","containerStatuses":[
      {"name":"a","state":{"terminated":{"exitCode":0}}},
      {"name":"b","state":{"terminated":{"exitCode":0}}}]})";
  const std::string half = R"({"phase":"Running","containerStatuses":[
      {"name":"a","state":{"terminated":{"exitCode":0}}},
      {"name":"b","state":{"running":{}}}]})";

  EXPECT_THAT(concluded_status(*pod, well, Status::ok(), kNow),
              HasSubstr(R"("phase":"Succeeded")"));
  EXPECT_THAT(concluded_status(*pod, half, Status::ok(), kNow), HasSubstr(R"("phase":"Failed")"));
  EXPECT_THAT(concluded_status(*pod, "", Status::ok(), kNow), HasSubstr(R"("phase":"Failed")"));
}

TEST(ConcludedStatus, CanBeMergedWhateverTheProviderSaidBefore) {
  for (const char* observed :
       {"", "nonsense", "[]", R"({"containerStatuses":7})",
        R"({"containerStatuses":[7,{"name":"a","state":7}]})",
        R"({"initContainerStatuses":[7,{"name":7,"state":{"running":{}}}]})"}) {
    const auto pod = pod_with("{}");
    const std::string made =
        concluded_status(*pod, observed, deadline_exceeded("why").with_reason("Why"), kNow);

    EXPECT_TRUE(merge_status({*pod, made, "", kNow}).is_ok()) << observed;
    EXPECT_THAT(made, HasSubstr(R"("reason":"Why")")) << observed;
  }
}

TEST(RejectedStatus, LetsEveryContainerWait) {
  const std::string status = rejected_status(*pod_with("{}"), "NoGpu", "no \"GPU\" here", false);

  EXPECT_THAT(status, HasSubstr(R"("phase":"Pending")"));
  EXPECT_THAT(status, HasSubstr(R"("name":"b")"));
  EXPECT_THAT(status, HasSubstr(R"(no \"GPU\" here)"));
}

TEST(RejectedStatus, LetsTheFirstInitContainerWaitAndTheOthersForIt) {
  const auto pod = kube::parse_pod(
      R"({"metadata":{"name":"p","namespace":"n","uid":"u"},"spec":{"initContainers":[{"name":"i"}],)"
      R"("containers":[{"name":"a"}]}})");

  const std::string status = rejected_status(**pod, "NoGpu", "no GPU", false);

  const std::size_t init = status.find(R"("initContainerStatuses":[)");
  ASSERT_NE(init, std::string::npos);
  EXPECT_THAT(status.substr(0, init), HasSubstr("PodInitializing"));
  EXPECT_THAT(status.substr(init, status.find(']', init) - init), HasSubstr("NoGpu"));
}

TEST(RejectedStatus, EndsAPodWithoutInventingContainers) {
  const std::string status = rejected_status(*pod_with("{}"), "NoGpu", "no GPU", true);

  EXPECT_THAT(status, HasSubstr(R"("phase":"Failed")"));
  EXPECT_THAT(status, Not(HasSubstr("containerStatuses")));
}

TEST(StatusFacts, SeeWhetherAnythingRanAndWhetherItIsOver) {
  EXPECT_FALSE(status_facts(pod_status("Pending", {"a"}, "waiting")).started);
  EXPECT_TRUE(status_facts(pod_status("Running", {"a"}, "running")).started);
  EXPECT_FALSE(status_facts(pod_status("Running", {"a"}, "running")).final);
  EXPECT_TRUE(status_facts(pod_status("Succeeded", {"a"}, "terminated")).started);
  EXPECT_TRUE(status_facts(pod_status("Failed", {"a"}, "terminated")).final);
  EXPECT_TRUE(status_facts(R"({"phase":"Pending","initContainerStatuses":[
      {"name":"i","state":{"running":{}}}]})")
                  .started);
  EXPECT_TRUE(status_facts(R"({"phase":"Running","containerStatuses":[{"name":"a",
      "state":{"waiting":{}},"lastState":{"terminated":{"exitCode":1}}}]})")
                  .started);
}

TEST(StatusFacts, AreFalseForWhatCannotBeRead) {
  for (const char* text : {"", "{", "[]", "7", R"({"containerStatuses":{"running":1}})",
                           R"({"containerStatuses":["running",{"state":{"running":1}}]})"}) {
    EXPECT_FALSE(status_facts(text).started) << text;
    EXPECT_FALSE(status_facts(text).final) << text;
  }
}

}  // namespace
}  // namespace vkhost::pods
