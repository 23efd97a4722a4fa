#include "resolve/claims.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

constexpr const char* kClaim = "PersistentVolumeClaim/shop/data";
constexpr const char* kVolume = "PersistentVolume//pv-1";
constexpr const char* kBound =
    R"({"metadata":{"uid":"c-1"},"spec":{"volumeName":"pv-1"},"status":{"phase":"Bound"}})";
constexpr const char* kPersistentVolume =
    R"({"spec":{"claimRef":{"uid":"c-1"},"csi":{"driver":"d","volumeHandle":"h"}}})";

class ClaimsTest : public ::testing::Test {
 protected:
  ClaimsTest() {
    source_.put(kClaim, kBound);
    source_.put(kVolume, kPersistentVolume);
  }
  Result<BoundClaimPtr> bound(const std::string& name = "data") {
    return claims_.bound("shop", name, cancel_.token());
  }
  // Why not, as a pod says it; the pod looks again.
  std::string why_not(const std::string& name = "data") {
    const auto claim = bound(name);
    EXPECT_EQ(claim.status().code(), StatusCode::FailedPrecondition);
    EXPECT_EQ(claim.status().retry(), Retry::Backoff);
    return claim.status().message();
  }

  testing::FakeObjectSource source_;
  testing::FakeClock clock_;
  CancelSource cancel_;
  Claims claims_{source_, clock_};
};

TEST_F(ClaimsTest, LeadToTheirVolumes) {
  const auto claim = bound();

  ASSERT_TRUE(claim.is_ok()) << claim.status().to_string();
  EXPECT_EQ((*claim)->claim.volume, "pv-1");
  EXPECT_EQ((*claim)->volume.source, R"({"driver":"d","volumeHandle":"h"})");
}

TEST_F(ClaimsTest, AreReadOnceForPodsThatComeTogether) {
  EXPECT_TRUE(bound().is_ok());
  EXPECT_TRUE(bound().is_ok());
  EXPECT_THAT(source_.reads(), ElementsAre(kClaim, kVolume));

  clock_.advance(std::chrono::seconds{2});

  EXPECT_TRUE(bound().is_ok());
  EXPECT_THAT(source_.reads(), SizeIs(4));
}

TEST_F(ClaimsTest, AreLookedAtAfreshUntilTheyAreBound) {
  source_.put(kClaim, R"({"metadata":{"uid":"c-1"},"status":{"phase":"Pending"}})");
  EXPECT_EQ(why_not(), "PVC is not bound");

  source_.put(kClaim, kBound);

  EXPECT_TRUE(bound().is_ok());
}

TEST_F(ClaimsTest, SayWhatIsMissingAsAKubelet) {
  EXPECT_EQ(why_not("none"),
            "failed to fetch PVC from API server: persistentvolumeclaims \"none\" not found");
  EXPECT_EQ(why_not(""),
            "failed to fetch PVC from API server: persistentvolumeclaims \"\" not found");
  source_.remove(kVolume);
  EXPECT_EQ(why_not(),
            "failed to fetch PV pv-1 from API server: persistentvolumes \"pv-1\" not found");
  EXPECT_THAT(source_.reads(), ElementsAre("PersistentVolumeClaim/shop/none", kClaim, kVolume));
}

TEST_F(ClaimsTest, AreNotBoundToAVolumeThatIsSomebodyElses) {
  source_.put(kVolume, R"({"spec":{"claimRef":{"uid":"c-2"},"csi":{}}})");
  EXPECT_EQ(why_not(),
            "found PV object pv-1 but its pv.Spec.ClaimRef.UID c-2 does not point to "
            "claim.UID c-1");

  source_.put(kVolume, R"({"spec":{"csi":{}}})");
  EXPECT_EQ(why_not(),
            "found PV object pv-1 but it has a nil pv.Spec.ClaimRef indicating it is "
            "not yet bound to the claim");

  source_.put(kClaim, R"({"spec":{"volumeName":"pv-1"},"status":{"phase":"Bound"}})");
  source_.put(kVolume, R"({"spec":{"claimRef":{},"csi":{}}})");
  EXPECT_EQ(bound().status().code(), StatusCode::FailedPrecondition)
      << "that neither has a UID doesn't make them a pair";
}

TEST_F(ClaimsTest, AreNoneWithoutAVolume) {
  source_.put(kClaim, R"({"metadata":{"uid":"c-1"},"status":{"phase":"Bound"}})");
  EXPECT_EQ(why_not(), "PVC has empty pvc.Spec.VolumeName");

  source_.put(kClaim, R"({"metadata":{"deletionTimestamp":"2030-01-01T00:00:00Z"}})");
  EXPECT_EQ(why_not(), "PVC is being deleted");

  source_.put(kClaim, kBound);
  source_.put(kVolume, R"({"spec":{"claimRef":{"uid":"c-1"},"tomorrow":{}}})");
  EXPECT_EQ(why_not(), "found PV object pv-1 but it names no kind of storage that is known");
}

TEST_F(ClaimsTest, SayWhenNobodyAnswers) {
  source_.fail(kVolume, unavailable("nobody is there"));

  const auto claim = bound();

  EXPECT_EQ(claim.status().code(), StatusCode::Unavailable);
  EXPECT_EQ(claim.status().message(), "failed to fetch PV pv-1 from API server: nobody is there");
}

TEST_F(ClaimsTest, WaitWhereTheyMayNotBeRead) {
  source_.fail(
      kClaim, Status(StatusCode::PermissionDenied, "persistentvolumeclaims \"data\" is forbidden"));

  EXPECT_EQ(why_not(),
            "failed to fetch PVC from API server: persistentvolumeclaims \"data\" is "
            "forbidden");
}

TEST_F(ClaimsTest, AreNotTakenFromAnAnswerThatIsBroken) {
  source_.put(kClaim, "[]");
  EXPECT_THAT(why_not(), ::testing::StartsWith("failed to fetch PVC from API server: "));

  source_.put(kClaim, kBound);
  source_.put(kVolume, R"({"spec":{"claimRef":7}})");
  EXPECT_THAT(why_not(), ::testing::StartsWith("failed to fetch PV pv-1 from API server: "));
}

}  // namespace
}  // namespace vkhost::resolve
