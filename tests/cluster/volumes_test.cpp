// The files of a pod's volumes as they arrive at the provider, what becomes of a pod while something of
// them is missing, and what comes of changes.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"
#include "support/material.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace vkhost::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr std::string_view kWaitingReason = "/status/containerStatuses/0/state/waiting/reason";
constexpr std::string_view kWaitingMessage = "/status/containerStatuses/0/state/waiting/message";

// "sesame 0400 secret"
std::string line_of(const MaterialFile& file) {
  std::string octal;
  for (const int shift : {9, 6, 3, 0}) {
    octal += static_cast<char>('0' + ((file.mode >> shift) & 7));
  }
  return file.data + " " + octal + (file.secret ? " secret" : "");
}

class PodVolumes : public ::testing::Test {
 protected:
  void given_object(const std::string& kind, const std::string& json) {
    node_.cluster().create("/api/v1/namespaces/" + node_.space() + "/" + kind, json);
  }
  void change(const std::string& object, const std::string& patch) {
    node_.cluster().patch("/api/v1/namespaces/" + node_.space() + "/" + object, patch);
  }
  // The provider took so many.
  bool wait_for_updates(const std::string& uid, std::size_t count) {
    return node_.journal().wait_until(
        [&](const MockJournal& journal) { return journal.count("update_pod", uid, "ok") >= count; },
        kLong);
  }
  // A pod "web" whose container mounts the volume "v" of this source; returns its UID.
  std::string create(const std::string& source, const std::string& metadata = "") {
    const std::string created = node_.cluster().create(
        node_.pods_path(),
        R"({"metadata":{"name":"web")" + metadata + R"(},"spec":{"nodeName":")" + node_.name() +
            R"(","containers":[{"name":"main","image":"registry.example/app:1",)"
            R"("resources":{"limits":{"cpu":"250m"}},)"
            R"("volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v",)" +
            source + "}]}}");
    return json_at(created, "/metadata/uid");
  }
  // The files of "v" by path, once the pod runs.
  std::map<std::string, std::string> files_of(const std::string& uid) {
    node_.wait_until_running("web");
    const auto material = parse_material(node_.journal().material(uid));
    std::map<std::string, std::string> lines;
    for (const auto& [path, file] : material.volumes.at("v")) {
      lines.emplace(path, line_of(file));
    }
    return lines;
  }
  std::string wait_for_pod(const std::function<bool(const std::string& pod)>& condition) {
    return node_.cluster().wait_for(node_.pod_path("web"), condition, kLong);
  }
  // With that in the message. (A node may be refused for a moment what its new pod refers to.)
  std::string wait_until_mount_fails(std::string_view text) {
    return wait_for_pod([text](const std::string& pod) {
      const std::string message = json_at(pod, kWaitingMessage);
      return json_at(pod, kWaitingReason) == "ContainerCreating" &&
             message.find("MountVolume.SetUp failed") != std::string::npos &&
             message.find(text) != std::string::npos;
    });
  }
  // True once an event FailedMount of that pod has this message.
  bool wait_for_failed_mount(const std::string& uid, std::string_view message) {
    bool found = false;
    node_.cluster().api().watch("/api/v1/namespaces/" + node_.space() +
                                    "/events?watch=true&fieldSelector=involvedObject.uid%3D" + uid,
                                kLong, [&](std::string_view event) {
                                  found = json_at(event, "/object/reason") == "FailedMount" &&
                                          json_at(event, "/object/type") == "Warning" &&
                                          json_at(event, "/object/message") == message;
                                  return !found;
                                });
    return found;
  }

  NodeUnderTest node_{NodeOptions{.daemon = {.provider_settings = "material = ['env', 'files']\n"
                                                                  "updates = ['files']\n"
                                                                  "keep_material = 'all'\n"}}};
};

TEST_F(PodVolumes, HoldTheFilesOfAConfigMap) {
  given_object("configmaps", R"({"metadata":{"name":"app"},"data":{"a.conf":"one","b":"two"},
                                 "binaryData":{"c":"/w=="}})");

  const std::string uid = create(R"("configMap":{"name":"app","defaultMode":256})");

  EXPECT_THAT(files_of(uid), ElementsAre(Pair("a.conf", "one 0400"), Pair("b", "two 0400"),
                                         Pair("c", "\xFF 0400")));
}

TEST_F(PodVolumes, HoldTheItemsOfASecretAndMarkThem) {
  given_object("secrets",
               R"({"metadata":{"name":"db"},"stringData":{"user":"me","key":"sesame"}})");

  const std::string uid = create(
      R"("secret":{"secretName":"db","optional":true,"items":[
           {"key":"key","path":"keys/db","mode":384},{"key":"none","path":"none"}]})");

  EXPECT_THAT(files_of(uid), ElementsAre(Pair("keys/db", "sesame 0600 secret")));
  EXPECT_THAT(node_.daemon().log(), Not(HasSubstr("sesame")));
}

