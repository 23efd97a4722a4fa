#include "daemon/node_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vkhost::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(NodePlan, AdvertisesTheKubeletWhereNoAddressIsConfigured) {
  config::NodeConfig node;
  node.name = "virtual";

  const node::Settings settings = node_settings(node, {"10.0.0.1", 10250});

  ASSERT_EQ(settings.addresses.size(), 2U);
  EXPECT_EQ(settings.addresses[0].type, "InternalIP");
  EXPECT_EQ(settings.addresses[0].address, "10.0.0.1");
  EXPECT_EQ(settings.addresses[1].type, "Hostname");
  EXPECT_EQ(settings.addresses[1].address, "virtual");
  EXPECT_EQ(settings.kubelet_port, 10250);
}

TEST(NodePlan, AdvertisesAnAddressOfEachFamily) {
  const node::Settings settings = node_settings({}, {"10.0.0.1", 10250, "fd00::1"});

  ASSERT_EQ(settings.addresses.size(), 3U);
  EXPECT_EQ(settings.addresses[1].type, "InternalIP");
  EXPECT_EQ(settings.addresses[1].address, "fd00::1");
}

TEST(NodePlan, KeepsConfiguredAddressesAndTaints) {
  config::NodeConfig node;
  node.addresses = {{"ExternalIP", "203.0.113.7"}};
  node.taints = {{"example.com/gpu", "true", "NoExecute"}};

  const node::Settings settings = node_settings(node, {"10.0.0.1", 10250});

  ASSERT_EQ(settings.addresses.size(), 1U);
  EXPECT_EQ(settings.addresses[0].address, "203.0.113.7");
  ASSERT_TRUE(settings.taints.has_value());
  EXPECT_EQ(settings.taints->at(0).effect, "NoExecute");
}

TEST(NodePlan, ShowsAKubernetesVersionWithOurOwn) {
  EXPECT_THAT(node_settings({}, {}).kubelet_version, StartsWith("v1."));
  EXPECT_THAT(node_settings({}, {}).kubelet_version, HasSubstr("-vkhost-"));
}

TEST(NodePlan, TakesPoliciesFromTheConfiguration) {
  config::Config config;
  config.policies.on_lost = config::OnLost::Recreate;
  config.policies.orphans = config::Orphans::Delete;
  config.policies.max_orphan_deletions = 3;

  config.pods.deletion_limit = std::chrono::minutes{3};
  config.pods.keep_finished = std::chrono::hours{1};
  config.pods.events = config::PodEvents::Warnings;

  const pods::Settings settings = pods_settings(config, {}, {"10.0.0.1", 1});

  EXPECT_EQ(settings.on_lost, pods::OnLost::Recreate);
  EXPECT_EQ(settings.deletion_limit, std::chrono::minutes{3});
  EXPECT_EQ(settings.keep_finished, std::chrono::hours{1});
  EXPECT_FALSE(settings.normal_events);
  EXPECT_EQ(settings.orphans, pods::Orphans::Delete);
  EXPECT_EQ(settings.max_orphan_deletions, 3U);
  EXPECT_EQ(settings.host_ip, "10.0.0.1");
}

TEST(NodePlan, LetsANodeHaveAPolicyOfItsOwn) {
  config::Config config;
  config.policies.on_lost = config::OnLost::Recreate;
  config::NodeConfig node;
  node.on_lost = config::OnLost::Wait;

  EXPECT_EQ(pods_settings(config, node, {"10.0.0.1", 1}).on_lost, pods::OnLost::Wait);
}

TEST(InstanceInfo, TellsAProviderWhereItIs) {
  config::Config config;
  config.standalone.enabled = true;
  config::NodeConfig node;
  node.name = "a\"b";

  const std::string info = instance_info(config, node, {"::1", 7});

  EXPECT_THAT(info, HasSubstr(R"("node_name":"a\"b")"));
  EXPECT_THAT(info, HasSubstr(R"("mode":"standalone")"));
  EXPECT_THAT(info, HasSubstr(R"("kubelet_port":7})"));
}

}  // namespace
}  // namespace vkhost::daemon
