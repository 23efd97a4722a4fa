#include "node/node_object.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Query.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class NodeObjectTest : public ::testing::Test {
 protected:
  NodeObjectTest() {
    settings_.name = "virtual";
    settings_.provider = "mock";
    settings_.kubelet_version = "v1.36.0-vkhost-0.1.0";
    settings_.kubelet_port = 10250;
    settings_.addresses = {{"InternalIP", "10.0.0.1"}};
  }

  [[nodiscard]] NodeSources sources(std::string_view provider_json = {}) const {
    return {settings_, provider_json, readiness_, WallTime(std::chrono::seconds{1'767'323'045})};
  }
  // The member at a Poco query path, as text.
  static std::string at(const Result<std::string>& json, const std::string& path) {
    if (!json.is_ok()) {
      return json.status().to_string();
    }
    Poco::JSON::Parser parser;
    return Poco::JSON::Query(parser.parse(*json)).findValue<std::string>(path, "(none)");
  }

  Settings settings_;
  Readiness readiness_{true, "KubeletReady", "Kubelet is ready"};
};

// virtual-kubelet#221, #678, #1363: Pods that select an operating system do not fit
TEST_F(NodeObjectTest, HasStandardLabelsAndTheOneThatLoadBalancersHonour) {
  const auto node = new_node(sources());

  ASSERT_TRUE(node.is_ok());
  for (const char* label :
       {R"("kubernetes.io/hostname":"virtual")", R"("kubernetes.io/os":"linux")",
        R"("kubernetes.io/arch":"amd64")", R"("kubernetes.io/role":"agent")",
        R"("beta.kubernetes.io/os":"linux")", R"("beta.kubernetes.io/arch":"amd64")",
        R"("node.kubernetes.io/exclude-from-external-load-balancers":"true")",
        R"("alpha.service-controller.kubernetes.io/exclude-balancer":"true")"}) {
    EXPECT_THAT(*node, HasSubstr(label));
  }
}

TEST_F(NodeObjectTest, HasNoHostnameLabelThatIsTooLongForOne) {
  settings_.name = std::string(64, 'a');
  EXPECT_THAT(*new_node(sources()), Not(HasSubstr("kubernetes.io/hostname")));

  settings_.labels = {{"kubernetes.io/hostname", "short"}};
  EXPECT_THAT(*new_node(sources()), HasSubstr(R"("kubernetes.io/hostname":"short")"));
}

TEST_F(NodeObjectTest, LeavesOutLabelsThatANodeMayNotGiveItself) {
  settings_.is_node_identity = true;
  settings_.labels = {{"team.kubernetes.io/name", "a"},
                      {"topology.kubernetes.io/zone", "z"},
                      {"node.kubernetes.io/instance-type", "big"},
                      {"example.com/x", "1"}};

  const auto node = new_node(sources());

  for (const char* label : {"kubernetes.io/role", "exclude-balancer", "team.kubernetes.io"}) {
    EXPECT_THAT(at(node, "metadata.labels"), Not(HasSubstr(label)));
  }
  for (const char* label : {"kubernetes.io/hostname", "beta.kubernetes.io/arch", "topology",
                            "instance-type", "example.com/x", "exclude-from-external"}) {
    EXPECT_THAT(*node, HasSubstr(label));
  }
  EXPECT_THAT(*labels_left_out(sources()), ElementsAre("team.kubernetes.io/name"));
}

TEST_F(NodeObjectTest, LeavesAloneWhatANodeMayNotRemoveOfItself) {
  settings_.labels = {{"example.com/x", "1"}};
  const auto before = new_node(sources());  // by somebody who may set all labels
  settings_.is_node_identity = true;
  settings_.labels.clear();

  const auto patch = node_patch(sources(), *before);

  EXPECT_THAT(*patch, HasSubstr(R"("example.com/x":null)"));
  EXPECT_THAT(at(patch, "metadata.labels"), Not(HasSubstr("kubernetes.io")));
}

TEST_F(NodeObjectTest, NamesTheArchitectureOfTheProviderUnlessOneIsConfigured) {
  const char* provider = R"({"status":{"nodeInfo":{"architecture":"arm64"}}})";

  EXPECT_EQ(at(new_node(sources(provider)), "status.nodeInfo.architecture"), "arm64");
  EXPECT_THAT(*new_node(sources(provider)), HasSubstr(R"("kubernetes.io/arch":"arm64")"));
  settings_.architecture = "riscv64";
  EXPECT_EQ(at(new_node(sources(provider)), "status.nodeInfo.architecture"), "riscv64");
}

TEST_F(NodeObjectTest, RemembersTheUidOfItsClusterThoughItsDaemonDoesNotKnowItYet) {
  const auto without = new_node(sources());
  settings_.cluster_uid = "cluster-1";
  const auto node = new_node(sources());

  EXPECT_EQ(*kept_cluster_uid(*without), "");
  EXPECT_EQ(*kept_cluster_uid(*node), "cluster-1");
  EXPECT_TRUE(*differs(sources(), *without));
  EXPECT_THAT(*node_patch(sources(), *without),
              HasSubstr(R"("vkhost.io/cluster-uid":"cluster-1")"));

  settings_.cluster_uid.clear();
  EXPECT_FALSE(*differs(sources(), *node));
  EXPECT_THAT(*node_patch(sources(), *node), Not(HasSubstr("vkhost.io/cluster-uid")));
}

// virtual-kubelet#1363: Conditions of the node that no kubelet has had for years
TEST_F(NodeObjectTest, HasTheFiveConditionsOfAKubelet) {
  const auto node = new_node(sources());

  for (const char* condition :
       {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"}) {
    EXPECT_THAT(*node, HasSubstr(R"("type":")" + std::string(condition) + "\""));
  }
  EXPECT_THAT(*node, Not(HasSubstr("OutOfDisk")));
}

TEST_F(NodeObjectTest, LetsConfigurationWinOverProviderAndProviderOverHost) {
  settings_.capacity = {{"cpu", "8"}};
  settings_.labels = {{"zone", "configured"}};

  const auto node = new_node(sources(
      R"({"metadata":{"labels":{"zone":"given","type":"given"}},)"
      R"("status":{"capacity":{"cpu":"4","pods":"10"}},"spec":{"providerID":"mock://1"}})"));

  EXPECT_EQ(at(node, "status.capacity.cpu"), "8");
  EXPECT_EQ(at(node, "status.capacity.pods"), "10");
  EXPECT_EQ(at(node, "status.allocatable.cpu"), "8");
  EXPECT_EQ(at(node, "metadata.labels.zone"), "configured");
  EXPECT_EQ(at(node, "metadata.labels.type"), "given");
  EXPECT_EQ(at(node, "spec.providerID"), "mock://1");
}

TEST_F(NodeObjectTest, IsNotReadyWhenTheProviderSaysSo) {
  const auto node = new_node(sources(
      R"({"status":{"conditions":[{"type":"Ready","status":"False","reason":"Drained"}]}})"));

  EXPECT_THAT(*node, HasSubstr(R"("reason":"Drained")"));
  EXPECT_THAT(*node, Not(HasSubstr("KubeletReady")));
}

TEST_F(NodeObjectTest, DoesNotBelieveAProviderThatIsReadyWhenTheHostIsNot) {
  readiness_ = {false, "ProviderUnreachable", "no route"};

  const auto node =
      new_node(sources(R"({"status":{"conditions":[{"type":"Ready","status":"True"}]}})"));

  EXPECT_THAT(*node, HasSubstr("ProviderUnreachable"));
}

TEST_F(NodeObjectTest, RefusesAProviderNodeThatIsNoObject) {
  EXPECT_EQ(new_node(sources("[]")).status().code(), StatusCode::InvalidArgument);
  EXPECT_EQ(new_node(sources("{")).status().code(), StatusCode::InvalidArgument);
}

TEST_F(NodeObjectTest, PatchesOnlyWhatDiffersBesidesTheConditions) {
  const auto node = new_node(sources());
  ASSERT_TRUE(node.is_ok());

  const NodeSources later{settings_, {}, readiness_, WallTime(std::chrono::seconds{1'767'400'000})};

  const auto patch = node_patch(later, *node);

  ASSERT_TRUE(patch.is_ok());
  EXPECT_EQ(at(patch, "metadata.labels.type"), "(none)");
  EXPECT_EQ(at(patch, "status.capacity.cpu"), "(none)");
  EXPECT_THAT(*patch, HasSubstr(R"("metadata":{"annotations":{},"labels":{}})"));
  EXPECT_THAT(*patch, HasSubstr("lastHeartbeatTime"));
}

TEST_F(NodeObjectTest, RemovesALabelOfOursThatIsNoLongerWantedAndKeepsForeignOnes) {
  settings_.labels = {{"mine", "1"}};
  std::string before = *new_node(sources());
  before.insert(before.find("\"labels\":{") + 10, "\"foreign\":\"1\",");
  settings_.labels.clear();

  const auto patch = node_patch(sources(), before);

  EXPECT_THAT(*patch, HasSubstr(R"("mine":null)"));
  EXPECT_THAT(*patch, Not(HasSubstr("foreign")));
}

TEST_F(NodeObjectTest, ReplacesAddressesAsAWhole) {
  const std::string before = *new_node(sources());
  settings_.addresses = {{"InternalIP", "10.0.0.2"}, {"InternalIP", "fd00::2"}};

  const auto patch = node_patch(sources(), before);

  EXPECT_THAT(*patch,
              HasSubstr(R"({"address":"fd00::2","type":"InternalIP"},{"$patch":"replace"})"));
}

TEST_F(NodeObjectTest, KeepsTheTransitionTimeOfAConditionThatDidNotChange) {
  const std::string before = *new_node(sources());
  const NodeSources later{settings_, {}, readiness_, WallTime(std::chrono::seconds{1'767'400'000})};

  const auto patch = node_patch(later, before);

  EXPECT_THAT(*patch, HasSubstr(R"("lastTransitionTime":"2026-01-02T03:04:05Z")"));
  EXPECT_THAT(*patch, Not(HasSubstr(R"("lastTransitionTime":"2026-01-03)")));
}

// ---- What is no longer wanted, and what is written otherwise

constexpr const char* kWithGpu = R"({"status":{"capacity":{"cpu":"4","nvidia.com/gpu":"8"},)"
                                 R"("conditions":[{"type":"GpuHealthy","status":"True"}]}})";

TEST_F(NodeObjectTest, RemovesAResourceThatIsNoLongerOffered) {
  const std::string before = *new_node(sources(kWithGpu));

  const auto patch = node_patch(sources(R"({"status":{"capacity":{"cpu":"4"}}})"), before);

  EXPECT_THAT(*patch, HasSubstr(R"("capacity":{"nvidia.com/gpu":null})"));
  EXPECT_THAT(*patch, HasSubstr(R"("allocatable":{"nvidia.com/gpu":null})"));
}

TEST_F(NodeObjectTest, KeepsAResourceThatSomebodyElseAdded) {
  std::string before = *new_node(sources(R"({"status":{"capacity":{"cpu":"4"}}})"));
  before.insert(before.find(R"("capacity":{)") + 12, R"("example.com/dongle":"1",)");

  const auto patch = node_patch(sources(R"({"status":{"capacity":{"cpu":"4"}}})"), before);

  EXPECT_THAT(*patch, Not(HasSubstr("dongle")));
}

TEST_F(NodeObjectTest, TakesAQuantityForTheSameHoweverItIsWritten) {
  const std::string before =
      *new_node(sources(R"({"status":{"capacity":{"pods":"1k","memory":"1Gi"}}})"));

  const auto patch =
      node_patch(sources(R"({"status":{"capacity":{"pods":1000,"memory":"1024Mi"}}})"), before);

  EXPECT_THAT(*patch, Not(HasSubstr("capacity")));
  EXPECT_THAT(*patch, Not(HasSubstr("allocatable")));
}

TEST_F(NodeObjectTest, RemovesAConditionThatTheProviderNoLongerReports) {
  const std::string before = *new_node(sources(kWithGpu));

  const auto patch = node_patch(sources(), before);

  EXPECT_THAT(*patch, HasSubstr(R"({"$patch":"delete","type":"GpuHealthy"})"));
}

TEST_F(NodeObjectTest, TakesANullOfTheProviderForNothingSaid) {
  const NodeSources given = sources(
      R"({"metadata":{"labels":{"a":null}},"status":{"nodeInfo":{"osImage":null,"swap":{"capacity":null}}}})");

  const auto node = new_node(given);

  EXPECT_THAT(*node, Not(HasSubstr("null")));
  EXPECT_THAT(*node, HasSubstr(R"("osImage":"")"));
}

TEST_F(NodeObjectTest, RemovesWhatIsNoLongerInTheNodeInfo) {
  const std::string before =
      *new_node(sources(R"({"status":{"nodeInfo":{"swap":{"capacity":7}}}})"));

  EXPECT_TRUE(*differs(sources(), before));
  EXPECT_THAT(*node_patch(sources(), before), HasSubstr(R"("swap":null)"));
}

TEST_F(NodeObjectTest, RefusesOrdersOfAPatchInTheProvidersNode) {
  for (const char* node : {R"({"metadata":{"labels":{"$patch":"delete"}}})",
                           R"({"status":{"conditions":[{"type":"x","$patch":"delete"}]}})"}) {
    EXPECT_EQ(new_node(sources(node)).status().code(), StatusCode::InvalidArgument) << node;
  }
}

TEST_F(NodeObjectTest, AddsAConditionOfTheProviderAndLeavesThoseOfOthersAlone) {
  std::string before = *new_node(sources());
  before.insert(before.find(R"("conditions":[)") + 14,
                R"({"type":"KernelDeadlock","status":"False"},)");
  before.insert(before.find(R"("annotations":{)") + 15, R"("example.com/foreign":"1",)");

  const auto patch = node_patch(sources(kWithGpu), before);

  EXPECT_THAT(*patch, HasSubstr("GpuHealthy"));
  EXPECT_THAT(*patch, Not(HasSubstr("KernelDeadlock")));
  EXPECT_THAT(*patch, Not(HasSubstr("example.com/foreign")));
}

TEST_F(NodeObjectTest, DiffersFromTheApiOnlyInWhatIsNoHeartbeat) {
  const std::string before = *new_node(sources(kWithGpu));
  const NodeSources later{settings_, kWithGpu, readiness_,
                          WallTime(std::chrono::seconds{1'767'400'000})};

  EXPECT_FALSE(*differs(later, before));

  const NodeSources unready{settings_, kWithGpu, {false, "Gone", "gone"}, later.now};
  EXPECT_TRUE(*differs(unready, before));
  EXPECT_TRUE(*differs(sources(), before));
  settings_.labels = {{"mine", "1"}};
  EXPECT_TRUE(*differs(later, before));
}

// ---- Spec

class NodeSpecTest : public NodeObjectTest {
 protected:
  NodeSpecTest() { settings_.taints = {{{"mine", "1", "NoSchedule"}}}; }

  // A node of ours whose taints are these instead.
  [[nodiscard]] std::string node_with(const std::string& taints,
                                      const std::string& more = {}) const {
    std::string node = *new_node(sources());
    const std::string own = R"("taints":[{"effect":"NoSchedule","key":"mine","value":"1"}])";
    node.replace(node.find(own), own.size(), R"("taints":[)" + taints + "]" + more);
    node.insert(node.find(R"("metadata":{)") + 12, R"("resourceVersion":"7",)");
    return node;
  }
  static constexpr const char* kMine = R"({"key":"mine","value":"1","effect":"NoSchedule"})";
  static constexpr const char* kForeign = R"({"key":"theirs","effect":"NoExecute"})";
};

TEST_F(NodeSpecTest, IsLeftAloneWhereItIsAsWanted) {
  const auto patch = spec_patch(
      sources(), node_with(std::string(kForeign) + "," + kMine, R"(,"providerID":"theirs://1")"));

  EXPECT_EQ(patch.value().json, "");
  EXPECT_EQ(patch.value().foreign_provider_id, "");
}

TEST_F(NodeSpecTest, PutsBackATaintThatSomebodyRemovedAndKeepsForeignOnes) {
  const auto patch = spec_patch(sources(), node_with(kForeign));

  EXPECT_THAT(patch.value().json, HasSubstr(R"("key":"mine")"));
  EXPECT_THAT(patch.value().json, HasSubstr(R"("key":"theirs")"));
  EXPECT_THAT(patch.value().json, HasSubstr(R"("resourceVersion":"7")"));
}

TEST_F(NodeSpecTest, RegistersWithStartupTaintsAndLeavesThemToOthersThen) {
  settings_.startup_taints = {{"node.cilium.io/agent-not-ready", "", "NoExecute"},
                              {"mine", "other", "NoSchedule"}};
  const std::string made = *new_node(sources());
  EXPECT_THAT(made, HasSubstr("node.cilium.io/agent-not-ready"));
  EXPECT_THAT(made, Not(HasSubstr("other"))) << "one taint of a key and an effect";

  EXPECT_EQ(spec_patch(sources(), made).value().json, "");
  std::string taken_away = made;
  const std::string taint = R"(,{"effect":"NoExecute","key":"node.cilium.io/agent-not-ready"})";
  ASSERT_NE(taken_away.find(taint), std::string::npos);
  taken_away.erase(taken_away.find(taint), taint.size());

  EXPECT_EQ(spec_patch(sources(), taken_away).value().json, "");
}

TEST_F(NodeSpecTest, LeavesTaintsOfTheControlPlaneToIt) {
  settings_.taints->push_back({"node.cloudprovider.kubernetes.io/uninitialized", "", "NoSchedule"});
  ASSERT_THAT(*new_node(sources()), HasSubstr("uninitialized"));

  const auto patch = spec_patch(
      sources(), std::string(R"({"metadata":{"resourceVersion":"7"},"spec":{"taints":[)") + kMine +
                     R"(,{"key":"node.kubernetes.io/unreachable","effect":"NoExecute"}]}})");

  EXPECT_EQ(patch.value().json, "");
}

TEST_F(NodeSpecTest, RemovesATaintOfOursThatIsNoLongerWanted) {
  const std::string before = node_with(std::string(kForeign) + "," + kMine);
  settings_.taints.emplace();

  const auto patch = spec_patch(sources(), before);

  EXPECT_THAT(patch.value().json, HasSubstr(R"("key":"theirs")"));
  EXPECT_THAT(patch.value().json, Not(HasSubstr("mine")));
}

TEST_F(NodeSpecTest, PutsRightATaintOfOursThatSomebodyChanged) {
  const auto patch =
      spec_patch(sources(), node_with(R"({"key":"mine","value":"2","effect":"NoSchedule"})"));

  EXPECT_THAT(patch.value().json, HasSubstr(R"("value":"1")"));
  EXPECT_THAT(patch.value().json, Not(HasSubstr(R"("value":"2")")));
}

TEST_F(NodeSpecTest, KeepsItsTaintsUnderANodeIdentity) {
  settings_.is_node_identity = true;

  EXPECT_EQ(spec_patch(sources(), node_with(kForeign)).value().json, "");
}

TEST_F(NodeSpecTest, GetsItsProviderIdUnderANodeIdentityToo) {
  const std::string before = node_with(kForeign);
  settings_.is_node_identity = true;
  settings_.provider_id = "static://rack-1";

  const std::string patch = spec_patch(sources(), before).value().json;

  EXPECT_THAT(patch, HasSubstr(R"("providerID":"static://rack-1")"));
  EXPECT_THAT(patch, Not(HasSubstr("taints")));
}

// virtual-kubelet#321, #427, interLink#358: A cloud controller deletes the node it does not know
TEST_F(NodeSpecTest, GetsItsProviderIdWhereItHasNone) {
  const std::string before = node_with(kMine);
  settings_.provider_id = "static://rack-1";

  EXPECT_THAT(spec_patch(sources(), before).value().json,
              HasSubstr(R"("providerID":"static://rack-1")"));
}

TEST_F(NodeSpecTest, NamesAProviderIdThatItCannotChange) {
  const std::string before = node_with(kMine, R"(,"providerID":"cloud://9")");
  settings_.provider_id = "static://rack-1";

  const auto patch = spec_patch(sources(), before);

  EXPECT_EQ(patch.value().json, "");
  EXPECT_EQ(patch.value().foreign_provider_id, "cloud://9");
}

TEST(NameFromProvider, IsEmptyWhenTheProviderGivesNone) {
  EXPECT_EQ(*name_from_provider("{}"), "");
  EXPECT_EQ(*name_from_provider(R"({"metadata":{"name":"ip-10-0-0-1"}})"), "ip-10-0-0-1");
}

}  // namespace
}  // namespace vkhost::node
