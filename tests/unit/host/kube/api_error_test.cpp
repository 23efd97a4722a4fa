#include "kube/api_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

std::string status_body(const std::string& reason, const std::string& details = "{}") {
  return R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":"because","reason":")" +
         reason + R"(","details":)" + details + "}";
}

TEST(ApiError, MapsEveryAnswerToItsCode) {
  struct Case {
    int status;
    const char* reason;
    StatusCode code;
    Retry retry;
    Effect effect_of_write;
  };
  const Case cases[] = {
      {400, "BadRequest", StatusCode::InvalidArgument, Retry::Never, Effect::None},
      {401, "Unauthorized", StatusCode::Unauthenticated, Retry::Backoff, Effect::None},
      {403, "Forbidden", StatusCode::PermissionDenied, Retry::Backoff, Effect::None},
      {404, "NotFound", StatusCode::NotFound, Retry::Backoff, Effect::None},
      {405, "MethodNotAllowed", StatusCode::Unimplemented, Retry::Never, Effect::None},
      {406, "NotAcceptable", StatusCode::Unimplemented, Retry::Never, Effect::None},
      {409, "Conflict", StatusCode::Aborted, Retry::Backoff, Effect::None},
      {409, "AlreadyExists", StatusCode::AlreadyExists, Retry::Backoff, Effect::None},
      {410, "Expired", StatusCode::OutOfRange, Retry::Backoff, Effect::None},
      {410, "Gone", StatusCode::OutOfRange, Retry::Backoff, Effect::None},
      {413, "RequestEntityTooLarge", StatusCode::InvalidArgument, Retry::Never, Effect::None},
      {415, "UnsupportedMediaType", StatusCode::Unimplemented, Retry::Never, Effect::None},
      {422, "Invalid", StatusCode::InvalidArgument, Retry::Never, Effect::None},
      {429, "TooManyRequests", StatusCode::ResourceExhausted, Retry::After, Effect::None},
      {408, "Timeout", StatusCode::Unavailable, Retry::Backoff, Effect::Unknown},
      {500, "InternalError", StatusCode::Unavailable, Retry::Backoff, Effect::Unknown},
      {502, "", StatusCode::Unavailable, Retry::Backoff, Effect::Unknown},
      {503, "ServiceUnavailable", StatusCode::Unavailable, Retry::Backoff, Effect::Unknown},
      {504, "Timeout", StatusCode::Unavailable, Retry::Backoff, Effect::Unknown},
      {302, "", StatusCode::Unknown, Retry::Backoff, Effect::Unknown},
      {418, "", StatusCode::Unknown, Retry::Backoff, Effect::None},
  };
  for (const Case& c : cases) {
    const Status status = api_error({c.status, {}, status_body(c.reason)}, Access::Write);

    EXPECT_EQ(status.code(), c.code) << c.status;
    EXPECT_EQ(status.reason(), c.reason) << c.status;
    EXPECT_EQ(status.retry(), c.retry) << c.status;
    EXPECT_EQ(status.effect(), c.effect_of_write) << c.status;
    EXPECT_EQ(status.message(), "because") << c.status;
    EXPECT_EQ(
        api_error({c.status, {}, status_body(c.reason)}, Access::Read).effect(),
        c.status == 302 || c.status >= 500 || c.status == 408 ? Effect::None : c.effect_of_write);
  }
}

TEST(ApiError, BelievesANotFoundOnlyFromTheApiServer) {
  for (const char* body : {"", "404 page not found\n", "<html>nothing here</html>", "{}", "[]",
                           R"({"kind":"Status","message":7})"}) {
    EXPECT_EQ(api_error({404, {}, body}, Access::Read).code(), StatusCode::Unavailable) << body;
  }
}

TEST(ApiError, QuotesForeignBodiesWithoutTheirControlCharacters) {
  const Status status =
      api_error({502, {}, "<html>\n\x1b[31m" + std::string(5000, 'x')}, Access::Read);

  EXPECT_THAT(status.message(), HasSubstr("HTTP 502"));
  EXPECT_THAT(status.message(), HasSubstr("\"<html>"));
  EXPECT_THAT(status.message(), Not(HasSubstr("\x1b")));
  EXPECT_LT(status.message().size(), 400U);
  EXPECT_THAT(api_error({502, {}, ""}, Access::Read).message(), HasSubstr("an empty body"));
}

