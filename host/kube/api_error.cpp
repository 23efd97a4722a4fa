#include "kube/api_error.hpp"

#include "kube/json_reader.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A wrong number in Retry-After must not park a request for a day.
constexpr seconds kLongestRetryAfter{300};
constexpr seconds kDefaultRetryAfter{1};
constexpr std::size_t kQuotedBytes = 200;

// What an error answer says, however it says it.
struct ErrorText {
  bool is_kubernetes = false;
  std::string message;
  std::string reason;
  std::int64_t code = 0;
  std::optional<seconds> retry_after;
};

Status read_status_object(simdjson::dom::element root, ErrorText& text) {
  VKHOST_TRY_ASSIGN(const auto object, as_object(root, "the answer"));
  std::array<OptionalElement, 5> found;
  VKHOST_TRY(find_members<5>(object, "", {"kind", "message", "reason", "code", "details"}, found));
  std::string kind;
  VKHOST_TRY(read_string(found[0], "kind", kind));
  VKHOST_TRY(read_string(found[1], "message", text.message));
  VKHOST_TRY(read_string(found[2], "reason", text.reason));
  VKHOST_TRY(read_int(found[3], "code", text.code));
  text.is_kubernetes = kind == "Status";
  if (found[4]) {
    VKHOST_TRY_ASSIGN(const auto details, as_object(*found[4], "details"));
    std::array<OptionalElement, 1> delay;
    VKHOST_TRY(find_members<1>(details, "details.", {"retryAfterSeconds"}, delay));
    std::int64_t after = 0;
    VKHOST_TRY(read_int(delay[0], "details.retryAfterSeconds", after));
    if (after > 0) {
      text.retry_after =
          std::min(seconds(std::min<std::int64_t>(after, 86'400)), kLongestRetryAfter);
    }
  }
  return Status::ok();
}

ErrorText read_error_text(std::string_view body) {
  ErrorText text;
  if (const auto root = read_json(body); root.is_ok()) {
    if (ErrorText parsed; read_status_object(*root, parsed).is_ok() && parsed.is_kubernetes) {
      return parsed;
    }
  }
  return text;
}

// The start of a body that is no metav1.Status, safe to print.
std::string quoted_start(std::string_view body) {
  std::string out;
  for (const char c : body.substr(0, kQuotedBytes)) {
    out += c >= 0x20 && c < 0x7f ? c : ' ';
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out.empty() ? "an empty body"
                     : "\"" + out + (body.size() > kQuotedBytes ? "…" : "") + "\"";
}

// All of `text` as a number.
template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return !text.empty() && error == std::errc{} && stop == end;
}

// IMF-fixdate, the only form that may be sent (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<std::chrono::sys_seconds> read_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::string_view kShape = "___, __ ___ ____ __:__:__ GMT";
  if (text.size() != kShape.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kShape[i] != '_' && kShape[i] != text[i]) {
      return std::nullopt;
    }
  }
  unsigned day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (!read_number(text.substr(5, 2), day) || month == std::string_view::npos || month % 3 != 0 ||
      !read_number(text.substr(12, 4), year) || !read_number(text.substr(17, 2), hour) ||
      !read_number(text.substr(20, 2), minute) || !read_number(text.substr(23, 2), second)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(day)};
  if (!date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 60) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         seconds(second);
}

// Seconds, or a date, which is counted from the server's own Date: clocks may differ.
std::optional<seconds> retry_after_header(const http::Headers& headers) {
  const std::string_view value = http::find_header(headers, "Retry-After");
  std::int64_t parsed = 0;
  if (!read_number(value, parsed)) {
    const auto until = read_date(value);
    const auto now = read_date(http::find_header(headers, "Date"));
    if (!until || !now) {
      return std::nullopt;
    }
    parsed = std::max<std::int64_t>((*until - *now).count(), 0);
  }
  if (parsed < 0) {
    return std::nullopt;
  }
  return std::min(seconds(std::min<std::int64_t>(parsed, 86'400)), kLongestRetryAfter);
}

StatusCode code_for(int http_status, const ErrorText& text) {
  switch (http_status) {
    case 400:
    case 413:
    case 422:
      return StatusCode::InvalidArgument;
    case 401:
      return StatusCode::Unauthenticated;
    case 403:
      return StatusCode::PermissionDenied;
    case 404:
      return text.is_kubernetes ? StatusCode::NotFound : StatusCode::Unavailable;
    case 405:
    case 406:
    case 415:
      return StatusCode::Unimplemented;
    case 409:
      return text.reason == "AlreadyExists" ? StatusCode::AlreadyExists : StatusCode::Aborted;
    case 410:
      return StatusCode::OutOfRange;
    case 429:
      return StatusCode::ResourceExhausted;
    default:
      return http_status == 408 || http_status >= 500 ? StatusCode::Unavailable
                                                      : StatusCode::Unknown;
  }
}

Status make_error(int http_status, ErrorText text, Access access) {
  const StatusCode code = code_for(http_status, text);
  const bool is_client_fault = http_status >= 400 && http_status < 500 && http_status != 408;
  const bool is_told_to_wait = http_status == 429 || (http_status >= 500 && text.retry_after);
  Status status(code, std::move(text.message));
  status = std::move(status).with_reason(std::move(text.reason));
  if (access == Access::Read || is_client_fault || is_told_to_wait) {
    status = std::move(status).with_effect(Effect::None);
  } else {
    status = std::move(status).with_effect(Effect::Unknown);
  }
  if (is_told_to_wait) {
    return std::move(status).with_retry(Retry::After,
                                        text.retry_after.value_or(kDefaultRetryAfter));
  }
  if (code == StatusCode::InvalidArgument || code == StatusCode::Unimplemented) {
    return std::move(status).with_retry(Retry::Never);
  }
  return status;
}

}  // namespace

Status api_error(const http::Response& answer, Access access) {
  ErrorText text = read_error_text(answer.body);
  if (!text.is_kubernetes) {
    text.message = "HTTP " + std::to_string(answer.status) +
                   ", not in the words of a Kubernetes API server: " + quoted_start(answer.body);
  } else if (text.message.empty()) {
    text.message = "HTTP " + std::to_string(answer.status) + " without a message";
  }
  if (const auto after = retry_after_header(answer.headers)) {
    text.retry_after = after;
  }
  return make_error(answer.status, std::move(text), access);
}

Status api_error_from_object(std::string_view object) {
  ErrorText text = read_error_text(object);
  if (!text.is_kubernetes) {
    return unavailable("an error that is no metav1.Status: " + quoted_start(object));
  }
  const bool is_http = text.code >= 400 && text.code < 600;
  return make_error(is_http ? static_cast<int>(text.code) : 500, std::move(text), Access::Read);
}

std::optional<milliseconds> retry_delay(const Status& failure,
                                        Access access,
                                        std::uint32_t tries,
                                        std::uint32_t max_tries,
                                        const BackoffLimits& limits,
                                        Random& random) {
  if (failure.is_ok() || tries >= max_tries) {
    return std::nullopt;
  }
  const milliseconds backoff = backoff_delay(limits, tries, random);
  if (failure.retry() == Retry::After) {
    return std::max(failure.retry_after(), backoff);
  }
  const bool is_harmless = access != Access::Write || failure.effect() == Effect::None;
  if (failure.code() == StatusCode::Unavailable && is_harmless) {
    return backoff;
  }
  return std::nullopt;
}

}  // namespace vkhost::kube
