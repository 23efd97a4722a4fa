#include "kube/pod_demand.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::kube {
namespace {

PodDemand demand_of(const std::string& spec, const std::string& metadata = "{}") {
  auto demand = parse_pod_demand(R"({"metadata":)" + metadata + R"(,"spec":)" + spec + "}");
  EXPECT_TRUE(demand.is_ok()) << demand.status().to_string();
  return demand.is_ok() ? *demand : PodDemand();
}

std::string requests(const std::string& cpu) {
  return R"("resources":{"requests":{"cpu":")" + cpu + R"("}})";
}

// ---- Requests

TEST(PodDemand, AddsUpContainers) {
  const PodDemand demand = demand_of(R"({"containers":[
    {"name":"a","resources":{"requests":{"cpu":"500m","memory":"1Mi"}}},
    {"name":"b","resources":{"requests":{"cpu":"250m","nvidia.com/gpu":1}}},{"name":"c"}]})");

  EXPECT_EQ(demand.requests,
            (ResourceAmounts{{"cpu", 750}, {"memory", 1024 * 1024}, {"nvidia.com/gpu", 1}}));
}

TEST(PodDemand, TakesALimitForTheRequestThatIsNotThere) {
  const PodDemand demand = demand_of(R"({"containers":[{"name":"a","resources":{
    "requests":{"cpu":"1"},"limits":{"cpu":"2","memory":"5"}}}]})");

  EXPECT_EQ(demand.requests, (ResourceAmounts{{"cpu", 1000}, {"memory", 5}}));
}

TEST(PodDemand, ReachesItsPeakWhileAnInitContainerRuns) {
  const PodDemand demand = demand_of(R"({"containers":[{"name":"a",)" + requests("1") +
                                     R"(}],"initContainers":[{"name":"i",)" + requests("3") +
                                     R"(},{"name":"j",)" + requests("2") + "}]}");

  EXPECT_EQ(amount_of(demand.requests, "cpu"), 3000);
}

TEST(PodDemand, CountsSidecarsBesideWhatRunsAfterThem) {
  const std::string sidecar = R"({"name":"s","restartPolicy":"Always",)" + requests("1") + "}";
  const std::string init = R"({"name":"i",)" + requests("3") + "}";
  const std::string container = R"("containers":[{"name":"a",)" + requests("2") + "}]";

  // 1 + 3 at its peak against 1 + 2 later.
  EXPECT_EQ(
      amount_of(demand_of("{" + container + R"(,"initContainers":[)" + sidecar + "," + init + "]}")
                    .requests,
                "cpu"),
      4000);
  // The init container ends before the sidecar begins.
  EXPECT_EQ(
      amount_of(demand_of("{" + container + R"(,"initContainers":[)" + init + "," + sidecar + "]}")
                    .requests,
                "cpu"),
      3000);
}

TEST(PodDemand, OfThePodAsAWholeReplacesTheSumAndOverheadComesOnTop) {
  const PodDemand demand =
      demand_of(R"({"containers":[{"name":"a","resources":{"requests":{"cpu":"1","x":"2"}}}],
    "resources":{"requests":{"cpu":"5","x":"9"}},"overhead":{"cpu":"100m","memory":"7"}})");

  EXPECT_EQ(demand.requests, (ResourceAmounts{{"cpu", 5100}, {"memory", 7}, {"x", 2}}));
}

TEST(PodDemand, RefusesADocumentOfAnotherForm) {
  for (const char* spec :
       {"7", R"({"containers":{}})", R"({"containers":[7]})",
        R"({"containers":[{"resources":[]}]})",
        R"({"containers":[{"resources":{"requests":{"cpu":"much"}}}]})",
        R"({"containers":[{"resources":{"requests":{"cpu":true}}}]})", R"({"nodeSelector":[]})",
        R"({"nodeSelector":{"a":1}})", R"({"tolerations":[{"key":1}]})", R"({"os":"linux"})",
        R"({"affinity":{"nodeAffinity":7}})", R"({"initContainers":[{"restartPolicy":1}]})"}) {
    const auto demand = parse_pod_demand(std::string(R"({"spec":)") + spec + "}");
    EXPECT_EQ(demand.status().code(), StatusCode::InvalidArgument) << spec;
  }
}

// ---- Where it may run

NodeFacts node() {
  NodeFacts facts;
  facts.name = "vk-0";
  facts.labels = {{"zone", "a"}, {"cores", "8"}, {"odd", "many"}};
  return facts;
}

std::string affinity(const std::string& terms) {
  return R"({"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{)"
         R"("nodeSelectorTerms":[)" +
         terms + "]}}}}";
}

TEST(PodDemand, SelectsNodesByTheirLabels) {
  EXPECT_TRUE(selects(demand_of("{}"), node()));
  EXPECT_TRUE(selects(demand_of(R"({"nodeSelector":{"zone":"a"}})"), node()));
  EXPECT_FALSE(selects(demand_of(R"({"nodeSelector":{"zone":"b"}})"), node()));
  EXPECT_FALSE(selects(demand_of(R"({"nodeSelector":{"zone":"a","disk":"ssd"}})"), node()));
}

