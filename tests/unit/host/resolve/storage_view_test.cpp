#include "resolve/storage_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace vkhost::resolve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A container that mounts "v", and these volumes.
std::string spec_with(const std::string& volumes) {
  return R"({"containers":[{"name":"web","volumeMounts":[{"name":"v","mountPath":"/v"}]}],)"
         R"("volumes":[)" +
         volumes + "]}";
}

StorageVolume only_volume(const std::string& source) {
  const auto storage = read_pod_storage(spec_with(R"({"name":"v",)" + source + "}"));
  EXPECT_TRUE(storage.is_ok()) << storage.status().to_string();
  EXPECT_THAT(storage->volumes, SizeIs(1));
  return storage.is_ok() && !storage->volumes.empty() ? storage->volumes.front() : StorageVolume();
}

TEST(PodStorage, IsAClaim) {
  const StorageVolume volume = only_volume(R"("persistentVolumeClaim":{"claimName":"data"})");

  ASSERT_TRUE(volume.claim);
  EXPECT_EQ(volume.claim->name, "data");
  EXPECT_FALSE(volume.claim->is_ephemeral);
  EXPECT_TRUE(volume.is_mounted);
  EXPECT_FALSE(volume.is_a_device);
}

TEST(PodStorage, IsAClaimOfThePodAlone) {
  const StorageVolume volume = only_volume(R"("ephemeral":{"volumeClaimTemplate":{"spec":{}}})");

  ASSERT_TRUE(volume.claim);
  EXPECT_TRUE(volume.claim->is_ephemeral);
}

TEST(PodStorage, IsAnEmptyDir) {
  EXPECT_EQ(only_volume(R"("emptyDir":{})").empty_folder->medium, "");
  EXPECT_EQ(only_volume(R"("emptyDir":{})").empty_folder->limit_bytes, std::nullopt);
  const auto folder =
      only_volume(R"("emptyDir":{"medium":"Memory","sizeLimit":"1Mi"})").empty_folder;
  EXPECT_EQ(folder->medium, "Memory");
  EXPECT_EQ(folder->limit_bytes, 1024 * 1024);
  EXPECT_EQ(only_volume(R"("emptyDir":{"sizeLimit":"1m"})").empty_folder->limit_bytes, 1);
}

TEST(PodStorage, NamesTheSecretsOfItsSource) {
  const StorageVolume volume = only_volume(
      R"("csi":{"driver":"d","nodePublishSecretRef":{"name":"p","namespace":"kube-system"}})");

  ASSERT_THAT(volume.secrets, SizeIs(1));
  EXPECT_EQ(volume.secrets[0].name, "p");
  EXPECT_EQ(volume.secrets[0].secret_namespace, "") << "a pod reads nothing of other namespaces";
}

TEST(PodStorage, IsNothingWhereThePodSaysItAll) {
  for (const char* source :
       {R"("nfs":{"server":"s","path":"/"})", R"("hostPath":{"path":"/"})",
        R"("gitRepo":{"repository":"r"})", R"("image":{"reference":"r"})",
        R"("csi":{"driver":"d"})", R"("configMap":{"name":"c"})", R"("tomorrow":{"a":1})"}) {
    const auto storage = read_pod_storage(spec_with(std::string(R"({"name":"v",)") + source + "}"));
    ASSERT_TRUE(storage.is_ok()) << source << storage.status().to_string();
    EXPECT_THAT(storage->volumes, IsEmpty()) << source;
  }
  EXPECT_THAT(read_pod_storage(spec_with(R"({"name":"v"})"))->volumes, IsEmpty());
}

TEST(PodStorage, IsWhatAContainerUses) {
  const auto storage = read_pod_storage(
      R"({"initContainers":[{"name":"a","volumeDevices":[{"name":"disk","devicePath":"/d"}]}],
          "ephemeralContainers":[{"name":"b","volumeMounts":[{"name":"late"}]}],
          "volumes":[{"name":"disk","persistentVolumeClaim":{"claimName":"c"}},
                     {"name":"late","emptyDir":{}},{"name":"unused","emptyDir":{}}]})");

  ASSERT_THAT(storage->volumes, SizeIs(2));
  EXPECT_EQ(storage->volumes[0].name, "disk");
  EXPECT_TRUE(storage->volumes[0].is_a_device);
  EXPECT_FALSE(storage->volumes[0].is_mounted);
  EXPECT_EQ(storage->volumes[1].name, "late");
}

class BrokenStorage : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BrokenStorage, IsRefusedByThePlaceOfWhatIsWrong) {
  const auto& [volumes, words] = GetParam();

  const auto storage = read_pod_storage(spec_with(volumes));

  EXPECT_EQ(storage.status().code(), StatusCode::InvalidArgument) << volumes;
  EXPECT_THAT(storage.status().message(), HasSubstr(words)) << volumes;
}

INSTANTIATE_TEST_SUITE_P(
    PodStorage,
    BrokenStorage,
    ::testing::Values(
        std::pair{R"({"name":"v","emptyDir":{},"persistentVolumeClaim":{"claimName":"c"}})",
                  "more than one source"},
        std::pair{R"({"name":"v","emptyDir":{}},{"name":"v","emptyDir":{}})", "not unique"},
        std::pair{R"({"emptyDir":{}})", "spec.volumes[0].name"},
        std::pair{R"({"name":"v","emptyDir":[]})", "spec.volumes[0].emptyDir"},
        std::pair{R"({"name":"v","emptyDir":{"medium":1}})", "spec.volumes[0].emptyDir.medium"},
        std::pair{R"({"name":"v","emptyDir":{"sizeLimit":"-1"}})",
                  "spec.volumes[0].emptyDir.sizeLimit"},
        std::pair{R"({"name":"v","emptyDir":{"sizeLimit":"much"}})",
                  "spec.volumes[0].emptyDir.sizeLimit"},
        std::pair{R"({"name":"v","persistentVolumeClaim":"c"})",
                  "spec.volumes[0].persistentVolumeClaim"},
        std::pair{R"({"name":"v","persistentVolumeClaim":{"claimName":{}}})",
                  "spec.volumes[0].persistentVolumeClaim.claimName"},
        std::pair{R"({"name":"v","csi":{"nodePublishSecretRef":1}})",
                  "spec.volumes[0].csi.nodePublishSecretRef"},
        std::pair{R"("v")", "spec.volumes[0]"}));

TEST(PodStorage, IsRuledOutByAQuickLook) {
  EXPECT_TRUE(uses_no_storage(spec_with(R"({"name":"v","configMap":{"name":"c"}})")));
  EXPECT_FALSE(uses_no_storage(spec_with(R"({"name":"v","emptyDir":{}})")));
  EXPECT_FALSE(uses_no_storage(spec_with(R"({"name":"v","ephemeral":{}})")));
  EXPECT_FALSE(uses_no_storage(spec_with(R"({"name":"v","rbd":{"secretRef":{"name":"s"}}})")));
  EXPECT_FALSE(uses_no_storage(spec_with(R"({"name":"v","azureFile":{"secretName":"s"}})")));
  EXPECT_FALSE(uses_no_storage(R"({"volumes":[{"name":"v","\u0065mptyDir":{}}]})"));
}

}  // namespace
}  // namespace vkhost::resolve
