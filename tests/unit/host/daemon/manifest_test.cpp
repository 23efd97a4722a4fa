#include "daemon/manifest.hpp"

#include "kube/pod_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kPod = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - {name: main, image: nginx}
)";

Manifests read(const std::string& text, const std::string& node = "node") {
  Manifests manifests;
  add_manifest_file("web.yaml", text, node, &manifests);
  return manifests;
}

TEST(Manifest, BecomesAPodWithDefaultsAndAnIdentity) {
  const Manifests manifests = read(kPod);

  ASSERT_EQ(manifests.pods.size(), 1U) << ::testing::PrintToString(manifests.problems);
  const auto pod = kube::parse_pod(manifests.pods[0].json);
  ASSERT_TRUE(pod.is_ok()) << pod.status().to_string();
  EXPECT_EQ((*pod)->display_name(), "default/web");
  EXPECT_EQ((*pod)->uid, manifests.pods[0].uid);
  EXPECT_EQ((*pod)->node_name, "node");
  EXPECT_EQ((*pod)->restart_policy, "Always");
  EXPECT_EQ(manifests.pods[0].grace_seconds, 30);
}

TEST(Manifest, KeepsItsUidUntilItsContentChanges) {
  const std::string edited = std::string(kPod) + "  hostname: other\n";

  EXPECT_EQ(read(kPod).pods[0].uid, read(kPod).pods[0].uid);
  EXPECT_NE(read(kPod).pods[0].uid, read(edited).pods[0].uid);
  EXPECT_NE(read(kPod).pods[0].uid, read(kPod, "other-node").pods[0].uid);
}

TEST(Manifest, TakesConfigMapsAndSecretsFromTheSameFile) {
  const Manifests manifests = read(std::string(kPod) +
                                   "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
                                   "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, "
                                   "namespace: other}\n");

  EXPECT_EQ(manifests.config_maps.count("default/c"), 1U);
  EXPECT_EQ(manifests.secrets.count("other/s"), 1U);
  EXPECT_TRUE(manifests.problems.empty());
}

TEST(Manifest, ReportsABrokenDocumentAndTakesTheOthers) {
  const Manifests manifests =
      read(std::string("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---") + kPod);

  EXPECT_EQ(manifests.pods.size(), 1U);
  ASSERT_EQ(manifests.problems.size(), 1U);
  EXPECT_THAT(manifests.problems[0], HasSubstr("web.yaml: document at line 1"));
  EXPECT_THAT(manifests.problems[0], HasSubstr("Deployment"));
}

TEST(Manifest, NamesTheMemberThatIsWrong) {
  struct Case {
    const char* member;
    const char* expected;
  };
  const Case cases[] = {
      {"spec: {containers: []}", "spec.containers has to be a list"},
      {"spec: {containers: [{name: A, image: x}]}", "spec.containers[0].name is \"A\""},
      {"spec: {containers: [{name: a}]}", "spec.containers[0].image is missing"},
      {"spec: {containers: [{name: a, image: x}, {name: a, image: x}]}", "there twice"},
      {"spec: {containers: [x]}", "spec.containers[0] is not an object"},
      {"spec: {restartPolicy: Sometimes, containers: [{name: a, image: x}]}", "\"Sometimes\""},
      {"spec: {terminationGracePeriodSeconds: -1, containers: [{name: a, image: x}]}",
       "terminationGracePeriodSeconds"},
      {"spec: {containers: [{name: a, image: x}], initContainers: 5}", "spec.initContainers"},
      {"status: {}", "spec is missing"},
  };
  for (const Case& c : cases) {
    const Manifests manifests =
        read(std::string("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n") + c.member);
    ASSERT_EQ(manifests.problems.size(), 1U) << c.member;
    EXPECT_THAT(manifests.problems[0], HasSubstr(c.expected)) << c.member;
    EXPECT_TRUE(manifests.pods.empty()) << c.member;
  }
}

TEST(Manifest, CountsTheFirstOfTwoPodsWithOneName) {
  Manifests manifests;
  add_manifest_file("a.yaml", kPod, "node", &manifests);
  add_manifest_file("b.yaml", kPod, "node", &manifests);

  EXPECT_EQ(manifests.pods.size(), 1U);
  EXPECT_THAT(manifests.problems, ElementsAre(HasSubstr("is defined in a.yaml already")));
}

}  // namespace
}  // namespace vkhost::daemon
