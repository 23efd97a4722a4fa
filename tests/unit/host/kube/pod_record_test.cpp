#include "kube/pod_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace vkhost::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kWeb = R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-0",
"namespace":"default","uid":"u-1","resourceVersion":"42","generation":3,
"labels":{"app":"web"},"annotations":{"a":"1"},
"managedFields":[{"manager":"kubectl","fieldsV1":{"f:spec":{"}":"]"}}}]},
"spec":{"nodeName":"vk-0","restartPolicy":"OnFailure","activeDeadlineSeconds":90,"initContainers":[{"name":"init"}],
"containers":[{"name":"a","image":"x"},{"name":"b"}],
"readinessGates":[{"conditionType":"example.com/ready"}]},
"status":{"phase":"Running","startTime":"2026-01-02T03:04:05Z"}})";

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  const std::size_t at = result.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return result.replace(at, from.size(), to);
}

PodPtr parsed(std::string_view json) {
  auto pod = parse_pod(json);
  EXPECT_TRUE(pod.is_ok()) << pod.status().to_string() << "\n" << json;
  return pod.is_ok() ? *pod : std::make_shared<const PodRecord>();
}

// A pod with the given metadata behind its identity, and rest of the document.
std::string pod_with(std::string_view metadata, std::string_view rest) {
  return R"({"metadata":{"name":"n","namespace":"ns","uid":"u")" + std::string(metadata) + "}" +
         std::string(rest) + "}";
}

TEST(ParsePod, ReadsTheFieldsThatDecisionsNeed) {
  const PodPtr pod = parsed(kWeb);

  EXPECT_EQ(pod->display_name(), "default/web-0");
  EXPECT_EQ(pod->uid, "u-1");
  EXPECT_EQ(pod->resource_version, "42");
  EXPECT_EQ(pod->generation, 3);
  EXPECT_EQ(pod->node_name, "vk-0");
  EXPECT_EQ(pod->restart_policy, "OnFailure");
  EXPECT_EQ(pod->active_deadline_seconds, 90);
  EXPECT_EQ(pod->phase, "Running");
  EXPECT_EQ(pod->start_time, "2026-01-02T03:04:05Z");
  EXPECT_THAT(pod->containers, ElementsAre("a", "b"));
  EXPECT_THAT(pod->init_containers, ElementsAre("init"));
  EXPECT_THAT(pod->readiness_gates, ElementsAre("example.com/ready"));
  EXPECT_EQ(pod->status_json(), R"({"phase":"Running","startTime":"2026-01-02T03:04:05Z"})");
  EXPECT_FALSE(pod->is_deleting());
  EXPECT_FALSE(pod->is_daemon_set_pod);
  EXPECT_FALSE(pod->is_mirror_pod);
  EXPECT_FALSE(pod->ever_started);
}

// virtual-kubelet#250: Every pod costs memory for what nobody reads
TEST(ParsePod, CutsManagedFieldsWhereverTheyStand) {
  struct Case {
    const char* metadata;
    const char* kept;
  };
  const Case cases[] = {
      {R"({"name":"n","namespace":"s","uid":"u","managedFields":[1,{"a":"]"}]})",
       R"({"name":"n","namespace":"s","uid":"u"})"},
      {R"({"managedFields":[],"name":"n","namespace":"s","uid":"u"})",
       R"({"name":"n","namespace":"s","uid":"u"})"},
      {R"({"name":"n", "managedFields" : {} , "namespace":"s","uid":"u"})",
       R"({"name":"n", "namespace":"s","uid":"u"})"},
      {R"({"name":"n","namespace":"s","uid":"u"})", R"({"name":"n","namespace":"s","uid":"u"})"},
  };
  for (const Case& c : cases) {
    for (const bool status_first : {false, true}) {
      const std::string status = R"("status":{"phase":"Failed"})";
      const auto document = [&](std::string_view metadata) {
        const std::string meta = "\"metadata\":" + std::string(metadata);
        return status_first ? "{" + status + "," + meta + "}" : "{" + meta + "," + status + "}";
      };

      const PodPtr pod = parsed(" " + document(c.metadata) + "\n");

      EXPECT_EQ(pod->raw, document(c.kept));
      EXPECT_EQ(pod->status_json(), R"({"phase":"Failed"})");
    }
  }
}

TEST(ParsePod, TakesAHandleOnlyWithThisPodsUid) {
  const auto handle_of = [](const char* uid) {
    return parsed(pod_with(std::string(R"(,"annotations":{"vkhost.io/handle":"i-1",)") +
                               R"("vkhost.io/handle-uid":")" + uid + "\"}",
                           ""))
        ->handle;
  };

  EXPECT_EQ(handle_of("u"), "i-1");
  EXPECT_EQ(handle_of("other"), "");
  EXPECT_EQ(parsed(pod_with(R"(,"annotations":{"vkhost.io/handle":"i-1"})", ""))->handle, "");
}