struct Term {
  const char* json;
  bool holds;
};

class NodeAffinityTerms : public ::testing::TestWithParam<Term> {};

TEST_P(NodeAffinityTerms, HoldAsTheSchedulerSees) {
  EXPECT_EQ(selects(demand_of(affinity(GetParam().json)), node()), GetParam().holds)
      << GetParam().json;
}

INSTANTIATE_TEST_SUITE_P(
    Operators,
    NodeAffinityTerms,
    ::testing::Values(
        Term{R"({"matchExpressions":[{"key":"zone","operator":"In","values":["b","a"]}]})", true},
        Term{R"({"matchExpressions":[{"key":"zone","operator":"In","values":["b"]}]})", false},
        Term{R"({"matchExpressions":[{"key":"none","operator":"In","values":["b"]}]})", false},
        Term{R"({"matchExpressions":[{"key":"zone","operator":"NotIn","values":["b"]}]})", true},
        Term{R"({"matchExpressions":[{"key":"none","operator":"NotIn","values":["b"]}]})", true},
        Term{R"({"matchExpressions":[{"key":"zone","operator":"NotIn","values":["a"]}]})", false},
        Term{R"({"matchExpressions":[{"key":"zone","operator":"Exists"}]})", true},
        Term{R"({"matchExpressions":[{"key":"none","operator":"Exists"}]})", false},
        Term{R"({"matchExpressions":[{"key":"none","operator":"DoesNotExist"}]})", true},
        Term{R"({"matchExpressions":[{"key":"zone","operator":"DoesNotExist"}]})", false},
        Term{R"({"matchExpressions":[{"key":"cores","operator":"Gt","values":["7"]}]})", true},
        Term{R"({"matchExpressions":[{"key":"cores","operator":"Gt","values":["8"]}]})", false},
        Term{R"({"matchExpressions":[{"key":"cores","operator":"Lt","values":["9"]}]})", true},
        Term{R"({"matchExpressions":[{"key":"odd","operator":"Gt","values":["1"]}]})", false},
        Term{R"({"matchExpressions":[{"key":"cores","operator":"Gt","values":["1x"]}]})", false},
        Term{R"({"matchExpressions":[{"key":"zone","operator":"Near","values":["a"]}]})", false},
        Term{R"({"matchFields":[{"key":"metadata.name","operator":"In","values":["vk-0"]}]})",
             true},
        Term{R"({"matchFields":[{"key":"metadata.name","operator":"NotIn","values":["vk-0"]}]})",
             false},
        Term{R"({"matchFields":[{"key":"metadata.uid","operator":"In","values":["vk-0"]}]})",
             false},
        Term{"{}", false},
        Term{"", false},
        Term{R"({},{"matchExpressions":[{"key":"zone","operator":"Exists"}]})", true},
        Term{R"({"matchExpressions":[{"key":"zone","operator":"Exists"},)"
             R"({"key":"none","operator":"Exists"}]})",
             false}));

TEST(PodDemand, ToleratesTaints) {
  const auto tolerated = [](const std::string& toleration, const NodeTaint& taint) {
    return tolerates(demand_of(R"({"tolerations":[)" + toleration + "]}"), taint);
  };
  const NodeTaint taint{"gone", "5", "NoExecute"};

  EXPECT_FALSE(tolerated("", taint));
  EXPECT_TRUE(tolerated(R"({"operator":"Exists"})", taint));
  EXPECT_TRUE(tolerated(R"({"key":"gone","operator":"Exists"})", taint));
  EXPECT_FALSE(tolerated(R"({"key":"other","operator":"Exists"})", taint));
  EXPECT_FALSE(tolerated(R"({"operator":"Exists","effect":"NoSchedule"})", taint));
  EXPECT_TRUE(tolerated(R"({"key":"gone","value":"5"})", taint));
  EXPECT_FALSE(tolerated(R"({"key":"gone","operator":"Equal","value":"6"})", taint));
  EXPECT_TRUE(tolerated(R"({"key":"gone","operator":"Lt","value":"6"})", taint));
  EXPECT_FALSE(tolerated(R"({"key":"gone","operator":"Gt","value":"6"})", taint));
  EXPECT_FALSE(tolerated(R"({"key":"gone","operator":"Near","value":"5"})", taint));
}

TEST(PodDemand, SaysWhichOperatingSystemItNeeds) {
  const PodDemand demand =
      demand_of(R"({"os":{"name":"windows"}})", R"({"labels":{"kubernetes.io/os":"windows"}})");

  EXPECT_EQ(demand.os_name, "windows");
  EXPECT_EQ(demand.os_label, "windows");
}

}  // namespace
}  // namespace vkhost::kube
