// What pods store things in, as it arrives at the provider: claims that are bound by hand to volumes of
// which the test says what they are, and what becomes of a pod while there is none.
#include "cluster/pod_material.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A class that nobody provides for, so that nobody binds what the test binds.
constexpr std::string_view kClaimSpec =
    R"("storageClassName":"by-hand","accessModes":["ReadWriteOnce"],)"
    R"("resources":{"requests":{"storage":"1Gi"}})";

class PodClaims : public PodMaterial {
 protected:
  PodClaims() {
    given_node({.daemon = {.provider_settings = "material = ['storage']\n"
                                                "keep_material = 'all'\n"}});
  }
  ~PodClaims() override {
    for (const std::string& path : volumes_) {
      static_cast<void>(node_->cluster().api().remove(path));
    }
  }
  [[nodiscard]] std::string claim_path(const std::string& name) const {
    return "/api/v1/namespaces/" + node_->space() + "/persistentvolumeclaims/" + name;
  }
  // Returns its UID.
  std::string given_claim(const std::string& name) {
    return json_at(
        node_->cluster().create(
            "/api/v1/namespaces/" + node_->space() + "/persistentvolumeclaims",
            R"({"metadata":{"name":")" + name + R"("},"spec":{)" + std::string(kClaimSpec) + "}}"),
        "/metadata/uid");
  }
  // What a provisioner and the controller of the control plane do.
  void bind(const std::string& claim, const std::string& claim_uid, const std::string& source) {
    const std::string name = Cluster::unique_name("pv");
    volumes_.push_back("/api/v1/persistentvolumes/" + name);
    node_->cluster().create(
        "/api/v1/persistentvolumes",
        R"({"metadata":{"name":")" + name +
            R"("},"spec":{"capacity":{"storage":"1Gi"},"storageClassName":"by-hand",)"
            R"("accessModes":["ReadWriteOnce"],"persistentVolumeReclaimPolicy":"Retain",)"
            R"("claimRef":{"namespace":")" +
            node_->space() + R"(","name":")" + claim + R"(","uid":")" + claim_uid + "\"}," +
            source + "}}");
    node_->cluster().patch(claim_path(claim), R"({"spec":{"volumeName":")" + name + "\"}}");
    node_->cluster().patch(claim_path(claim) + "/status", R"({"status":{"phase":"Bound"}})");
  }
  std::string create_with(const std::string& volume) {
    return create(R"("containers":[{"name":"main","image":"registry.example/app:1",)"
                  R"("volumeMounts":[{"name":"v","mountPath":"/v"}]}],"volumes":[{"name":"v",)" +
                  volume + "}]");
  }
  // What the provider is told of "v", once the pod runs.
  std::string storage_of(const std::string& uid) { return material_of(uid).storage.at("v"); }
  // (A node may be refused for a moment what its new pod refers to.)
  std::string wait_until_mount_fails(std::string_view text) {
    return wait_for_pod([text](const std::string& pod) {
      return json_at(pod, kWaitingReason) == "ContainerCreating" &&
             json_at(pod, kWaitingMessage).find(text) != std::string::npos;
    });
  }

 private:
  std::vector<std::string> volumes_;
};

TEST_F(PodClaims, LeadToTheAttributesOfTheirDriver) {
  given_object("secrets", R"({"metadata":{"name":"stage"},"stringData":{"key":"sesame"}})");
  bind("data", given_claim("data"),
       R"("csi":{"driver":"disk.example","volumeHandle":"vol-1","fsType":"ext4",)"
       R"("volumeAttributes":{"zone":"b"},"nodeStageSecretRef":{"name":"stage","namespace":")" +
           node_->space() + "\"}}");

  const std::string storage =
      storage_of(create_with(R"("persistentVolumeClaim":{"claimName":"data"})"));

  EXPECT_EQ(json_at(storage, "/claim/name"), "data");
  EXPECT_EQ(json_at(storage, "/claim/source/csi/driver"), "disk.example");
  EXPECT_EQ(json_at(storage, "/claim/source/csi/volumeHandle"), "vol-1");
  EXPECT_EQ(json_at(storage, "/claim/source/csi/volumeAttributes/zone"), "b");
  EXPECT_EQ(json_at(storage, "/claim/source/csi/fsType"), "ext4");
  EXPECT_EQ(json_at(storage, "/claim/volume_mode"), "Filesystem");
  EXPECT_EQ(json_at(storage, "/claim/capacity_bytes"), "1073741824");
  EXPECT_EQ(json_at(storage, "/secrets/nodeStageSecretRef/key/data"), "c2VzYW1l");
  EXPECT_THAT(node_->daemon().log(), Not(HasSubstr("c2VzYW1l")));
}