TEST(ParsePod, KnowsWhoOwnsThePod) {
  const auto owned = [](const char* owner) {
    return parsed(pod_with(std::string(",\"ownerReferences\":[") + owner + "]", ""))
        ->is_daemon_set_pod;
  };

  EXPECT_TRUE(owned(R"({"kind":"DaemonSet","controller":true})"));
  EXPECT_TRUE(owned(R"({"kind":"X"},{"kind":"DaemonSet","controller":true})"));
  EXPECT_FALSE(owned(R"({"kind":"DaemonSet"})"));
  EXPECT_FALSE(owned(R"({"kind":"ReplicaSet","controller":true})"));
  EXPECT_TRUE(
      parsed(pod_with(R"(,"annotations":{"kubernetes.io/config.mirror":"x"})", ""))->is_mirror_pod);
}

TEST(ParsePod, SeesThatAContainerEverRan) {
  const auto ran = [](std::string_view list, std::string_view status) {
    return parsed(pod_with("", ",\"status\":{\"" + std::string(list) + "\":[" +
                                   std::string(status) + "]}"))
        ->ever_started;
  };

  for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
    EXPECT_TRUE(ran(list, R"({"state":{"running":{}}})"));
    EXPECT_TRUE(ran(list, R"({},{"state":{"terminated":{"exitCode":0}}})"));
    EXPECT_TRUE(ran(list, R"({"state":{"waiting":{}},"lastState":{"terminated":{}}})"));
    EXPECT_TRUE(ran(list, R"({"state":{"waiting":{}},"restartCount":1})"));
    EXPECT_FALSE(ran(list, R"({"state":{"waiting":{}},"lastState":{},"restartCount":0})"));
    EXPECT_FALSE(ran(list, R"({"state":null})"));
  }
}

TEST(ParsePod, SeesADeletion) {
  const PodPtr pod = parsed(pod_with(
      R"(,"deletionTimestamp":"2026-01-02T03:04:05Z","deletionGracePeriodSeconds":30)", ""));

  EXPECT_TRUE(pod->is_deleting());
  EXPECT_EQ(pod->deletion_grace_seconds, 30);
}

TEST(ParsePod, HashesWhatTheProviderWouldSee) {
  const PodPtr base = parsed(kWeb);
  const PodPtr same = parsed(replaced(replaced(kWeb, "\"42\"", "\"43\""), "kubectl", "kubelet"));
  const PodPtr spec = parsed(replaced(kWeb, "\"image\":\"x\"", "\"image\":\"y\""));
  const PodPtr label = parsed(replaced(kWeb, "{\"app\":\"web\"}", "{\"app\":\"db\"}"));
  const PodPtr note = parsed(replaced(kWeb, "{\"a\":\"1\"}", "{\"a\":\"2\"}"));
  const PodPtr own = parsed(replaced(
      kWeb, "{\"a\":\"1\"}", R"({"a":"1","vkhost.io/handle":"h","vkhost.io/handle-uid":"u-1",
"vkhost.io/eviction":"{}"})"));
  const PodPtr status = parsed(replaced(kWeb, "Running", "Failed"));

  EXPECT_EQ(base->spec_hash, same->spec_hash);
  EXPECT_EQ(base->metadata_hash, same->metadata_hash);
  EXPECT_EQ(base->status_hash, same->status_hash);
  EXPECT_NE(base->spec_hash, spec->spec_hash);
  EXPECT_EQ(base->metadata_hash, spec->metadata_hash);
  EXPECT_NE(base->metadata_hash, label->metadata_hash);
  EXPECT_NE(base->metadata_hash, note->metadata_hash);
  EXPECT_EQ(base->metadata_hash, own->metadata_hash);
  EXPECT_EQ(own->handle, "h");
  EXPECT_NE(base->status_hash, status->status_hash);
}

TEST(ParsePod, HashesALabelUnlikeAnAnnotationOfTheSameText) {
  EXPECT_NE(parsed(pod_with(R"(,"labels":{"a":"1"})", ""))->metadata_hash,
            parsed(pod_with(R"(,"annotations":{"a":"1"})", ""))->metadata_hash);
  EXPECT_EQ(parsed(pod_with(R"(,"labels":{})", ""))->metadata_hash,
            parsed(pod_with("", ""))->metadata_hash);
}

TEST(ParsePod, FillsInWhatIsAbsent) {
  const PodPtr pod = parsed(pod_with(R"(,"annotations":null)", R"(,"spec":null,"status":null)"));

  EXPECT_EQ(pod->restart_policy, "Always");
  EXPECT_EQ(pod->status_json(), "{}");
  EXPECT_TRUE(pod->containers.empty());
  EXPECT_EQ(pod->phase, "");
}

