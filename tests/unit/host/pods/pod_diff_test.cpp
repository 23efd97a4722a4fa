#include "pods/pod_diff.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace vkhost::pods {
namespace {

using plugin::kChangedDeadline;
using plugin::kChangedEphemeralContainers;
using plugin::kChangedImage;
using plugin::kChangedMetadata;
using plugin::kChangedResources;

constexpr std::uint64_t kAll = kPodParts;
constexpr PodParts kFirst{{1, 2, 3, 4}, 5};
constexpr PodParts kSecond{{1, 7, 3, 4}, 5};  // other resources

kube::PodPtr pod_told(std::string_view told, int generation = 0, std::string_view uid = "u-1") {
  const auto pod = kube::parse_pod(
      R"({"metadata":{"name":"web","namespace":"default","uid":"u-1","generation":)" +
      std::to_string(generation) + R"(,"annotations":{"vkhost.io/handle-uid":")" +
      std::string(uid) + R"(","vkhost.io/told":")" + std::string(told) + R"("}}})");
  EXPECT_TRUE(pod.is_ok()) << pod.status().to_string();
  return *pod;
}

TEST(PodDiff, NamesThePartsThatDiffer) {
  const kube::SpecParts one{1, 2, 3, 4};

  EXPECT_EQ(changed_parts(one, one), 0U);
  EXPECT_EQ(changed_parts(one, {9, 2, 3, 4}), kChangedImage);
  EXPECT_EQ(changed_parts(one, {1, 9, 3, 4}), kChangedResources);
  EXPECT_EQ(changed_parts(one, {1, 2, 9, 9}), kChangedEphemeralContainers | kChangedDeadline);
}

TEST(PodDiff, SaysWhatHasNoEffect) {
  EXPECT_EQ(refusal_of_parts(kChangedImage | kChangedResources),
            "The provider does not change the images and resources of a pod that runs; the change "
            "takes effect when the pod is replaced");
}

TEST(ToldParts, KnowNothingAtFirst) {
  const ToldParts told;

  EXPECT_EQ(told.changed(kFirst), kAll);
  EXPECT_EQ(told.known(), 0U);
  EXPECT_EQ(told.text(kAll, 1), "");
}

TEST(ToldParts, ChangeOneByOne) {
  ToldParts told;
  told.accept(kAll, kFirst);
  EXPECT_EQ(told.changed(kFirst), 0U);

  EXPECT_EQ(told.changed(kSecond), kChangedResources);
  told.accept(kChangedResources, kSecond);
  EXPECT_EQ(told.changed(kSecond), 0U);
  EXPECT_EQ(told.changed(kFirst), kChangedResources);

  told.forget(kChangedImage);
  EXPECT_EQ(told.changed(kSecond), kChangedImage);
}

TEST(ToldParts, AreNotToldAgainWhatWasTurnedDownUntilItChanges) {
  ToldParts told;
  told.accept(kAll, kFirst);

  told.refuse(kChangedResources, kSecond);
  told.note_wanted(kSecond);
  EXPECT_EQ(told.changed(kSecond), 0U);
  EXPECT_EQ(told.refused(kSecond), kChangedResources);

  told.note_wanted(kFirst);  // taken back: it has these
  EXPECT_EQ(told.changed(kFirst), 0U);
  EXPECT_EQ(told.refused(kFirst), 0U);

  told.note_wanted(kSecond);  // asked for once more
  EXPECT_EQ(told.changed(kSecond), kChangedResources);
}

TEST(ToldParts, OutliveTheProcess) {
  ToldParts told;
  told.accept(kAll, kFirst);
  const std::string text = told.text(kAll, 0);
  EXPECT_EQ(text, "m:5,i:1,r:2,e:3,d:4");

  ToldParts next;
  next.restore(*pod_told(text), kAll);

  EXPECT_EQ(next.changed(kFirst), 0U);
  EXPECT_EQ(next.changed(kSecond), kChangedResources);
}

TEST(ToldParts, KeepMetadataOnlyForAProviderThatIsToldOfIt) {
  ToldParts told;
  told.accept(kAll, kFirst);

  EXPECT_EQ(told.text(kChangedImage, 0), "i:1,r:2,e:3,d:4");
  EXPECT_EQ(told.text(plugin::kChangedTokens, 0), "");
}

TEST(ToldParts, AskAgainAfterARestartWhatWasTurnedDownButNotWhatIsUnsupported) {
  ToldParts told;
  told.accept(kAll, kFirst);
  told.refuse(kChangedResources, kSecond);
  const std::string text = told.text(kAll, 0);

  ToldParts supported;
  supported.restore(*pod_told(text), kAll);
  EXPECT_EQ(supported.changed(kSecond), kChangedResources);
  EXPECT_EQ(supported.refused(kSecond), kChangedResources);
  supported.refuse(kChangedResources, kSecond);
  EXPECT_EQ(supported.changed(kSecond), 0U);

  ToldParts unsupported;
  unsupported.restore(*pod_told(text), kChangedImage);
  EXPECT_EQ(unsupported.changed(kSecond), 0U);
}

TEST(ToldParts, AreNotBelievedForASpecThatWasWrittenMeanwhile) {
  ToldParts told;
  told.accept(kAll, kFirst);
  const std::string text = told.text(kAll, 3);
  EXPECT_EQ(text, "m:5,i:1,r:2,e:3,d:4,g:3");

  ToldParts same;
  same.restore(*pod_told(text, 3), kAll);
  EXPECT_EQ(same.changed(kFirst), 0U);
  ToldParts later;
  later.restore(*pod_told(text, 4), kAll);
  EXPECT_EQ(later.changed(kFirst), kAll);
  ToldParts newer_server;
  newer_server.restore(*pod_told(told.text(kAll, 0), 1), kAll);
  EXPECT_EQ(newer_server.changed(kFirst), kAll);
}

TEST(ToldParts, AreNotBelievedOfAnotherPodsManifest) {
  ToldParts told;
  told.restore(*pod_told("m:5,i:1,r:2,e:3,d:4", 0, "u-2"), kAll);

  EXPECT_EQ(told.changed(kFirst), kAll);
}

TEST(ToldParts, SurviveAnyAnnotation) {
  for (const char* text :
       {"", ",", ":", "i", "i:", "i:x", "i:-1", "i:1:2", "i!:", "!:1", "ii:1", "z:1",
        "i:11111111111111111", "g:3", "i!!:1", ",,i:,", "i:1;r:2", "\\u0000"}) {
    ToldParts told;
    told.restore(*pod_told(text), kAll);

    EXPECT_EQ(told.changed(kFirst) | kChangedImage, kAll) << text;
  }
}

}  // namespace
}  // namespace vkhost::pods
