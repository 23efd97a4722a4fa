#include "kube/node_facts.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vkhost::kube {
namespace {

constexpr const char* kNode = R"({"metadata":{"name":"vk-0","labels":{"zone":"a","disk":"ssd"}},
  "spec":{"taints":[{"key":"gone","effect":"NoExecute"},{"key":"k","value":"v","effect":"NoSchedule"}]},
  "status":{"allocatable":{"cpu":"4","memory":"1Gi","pods":"20","strange":"plenty","odd":7},
            "nodeInfo":{"operatingSystem":"windows"}}})";

TEST(NodeFacts, AreReadFromTheDocument) {
  const auto facts = parse_node_facts(kNode);

  ASSERT_TRUE(facts.is_ok()) << facts.status().to_string();
  EXPECT_EQ(facts->name, "vk-0");
  EXPECT_EQ(facts->operating_system, "windows");
  EXPECT_EQ(facts->labels.at("disk"), "ssd");
  ASSERT_EQ(facts->taints.size(), 2U);
  EXPECT_EQ(facts->taints[1].value, "v");
  EXPECT_EQ(facts->allocatable.at("cpu"), 4000);
  EXPECT_EQ(facts->allocatable.at("memory"), 1024LL * 1024 * 1024);
}

TEST(NodeFacts, LimitNothingByWhatIsNoQuantity) {
  const auto facts = parse_node_facts(kNode);

  EXPECT_EQ(facts->allocatable.at("strange"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(facts->allocatable.at("odd"), std::numeric_limits<std::int64_t>::max());
}

TEST(NodeFacts, RefuseADocumentOfAnotherForm) {
  for (const char* document : {"", "[]", R"({"metadata":7})", R"({"metadata":{"labels":{"a":1}}})",
                               R"({"spec":{"taints":{}}})", R"({"status":{"allocatable":[]}})",
                               R"({"status":{"nodeInfo":{"operatingSystem":1}}})"}) {
    EXPECT_EQ(parse_node_facts(document).status().code(), StatusCode::InvalidArgument) << document;
  }
  EXPECT_TRUE(parse_node_facts("{}").is_ok());
  EXPECT_EQ(parse_node_facts("{}")->operating_system, "linux");
}

TEST(NodeFacts, KeepTheirOwnWordAndTakeWhatOthersAdded) {
  NodeFacts own;
  own.labels = {{"zone", "a"}};
  own.allocatable = {{"cpu", 4000}};
  own.taints = {{"provider", "", "NoSchedule"}};
  NodeFacts in_api;
  in_api.labels = {{"zone", "old"}, {"team", "red"}};
  in_api.allocatable = {{"cpu", 1000}, {"example.com/gpu", 1}};
  in_api.taints = {{"gone", "", "NoExecute"}};

  const NodeFacts joined = joined_facts(own, in_api);

  EXPECT_EQ(joined.labels.at("zone"), "a");
  EXPECT_EQ(joined.labels.at("team"), "red");
  EXPECT_EQ(joined.allocatable.at("cpu"), 4000);
  EXPECT_EQ(joined.allocatable.at("example.com/gpu"), 1);
  ASSERT_EQ(joined.taints.size(), 1U);
  EXPECT_EQ(joined.taints[0].key, "gone");
}

}  // namespace
}  // namespace vkhost::kube
