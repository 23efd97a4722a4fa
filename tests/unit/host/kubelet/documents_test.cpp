#include "kubelet/documents.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::kubelet {
namespace {

using Poco::JSON::Object;

Object::Ptr parse(const std::string& json) {
  Poco::JSON::Parser parser;
  return parser.parse(json).extract<Object::Ptr>();
}

Object::Ptr item(const Object::Ptr& document, const std::string& list, unsigned index) {
  return document->getArray(list)->getObject(index);
}

PodState pod(const std::string& status) {
  auto parsed =
      kube::parse_pod(R"({"metadata":{"name":"web-0","namespace":"default","uid":"u-1"},)"
                      R"("spec":{"nodeName":"node-1","containers":[{"name":"app","image":"nginx"},)"
                      R"({"name":"side","image":"x"}]},"status":)" +
                      status + "}");
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().to_string();
  PodState state;
  state.pod = *parsed;
  return state;
}

TEST(PodListDocument, HoldsThePodsAsTheApiServerGaveThem) {
  const PodState one = pod(R"({"phase":"Running"})");

  const std::string json = pod_list({one, one});

  const Object::Ptr list = parse(json);
  EXPECT_EQ(list->getValue<std::string>("kind"), "PodList");
  EXPECT_EQ(list->getArray("items")->size(), 2U);
  EXPECT_NE(json.find(one.pod->raw), std::string::npos);
}

TEST(PodListDocument, OfNoPodsHasAnEmptyList) {
  EXPECT_EQ(pod_list({}), R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":[]})");
  EXPECT_EQ(running_pod_list({}), pod_list({}));
}

TEST(RunningPodsDocument, HoldsOnlyWhatRunsAndNoMoreThanNames) {
  PodState runs = pod(R"({})");
  runs.runs_in_backend = true;

  const Object::Ptr list = parse(running_pod_list({pod("{}"), runs}));

  ASSERT_EQ(list->getArray("items")->size(), 1U);
  const Object::Ptr only = item(list, "items", 0);
  EXPECT_EQ(only->getObject("metadata")->getValue<std::string>("uid"), "u-1");
  EXPECT_EQ(only->getObject("spec")->getArray("containers")->size(), 2U);
}

TEST(PodStatesDocument, SaysHowAPodIsAndWhatComesNext) {
  PodState state =
      pod(R"({"phase":"Pending","podIP":"10.0.0.7","startTime":"2026-01-02T03:04:05Z",)"
          R"("containerStatuses":[{"name":"app","ready":true,"restartCount":2},)"
          R"({"name":"side","ready":false,"restartCount":1,)"
          R"("state":{"waiting":{"reason":"ImagePullBackOff"}}}]})");
  state.last_error = "no \"capacity\"\n";
  state.next_try = std::chrono::system_clock::from_time_t(1767323045);

  const Object::Ptr shown = item(parse(pod_states("node-1", {state})), "pods", 0);

  EXPECT_EQ(shown->getValue<std::string>("namespace"), "default");
  EXPECT_EQ(shown->getValue<std::string>("name"), "web-0");
  EXPECT_EQ(shown->getValue<std::string>("node"), "node-1");
  EXPECT_EQ(shown->getValue<std::string>("phase"), "Pending");
  EXPECT_EQ(shown->getValue<std::string>("reason"), "ImagePullBackOff");
  EXPECT_EQ(shown->getValue<int>("ready_containers"), 1);
  EXPECT_EQ(shown->getValue<int>("containers"), 2);
  EXPECT_EQ(shown->getValue<int>("restarts"), 3);
  EXPECT_EQ(shown->getValue<std::string>("pod_ip"), "10.0.0.7");
  EXPECT_EQ(shown->getValue<std::string>("started"), "2026-01-02T03:04:05Z");
  EXPECT_EQ(shown->getValue<std::string>("last_error"), "no \"capacity\"\n");
  EXPECT_EQ(shown->getValue<std::string>("next_try"), "2026-01-02T03:04:05Z");
}

TEST(PodStatesDocument, LeavesOutWhatIsNotKnownAndSurvivesABrokenStatus) {
  for (const std::string status : {"{}", "nonsense", R"({"containerStatuses":7})",
                                   R"({"containerStatuses":[null,7,{"ready":[]}]})"}) {
    auto record = std::make_shared<kube::PodRecord>();
    record->uid = "u-1";
    record->raw = status;
    record->status_size = status.size();
    PodState state;
    state.pod = record;

    const Object::Ptr shown = item(parse(pod_states("node-1", {state})), "pods", 0);

    EXPECT_EQ(shown->getValue<std::string>("uid"), "u-1") << status;
    EXPECT_FALSE(shown->has("pod_ip")) << status;
    EXPECT_FALSE(shown->has("last_error")) << status;
    EXPECT_FALSE(shown->has("next_try")) << status;
  }
}

TEST(NodeStatesDocument, SaysHowANodeIs) {
  NodeState node;
  node.name = "node-1";
  node.provider = "mock";
  node.ready = true;
  node.pods = 3;

  const Object::Ptr shown = item(parse(node_states(node)), "nodes", 0);

  EXPECT_EQ(shown->getValue<std::string>("name"), "node-1");
  EXPECT_TRUE(shown->getValue<bool>("ready"));
  EXPECT_EQ(shown->getValue<int>("pods"), 3);
}

TEST(FailureStatus, IsAStatusOfKubernetes) {
  const std::vector<std::pair<int, std::string>> cases = {
      {400, "BadRequest"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "NotFound"},
      {405, "MethodNotAllowed"},
      {408, "Timeout"},
      {413, "RequestEntityTooLarge"},
      {414, "BadRequest"},
      {431, "BadRequest"},
      {500, "InternalError"},
      {503, "ServiceUnavailable"},
      {505, "InternalError"},
  };
  for (const auto& [code, reason] : cases) {
    const Object::Ptr status = parse(failure_status(code, "a \"sentence\""));

    EXPECT_EQ(status->getValue<std::string>("kind"), "Status");
    EXPECT_EQ(status->getValue<std::string>("status"), "Failure");
    EXPECT_EQ(status->getValue<std::string>("message"), "a \"sentence\"");
    EXPECT_EQ(status->getValue<std::string>("reason"), reason) << code;
    EXPECT_EQ(status->getValue<int>("code"), code);
  }
}

}  // namespace
}  // namespace vkhost::kubelet