TEST_F(PodVolumes, HoldFieldsAndResourcesOfThePod) {
  const std::string uid = create(
      R"("downwardAPI":{"items":[
           {"path":"name","fieldRef":{"fieldPath":"metadata.name"}},
           {"path":"labels","fieldRef":{"fieldPath":"metadata.labels"}},
           {"path":"note","fieldRef":{"fieldPath":"metadata.annotations['example.com/note']"}},
           {"path":"cpu","resourceFieldRef":
             {"containerName":"main","resource":"limits.cpu","divisor":"1m"}}]})",
      R"(,"labels":{"tier":"front","app":"web"},"annotations":{"example.com/note":"b\na"})");

  EXPECT_THAT(files_of(uid), ElementsAre(Pair("cpu", "250 0644"),
                                         Pair("labels", "app=\"web\"\ntier=\"front\" 0644"),
                                         Pair("name", "web 0644"), Pair("note", "b\na 0644")));
}

TEST_F(PodVolumes, OfSeveralSourcesAreOne) {
  given_object("configmaps", R"({"metadata":{"name":"app"},"data":{"a":"map","b":"map"}})");
  given_object("secrets", R"({"metadata":{"name":"db"},"stringData":{"b":"sesame"}})");

  const std::string uid = create(
      R"("projected":{"sources":[
           {"configMap":{"name":"app"}},{"secret":{"name":"db"}},
           {"secret":{"name":"not-there","optional":true}},
           {"downwardAPI":{"items":[
             {"path":"ns","fieldRef":{"fieldPath":"metadata.namespace"}}]}}]})");

  EXPECT_THAT(files_of(uid), ElementsAre(Pair("a", "map 0644"), Pair("b", "sesame 0644 secret"),
                                         Pair("ns", node_.space() + " 0644")));
}

TEST_F(PodVolumes, ThatAreMissingAreShownAndCuredWithoutARestart) {
  const std::string uid = create(R"("secret":{"secretName":"late"})");

  const std::string pod = wait_until_mount_fails(R"(secret "late" not found)");
  EXPECT_EQ(json_at(pod, "/status/phase"), "Pending");
  EXPECT_TRUE(wait_for_failed_mount(
      uid, R"(MountVolume.SetUp failed for volume "v" : secret "late" not found)"));
  EXPECT_EQ(node_.journal().count("create_pod", uid), 0U);

  given_object("secrets", R"({"metadata":{"name":"late"},"stringData":{"key":"sesame"}})");

  EXPECT_THAT(files_of(uid), ElementsAre(Pair("key", "sesame 0644 secret")));
}

TEST_F(PodVolumes, ThatLackAKeyAreShownAndCuredWithoutARestart) {
  given_object("configmaps", R"({"metadata":{"name":"app"},"data":{"other":"1"}})");
  const std::string uid = create(R"("configMap":{"name":"app","items":[{"key":"k","path":"p"}]})");

  wait_until_mount_fails("config key: k");
  EXPECT_TRUE(wait_for_failed_mount(uid, R"(MountVolume.SetUp failed for volume "v" : )"
                                         "configmap references non-existent config key: k"));

  change("configmaps/app", R"({"data":{"k":"now"}})");

  EXPECT_THAT(files_of(uid), ElementsAre(Pair("p", "now 0644")));
}

TEST_F(PodVolumes, FollowTheirObjects) {
  given_object("configmaps", R"({"metadata":{"name":"app"},"data":{"a":"one"}})");
  given_object("secrets", R"({"metadata":{"name":"db"},"stringData":{"b":"sesame"}})");
  const std::string uid =
      create(R"("projected":{"sources":[{"configMap":{"name":"app"}},{"secret":{"name":"db"}}]})");
  EXPECT_THAT(files_of(uid), ElementsAre(Pair("a", "one 0644"), Pair("b", "sesame 0644 secret")));

  change("configmaps/app", R"({"data":{"a":"two"}})");
  ASSERT_TRUE(wait_for_updates(uid, 1));
  EXPECT_THAT(files_of(uid), ElementsAre(Pair("a", "two 0644"), Pair("b", "sesame 0644 secret")));

  change("secrets/db", R"({"stringData":{"c":"open"}})");
  ASSERT_TRUE(wait_for_updates(uid, 2));
  EXPECT_THAT(files_of(uid), ElementsAre(Pair("a", "two 0644"), Pair("b", "sesame 0644 secret"),
                                         Pair("c", "open 0644 secret")));
  EXPECT_EQ(node_.journal().count("create_pod", uid), 1U);
  for (const MockCall& call : node_.journal().calls()) {
    if (call.call == "update_pod") {
      EXPECT_THAT(call.changed, ElementsAre("files"));
    }
  }
}

TEST_F(PodVolumes, KeepTheFilesOfAnObjectThatIsDeleted) {
  given_object("configmaps", R"({"metadata":{"name":"app"},"data":{"a":"one"}})");
  given_object("secrets", R"({"metadata":{"name":"db"},"stringData":{"b":"sesame"}})");
  const std::string uid =
      create(R"("projected":{"sources":[{"configMap":{"name":"app"}},{"secret":{"name":"db"}}]})");
  node_.wait_until_running("web");

  node_.cluster().remove("/api/v1/namespaces/" + node_.space() + "/configmaps/app");
  change("secrets/db", R"({"stringData":{"b":"other"}})");
  ASSERT_TRUE(wait_for_updates(uid, 1));

  EXPECT_THAT(files_of(uid), ElementsAre(Pair("a", "one 0644"), Pair("b", "other 0644 secret")));
}

TEST_F(PodVolumes, MayBeEmptyWhereTheyAreOptional) {
  const std::string uid = create(R"("configMap":{"name":"not-there","optional":true})");

  EXPECT_THAT(files_of(uid), IsEmpty());
}

}  // namespace
}  // namespace vkhost::testing