TEST(ParsePod, RefusesHostileInputAndNamesTheField) {
  struct Case {
    std::string json;
    const char* message;
  };
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  const Case cases[] = {
      {"", "not a complete JSON object"},
      {"[]", "not a complete JSON object"},
      {"null", "not a complete JSON object"},
      {R"({"metadata":{"name":"n")", "not a complete JSON object"},
      {pod_with("", "") + "x", "not a complete JSON object"},
      {"{}", "metadata is missing"},
      {R"({"metadata":[]})", "metadata is a list, not an object"},
      {R"({"metadata":"x"})", "metadata is a string, not an object"},
      {R"({"metadata":{"namespace":"s","uid":"u"}})", "metadata.name is missing"},
      {R"({"metadata":{"name":"n","uid":"u"}})", "metadata.namespace is missing"},
      {R"({"metadata":{"name":"n","namespace":"s"}})", "metadata.uid is missing"},
      {R"({"metadata":{"name":"","namespace":"s","uid":"u"}})", "metadata.name is missing"},
      {R"({"metadata":{"name":7,"namespace":"s","uid":"u"}})", "metadata.name is a number"},
      {R"({"metadata":{"name":"a/b","namespace":"s","uid":"u"}})", "no name may have"},
      {R"({"metadata":{"name":"a\nb","namespace":"s","uid":"u"}})", "no name may have"},
      {R"({"metadata":{"name":"a\u0000","namespace":"s","uid":"u"}})", "no name may have"},
      {R"({"metadata":{"name":")" + std::string(254, 'x') + R"(","namespace":"s","uid":"u"}})",
       "metadata.name is longer"},
      {pod_with(R"(,"uid":"other")", ""), "metadata.uid stands twice"},
      {pod_with(R"(,"managedFields":[],"managedFields":[])", ""),
       "metadata.managedFields stands twice"},
      {pod_with("", R"(,"metadata":{})"), "metadata stands twice"},
      {pod_with("", R"(,"spec":{},"spec":{"nodeName":"x"})"), "spec stands twice"},
      {pod_with("", R"(,"sp\u0065c":{})"), "written with escapes"},
      {pod_with(R"(,"u\u0069d":"x")", ""), "written with escapes"},
      {pod_with("", R"(,"spec":{"nodeName":"a","nodeName":"b"})"), "spec.nodeName stands twice"},
      {pod_with("", R"(,"spec":{"nodeName":5})"), "spec.nodeName is a number"},
      {pod_with("", R"(,"spec":[])"), "spec is a list"},
      {pod_with("", R"(,"spec":{"containers":{}})"), "spec.containers is an object"},
      {pod_with("", R"(,"spec":{"containers":[7]})"), "spec.containers[] is a number"},
      {pod_with("", R"(,"spec":{"containers":[{}]})"), "spec.containers[].name is missing"},
      {pod_with("", R"(,"status":{"phase":{}})"), "status.phase is an object"},
      {pod_with("", R"(,"status":{"containerStatuses":[{"state":5}]})"),
       "containerStatuses[].state"},
      {pod_with("", R"(,"status":{"containerStatuses":[{"restartCount":"5"}]})"), "restartCount"},
      {pod_with(R"(,"labels":[])", ""), "metadata.labels is a list"},
      {pod_with(R"(,"annotations":[])", ""), "metadata.annotations is a list"},
      {pod_with(R"(,"annotations":{"vkhost.io/handle":7})", ""), "vkhost.io/handle"},
      {pod_with(R"(,"ownerReferences":[{"controller":"yes"}])", ""), "controller is a string"},
      {pod_with(R"(,"deletionGracePeriodSeconds":1e30)", ""), "deletionGracePeriodSeconds"},
      {pod_with("", R"(,"spec":{"x":tru})"), "not valid JSON"},
      {pod_with("", R"(,"spec":{"x":[1,2}})"), "not valid JSON"},
      {pod_with("", ",\"spec\":{\"x\":\"\xff\"}"), "not valid JSON"},
      {pod_with("", ",\"spec\":{\"x\":" + deep + "}"), "deeper than 64"},
  };
  for (const Case& c : cases) {
    const auto pod = parse_pod(c.json);

    ASSERT_FALSE(pod.is_ok()) << c.json;
    EXPECT_EQ(pod.status().code(), StatusCode::InvalidArgument) << c.json;
    EXPECT_THAT(pod.status().message(), HasSubstr(c.message)) << c.json;
  }
}

TEST(ParsePod, NeverKeepsWhatItCutAway) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');

  const PodPtr pod = parsed(pod_with(",\"managedFields\":[{\"secret\":" + deep + "}]", ""));

  EXPECT_THAT(pod->raw, Not(HasSubstr("secret")));
}

TEST(ParsePod, TakesHugeStrings) {
  const std::string huge(2'000'000, 'x');

  const PodPtr pod = parsed(pod_with(R"(,"annotations":{"a":")" + huge + "\"}", ""));

  EXPECT_GT(pod->raw.size(), huge.size());
  EXPECT_EQ(parsed(kWeb)->name, "web-0");
}

}  // namespace
}  // namespace vkhost::kube