TEST_F(PodClaims, ThatAreMissingOrNotBoundAreShownAndCuredWithoutARestart) {
  const std::string uid = create_with(R"("persistentVolumeClaim":{"claimName":"data"})");
  const std::string pod = wait_until_mount_fails(
      "error processing PVC " + node_->space() +
      "/data: failed to fetch PVC from API server: persistentvolumeclaims \"data\" not found");
  EXPECT_EQ(json_at(pod, "/status/phase"), "Pending");
  EXPECT_TRUE(wait_for_warning(uid, "Unable to attach or mount volumes: unmounted volumes=[v]"));

  const std::string claim = given_claim("data");
  wait_until_mount_fails("PVC is not bound");
  EXPECT_EQ(node_->journal().count("create_pod", uid), 0U);

  bind("data", claim, R"("nfs":{"server":"nfs.example","path":"/x"})");

  EXPECT_EQ(json_at(storage_of(uid), "/claim/source/nfs/server"), "nfs.example");
}

// A controller makes the claim.
TEST_F(PodClaims, OfAPodAloneAreFoundByTheirName) {
  if (node_->cluster().minor_version() < 21) {
    GTEST_SKIP() << "this API server drops volumes of that kind";
  }
  const std::string uid = create_with(R"("ephemeral":{"volumeClaimTemplate":{"spec":{)" +
                                      std::string(kClaimSpec) + "}}}");
  const std::string object = node_->cluster().wait_for(
      claim_path("web-v"), [](const std::string& claim) { return !claim.empty(); }, kLong);

  bind("web-v", json_at(object, "/metadata/uid"), R"("csi":{"driver":"d","volumeHandle":"h"})");

  EXPECT_EQ(json_at(storage_of(uid), "/claim/name"), "web-v");
}

TEST_F(PodClaims, OfAPodAloneAreNotTakenFromSomebodyElse) {
  if (node_->cluster().minor_version() < 21) {
    GTEST_SKIP() << "this API server drops volumes of that kind";
  }
  bind("web-v", given_claim("web-v"), R"("csi":{"driver":"d","volumeHandle":"h"})");

  const std::string uid = create_with(R"("ephemeral":{"volumeClaimTemplate":{"spec":{)" +
                                      std::string(kClaimSpec) + "}}}");

  wait_until_mount_fails("was not created for pod " + node_->space() + "/web (pod is not owner)");
  EXPECT_EQ(node_->journal().count("create_pod", uid), 0U);
}

TEST_F(PodClaims, StandBesideOtherStorage) {
  given_object("secrets", R"({"metadata":{"name":"share"},"stringData":{"key":"sesame"}})");

  const std::string uid =
      create(R"("containers":[{"name":"main","image":"registry.example/app:1","volumeMounts":[)"
             R"({"name":"tmp","mountPath":"/t"},{"name":"share","mountPath":"/s"},)"
             R"({"name":"nfs","mountPath":"/n"}]}],"volumes":[)"
             R"({"name":"tmp","emptyDir":{"medium":"Memory","sizeLimit":"64Mi"}},)"
             R"({"name":"share","csi":{"driver":"d","nodePublishSecretRef":{"name":"share"}}},)"
             R"({"name":"nfs","nfs":{"server":"s","path":"/x"}}])");

  const Material material = material_of(uid);
  EXPECT_EQ(json_at(material.storage.at("tmp"), "/empty_dir/medium"), "Memory");
  EXPECT_EQ(json_at(material.storage.at("tmp"), "/empty_dir/size_limit_bytes"), "67108864");
  EXPECT_EQ(json_at(material.storage.at("share"), "/secrets/nodePublishSecretRef/key/data"),
            "c2VzYW1l");
  EXPECT_FALSE(material.storage.contains("nfs")) << "it stands in the pod";
}

TEST_F(PodClaims, AreReadByNobodyWhoDoesNotTakeThem) {
  given_node({.daemon = {.provider_settings = "material = ['files']\nkeep_material = 'all'\n"}});

  const std::string uid = create_with(R"("persistentVolumeClaim":{"claimName":"not-there"})");

  EXPECT_TRUE(material_of(uid).storage.empty());
  const std::string pod = wait_for_pod([](const std::string& text) {
    return text.find("vkhost.io/FieldsHonoured") != std::string::npos;
  });
  EXPECT_THAT(pod,
              HasSubstr("/spec/volumes/0/persistentVolumeClaim: the provider takes no storage"));
}

}  // namespace
}  // namespace vkhost::testing
