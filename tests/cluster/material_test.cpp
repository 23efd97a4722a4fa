// The environment of a pod's containers as it arrives at the provider, and what becomes of a pod while
// something that it refers to is missing.
#include "support/material.hpp"

#include "cluster/pod_material.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

namespace vkhost::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::Pointee;

using PodEnvironment = PodMaterial;

MaterialVariable plain(std::string name, std::string value) {
  return {.name = std::move(name), .value = std::move(value)};
}

MaterialVariable secret(std::string name, std::string value) {
  return {.name = std::move(name), .value = std::move(value), .secret = true};
}

TEST_F(PodEnvironment, ArrivesAtTheProviderInItsOrder) {
  given_node();
  given_object("configmaps", R"({"metadata":{"name":"map"},"data":{"BOTH":"map","FROM_MAP":"1"}})");
  given_object("secrets",
               R"({"metadata":{"name":"keys"},"stringData":{"BOTH":"keys","PASSWORD":"sesame"}})");

  const std::string uid = create_main(
      R"j("envFrom":[{"configMapRef":{"name":"map"}},{"prefix":"IN_","configMapRef":{"name":"map"}},
                     {"secretRef":{"name":"keys"}},
                     {"secretRef":{"name":"not-there","optional":true}}],
          "env":[{"name":"Z","value":"first"},
                 {"name":"A","value":"$(Z) $(FROM_MAP) $(LATER) $$(Z)"},
                 {"name":"LATER","value":""},
                 {"name":"URL","value":"https://me:$(PASSWORD)@db"},
                 {"name":"ONE","valueFrom":{"secretKeyRef":{"name":"keys","key":"BOTH"}}},
                 {"name":"NONE","valueFrom":{"configMapKeyRef":{"name":"map","key":"no","optional":true}}}])j");

  const ContainerMaterial main = main_of(uid);
  EXPECT_THAT(main.own_names(), ElementsAre("FROM_MAP", "IN_BOTH", "IN_FROM_MAP", "BOTH",
                                            "PASSWORD", "Z", "A", "LATER", "URL", "ONE"));
  EXPECT_THAT(main.find("BOTH"), Pointee(secret("BOTH", "keys")));
  EXPECT_THAT(main.find("IN_BOTH"), Pointee(plain("IN_BOTH", "map")));
  EXPECT_THAT(main.find("A"), Pointee(plain("A", "first 1 $(LATER) $(Z)")));
  EXPECT_THAT(main.find("LATER"), Pointee(plain("LATER", "")));
  EXPECT_THAT(main.find("URL"), Pointee(secret("URL", "https://me:sesame@db")));
  EXPECT_THAT(main.find("ONE"), Pointee(secret("ONE", "keys")));
  ASSERT_FALSE(main.env.empty());
  EXPECT_TRUE(main.env.back().service) << "variables of services come last";
}

TEST_F(PodEnvironment, TellsFieldsOfThePodAndItsNode) {
  NodeUnderTest& node = given_node();

  const std::string uid = create_main(
      R"("env":[
        {"name":"NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},
        {"name":"SPACE","valueFrom":{"fieldRef":{"fieldPath":"metadata.namespace"}}},
        {"name":"UID","valueFrom":{"fieldRef":{"fieldPath":"metadata.uid"}}},
        {"name":"LABEL","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}},
        {"name":"NOTE","valueFrom":{"fieldRef":{"fieldPath":"metadata.annotations['example.com/note']"}}},
        {"name":"NO_NOTE","valueFrom":{"fieldRef":{"fieldPath":"metadata.annotations['example.com/no']"}}},
        {"name":"NODE","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}},
        {"name":"ACCOUNT","valueFrom":{"fieldRef":{"fieldPath":"spec.serviceAccountName"}}},
        {"name":"HOST_IP","valueFrom":{"fieldRef":{"fieldPath":"status.hostIP"}}}])",
      R"(,"labels":{"app":"shop"},"annotations":{"example.com/note":"a \"b\""})");

  const ContainerMaterial main = main_of(uid);
  const std::string pod = node.cluster().get(node.pod_path("web"));
  const std::string host_ip = json_at(pod, "/status/hostIP");
  ASSERT_NE(host_ip, "");
  EXPECT_THAT(main.find("NAME"), Pointee(plain("NAME", "web")));
  EXPECT_THAT(main.find("SPACE"), Pointee(plain("SPACE", node.space())));
  EXPECT_THAT(main.find("UID"), Pointee(plain("UID", uid)));
  EXPECT_THAT(main.find("LABEL"), Pointee(plain("LABEL", "shop")));
  EXPECT_THAT(main.find("NOTE"), Pointee(plain("NOTE", R"(a "b")")));
  EXPECT_THAT(main.find("NO_NOTE"), Pointee(plain("NO_NOTE", "")));
  EXPECT_THAT(main.find("NODE"), Pointee(plain("NODE", node.name())));
  EXPECT_THAT(main.find("ACCOUNT"), Pointee(plain("ACCOUNT", "default")));
  EXPECT_THAT(main.find("HOST_IP"), Pointee(plain("HOST_IP", host_ip)));
}