TEST(ApiError, TakesTheDelayFromHeaderOrDetails) {
  const auto delay = [](int status, http::Headers headers, const char* details) {
    return api_error({status, std::move(headers), status_body("", details)}, Access::Write)
        .retry_after();
  };

  EXPECT_EQ(delay(429, {{"retry-after", "7"}}, "{}"), seconds{7});
  EXPECT_EQ(delay(503, {{"Retry-After", "0"}}, "{}"), seconds{0});
  EXPECT_EQ(delay(429, {}, R"({"retryAfterSeconds":9})"), seconds{9});
  EXPECT_EQ(delay(429, {{"Retry-After", "soon"}}, "{}"), seconds{1});
  EXPECT_EQ(delay(429, {{"Retry-After", "-5"}}, "{}"), seconds{1});
  EXPECT_EQ(delay(429, {{"Retry-After", "99999999999"}}, "{}"), seconds{300});
  EXPECT_EQ(delay(429, {{"Retry-After", "9999999999999999999999"}}, "{}"), seconds{1});
  EXPECT_EQ(api_error({503, {{"Retry-After", "2"}}, ""}, Access::Write).retry(), Retry::After);
}

TEST(ApiError, ReadsADelayUntilADate) {
  const auto delay = [](const char* until, const char* now) {
    return api_error({429, {{"Retry-After", until}, {"Date", now}}, ""}, Access::Read)
        .retry_after();
  };
  const char* const now = "Wed, 31 Dec 2025 23:59:50 GMT";

  EXPECT_EQ(delay("Thu, 01 Jan 2026 00:00:02 GMT", now), seconds{12});
  EXPECT_EQ(delay("Wed, 31 Dec 2025 23:00:00 GMT", now), seconds{0});
  EXPECT_EQ(delay("Thu, 01 Jan 2037 00:00:02 GMT", now), seconds{300});
  for (const char* bad : {"Thu, 01 Jan 2026 00:00:02", "Thu, 99 Jan 2026 00:00:02 GMT",
                          "Thu, 01 Foo 2026 00:00:02 GMT", "Thu, 01 Jan 2026 00:60:02 GMT",
                          "Thu, 01 Jan 2o26 00:00:02 GMT", "Thu,001 Jan 2026 00:00:02 GMT"}) {
    EXPECT_EQ(delay(bad, now), seconds{1}) << bad;
  }
  EXPECT_EQ(delay("Thu, 01 Jan 2026 00:00:02 GMT", "today"), seconds{1});
}

TEST(ApiError, ReadsErrorEventsOfAWatch) {
  const Status gone = api_error_from_object(
      R"({"kind":"Status","message":"too old resource version","reason":"Expired","code":410})");

  EXPECT_EQ(gone.code(), StatusCode::OutOfRange);
  EXPECT_EQ(gone.reason(), "Expired");
  EXPECT_EQ(api_error_from_object(R"({"kind":"Status","code":429})").code(),
            StatusCode::ResourceExhausted);
  EXPECT_EQ(api_error_from_object(R"({"kind":"Status","code":7})").code(), StatusCode::Unavailable);
  EXPECT_EQ(api_error_from_object(R"({"kind":"Pod"})").code(), StatusCode::Unavailable);
  EXPECT_EQ(api_error_from_object("").code(), StatusCode::Unavailable);
}

TEST(RetryDelay, RepeatsOnlyWhatIsSafe) {
  SeededRandom random(1);
  const BackoffLimits limits{milliseconds{100}, seconds{2}};
  const auto retried = [&](const Status& failure, Access access, std::uint32_t tries = 1) {
    return retry_delay(failure, access, tries, 5, limits, random).has_value();
  };
  const Status lost = unavailable("connection reset");
  const Status lost_before_sending = unavailable("refused").with_effect(Effect::None);
  const Status throttled =
      Status(StatusCode::ResourceExhausted, "x").with_retry(Retry::After, seconds{1});

  EXPECT_TRUE(retried(lost, Access::Read));
  EXPECT_FALSE(retried(lost, Access::Write));
  EXPECT_TRUE(retried(lost, Access::Repeatable));
  EXPECT_TRUE(retried(lost_before_sending, Access::Write));
  EXPECT_TRUE(retried(throttled, Access::Write));
  EXPECT_TRUE(retried(lost, Access::Read, 4));
  EXPECT_FALSE(retried(lost, Access::Read, 5));
  EXPECT_FALSE(retried(Status(StatusCode::ResourceExhausted, "body too large"), Access::Read));
  EXPECT_FALSE(retried(deadline_exceeded("x"), Access::Read));
  EXPECT_FALSE(retried(cancelled("x"), Access::Read));
  EXPECT_FALSE(retried(not_found("x"), Access::Read));
  EXPECT_FALSE(retried(Status::ok(), Access::Read));
}

TEST(RetryDelay, WaitsAtLeastAsLongAsAsked) {
  SeededRandom random(1);
  const BackoffLimits limits{milliseconds{100}, seconds{2}};
  const auto delay = [&](seconds asked) {
    return retry_delay(Status(StatusCode::ResourceExhausted, "x").with_retry(Retry::After, asked),
                       Access::Write, 1, 5, limits, random);
  };

  EXPECT_GE(delay(seconds{3}), std::optional<milliseconds>(seconds{3}));
  EXPECT_GE(delay(seconds{0}), std::optional(milliseconds{50}));
}

}  // namespace
}  // namespace vkhost::kube
