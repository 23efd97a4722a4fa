#include "resolve/pod_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;

TEST(PodView, ListsInitContainersFirstAndEphemeralOnesLast) {
  const auto view = read_pod_view(R"({"ephemeralContainers":[{"name":"debug"}],
      "containers":[{"name":"web"},{"name":"proxy"}],"initContainers":[{"name":"first"}]})");

  ASSERT_TRUE(view.is_ok());
  std::vector<std::string> names;
  for (const ContainerView& container : view->containers) {
    names.push_back(container.name);
  }
  EXPECT_THAT(names, ElementsAre("first", "web", "proxy", "debug"));
}

TEST(PodView, ReadsEverythingThatTakesPart) {
  const auto view = read_pod_view(R"j({"containers":[{"name":"web",
      "envFrom":[{"prefix":"P_","configMapRef":{"name":"app","optional":true}},
                 {"secretRef":{"name":"db"}}],
      "env":[{"name":"A","value":"v"},{"name":"B"},
             {"name":"C","valueFrom":{"configMapKeyRef":{"name":"app","key":"k"}}},
             {"name":"D","valueFrom":{"secretKeyRef":{"name":"db","key":"k","optional":true}}},
             {"name":"E","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"metadata.name"}}},
             {"name":"F","valueFrom":{"resourceFieldRef":{"containerName":"web",
                                      "resource":"limits.cpu","divisor":"1m"}}}],
      "command":["sh","-c"],"args":["echo $(A)"],
      "volumeMounts":[{"mountPath":"/a","subPathExpr":"$(A)"},{"mountPath":"/b"}],
      "resources":{"limits":{"cpu":"2","memory":1024},"requests":{"cpu":0.5}}}],
      "enableServiceLinks":false,"serviceAccountName":"bot","resources":{"limits":{"cpu":"4"}}})j");

  ASSERT_TRUE(view.is_ok()) << view.status().to_string();
  EXPECT_FALSE(view->service_links);
  EXPECT_EQ(view->service_account, "bot");
  EXPECT_THAT(view->pod_limits, ElementsAre(Pair("cpu", "4")));
  const ContainerView& web = view->containers.at(0);
  ASSERT_THAT(web.env_from, SizeIs(2));
  EXPECT_EQ(web.env_from[0].prefix, "P_");
  EXPECT_EQ(web.env_from[0].kind, ObjectKind::ConfigMap);
  EXPECT_TRUE(web.env_from[0].optional);
  EXPECT_EQ(web.env_from[1].kind, ObjectKind::Secret);
  EXPECT_FALSE(web.env_from[1].optional);
  ASSERT_THAT(web.env, SizeIs(6));
  EXPECT_EQ(web.env[0].value, "v");
  EXPECT_EQ(web.env[2].key->kind, ObjectKind::ConfigMap);
  EXPECT_TRUE(web.env[3].key->optional);
  EXPECT_EQ(web.env[4].field->path, "metadata.name");
  EXPECT_EQ(web.env[5].resource->divisor, "1m");
  EXPECT_THAT(web.command, ElementsAre("sh", "-c"));
  EXPECT_THAT(web.args, ElementsAre("echo $(A)"));
  ASSERT_THAT(web.sub_paths, SizeIs(1));
  EXPECT_EQ(web.sub_paths[0].mount_path, "/a");
  EXPECT_THAT(web.limits, ElementsAre(Pair("cpu", "2"), Pair("memory", "1024")));
  EXPECT_THAT(web.requests, ElementsAre(Pair("cpu", "0.5")));
}

TEST(PodView, NamesSourcesThatItDoesNotKnow) {
  const auto view = read_pod_view(R"({"containers":[{"name":"web","env":[
      {"name":"A","valueFrom":{"fileKeyRef":{"path":"x"}}},
      {"name":"B","valueFrom":{}},
      {"name":"C","valueFrom":{"fileKeyRef":null,"fieldRef":{"fieldPath":"metadata.name"}}}]}]})");

  ASSERT_TRUE(view.is_ok());
  EXPECT_EQ(view->containers[0].env[0].unknown_source, "fileKeyRef");
  EXPECT_EQ(view->containers[0].env[1].unknown_source, "(nothing)");
  EXPECT_EQ(view->containers[0].env[2].unknown_source, "");
}