// virtual-kubelet#1011, #999, #1129: A variable with the pod's address, and the pod never starts
TEST_F(PodEnvironment, LeavesThePodsAddressToAProviderThatKnowsIt) {
  given_node(asking_for_env("all", "late_env = true\n"));

  const std::string uid =
      create_main(R"j("env":[{"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},
                             {"name":"URL","value":"http://$(IP)/"}],"args":["--bind=$(IP)"])j");

  const ContainerMaterial main = main_of(uid);
  EXPECT_THAT(main.find("IP"),
              Pointee(MaterialVariable{.name = "IP", .field_ref = "status.podIP"}));
  EXPECT_THAT(main.find("URL"), Pointee(plain("URL", "http://$(IP)/")));
  EXPECT_THAT(main.args, ElementsAre(MaterialText{"--bind=$(IP)"}));
}

// virtual-kubelet#998, #123: … and nobody says why
TEST_F(PodEnvironment, SaysThatNobodyKnowsThePodsAddressYet) {
  NodeUnderTest& node = given_node();

  const std::string uid =
      create_main(R"("env":[{"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}}])");

  const std::string pod = wait_until_waiting_for_material();
  EXPECT_THAT(json_at(pod, kWaitingMessage), HasSubstr("status.podIP"));
  EXPECT_TRUE(wait_for_warning(uid, "status.podIP"));
  EXPECT_EQ(node.journal().count("create_pod", uid), 0U);
}

// virtual-kubelet#451: Variables that refer to resources are left out, and no word of it
TEST_F(PodEnvironment, TellsTheLimitsOfContainersOrElseWhatTheNodeHas) {
  given_node(asking_for_env("all", "cpu = '20'\nmemory = '100Gi'\n"));

  const std::string uid = create(
      R"("containers":[{"name":"main","image":"registry.example/app:1",
        "resources":{"limits":{"cpu":"250m","memory":"64Mi"},"requests":{"cpu":"100m"}},
        "env":[
          {"name":"LIMIT","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}},
          {"name":"LIMIT_M","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"1m"}}},
          {"name":"REQUEST_M","valueFrom":{"resourceFieldRef":{"resource":"requests.cpu","divisor":"1m"}}},
          {"name":"MEMORY","valueFrom":{"resourceFieldRef":{"resource":"limits.memory"}}},
          {"name":"MEMORY_REQUEST","valueFrom":{"resourceFieldRef":{"resource":"requests.memory","divisor":"1Mi"}}},
          {"name":"OTHER_CPU","valueFrom":{"resourceFieldRef":{"containerName":"other","resource":"limits.cpu"}}},
          {"name":"OTHER_MEMORY","valueFrom":{"resourceFieldRef":{"containerName":"other","resource":"limits.memory","divisor":"1Gi"}}}]},
        {"name":"other","image":"registry.example/app:1"}])");

  const ContainerMaterial main = main_of(uid);
  EXPECT_THAT(main.find("LIMIT"), Pointee(plain("LIMIT", "1"))) << "rounded up to a whole one";
  EXPECT_THAT(main.find("LIMIT_M"), Pointee(plain("LIMIT_M", "250")));
  EXPECT_THAT(main.find("REQUEST_M"), Pointee(plain("REQUEST_M", "100")));
  EXPECT_THAT(main.find("MEMORY"), Pointee(plain("MEMORY", "67108864")));
  EXPECT_THAT(main.find("MEMORY_REQUEST"), Pointee(plain("MEMORY_REQUEST", "64")));
  EXPECT_THAT(main.find("OTHER_CPU"), Pointee(plain("OTHER_CPU", "20")));
  EXPECT_THAT(main.find("OTHER_MEMORY"), Pointee(plain("OTHER_MEMORY", "100")));
}

