#include "pods/admission.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace vkhost::pods {
namespace {

kube::NodeFacts node() {
  kube::NodeFacts facts;
  facts.name = "vk-0";
  facts.operating_system = "linux";
  facts.labels = {{"zone", "a"}};
  facts.allocatable = {{"cpu", 4000}, {"memory", 1000}, {"pods", 2}, {"example.com/gpu", 1}};
  return facts;
}

kube::PodDemand asking(kube::ResourceAmounts requests) {
  kube::PodDemand demand;
  demand.requests = std::move(requests);
  return demand;
}

std::string reason_of(const Seats::Outcome& outcome) {
  EXPECT_NE(outcome.seat == nullptr, !outcome.rejection.has_value());
  return outcome.rejection ? outcome.rejection->reason : "";
}

// ---- The place

TEST(Admission, SaysWhatIsWrongWithThePlaceInTheWordsOfAKubelet) {
  kube::PodDemand pod;
  EXPECT_EQ(check_place(pod, node()), std::nullopt);

  pod.os_label = "windows";
  EXPECT_EQ(check_place(pod, node())->reason, "PodOSSelectorNodeLabelDoesNotMatch");

  pod = {};
  pod.os_name = "windows";
  EXPECT_EQ(check_place(pod, node())->reason, "PodOSNotSupported");

  pod = {};
  pod.node_selector = {{"kubernetes.io/arch", "arm64"}};
  EXPECT_EQ(check_place(pod, node()),
            (Rejection{"NodeAffinity",
                       "Predicate NodeAffinity failed: node(s) didn't match Pod's node "
                       "affinity/selector"}));
}

TEST(Admission, LooksAtTaintsThatForbidExecutionOnly) {
  kube::NodeFacts tainted = node();
  tainted.taints = {{"virtual-kubelet.io/provider", "mock", "NoSchedule"}};
  EXPECT_EQ(check_place({}, tainted), std::nullopt);

  tainted.taints.push_back({"maintenance", "", "NoExecute"});
  EXPECT_EQ(check_place({}, tainted),
            (Rejection{"TaintToleration",
                       "Predicate TaintToleration failed: node(s) had taints that the pod didn't "
                       "tolerate"}));

  kube::PodDemand patient;
  patient.tolerations = {{"maintenance", "Exists", "", ""}};
  EXPECT_EQ(check_place(patient, tainted), std::nullopt);
}

// ---- Seats

TEST(Seats, AreGivenUntilTheNodeIsFull) {
  Seats seats;
  auto first = seats.ask(asking({{"cpu", 3500}}), node(), {});
  ASSERT_NE(first.seat, nullptr);

  const auto second = seats.ask(asking({{"cpu", 501}}), node(), {});

  EXPECT_EQ(second.rejection,
            (Rejection{"OutOfcpu",
                       "Node didn't have enough resource: cpu, requested: 501, used: 3500, "
                       "capacity: 4000"}));
  const auto third = seats.ask(asking({{"cpu", 500}}), node(), {});
  EXPECT_NE(third.seat, nullptr);
  EXPECT_EQ(seats.ask(asking({}), node(), {}).rejection,
            (Rejection{"OutOfpods",
                       "Node didn't have enough resource: pods, requested: 1, used: 2, "
                       "capacity: 2"}));
}

TEST(Seats, ComeBackWhenThePodIsGone) {
  Seats seats;
  {
    const auto whole = seats.ask(asking({{"cpu", 4000}}), node(), {});
    EXPECT_EQ(seats.pods(), 1);
    EXPECT_EQ(kube::amount_of(seats.used(), "cpu"), 4000);
  }

  EXPECT_EQ(seats.pods(), 0);
  EXPECT_TRUE(seats.used().empty());
  EXPECT_NE(seats.ask(asking({{"cpu", 4000}}), node(), {}).seat, nullptr);
}

TEST(Seats, AreNotTakenByWhoIsRejected) {
  Seats seats;

  EXPECT_EQ(reason_of(seats.ask(asking({{"cpu", 1}}), node(), Rejection{"NodeAffinity", ""})),
            "NodeAffinity");
  EXPECT_EQ(reason_of(seats.ask(asking({{"cpu", 9000}}), node(), {})), "OutOfcpu");

  EXPECT_EQ(seats.pods(), 0);
  EXPECT_TRUE(seats.used().empty());
}

TEST(Seats, TellALackOfResourcesBeforeAnotherReasonUnlessTheSystemIsAnother) {
  Seats seats;
  const auto ask = [&](const char* otherwise) {
    return reason_of(seats.ask(asking({{"cpu", 9000}}), node(), Rejection{otherwise, ""}));
  };

  EXPECT_EQ(ask("NodeAffinity"), "OutOfcpu");
  EXPECT_EQ(ask("TaintToleration"), "OutOfcpu");
  EXPECT_EQ(ask("PodOSNotSupported"), "PodOSNotSupported");
  EXPECT_EQ(ask("PodOSSelectorNodeLabelDoesNotMatch"), "PodOSSelectorNodeLabelDoesNotMatch");
}

TEST(Seats, AreNotForWhatTheNodeDoesNotHave) {
  Seats seats;

  EXPECT_EQ(reason_of(seats.ask(asking({{"ephemeral-storage", 1}}), node(), {})),
            "OutOfephemeral-storage");
  EXPECT_EQ(reason_of(seats.ask(asking({{"hugepages-2Mi", 1}}), node(), {})), "OutOfhugepages-2Mi");
  EXPECT_EQ(reason_of(seats.ask(asking({{"example.com/gpu", 2}}), node(), {})),
            "OutOfexample.com/gpu");
  // Counted for the cluster as a whole, it may be.
  EXPECT_EQ(reason_of(seats.ask(asking({{"example.com/licence", 2}}), node(), {})), "");
}

TEST(Seats, AreUnlimitedOnANodeThatSaysNothingOfResources) {
  Seats seats;
  kube::NodeFacts silent = node();
  silent.allocatable.clear();
  const auto first = seats.ask(asking({{"cpu", 1'000'000}}), silent, {});
  const auto second = seats.ask(asking({{"cpu", 1'000'000}}), silent, {});

  EXPECT_NE(first.seat, nullptr);
  EXPECT_NE(second.seat, nullptr);
}

TEST(Seats, MayBeTakenBeyondTheLimitByPodsThatRunAlready) {
  Seats seats;
  const auto one = seats.take({{"cpu", 9000}});
  const auto other = seats.take({{"cpu", 9000}});

  EXPECT_EQ(reason_of(seats.ask(asking({{"memory", 1}}), node(), {})), "OutOfpods");
  EXPECT_EQ(kube::amount_of(seats.used(), "cpu"), 18000);
}

TEST(Seats, OfHostileSizeDoNotOverflow) {
  Seats seats;
  constexpr std::int64_t kMost = INT64_MAX;
  {
    const auto one = seats.take({{"cpu", kMost}});
    const auto other = seats.take({{"cpu", kMost}});
    EXPECT_EQ(reason_of(seats.ask(asking({{"cpu", kMost}}), node(), {})), "OutOfpods");
  }
  EXPECT_TRUE(seats.used().empty());
}

// ---- Age

kube::PodPtr pod(const std::string& name, const std::string& created) {
  return *kube::parse_pod(R"({"metadata":{"name":")" + name +
                          R"(","namespace":"default","uid":"u","creationTimestamp":")" + created +
                          R"("},"spec":{"containers":[]}})");
}

TEST(Admission, BeginsWithTheOldestPod) {
  std::vector<kube::PodPtr> pods = {
      pod("c", "2026-01-02T03:04:06Z"), pod("a", "2026-01-02T03:04:05Z"),
      pod("d", "2026-01-02T03:04:06Z"), pod("b", "2025-12-31T23:59:59Z")};

  sort_oldest_first(pods);

  std::string names;
  for (const kube::PodPtr& each : pods) {
    names += each->name;
  }
  EXPECT_EQ(names, "bacd");
}

}  // namespace
}  // namespace vkhost::pods
