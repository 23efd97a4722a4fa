#include "resolve/volume_storage.hpp"

#include "resolve/config_error.hpp"
#include "resolve/objects.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <limits>
#include <string>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kClaim = "PersistentVolumeClaim/shop/data";
constexpr const char* kVolume = "PersistentVolume//pv-1";
constexpr const char* kClaimed = R"("persistentVolumeClaim":{"claimName":"data"})";
constexpr const char* kNotProcessed =
    "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to "
    "process volumes=[v]: ";

// A pod "web-0" with one container, which mounts the volume "v".
class VolumeStorageTest : public ::testing::Test {
 protected:
  void given_claim(const std::string& metadata = "", const std::string& key = kClaim) {
    source_.put(key, R"({"metadata":{"uid":"c-1")" + metadata +
                         R"(},"spec":{"volumeName":"pv-1"},"status":{"phase":"Bound"}})");
  }
  void given_volume(const std::string& members) {
    source_.put(kVolume, R"({"spec":{"claimRef":{"uid":"c-1"},)" + members + "}}");
  }
  // `source` is the member of the volume beside its name.
  Result<std::string> json_of(const std::string& source) {
    const std::string spec = R"({"containers":[{"name":"web",")" + uses_ +
                             R"(":[{"name":"v"}]}],"volumes":[{"name":"v",)" + source + "}]}";
    const auto pod = kube::parse_pod(
        R"({"metadata":{"name":"web-0","namespace":"shop","uid":"u-1","resourceVersion":"1"},)"
        R"("spec":)" +
        spec + "}");
    const auto storage = read_pod_storage(spec);
    EXPECT_TRUE(pod.is_ok() && storage.is_ok()) << storage.status().to_string();
    return VolumeStorage({**pod, events_, has_claims_ ? &claims_ : nullptr, cancel_,
                          [&](const std::string& space, const std::string& name) {
                            return objects_.read(ObjectKind::Secret, space, name, cancel_);
                          },
                          [&](std::size_t bytes) {
                            if (bytes > budget_) {
                              return failed_precondition("too much");
                            }
                            budget_ -= bytes;
                            return Status::ok();
                          },
                          is_held_})
        .json(*storage);
  }
  // Why the pod waits, as its event says too.
  std::string why_not(const std::string& source) {
    const auto json = json_of(source);
    EXPECT_EQ(json.status().code(), StatusCode::FailedPrecondition);
    EXPECT_EQ(json.status().reason(), kMountErrorReason);
    EXPECT_EQ(json.status().retry(), Retry::Backoff);
    EXPECT_THAT(events_.lines(), ElementsAre("FailedMount: " + json.status().message()));
    return json.status().message();
  }

  testing::FakeObjectSource source_;
  testing::FakeClock clock_;
  testing::RecordingResolveEvents events_;
  const CancelToken cancel_;
  Objects objects_{{source_, clock_}, std::chrono::milliseconds{0}, 0};
  Claims claims_{source_, clock_};
  std::size_t budget_ = std::numeric_limits<std::size_t>::max();
  std::string uses_ = "volumeMounts";
  bool has_claims_ = true;
  bool is_held_ = false;
};

TEST_F(VolumeStorageTest, TellsMediumAndLimitOfAnEmptyDir) {
  EXPECT_EQ(*json_of(R"("emptyDir":{})"), R"({"v":{"empty_dir":{"medium":""}}})");
  EXPECT_EQ(*json_of(R"("emptyDir":{"medium":"Memory","sizeLimit":"64Mi"})"),
            R"({"v":{"empty_dir":{"medium":"Memory","size_limit_bytes":67108864}}})");
  EXPECT_THAT(source_.reads(), IsEmpty());
}

TEST_F(VolumeStorageTest, FollowsAClaimToTheAttributesOfItsDriver) {
  given_claim();
  given_volume(R"("accessModes":["ReadWriteOnce"],"capacity":{"storage":"1Ki"},
                  "csi":{"driver":"disk.example","volumeHandle":"vol-1",
                         "volumeAttributes":{"zone":"b"}})");

  EXPECT_EQ(*json_of(kClaimed),
            R"({"v":{"claim":{"name":"data","volume_name":"pv-1","volume_mode":"Filesystem",)"
            R"("access_modes":["ReadWriteOnce"],"capacity_bytes":1024,"source":{"csi":)"
            R"({"driver":"disk.example","volumeHandle":"vol-1",
                         "volumeAttributes":{"zone":"b"}}}}}})");
  EXPECT_THAT(events_.lines(), IsEmpty());
}

TEST_F(VolumeStorageTest, PassesOtherKindsOfVolumesOnAsTheyAre) {
  given_claim();
  given_volume(R"("mountOptions":["hard","vers=4"],"nfs":{"server":"s","path":"/x"})");

  EXPECT_THAT(*json_of(kClaimed), HasSubstr(R"("mount_options":["hard","vers=4"],)"
                                            R"("source":{"nfs":{"server":"s","path":"/x"}}})"));
}

