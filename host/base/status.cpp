#include "base/status.hpp"

#include <array>

namespace vkhost {
namespace {

constexpr std::array<std::string_view, 17> kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

const std::string& empty_string() {
  static const std::string empty;
  return empty;
}

}  // namespace

std::string_view to_string(StatusCode code) {
  const auto index = static_cast<std::size_t>(code);
  return index < kCodeNames.size() ? kCodeNames[index] : "UNKNOWN";
}

StatusCode status_code_from_int(std::int32_t value) {
  return value >= 0 && static_cast<std::size_t>(value) < kCodeNames.size()
             ? static_cast<StatusCode>(value)
             : StatusCode::Unknown;
}

Status::Status(StatusCode code, std::string message) {
  if (code == StatusCode::Ok) {
    return;
  }
  auto detail = std::make_shared<Detail>();
  detail->code = code;
  detail->message = std::move(message);
  detail_ = std::move(detail);
}

const std::string& Status::message() const { return detail_ ? detail_->message : empty_string(); }

const std::string& Status::reason() const { return detail_ ? detail_->reason : empty_string(); }

std::chrono::milliseconds Status::retry_after() const {
  return detail_ ? detail_->retry_after : std::chrono::milliseconds{0};
}

Status::Detail& Status::writable() {
  auto copy = std::make_shared<Detail>(*detail_);
  Detail& writable = *copy;
  detail_ = std::move(copy);
  return writable;
}

Status Status::with_reason(std::string reason) && {
  if (detail_) {
    writable().reason = std::move(reason);
  }
  return std::move(*this);
}

Status Status::with_retry(Retry retry, std::chrono::milliseconds after) && {
  if (detail_) {
    Detail& detail = writable();
    detail.retry = retry;
    detail.retry_after = after;
  }
  return std::move(*this);
}

Status Status::with_effect(Effect effect) && {
  if (detail_) {
    writable().effect = effect;
  }
  return std::move(*this);
}

Status Status::with_scope(Scope scope) && {
  if (detail_) {
    writable().scope = scope;
  }
  return std::move(*this);
}

Status Status::while_doing(std::string_view what) const {
  Status copy = *this;
  if (copy.detail_) {
    Detail& detail = copy.writable();
    detail.message = std::string(what) + ": " + detail.message;
  }
  return copy;
}

std::string Status::to_string() const {
  if (is_ok()) {
    return "OK";
  }
  return std::string(vkhost::to_string(code())) + ": " + message();
}

Status invalid_argument(std::string message) {
  return {StatusCode::InvalidArgument, std::move(message)};
}
Status not_found(std::string message) { return {StatusCode::NotFound, std::move(message)}; }
Status unavailable(std::string message) { return {StatusCode::Unavailable, std::move(message)}; }
Status internal_error(std::string message) { return {StatusCode::Internal, std::move(message)}; }
Status unimplemented(std::string message) {
  return {StatusCode::Unimplemented, std::move(message)};
}
Status cancelled(std::string message) { return {StatusCode::Cancelled, std::move(message)}; }
Status deadline_exceeded(std::string message) {
  return {StatusCode::DeadlineExceeded, std::move(message)};
}
Status failed_precondition(std::string message) {
  return {StatusCode::FailedPrecondition, std::move(message)};
}

}  // namespace vkhost
