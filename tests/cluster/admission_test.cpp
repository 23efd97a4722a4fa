// Admission at a virtual node of the real daemon, for pods that get past the scheduler.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;

CommandResult apply(NodeUnderTest& node, const std::string& name, const std::string& spec) {
  return node.kubectl({"apply", "-f", "-"},
                      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":")" + name +
                          R"("},"spec":{"nodeName":")" + node.name() + "\"," + spec + "}}");
}

constexpr const char* kMain = R"("containers":[{"name":"main","image":"registry.example/web:1"}])";

void expect_rejected(NodeUnderTest& node, const std::string& pod, const std::string& reason) {
  EXPECT_NO_THROW(node.cluster().wait_for(
      node.pod_path(pod),
      [](const std::string& object) { return json_at(object, "/status/phase") == "Failed"; },
      kLong));
  const CommandResult shown =
      node.kubectl({"get", "pod", pod, "-o", "jsonpath={.status.reason}: {.status.message}"});
  EXPECT_THAT(shown.output, HasSubstr(reason + ": Pod was rejected: "));
  EXPECT_NO_THROW(node.cluster().wait_for(
      "/api/v1/namespaces/" + node.space() + "/events",
      [&](const std::string& events) {
        return events.find("\"reason\":\"" + reason + "\"") != std::string::npos;
      },
      kLong));
}

TEST(Admission, LetsInAsManyPodsAsTheNodeTakes) {
  NodeOptions options;
  options.daemon.node_settings = "capacity = {pods = '2'}\n";
  NodeUnderTest node(std::move(options));
  node.create_pod("a");
  node.create_pod("b");
  node.wait_until_running("a");
  node.wait_until_running("b");

  node.create_pod("c");

  expect_rejected(node, "c", "OutOfpods");
  EXPECT_EQ(node.kubectl({"delete", "pod", "c", "a"}).status, 0);
  node.create_pod("d");
  node.wait_until_running("d");
}

TEST(Admission, RejectsWhatDoesNotSelectTheNode) {
  NodeUnderTest node;

  ASSERT_EQ(apply(node, "elsewhere",
                  R"("nodeSelector":{"kubernetes.io/arch":"s390x"},)" + std::string(kMain))
                .status,
            0);
  expect_rejected(node, "elsewhere", "NodeAffinity");

  // A label of a moment ago counts.
  ASSERT_EQ(node.kubectl({"label", "node", node.name(), "team=red"}).status, 0);
  ASSERT_EQ(apply(node, "red", R"("nodeSelector":{"team":"red"},)" + std::string(kMain)).status, 0);
  node.wait_until_running("red");
}

// virtual-kubelet#20, #98, #50: Pods of every DaemonSet come to the virtual node
TEST(Admission, LeavesPodsOfADaemonSetAloneAndLetsThemGo) {
  NodeUnderTest node;
  const CommandResult made = node.kubectl({"apply", "-f", "-"}, R"({
    "apiVersion":"apps/v1","kind":"DaemonSet","metadata":{"name":"agent"},
    "spec":{"selector":{"matchLabels":{"app":"agent"}},
      "template":{"metadata":{"labels":{"app":"agent"}},
        "spec":{"nodeSelector":{"kubernetes.io/hostname":")" + node.name() +
                                                                    R"("},
          "tolerations":[{"operator":"Exists"}],)" + kMain + "}}}}");
  ASSERT_EQ(made.status, 0) << made.output;
  const std::string pods = node.cluster().wait_for(
      node.pods_path(),
      [](const std::string& list) {
        return list.find("\"nodeName\"") != std::string::npos &&
               list.find("\"agent\"") != std::string::npos;
      },
      kLong);
  EXPECT_THAT(pods, HasSubstr("\"phase\":\"Pending\""));

  const CommandResult deleted =
      node.kubectl({"delete", "daemonset", "agent", "--timeout=60s", "--cascade=foreground"});

  EXPECT_EQ(deleted.status, 0) << deleted.output;
  const CommandResult left = node.kubectl({"get", "pods", "-o", "name"});
  EXPECT_EQ(left.output, "") << "a pod of the DaemonSet hangs in its deletion";
}

TEST(Admission, TellsWhatTheProviderIgnores) {
  NodeUnderTest node;

  ASSERT_EQ(apply(node, "probed",
                  R"("containers":[{"name":"main","image":"registry.example/web:1",)"
                  R"("livenessProbe":{"tcpSocket":{"port":80}}}])")
                .status,
            0);
  node.wait_until_running("probed");

  const CommandResult shown = node.kubectl(
      {"get", "pod", "probed", "-o",
       R"(jsonpath={.status.conditions[?(@.type=="vkhost.io/FieldsHonoured")].message})"});
  EXPECT_EQ(shown.output, "/spec/containers/0/livenessProbe: the provider ignores it");
}

}  // namespace
}  // namespace vkhost::testing