TEST_F(VolumeStorageTest, ResolvesTheSecretsOfAVolumeInTheirOwnNamespaces) {
  given_claim();
  given_volume(R"("csi":{"driver":"d","nodeStageSecretRef":{"name":"s","namespace":"storage"},
                         "nodePublishSecretRef":{"name":"s"}})");
  source_.put("Secret/storage/s", R"({"data":{"key":"c2VzYW1l"}})");
  source_.put("Secret/shop/s", R"({"data":{}})");

  EXPECT_THAT(*json_of(kClaimed),
              HasSubstr(R"("secrets":{"nodePublishSecretRef":{},"nodeStageSecretRef":)"
                        R"({"key":{"data":"c2VzYW1l","secret":true}}}}})"));
}

TEST_F(VolumeStorageTest, ResolvesTheSecretsOfASourceInThePod) {
  source_.put("Secret/shop/s", R"({"data":{"a":"QQ==","b":"Qg=="}})");

  EXPECT_EQ(*json_of(R"("azureFile":{"secretName":"s","shareName":"x"})"),
            R"({"v":{"secrets":{"secretName":{"a":{"data":"QQ==","secret":true},)"
            R"("b":{"data":"Qg==","secret":true}}}}})");
}

TEST_F(VolumeStorageTest, WaitsForAClaimThatIsMissingOrNotBound) {
  EXPECT_EQ(why_not(kClaimed),
            std::string(kNotProcessed) +
                "error processing PVC shop/data: failed to fetch PVC from API server: "
                "persistentvolumeclaims \"data\" not found");
}

TEST_F(VolumeStorageTest, WaitsForASecretOfASource) {
  EXPECT_EQ(why_not(R"("csi":{"driver":"d","nodePublishSecretRef":{"name":"s"}})"),
            "MountVolume.SetUp failed for volume \"v\" : fetching nodePublishSecretRef shop/s "
            "failed: secrets \"s\" not found");
}

TEST_F(VolumeStorageTest, SaysWhenASecretCannotBeRead) {
  source_.fail("Secret/shop/s", unavailable("nobody is there"));

  const auto json = json_of(R"("rbd":{"secretRef":{"name":"s"}})");

  EXPECT_EQ(json.status().code(), StatusCode::Unavailable);
  EXPECT_EQ(json.status().reason(), kMountErrorReason);
}

TEST_F(VolumeStorageTest, StartsNoPodOnAClaimThatGoes) {
  given_claim(R"(,"deletionTimestamp":"2030-01-01T00:00:00Z")");
  given_volume(R"("nfs":{})");

  EXPECT_EQ(why_not(kClaimed),
            std::string(kNotProcessed) + "error processing PVC shop/data: PVC is being deleted");
  is_held_ = true;
  EXPECT_TRUE(json_of(kClaimed).is_ok()) << "a pod that has it keeps it";
}

TEST_F(VolumeStorageTest, GivesAnEphemeralClaimToItsOwnPodAlone) {
  const char* const key = "PersistentVolumeClaim/shop/web-0-v";
  given_volume(R"("nfs":{})");
  given_claim(R"(,"ownerReferences":[{"uid":"u-1","controller":true}])", key);
  EXPECT_THAT(*json_of(R"("ephemeral":{})"), HasSubstr(R"("name":"web-0-v")"));
  EXPECT_THAT(source_.reads(), ElementsAre(key, kVolume));

  clock_.advance(std::chrono::minutes{1});
  given_claim(R"(,"ownerReferences":[{"uid":"u-2","controller":true}])", key);
  EXPECT_EQ(why_not(R"("ephemeral":{})"),
            std::string(kNotProcessed) +
                "PVC shop/web-0-v was not created for pod shop/web-0 (pod is not owner)");
}

TEST_F(VolumeStorageTest, TakesNoDiskForAFolder) {
  given_claim();
  given_volume(R"("volumeMode":"Block","csi":{})");
  EXPECT_EQ(why_not(kClaimed),
            std::string(kNotProcessed) +
                "volume v has volumeMode Block, but is specified in volumeMounts");
  uses_ = "volumeDevices";
  EXPECT_THAT(*json_of(kClaimed), HasSubstr(R"("volume_mode":"Block")"));
}

TEST_F(VolumeStorageTest, TakesNoFolderForADisk) {
  uses_ = "volumeDevices";
  given_claim();
  given_volume(R"("csi":{})");

  EXPECT_THAT(why_not(kClaimed), HasSubstr("volumeMode Filesystem, but is specified in "
                                           "volumeDevices"));
}

TEST_F(VolumeStorageTest, HasNoClaimsWhereThereIsNoApiServer) {
  has_claims_ = false;

  const auto json = json_of(kClaimed);

  EXPECT_EQ(json.status().retry(), Retry::Never);
  EXPECT_THAT(json.status().message(), HasSubstr("there is no API server to have claims"));
}

TEST_F(VolumeStorageTest, CountsWhatItAddsToTheMaterial) {
  source_.put("Secret/shop/s", R"({"data":{"key":"c2VzYW1l"}})");
  budget_ = 80;  // enough for the volume, not for the Secret

  const auto json = json_of(R"("rbd":{"secretRef":{"name":"s"}})");

  EXPECT_THAT(json.status().message(), HasSubstr("too much"));
  EXPECT_THAT(json.status().message(), Not(HasSubstr("sesame")));
}

}  // namespace
}  // namespace vkhost::resolve
