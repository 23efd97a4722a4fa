#include "base/status.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace vkhost {
namespace {

using std::chrono::seconds;

TEST(Status, IsOkByDefault) {
  const Status status;

  EXPECT_TRUE(status.is_ok());
  EXPECT_EQ(status.code(), StatusCode::Ok);
  EXPECT_EQ(status.effect(), Effect::None);
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(status.to_string(), "OK");
}

TEST(Status, WithoutDetailsMeansBackoffAndUnknownEffectOnThePod) {
  const Status status = unavailable("no route");

  EXPECT_EQ(status.code(), StatusCode::Unavailable);
  EXPECT_EQ(status.retry(), Retry::Backoff);
  EXPECT_EQ(status.effect(), Effect::Unknown);
  EXPECT_EQ(status.scope(), Scope::Pod);
  EXPECT_EQ(status.to_string(), "UNAVAILABLE: no route");
}

TEST(Status, KeepsTheAdviceItWasGiven) {
  const Status status = Status(StatusCode::ResourceExhausted, "slow down")
                            .with_reason("Throttled")
                            .with_retry(Retry::After, seconds{7})
                            .with_effect(Effect::None)
                            .with_scope(Scope::Provider);

  EXPECT_EQ(status.reason(), "Throttled");
  EXPECT_EQ(status.retry(), Retry::After);
  EXPECT_EQ(status.retry_after(), seconds{7});
  EXPECT_EQ(status.effect(), Effect::None);
  EXPECT_EQ(status.scope(), Scope::Provider);
}

TEST(Status, BuildersLeaveOkAlone) {
  const Status status = Status::ok().with_reason("X").with_retry(Retry::Never);

  EXPECT_TRUE(status.is_ok());
  EXPECT_EQ(status.reason(), "");
  EXPECT_TRUE(status.while_doing("anything").is_ok());
}

TEST(Status, GainsContextWithoutLosingItsAdvice) {
  const Status inner = not_found("no such pod").with_retry(Retry::Never);

  const Status outer = inner.while_doing("deleting default/web");

  EXPECT_EQ(outer.message(), "deleting default/web: no such pod");
  EXPECT_EQ(outer.retry(), Retry::Never);
  EXPECT_EQ(inner.message(), "no such pod");
}

TEST(Status, ChangingACopyLeavesTheOriginal) {
  const Status original = internal_error("broken");
  Status copy = original;

  copy = std::move(copy).with_reason("Changed");

  EXPECT_EQ(original.reason(), "");
  EXPECT_EQ(copy.reason(), "Changed");
}

TEST(StatusCode, HasTheNamesAndNumbersOfGrpc) {
  EXPECT_EQ(to_string(StatusCode::Ok), "OK");
  EXPECT_EQ(to_string(StatusCode::DeadlineExceeded), "DEADLINE_EXCEEDED");
  EXPECT_EQ(to_string(status_code_from_int(16)), "UNAUTHENTICATED");
}

TEST(StatusCode, ReadsANumberItDoesNotKnowAsUnknown) {
  for (const int value : {-1, 17, 1000}) {
    EXPECT_EQ(status_code_from_int(value), StatusCode::Unknown) << value;
  }
}

Result<std::string> answer(Status status) {
  VKHOST_TRY(std::move(status));
  return std::string("fine");
}

Result<std::size_t> length_of(Result<std::string> text) {
  VKHOST_TRY_ASSIGN(const std::string value, std::move(text));
  return value.size();
}

TEST(Result, HoldsAValueOrAStatus) {
  Result<std::string> good = answer(Status::ok());
  const Result<std::string> bad = answer(not_found("nothing"));

  ASSERT_TRUE(good.is_ok());
  EXPECT_EQ(*good, "fine");
  EXPECT_EQ(good->size(), 4U);
  EXPECT_TRUE(good.status().is_ok());
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.status().code(), StatusCode::NotFound);
}

TEST(Result, PassesAFailureThrough) {
  EXPECT_EQ(*length_of(std::string("four")), 4U);
  EXPECT_EQ(length_of(not_found("nothing")).status().message(), "nothing");
}

TEST(Result, CallsAnOkWithoutAValueAnErrorOfOurOwn) {
  const Result<int> result = Status::ok();

  EXPECT_FALSE(result.is_ok());
  EXPECT_EQ(result.status().code(), StatusCode::Internal);
}

TEST(Result, GivesAwayWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(3);

  const std::unique_ptr<int> taken = *std::move(result);

  EXPECT_EQ(*taken, 3);
}

}  // namespace
}  // namespace vkhost
