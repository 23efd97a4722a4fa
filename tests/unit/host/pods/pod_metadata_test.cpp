#include "pods/pod_metadata.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace vkhost::pods {
namespace {

std::uint64_t hash_with(std::string_view metadata) {
  const auto pod = kube::parse_pod(R"({"metadata":{"name":"n","namespace":"s","uid":"u")" +
                                   std::string(metadata) + "}}");
  EXPECT_TRUE(pod.is_ok()) << pod.status().to_string();
  return user_metadata_hash(**pod, {"mock.vkhost.io/", "other.vkhost.io/"});
}

TEST(UserMetadataHash, ChangesWithLabelsAndAnnotations) {
  const std::uint64_t none = hash_with("");

  EXPECT_NE(hash_with(R"(,"labels":{"a":"1"})"), none);
  EXPECT_NE(hash_with(R"(,"annotations":{"a":"1"})"), none);
  EXPECT_NE(hash_with(R"(,"annotations":{"a":"1"})"), hash_with(R"(,"annotations":{"a":"2"})"));
  EXPECT_NE(hash_with(R"(,"annotations":{"a":"1"})"), hash_with(R"(,"labels":{"a":"1"})"));
}

TEST(UserMetadataHash, IgnoresWhatHostAndProviderWrote) {
  const std::uint64_t plain = hash_with(R"(,"annotations":{"a":"1"})");

  EXPECT_EQ(hash_with(R"(,"annotations":{"a":"1","mock.vkhost.io/id":"i-1"})"), plain);
  EXPECT_EQ(hash_with(R"(,"annotations":{"a":"1","vkhost.io/handle":"h",
                          "vkhost.io/handle-uid":"u"})"),
            plain);
  EXPECT_NE(hash_with(R"(,"annotations":{"a":"1","vkhost.io/region":"eu"})"), plain);
}

TEST(UserMetadataHash, CountsALabelEvenUnderAPrefixOfTheProvider) {
  EXPECT_NE(hash_with(R"(,"labels":{"mock.vkhost.io/size":"l"})"), hash_with(""));
}

TEST(UserMetadataHash, IsTheRecordsOwnWithoutPrefixes) {
  const auto pod = kube::parse_pod(R"({"metadata":{"name":"n","namespace":"s","uid":"u"}})");
  ASSERT_TRUE(pod.is_ok());

  EXPECT_EQ(user_metadata_hash(**pod, {}), (*pod)->metadata_hash);
}

TEST(OwnLossPolicy, IsTheWordOfTheAnnotation) {
  const auto policy_of = [](const std::string& metadata) {
    const auto pod =
        kube::parse_pod(R"({"metadata":{"name":"n","namespace":"s","uid":"u")" + metadata + "}}");
    EXPECT_TRUE(pod.is_ok());
    return own_loss_policy(**pod);
  };

  EXPECT_EQ(policy_of("").on_lost, std::nullopt);
  EXPECT_EQ(policy_of(R"(,"annotations":{"vkhost.io/on-lost":"wait"})").on_lost, OnLost::Wait);
  EXPECT_EQ(policy_of(R"(,"annotations":{"vkhost.io/on-lost":"fail"})").on_lost, OnLost::Fail);
  EXPECT_EQ(policy_of(R"(,"annotations":{"vkhost.io/on-lost":"recreate"})").on_lost,
            OnLost::Recreate);
  EXPECT_EQ(policy_of(R"(,"labels":{"vkhost.io/on-lost":"wait"})").on_lost, std::nullopt);
  for (const char* odd : {"\"WAIT\"", "\"\"", "7", "\"wa\\u0069t\""}) {
    const LossPolicy policy =
        policy_of(R"(,"annotations":{"vkhost.io/on-lost":)" + std::string(odd) + "}");
    EXPECT_EQ(policy.on_lost, std::nullopt) << odd;
    EXPECT_NE(policy.problem, "") << odd;
  }
}

}  // namespace
}  // namespace vkhost::pods
