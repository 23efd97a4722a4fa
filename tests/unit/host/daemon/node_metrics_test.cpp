#include "daemon/node_metrics.hpp"

#include "support/exposition.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vkhost::daemon {
namespace {

using vkhost::testing::Families;
using vkhost::testing::parse_exposition;
using vkhost::testing::sum_of;

TEST(NodeMetrics, ShowTheFiguresOfEachNode) {
  observe::Metrics metrics;
  NodeMetrics nodes(metrics);
  NodeFigures figures;
  figures.node = "vk-0";
  figures.is_ready = true;
  figures.pods = 7;
  figures.orphans = {2, 3};
  figures.load = {4, 5, 6, true};
  nodes.show(figures);
  figures.node = "vk-1";
  figures.is_ready = false;
  nodes.show(figures);

  const Families families = parse_exposition(metrics.render());

  EXPECT_EQ(sum_of(families, "vkhost_node_ready", {{"node", "vk-0"}}), 1);
  EXPECT_EQ(sum_of(families, "vkhost_node_ready", {{"node", "vk-1"}}), 0);
  EXPECT_EQ(families.at("vkhost_node_ready").samples.size(), 2U);
  EXPECT_EQ(sum_of(families, "vkhost_pods", {{"node", "vk-0"}}), 7);
  EXPECT_EQ(sum_of(families, "vkhost_orphans", {{"node", "vk-0"}, {"marks", "ours"}}), 2);
  EXPECT_EQ(sum_of(families, "vkhost_orphans", {{"node", "vk-0"}, {"marks", "legacy"}}), 3);
  EXPECT_EQ(sum_of(families, "vkhost_queue_depth", {{"node", "vk-0"}, {"queue", "work"}}), 4);
  EXPECT_EQ(sum_of(families, "vkhost_queue_depth", {{"node", "vk-0"}, {"queue", "status"}}), 5);
  EXPECT_EQ(sum_of(families, "vkhost_pods_waiting_for_call", {{"node", "vk-0"}}), 6);
  EXPECT_EQ(sum_of(families, "vkhost_provider_held", {{"node", "vk-0"}}), 1);
}

TEST(NodeMetrics, CountPodsThatFailAndThoseThatAreOverdue) {
  std::vector<pods::PodView> views(3);
  views[0].last_error = unavailable("no capacity");
  views[1].last_error = unavailable("no capacity");
  views[1].is_overdue = true;
  NodeFigures figures;

  figures.count(views);

  EXPECT_EQ(figures.pods, 3U);
  EXPECT_EQ(figures.failing, 2U);
  EXPECT_EQ(figures.overdue, 1U);
}

TEST(NodeMetrics, ShowNoNodeWithoutAName) {
  observe::Metrics metrics;
  NodeMetrics nodes(metrics);

  nodes.show({});

  EXPECT_TRUE(parse_exposition(metrics.render()).at("vkhost_pods").samples.empty());
}

}  // namespace
}  // namespace vkhost::daemon
