#include "plugin/abi_read.hpp"

#include <gmock/gmock.h>

#include <limits>
#include <memory>

namespace vkhost::plugin {
namespace {

using ::testing::HasSubstr;

vkp_error some_error() {
  vkp_error error{};
  error.size = sizeof(error);
  error.reason = as_text("QuotaExceeded");
  error.message = as_text("no more instances in this region; ask for a higher quota");
  error.retry = VKP_RETRY_AFTER;
  error.retry_after_ms = 2500;
  error.effect = VKP_EFFECT_NONE;
  error.scope = VKP_SCOPE_PROVIDER;
  return error;
}

TEST(ReadStruct, TakesMissingMembersAsZero) {
  vkp_error error = some_error();
  error.size = offsetof(vkp_error, retry_after_ms);

  const vkp_error read = read_struct(&error);

  EXPECT_EQ(std::string_view(read.reason.data, read.reason.size), "QuotaExceeded");
  EXPECT_EQ(read.retry_after_ms, 0);
  EXPECT_EQ(read.retry, VKP_RETRY_BACKOFF);
}

TEST(ReadStruct, NeverReadsBeyondTheSizeThatTheOtherSideHas) {
  // Only sixteen bytes are there; address sanitizer watches the rest.
  const auto bytes = std::make_unique<std::uint64_t[]>(2);
  bytes[0] = 16;
  bytes[1] = 7;

  const vkp_pod_change read = read_struct(reinterpret_cast<const vkp_pod_change*>(bytes.get()));

  EXPECT_EQ(read.size, 16U);
  EXPECT_EQ(read.seq, 0U);
}

TEST(ReadStruct, IgnoresMembersThatAreNewerThanOurs) {
  struct Newer {
    vkp_error known;
    std::uint64_t added;
  };
  Newer newer{some_error(), 99};
  newer.known.size = sizeof(newer);

  EXPECT_EQ(read_struct(&newer.known).retry_after_ms, 2500);
}

TEST(ReadStruct, TakesHalfAMemberAsMissing) {
  vkp_error error = some_error();
  error.size = offsetof(vkp_error, reason) + 4;

  EXPECT_EQ(read_struct(&error).reason.data, nullptr);
}

TEST(ReadStruct, ReadsNullAsNothing) {
  EXPECT_EQ(read_struct(static_cast<const vkp_error*>(nullptr)).size, 0U);
}

TEST(ReadFlag, TakesAnyByte) {
  vkp_pod_change change{};
  const unsigned char two = 2;
  std::memcpy(&change.gone, &two, 1);

  EXPECT_TRUE(read_flag(change.gone));
}

TEST(ReadText, RefusesNullWithALengthTooMuchAndWhatIsNotUtf8) {
  EXPECT_TRUE(read_text(nullptr, 0, 4).is_ok());
  EXPECT_FALSE(read_text(nullptr, 3, 4).is_ok());
  EXPECT_FALSE(read_text("abcde", 5, 4).is_ok());
  EXPECT_FALSE(read_text("\xff", 1, 4).is_ok());
  // An absurd length is refused before a byte is read.
  EXPECT_FALSE(read_text("a", std::numeric_limits<std::size_t>::max(), 4).is_ok());
}

TEST(ShownText, ReplacesWrongBytesAndCutsBetweenCharacters) {
  EXPECT_EQ(shown_text(as_text("a\xff z"), 100), "a\xEF\xBF\xBD z");
  EXPECT_EQ(shown_text(as_text("ab\xC3\xA4"), 3), "ab");
  EXPECT_EQ(shown_text({nullptr, 17}, 100), "");
}

TEST(ReadReason, KeepsOneWordThatConditionsTake) {
  EXPECT_EQ(read_reason(as_text("Quota Exceeded!\n2")), "QuotaExceeded2");
  EXPECT_EQ(read_reason(as_text("42")), "");
  EXPECT_EQ(read_reason(as_text(std::string(4000, 'R'))).size(), VKP_MAX_REASON_BYTES);
}

TEST(ReadFailure, KeepsTheAdvice) {
  const vkp_error error = some_error();

  const Status status = read_failure(VKP_RESOURCE_EXHAUSTED, &error, "fallback");

  EXPECT_EQ(status.code(), StatusCode::ResourceExhausted);
  EXPECT_EQ(status.reason(), "QuotaExceeded");
  EXPECT_THAT(status.message(), HasSubstr("ask for a higher quota"));
  EXPECT_EQ(status.retry(), Retry::After);
  EXPECT_EQ(status.retry_after(), std::chrono::milliseconds(2500));
  EXPECT_EQ(status.effect(), Effect::None);
  EXPECT_EQ(status.scope(), Scope::Provider);
}

TEST(ReadFailure, TakesUnknownNumbersAsTheHeaderSays) {
  vkp_error error = some_error();
  error.retry = 99;
  error.effect = -1;
  error.scope = 12;
  error.retry_after_ms = std::numeric_limits<std::int64_t>::max();

  const Status status = read_failure(4711, &error, "fallback");

  EXPECT_EQ(status.code(), StatusCode::Unknown);
  EXPECT_EQ(status.retry(), Retry::Backoff);
  EXPECT_EQ(status.effect(), Effect::Unknown);
  EXPECT_EQ(status.scope(), Scope::Pod);
  EXPECT_EQ(status.retry_after(), std::chrono::hours(24));
}

TEST(ReadFailure, MeansBackoffWithUnknownEffectWithoutDetails) {
  const Status status = read_failure(VKP_UNAVAILABLE, nullptr, "create_pod failed");

  EXPECT_EQ(status.message(), "create_pod failed");
  EXPECT_EQ(status.retry(), Retry::Backoff);
  EXPECT_EQ(status.effect(), Effect::Unknown);
  EXPECT_EQ(status.scope(), Scope::Pod);
}

}  // namespace
}  // namespace vkhost::plugin
