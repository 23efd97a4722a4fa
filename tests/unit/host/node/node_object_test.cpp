#include "node/node_object.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Query.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::node {
namespace {

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

TEST_F(NodeObjectTest, HasStandardLabelsAndTheOneThatLoadBalancersHonour) {
  const auto node = new_node(sources());

  ASSERT_TRUE(node.is_ok());
  for (const char* label :
       {R"("kubernetes.io/hostname":"virtual")", R"("kubernetes.io/os":"linux")",
        R"("kubernetes.io/arch":"amd64")", R"("kubernetes.io/role":"agent")",
        R"("node.kubernetes.io/exclude-from-external-load-balancers":"true")"}) {
    EXPECT_THAT(*node, HasSubstr(label));
  }
}

TEST_F(NodeObjectTest, LeavesOutTheRoleLabelThatANodeIdentityMayNotSet) {
  settings_.is_node_identity = true;

  EXPECT_THAT(*new_node(sources()), Not(HasSubstr("kubernetes.io/role")));
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

TEST(Lease, NamesTheNodeAsItsOwnerAgainAfterTheNodeWasMadeAnew) {
  const LeaseSources sources{"virtual", "uid-2", std::chrono::seconds{40},
                             WallTime(std::chrono::seconds{1'767'323'045})};

  const auto lease = renewed_lease(
      sources,
      R"({"metadata":{"resourceVersion":"7","ownerReferences":[{"name":"virtual","uid":"uid-1"}]},)"
      R"("spec":{"holderIdentity":"virtual"}})");

  ASSERT_TRUE(lease.is_ok());
  EXPECT_THAT(*lease, HasSubstr(R"("uid":"uid-2")"));
  EXPECT_THAT(*lease, Not(HasSubstr("uid-1")));
  EXPECT_THAT(*lease, HasSubstr(R"("resourceVersion":"7")"));
  EXPECT_THAT(*lease, HasSubstr(R"("renewTime":"2026-01-02T03:04:05.000000Z")"));
  EXPECT_THAT(*lease, HasSubstr(R"("leaseDurationSeconds":40)"));
}

TEST(NameFromProvider, IsEmptyWhenTheProviderGivesNone) {
  EXPECT_EQ(*name_from_provider("{}"), "");
  EXPECT_EQ(*name_from_provider(R"({"metadata":{"name":"ip-10-0-0-1"}})"), "ip-10-0-0-1");
}

}  // namespace
}  // namespace vkhost::node