TEST(PodView, RefusesMembersOfWrongShapeAndNamesThem) {
  const struct {
    const char* container;
    const char* place;
  } cases[] = {
      {R"("env":{})", "spec.containers[0].env"},
      {R"("env":["A"])", "spec.containers[0].env[0]"},
      {R"("env":[{"value":"x"}])", "spec.containers[0].env[0].name"},
      {R"("env":[{"name":"A","value":true}])", "spec.containers[0].env[0].value"},
      {R"("env":[{"name":"A","valueFrom":"x"}])", "spec.containers[0].env[0].valueFrom"},
      {R"("env":[{"name":"A","valueFrom":{"secretKeyRef":"x"}}])", "valueFrom.secretKeyRef"},
      {R"("env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"s","optional":"no"}}}])",
       "secretKeyRef.optional"},
      {R"("env":[{"name":"A","valueFrom":{"fieldRef":{},"secretKeyRef":{}}}])",
       "more than one source"},
      {R"("env":[{"name":"A","valueFrom":{"resourceFieldRef":{"divisor":[]}}}])",
       "resourceFieldRef.divisor"},
      {R"("envFrom":[{}])", "spec.containers[0].envFrom[0]"},
      {R"("envFrom":[{"configMapRef":7}])", "envFrom[0].configMapRef"},
      {R"("command":"sh")", "spec.containers[0].command"},
      {R"("args":["a",null])", "spec.containers[0].args[1]"},
      {R"("volumeMounts":[7])", "spec.containers[0].volumeMounts[0]"},
      {R"("resources":{"limits":{"cpu":true}})", "spec.containers[0].resources.limits.cpu"},
      {R"("resources":[])", "spec.containers[0].resources"},
  };
  for (const auto& broken : cases) {
    const auto view =
        read_pod_view(R"({"containers":[{"name":"web",)" + std::string(broken.container) + "}]}");

    EXPECT_EQ(view.status().code(), StatusCode::InvalidArgument) << broken.container;
    EXPECT_THAT(view.status().message(), HasSubstr(broken.place));
  }
}

TEST(PodView, RefusesContainersWithoutANameOfTheirOwn) {
  EXPECT_FALSE(read_pod_view(R"({"containers":[{}]})").is_ok());
  EXPECT_FALSE(
      read_pod_view(R"({"initContainers":[{"name":"a"}],"containers":[{"name":"a"}]})").is_ok());
}

TEST(PodView, RefusesATextThatIsNoSpec) {
  for (const char* text : {"", "null", "[]", "{", R"({"containers":{}})"}) {
    EXPECT_FALSE(read_pod_view(text).is_ok()) << text;
  }
}

TEST(RefersToNothing, IsTrueOnlyWhenTheTextLeavesNoDoubt) {
  const struct {
    const char* spec;
    bool nothing;
  } cases[] = {
      {"", true},
      {R"({"containers":[{"name":"web","image":"environment","ports":[{"name":"http"}]}]})", true},
      {R"({"enableServiceLinks":true})", true},
      {R"({"enableServiceLinks" : true})", true},
      {R"({"enableServiceLinks":false})", false},
      {R"({"enableServiceLinks":null})", false},
      {R"({"enableServiceLinks")", false},
      {R"({"a":"enableServiceLinks","b":true})", false},
      {R"({"containers":[{"env":[]}]})", false},
      {R"({"containers":[{"envFrom":[]}]})", false},
      {R"({"containers":[{"command":["a"]}]})", false},
      {R"({"containers":[{"args":["a"]}]})", false},
      {R"({"containers":[{"volumeMounts":[{"subPathExpr":"a"}]}]})", false},
      {R"({"ephemeralContainers":[]})", false},
      {R"({"containers":[{"\u0065nv":[]}]})", false},
      {R"({"name":"env"})", false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(refers_to_nothing(one.spec), one.nothing) << one.spec;
  }
}

}  // namespace
}  // namespace vkhost::resolve
