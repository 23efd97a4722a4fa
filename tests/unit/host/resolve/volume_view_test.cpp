#include "resolve/volume_view.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A pod whose container mounts "v".
std::string spec_of(const std::string& volume, const std::string& more = "") {
  return R"({"containers":[{"name":"web","volumeMounts":[{"name":"v","mountPath":"/v"}]}],)"
         R"("volumes":[{"name":"v",)" +
         volume + "}]" + more + "}";
}

TEST(VolumeView, ReadsObjectsWithTheirItems) {
  const auto config = read_pod_volumes(spec_of(
      R"("configMap":{"name":"app","optional":true,"defaultMode":256,
         "items":[{"key":"k","path":"a/b"},{"key":"l","path":"c","mode":0}]})"));
  const auto secret = read_pod_volumes(spec_of(R"("secret":{"secretName":"db","name":"other"})"));

  ASSERT_TRUE(config.is_ok()) << config.status().to_string();
  const VolumeView& volume = config->volumes.at(0);
  EXPECT_EQ(volume.name, "v");
  EXPECT_EQ(volume.default_mode, 0400);
  EXPECT_FALSE(volume.is_projected);
  const auto& files = std::get<ObjectFiles>(volume.sources.at(0));
  EXPECT_EQ(files.kind, ObjectKind::ConfigMap);
  EXPECT_EQ(files.name, "app");
  EXPECT_TRUE(files.optional);
  ASSERT_THAT(files.items, SizeIs(2));
  EXPECT_EQ(files.items[0].key, "k");
  EXPECT_EQ(files.items[0].path, "a/b");
  EXPECT_FALSE(files.items[0].mode.has_value());
  EXPECT_EQ(files.items[1].mode, 0);
  ASSERT_TRUE(secret.is_ok());
  EXPECT_EQ(secret->volumes.at(0).default_mode, 0644);
  EXPECT_EQ(std::get<ObjectFiles>(secret->volumes[0].sources.at(0)).name, "db");
  EXPECT_EQ(std::get<ObjectFiles>(secret->volumes[0].sources.at(0)).kind, ObjectKind::Secret);
}

TEST(VolumeView, ReadsTheDownwardApi) {
  const auto volumes = read_pod_volumes(spec_of(R"("downwardAPI":{"items":[
      {"path":"labels","fieldRef":{"apiVersion":"v1","fieldPath":"metadata.labels"}},
      {"path":"cpu","mode":256,"resourceFieldRef":
        {"containerName":"web","resource":"limits.cpu","divisor":1}}]})"));

  ASSERT_TRUE(volumes.is_ok()) << volumes.status().to_string();
  const auto& files = std::get<DownwardFiles>(volumes->volumes.at(0).sources.at(0));
  ASSERT_THAT(files.items, SizeIs(2));
  EXPECT_EQ(files.items[0].field->path, "metadata.labels");
  EXPECT_EQ(files.items[0].field->api_version, "v1");
  EXPECT_EQ(files.items[1].mode, 0400);
  EXPECT_EQ(files.items[1].resource->container, "web");
  EXPECT_EQ(files.items[1].resource->divisor, "1");
}

TEST(VolumeView, ReadsProjectedSourcesInOrderAndNamesThoseOfOtherKinds) {
  const auto volumes = read_pod_volumes(spec_of(R"("projected":{"defaultMode":420,"sources":[
      {"serviceAccountToken":{"path":"token","audience":"vault","expirationSeconds":600}},
      {"configMap":{"name":"ca"},"secret":null},
      {"secret":{"name":"db"}},
      {},
      {"downwardAPI":{"items":[]}},
      {"somethingNew":{"a":1}}]})"));

  ASSERT_TRUE(volumes.is_ok()) << volumes.status().to_string();
  const VolumeView& volume = volumes->volumes.at(0);
  EXPECT_TRUE(volume.is_projected);
  ASSERT_THAT(volume.sources, SizeIs(5));
  EXPECT_TRUE(has_token(volume));
  const auto& token = std::get<TokenFile>(volume.sources[0]);
  EXPECT_EQ(token.path, "token");
  EXPECT_EQ(token.audience, "vault");
  EXPECT_EQ(token.expiration_seconds, 600);
  EXPECT_EQ(std::get<ObjectFiles>(volume.sources[1]).name, "ca");
  EXPECT_EQ(std::get<ObjectFiles>(volume.sources[2]).name, "db");
  EXPECT_EQ(std::get<ObjectFiles>(volume.sources[2]).kind, ObjectKind::Secret);
  EXPECT_THAT(std::get<DownwardFiles>(volume.sources[3]).items, IsEmpty());
  EXPECT_EQ(std::get<OtherFiles>(volume.sources[4]).kind, "somethingNew");
}

