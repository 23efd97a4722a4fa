// `vkhost get` beside a daemon that runs in a cluster.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"
#include "support/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;

CommandResult vkhost_get(NodeUnderTest& node, const std::string& what) {
  return run_command(
      {.argv = {daemon_path(), "get", what, "--config", node.daemon().config_file()}});
}

TEST(CommandLine, ShowsPodsWithTheirLastErrorAndTheNextTry) {
  NodeUnderTest node({.rules = "{match = {name = 'refused'}, fail = {code = 'resource_exhausted', "
                               "reason = 'QuotaExceeded', message = 'no room for it'}}"});
  node.create_pod("web");
  const std::string refused = node.create_pod("refused");
  node.wait_until_running("web");
  ASSERT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return journal.count("create_pod", refused) >= 3; },
      kLong));

  const CommandResult pods = vkhost_get(node, "pods");

  ASSERT_EQ(pods.status, 0) << pods.output;
  EXPECT_THAT(pods.output, HasSubstr("web"));
  EXPECT_THAT(pods.output, HasSubstr("Running"));
  EXPECT_THAT(pods.output, HasSubstr("refused"));
  EXPECT_THAT(pods.output, HasSubstr("no room for it"));
  EXPECT_THAT(pods.output, ::testing::ContainsRegex("[Nn][Ee][Xx][Tt]"));
}

TEST(CommandLine, ShowsNodes) {
  NodeUnderTest node;

  const CommandResult nodes = vkhost_get(node, "nodes");

  ASSERT_EQ(nodes.status, 0) << nodes.output;
  EXPECT_THAT(nodes.output, HasSubstr(node.name()));
  EXPECT_THAT(nodes.output, HasSubstr("Ready"));
}

}  // namespace
}  // namespace vkhost::testing