TEST_F(PodEnvironment, IsExpandedInCommandsArgumentsAndSubPaths) {
  given_node();
  given_object("secrets", R"({"metadata":{"name":"keys"},"stringData":{"PASSWORD":"sesame"}})");

  const std::string uid = create(
      R"j("volumes":[{"name":"data","emptyDir":{}}],
          "containers":[{"name":"main","image":"registry.example/app:1",
            "envFrom":[{"secretRef":{"name":"keys"}}],
            "env":[{"name":"NAME","value":"shop"}],
            "command":["/bin/$(NAME)","$$(NAME)"],
            "args":["--password=$(PASSWORD)","$(UNKNOWN)","${NAME}"],
            "volumeMounts":[{"name":"data","mountPath":"/data","subPathExpr":"$(NAME)/logs"}]}])j");

  const ContainerMaterial main = main_of(uid);
  EXPECT_THAT(main.command, ElementsAre(MaterialText{"/bin/shop"}, MaterialText{"$(NAME)"}));
  EXPECT_THAT(main.args, ElementsAre(MaterialText{"--password=sesame", true},
                                     MaterialText{"$(UNKNOWN)"}, MaterialText{"${NAME}"}));
  EXPECT_THAT(main.sub_paths, ElementsAre(Pair("/data", MaterialText{"shop/logs"})));
}

TEST_F(PodEnvironment, NamesTheServicesOfItsNamespaceUnlessThePodWantsNone) {
  NodeUnderTest& node = given_node();
  const std::string service = node.cluster().create(
      "/api/v1/namespaces/" + node.space() + "/services",
      R"({"metadata":{"name":"my-db"},"spec":{"ports":[{"name":"sql","port":5432}]}})");
  const std::string ip = json_at(service, "/spec/clusterIP");
  const auto is_service = [](std::string name, std::string value) {
    return Pointee(
        MaterialVariable{.name = std::move(name), .value = std::move(value), .service = true});
  };

  const std::string uid = create_main(R"("env":[{"name":"MY_DB_SERVICE_PORT","value":"mine"}])");

  const ContainerMaterial main = main_of(uid);
  EXPECT_THAT(main.find("MY_DB_SERVICE_HOST"), is_service("MY_DB_SERVICE_HOST", ip));
  EXPECT_THAT(main.find("MY_DB_SERVICE_PORT_SQL"), is_service("MY_DB_SERVICE_PORT_SQL", "5432"));
  EXPECT_THAT(main.find("MY_DB_PORT"), is_service("MY_DB_PORT", "tcp://" + ip + ":5432"));
  EXPECT_THAT(main.find("MY_DB_SERVICE_PORT"), Pointee(plain("MY_DB_SERVICE_PORT", "mine")));
  EXPECT_NE(main.find("KUBERNETES_SERVICE_HOST"), nullptr);

  node.cluster().remove(node.pod_path("web"), 0);
  node.cluster().wait_until_gone(node.pod_path("web"), kLong);
  const std::string second =
      create(R"("enableServiceLinks":false,"containers":[{"name":"main","image":"a:1"}])");

  const ContainerMaterial without = main_of(second);
  EXPECT_EQ(without.find("MY_DB_SERVICE_HOST"), nullptr);
  EXPECT_NE(without.find("KUBERNETES_SERVICE_HOST"), nullptr);
}