TEST(VolumeView, TakesOnlyWhatAContainerOfAnyKindMounts) {
  const auto volumes = read_pod_volumes(
      R"({"initContainers":[{"name":"a","volumeMounts":[{"name":"init","mountPath":"/a"}]}],
          "containers":[{"name":"b","volumeMounts":[{"name":"main","mountPath":"/a"},
                                                    {"name":"data","mountPath":"/b"}]}],
          "ephemeralContainers":[{"name":"c","volumeMounts":[{"name":"debug","mountPath":"/a"}]}],
          "volumes":[{"name":"init","configMap":{"name":"1"}},
                     {"name":"main","configMap":{"name":"2"}},
                     {"name":"debug","secret":{"secretName":"3"}},
                     {"name":"data","persistentVolumeClaim":{"claimName":"4"}},
                     {"name":"unused","configMap":{"name":5}}]})");

  ASSERT_TRUE(volumes.is_ok()) << volumes.status().to_string();
  std::vector<std::string> names;
  for (const VolumeView& volume : volumes->volumes) {
    names.push_back(volume.name);
  }
  EXPECT_THAT(names, ElementsAre("init", "main", "debug"));
}

TEST(VolumeView, ReadsTheGroupOfTheVolumes) {
  const std::string volume = R"("configMap":{"name":"app"})";
  EXPECT_EQ(read_pod_volumes(spec_of(volume, R"(,"securityContext":{"fsGroup":2000})"))->fs_group,
            2000);
  EXPECT_FALSE(read_pod_volumes(spec_of(volume, R"(,"securityContext":{"runAsUser":1})"))
                   ->fs_group.has_value());
  EXPECT_FALSE(read_pod_volumes(spec_of(volume))->fs_group.has_value());
}

TEST(VolumeView, FillsInWhatAManifestLeavesOutOfAToken) {
  const auto volumes =
      read_pod_volumes(spec_of(R"("projected":{"sources":[{"serviceAccountToken":{}}]})"));

  const auto& token = std::get<TokenFile>(volumes->volumes.at(0).sources.at(0));
  EXPECT_EQ(token.audience, "");
  EXPECT_EQ(token.expiration_seconds, 3600);
}

// Whose the file of a token is, by the containers' users.
TEST(VolumeView, ReadsTheUserThatAllContainersRunAs) {
  const auto user_of = [](const std::string& pod, const std::string& init,
                          const std::string& main) {
    const auto context = [](const std::string& user) {
      return user.empty() ? user : R"(,"securityContext":{"runAsUser":)" + user + "}";
    };
    return read_pod_volumes(R"({"initContainers":[{"name":"init")" + context(init) +
                            R"(}],"containers":[{"name":"web",)"
                            R"("volumeMounts":[{"name":"v","mountPath":"/v"}])" +
                            context(main) +
                            R"(}],"ephemeralContainers":[{"name":"debug"}],)"
                            R"("volumes":[{"name":"v","projected":{"sources":[)"
                            R"({"serviceAccountToken":{"path":"t"}}]}}])" +
                            context(pod) + "}")
        ->fs_user;
  };

  EXPECT_EQ(user_of("1000", "", ""), 1000);
  EXPECT_EQ(user_of("1", "1000", "1000"), 1000);
  EXPECT_EQ(user_of("1000", "1000", ""), 1000);
  EXPECT_EQ(user_of("0", "", ""), 0);
  EXPECT_EQ(user_of("", "", ""), std::nullopt);
  EXPECT_EQ(user_of("", "1000", ""), std::nullopt);
  EXPECT_EQ(user_of("", "", "1000"), std::nullopt);
  EXPECT_EQ(user_of("1000", "1001", ""), std::nullopt);
}

