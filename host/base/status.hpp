// Status and Result<T>: how every room of the host reports an outcome to another room.
//
// A Status carries a canonical gRPC code, a sentence, and the advice that decides what happens next
// (when to retry, whether the effect took place, whom the fault concerns). Callers branch on code
// and advice, never on the text. Values are immutable apart from the `with_…` builders and may be
// copied between threads. Nothing here throws or blocks. [any-thread] [no-block]
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace vkhost {

// The canonical codes of google.rpc.Code; the numbers are those that cross the provider ABI.
enum class StatusCode : std::int32_t {
  Ok = 0,
  Cancelled = 1,
  Unknown = 2,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  AlreadyExists = 6,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  FailedPrecondition = 9,
  Aborted = 10,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16,
};

// "NOT_FOUND" and so on, as in the gRPC documentation.
[[nodiscard]] std::string_view to_string(StatusCode code);
// Unknown numbers read as StatusCode::Unknown.
[[nodiscard]] StatusCode status_code_from_int(std::int32_t value);

enum class Retry { Backoff, After, Never };
// Whether the operation took place although it failed.
enum class Effect { None, Happened, Unknown };
// Whom the fault concerns: one pod, or everything that the provider instance does.
enum class Scope { Pod, Provider };

class [[nodiscard]] Status {
 public:
  Status() = default;  // OK
  Status(StatusCode code, std::string message);

  static Status ok() { return {}; }

  [[nodiscard]] bool is_ok() const { return detail_ == nullptr; }
  [[nodiscard]] StatusCode code() const { return detail_ ? detail_->code : StatusCode::Ok; }
  [[nodiscard]] const std::string& message() const;
  // One CamelCase word for conditions and events; empty when the origin gave none.
  [[nodiscard]] const std::string& reason() const;
  [[nodiscard]] Retry retry() const { return detail_ ? detail_->retry : Retry::Backoff; }
  // Meaningful with Retry::After.
  [[nodiscard]] std::chrono::milliseconds retry_after() const;
  [[nodiscard]] Effect effect() const { return detail_ ? detail_->effect : Effect::None; }
  [[nodiscard]] Scope scope() const { return detail_ ? detail_->scope : Scope::Pod; }

  // Builders; each returns the changed value and is a no-op on OK.
  Status with_reason(std::string reason) &&;
  Status with_retry(Retry retry, std::chrono::milliseconds after = {}) &&;
  Status with_effect(Effect effect) &&;
  Status with_scope(Scope scope) &&;
  // "creating pod default/web-0: <message>": adds context going up.
  [[nodiscard]] Status while_doing(std::string_view what) const;

  // "NOT_FOUND: pod default/web-0 …" for logs.
  [[nodiscard]] std::string to_string() const;

 private:
  struct Detail {
    StatusCode code = StatusCode::Unknown;
    Retry retry = Retry::Backoff;
    Effect effect = Effect::Unknown;
    Scope scope = Scope::Pod;
    std::chrono::milliseconds retry_after{0};
    std::string message;
    std::string reason;
  };
  Detail& writable();

  std::shared_ptr<const Detail> detail_;  // null is OK, so the common case costs nothing
};

Status invalid_argument(std::string message);
Status not_found(std::string message);
Status unavailable(std::string message);
Status internal_error(std::string message);
Status unimplemented(std::string message);
Status cancelled(std::string message);
Status deadline_exceeded(std::string message);
Status failed_precondition(std::string message);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    if (std::get<Status>(state_).is_ok()) {
      state_ = internal_error("an OK status was returned where a value was promised");
    }
  }

  [[nodiscard]] bool is_ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return is_ok(); }

  // Only after is_ok().
  [[nodiscard]] T& value() & { return std::get<T>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<T>(state_); }
  [[nodiscard]] T&& value() && { return std::get<T>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] Status status() const { return is_ok() ? Status::ok() : std::get<Status>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace vkhost

// Returns the status from the enclosing function when `expression` (a Status) is not OK.
#define VKHOST_TRY(expression)                                               \
  do {                                                                       \
    if (::vkhost::Status vkhost_try_ = (expression); !vkhost_try_.is_ok()) { \
      return vkhost_try_;                                                    \
    }                                                                        \
  } while (false)

#define VKHOST_CONCAT_INNER(a, b) a##b
#define VKHOST_CONCAT(a, b) VKHOST_CONCAT_INNER(a, b)

// VKHOST_TRY_ASSIGN(auto pods, list_pods()): declares or assigns from a Result, or returns.
// NOLINTBEGIN(bugprone-macro-parentheses): `target` may be a declaration
#define VKHOST_TRY_ASSIGN(target, expression)                  \
  auto VKHOST_CONCAT(vkhost_result_, __LINE__) = (expression); \
  if (!VKHOST_CONCAT(vkhost_result_, __LINE__).is_ok()) {      \
    return VKHOST_CONCAT(vkhost_result_, __LINE__).status();   \
  }                                                            \
  target = std::move(VKHOST_CONCAT(vkhost_result_, __LINE__)).value()
// NOLINTEND(bugprone-macro-parentheses)