TEST_F(PodEnvironment, HoldsOnlyWhatTheUserWrote) {
  NodeUnderTest& node = given_node();

  const CommandResult applied = node.kubectl({"apply", "--filename", "-"}, R"({
    "apiVersion":"v1","kind":"Pod",
    "metadata":{"name":"web","labels":{"app":"shop"},"annotations":{"example.com/note":"a-note"}},
    "spec":{"nodeName":")" + node.name() + R"(","containers":[
      {"name":"main","image":"registry.example/app:1","env":[{"name":"A","value":"1"}]}]}})");
  ASSERT_EQ(applied.status, 0) << applied.output;

  const std::string pod = node.cluster().get(node.pod_path("web"));
  ASSERT_THAT(pod, HasSubstr("last-applied-configuration"));
  const std::string uid = json_at(pod, "/metadata/uid");
  EXPECT_THAT(main_of(uid).own_names(), ElementsAre("A"));
  EXPECT_THAT(node.journal().material(uid),
              AllOf(Not(HasSubstr("last-applied")), Not(HasSubstr("a-note")),
                    Not(HasSubstr("example.com/note"))));
}

TEST_F(PodEnvironment, IsThatOfEachContainerAndOfOneThatComesLater) {
  NodeUnderTest& node = given_node();
  const std::string uid = create(
      R"j("initContainers":[{"name":"first","image":"a:1","env":[{"name":"A","value":"1"}]}],
          "containers":[{"name":"main","image":"a:1","env":[{"name":"A","value":"2"}]}])j");
  const Material created = material_of(uid);
  EXPECT_THAT(created.containers.at("first").find("A"), Pointee(plain("A", "1")));
  EXPECT_THAT(created.containers.at("main").find("A"), Pointee(plain("A", "2")));

  const CommandResult debug = node.kubectl(
      {"debug", "web", "--image=a:1", "--container=tools", "--env=A=3", "--", "sleep", "1"});

  ASSERT_EQ(debug.status, 0) << debug.output;
  ASSERT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return journal.count("update_pod", uid, "ok") == 1; },
      kLong));
  const Material updated = parse_material(node.journal().material(uid));
  EXPECT_THAT(updated.containers.at("tools").find("A"), Pointee(plain("A", "3")));
  for (const MockCall& call : node.journal().calls()) {
    if (call.call == "update_pod") {
      EXPECT_THAT(call.changed, ElementsAre("ephemeral_containers"));
    }
  }
}

// ---- While something is missing

using MissingSecret = PodEnvironment;

// virtual-kubelet#465: A pod that waits for something is only Pending
TEST_F(MissingSecret, IsShownAndCuredWithoutARestart) {
  NodeUnderTest& node = given_node();

  const std::string uid = create_main(R"("envFrom":[{"secretRef":{"name":"keys"}}])");

  const std::string waiting = wait_until_waiting_for_material(R"(secret "keys" not found)");
  EXPECT_EQ(json_at(waiting, "/status/phase"), "Pending");
  EXPECT_TRUE(wait_for_warning(uid, R"(secret "keys" not found)"));
  const CommandResult shown = node.kubectl({"get", "pod", "web", "--no-headers"});
  EXPECT_THAT(shown.output, HasSubstr("CreateContainerConfigError"));
  EXPECT_EQ(node.journal().count("create_pod", uid), 0U) << "nothing is made of half a pod";

  given_object("secrets", R"({"metadata":{"name":"keys"},"stringData":{"PASSWORD":"sesame"}})");

  EXPECT_THAT(main_of(uid).find("PASSWORD"), Pointee(secret("PASSWORD", "sesame")));
  EXPECT_EQ(node.journal().creations(), (std::map<std::string, int>{{uid, 1}}));
  wait_for_pod([](const std::string& pod) {
    return json_at(pod, "/status/phase") == "Running" &&
           pod.find("CreateContainerConfigError") == std::string::npos;
  });
}

TEST_F(MissingSecret, HoldsUpNoOtherPod) {
  NodeUnderTest& node = given_node();
  create_main(R"("envFrom":[{"secretRef":{"name":"keys"}}])");
  wait_until_waiting_for_material();

  node.create_pod("other");

  node.wait_until_running("other");
}

}  // namespace
}  // namespace vkhost::testing