TEST(VolumeView, RefusesMembersOfWrongShapeAndNamesThem) {
  const struct {
    std::string spec;
    const char* place;
  } cases[] = {
      {"null", "the pod's spec"},
      {R"({"volumes":{}})", "spec.volumes is not an array"},
      {R"({"volumes":["v"]})", "spec.volumes[0]"},
      {R"({"volumes":[{"configMap":{}}]})", "spec.volumes[0].name"},
      {R"({"volumes":[{"name":"v"},{"name":"v"}]})", "spec.volumes[1].name"},
      {R"({"containers":[{"volumeMounts":7}]})", "spec.containers[0].volumeMounts"},
      {R"({"containers":[{"volumeMounts":[{"name":7}]}]})", "volumeMounts[0].name"},
      {spec_of(R"("configMap":"app")"), "spec.volumes[0].configMap is not an object"},
      {spec_of(R"("configMap":{"name":7})"), "spec.volumes[0].configMap.name"},
      {spec_of(R"("configMap":{"defaultMode":"0644"})"), "configMap.defaultMode"},
      {spec_of(R"("configMap":{"optional":"yes"})"), "configMap.optional"},
      {spec_of(R"("configMap":{"items":{}})"), "configMap.items"},
      {spec_of(R"("configMap":{"items":[{"key":1}]})"), "configMap.items[0].key"},
      {spec_of(R"("configMap":{"items":[{"path":[]}]})"), "configMap.items[0].path"},
      {spec_of(R"("configMap":{"items":[{"mode":0.5}]})"), "configMap.items[0].mode"},
      {spec_of(R"("configMap":{},"secret":{})"), "spec.volumes[0] names more than one source"},
      {spec_of(R"("secret":{"secretName":{}})"), "secret.secretName"},
      {spec_of(R"("downwardAPI":{"items":[7]})"), "downwardAPI.items[0]"},
      {spec_of(R"("downwardAPI":{"items":[{"path":"a"}]})"), "downwardAPI.items[0] names not one"},
      {spec_of(R"("downwardAPI":{"items":[{"fieldRef":{},"resourceFieldRef":{}}]})"),
       "downwardAPI.items[0] names not one"},
      {spec_of(R"("downwardAPI":{"items":[{"fieldRef":{"fieldPath":7}}]})"),
       "items[0].fieldRef.fieldPath"},
      {spec_of(R"("projected":{"sources":{}})"), "projected.sources"},
      {spec_of(R"("projected":{"sources":[{"secret":{},"configMap":{}}]})"),
       "projected.sources[0] names more than one source"},
      {spec_of(R"("projected":{"sources":[{"secret":{"name":7}}]})"),
       "projected.sources[0].secret.name"},
      {spec_of(R"("projected":{"sources":[{"token":7}]})"), "projected.sources[0].token"},
      {spec_of(R"("projected":{"sources":[{"serviceAccountToken":{"path":7}}]})"),
       "projected.sources[0].serviceAccountToken.path"},
      {spec_of(R"("projected":{"sources":[{"serviceAccountToken":{"audience":[]}}]})"),
       "serviceAccountToken.audience"},
      {spec_of(R"("projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":6.5}}]})"),
       "serviceAccountToken.expirationSeconds"},
      {spec_of(R"("projected":{"sources":[{"serviceAccountToken":{}}]})",
               R"(,"securityContext":{"runAsUser":-1})"),
       "securityContext.runAsUser is not the number of a user"},
      {spec_of(R"("secret":{})", R"(,"securityContext":{"fsGroup":"2"})"), "fsGroup"},
      {spec_of(R"("secret":{})", R"(,"securityContext":{"fsGroup":-1})"), "fsGroup"},
      {spec_of(R"("secret":{})", R"(,"securityContext":{"fsGroup":2147483648})"), "fsGroup"},
  };
  for (const auto& broken : cases) {
    const auto volumes = read_pod_volumes(broken.spec);

    EXPECT_EQ(volumes.status().code(), StatusCode::InvalidArgument) << broken.spec;
    EXPECT_THAT(volumes.status().message(), HasSubstr(broken.place));
  }
}

TEST(MountsNoFiles, IsTrueOnlyWhenTheTextLeavesNoDoubt) {
  const struct {
    const char* spec;
    bool nothing;
  } cases[] = {
      {"", true},
      {R"({"containers":[{"name":"web","image":"my-secret"}]})", true},
      {R"({"containers":[{"env":[{"valueFrom":{"secretKeyRef":{}}}]}]})", true},
      {R"({"volumes":[{"name":"v","emptyDir":{}}]})", true},
      {R"({"volumes":[{"name":"v","configMap":{}}]})", false},
      {R"({"volumes":[{"name":"v","secret" :{}}]})", false},
      {R"({"volumes":[{"name":"v","downwardAPI":{}}]})", false},
      {R"({"volumes":[{"name":"v","projected":{}}]})", false},
      {R"({"volumes":[{"name":"v","s\u0065cret":{}}]})", false},
      {R"({"volumes":[{"name":"secret","emptyDir":{}}]})", false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(mounts_no_files(one.spec), one.nothing) << one.spec;
  }
}

}  // namespace
}  // namespace vkhost::resolve
