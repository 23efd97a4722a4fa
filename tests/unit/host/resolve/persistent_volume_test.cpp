#include "resolve/persistent_volume.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Claim, NamesItsVolumeAndItsOwner) {
  const auto claim = parse_claim(
      R"({"metadata":{"uid":"c-1","ownerReferences":[{"uid":"x"},{"uid":"u-1","controller":true}]},
          "spec":{"volumeName":"pv-1"},"status":{"phase":"Bound"}})");

  ASSERT_TRUE(claim.is_ok()) << claim.status().to_string();
  EXPECT_EQ(claim->uid, "c-1");
  EXPECT_EQ(claim->owner_uid, "u-1");
  EXPECT_EQ(claim->volume, "pv-1");
  EXPECT_TRUE(claim->is_bound);
  EXPECT_FALSE(claim->is_being_deleted);
}

TEST(Claim, MayBeUnboundOrOnItsWayOut) {
  const auto fresh = parse_claim(R"({"metadata":{"uid":"c"},"status":{"phase":"Pending"}})");
  const auto old = parse_claim(
      R"({"metadata":{"deletionTimestamp":"2030-01-01T00:00:00Z"},"status":{"phase":"Bound"}})");

  EXPECT_FALSE(fresh->is_bound);
  EXPECT_EQ(fresh->volume, "");
  EXPECT_TRUE(old->is_being_deleted);
}

TEST(PersistentVolume, IsKnownByItsSourceAsItIsWritten) {
  const auto volume = parse_persistent_volume(
      R"({"metadata":{"annotations":{"pv.beta.kubernetes.io/gid":"1234"}},"spec":{
          "claimRef":{"uid":"c-1"},"capacity":{"storage":"5Gi"},
          "accessModes":["ReadWriteOnce","ReadOnlyMany"],"mountOptions":["hard"],
          "csi":{"driver":"d","volumeHandle":"h", "volumeAttributes":{"b":"2","a":"1"},
                 "nodeStageSecretRef":{"name":"s","namespace":"csi"}}}})");

  ASSERT_TRUE(volume.is_ok()) << volume.status().to_string();
  EXPECT_TRUE(volume->is_claimed);
  EXPECT_EQ(volume->claim_uid, "c-1");
  EXPECT_EQ(volume->kind, "csi");
  EXPECT_THAT(volume->source,
              HasSubstr(R"("volumeHandle":"h", "volumeAttributes":{"b":"2","a":"1"})"));
  ASSERT_THAT(volume->secrets, SizeIs(1));
  EXPECT_EQ(volume->secrets[0].secret_namespace, "csi");
  EXPECT_EQ(volume->volume_mode, "Filesystem");
  EXPECT_THAT(volume->access_modes, ElementsAre("ReadWriteOnce", "ReadOnlyMany"));
  EXPECT_THAT(volume->mount_options, ElementsAre("hard"));
  EXPECT_EQ(volume->capacity_bytes, std::int64_t{5} * 1024 * 1024 * 1024);
  EXPECT_EQ(volume->gid, 1234);
}

TEST(PersistentVolume, HasNoSourceThatNobodyKnows) {
  const auto volume = parse_persistent_volume(
      R"({"spec":{"volumeMode":"Block","nodeAffinity":{"required":{}},"tomorrow":{"a":1}}})");

  ASSERT_TRUE(volume.is_ok()) << volume.status().to_string();
  EXPECT_EQ(volume->kind, "");
  EXPECT_FALSE(volume->is_claimed);
  EXPECT_EQ(volume->volume_mode, "Block");
  EXPECT_THAT(volume->secrets, IsEmpty());
  EXPECT_EQ(volume->capacity_bytes, std::nullopt);
}

TEST(PersistentVolume, LeavesOutAGroupThatIsNone) {
  for (const char* gid : {"", "staff", "-1", "12x", " 7", "2147483648", "99999999999999999999"}) {
    const auto volume = parse_persistent_volume(
        std::string(R"({"metadata":{"annotations":{"pv.beta.kubernetes.io/gid":")") + gid +
        R"("}},"spec":{}})");
    ASSERT_TRUE(volume.is_ok()) << gid;
    EXPECT_EQ(volume->gid, std::nullopt) << gid;
  }
}

class BrokenVolume : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BrokenVolume, IsRefusedByThePlaceOfWhatIsWrong) {
  const auto& [spec, words] = GetParam();

  const auto volume = parse_persistent_volume(std::string(R"({"spec":)") + spec + "}");

  EXPECT_EQ(volume.status().code(), StatusCode::InvalidArgument) << spec;
  EXPECT_THAT(volume.status().message(), HasSubstr(words)) << spec;
}

INSTANTIATE_TEST_SUITE_P(
    PersistentVolume,
    BrokenVolume,
    ::testing::Values(std::pair{"[]", "the volume.spec"},
                      std::pair{R"({"csi":"d"})", "the volume.spec.csi"},
                      std::pair{R"({"csi":{"nodePublishSecretRef":[]}})", "nodePublishSecretRef"},
                      std::pair{R"({"claimRef":"c"})", "the volume.spec.claimRef"},
                      std::pair{R"({"claimRef":{"uid":1}})", "the volume.spec.claimRef.uid"},
                      std::pair{R"({"volumeMode":1})", "the volume.spec.volumeMode"},
                      std::pair{R"({"accessModes":[{}]})", "the volume.spec.accessModes[0]"},
                      std::pair{R"({"mountOptions":"hard"})", "the volume.spec.mountOptions"},
                      std::pair{R"({"capacity":{"storage":{}}})", "the volume.spec.capacity"},
                      std::pair{R"({"capacity":{"storage":"-5Gi"}})", ""},
                      // What readers would take for different documents.
                      std::pair{"{\"csi\":{\"volumeHandle\":\"\xFF\"}}", ""},
                      std::pair{R"({"csi":{"volumeHandle":"\ud800"}})", ""}));

TEST(PersistentVolume, IsNoNestOfObjects) {
  std::string deep = "1";
  for (int i = 0; i < 60; ++i) {
    deep = R"({"a":)" + deep + "}";
  }

  const auto volume = parse_persistent_volume(R"({"spec":{"nfs":)" + deep + "}}");

  EXPECT_EQ(volume.status().code(), StatusCode::InvalidArgument);
}

TEST(PersistentVolume, AndClaimAreJsonObjects) {
  for (const char* text : {"", "[]", "{", "null", R"({"metadata":[]})"}) {
    EXPECT_EQ(parse_claim(text).status().code(), StatusCode::InvalidArgument) << text;
    EXPECT_EQ(parse_persistent_volume(text).status().code(), StatusCode::InvalidArgument) << text;
  }
}

}  // namespace
}  // namespace vkhost::resolve
