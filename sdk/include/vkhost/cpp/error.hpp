// Error: how a provider says that a call failed. Throw it from any function of Provider; the fence
// around that function turns it into the code and the details that the host acts on. Any other
// exception becomes Code::Internal. [any-thread]
//
//   throw Error(Code::Unavailable, "CloudUnreachable", "POST /containers: no answer within 5 s")
//       .retry_after(std::chrono::seconds(10))
//       .with_effect(Effect::None);
#pragma once

#include <vkhost/cpp/abi.hpp>
#include <vkhost/provider.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace vkhost::sdk {

// The canonical codes; see vkp_code.
enum class Code : std::int32_t {
  Ok = VKP_OK,
  Cancelled = VKP_CANCELLED,
  Unknown = VKP_UNKNOWN,
  InvalidArgument = VKP_INVALID_ARGUMENT,
  DeadlineExceeded = VKP_DEADLINE_EXCEEDED,
  NotFound = VKP_NOT_FOUND,
  AlreadyExists = VKP_ALREADY_EXISTS,
  PermissionDenied = VKP_PERMISSION_DENIED,
  ResourceExhausted = VKP_RESOURCE_EXHAUSTED,
  FailedPrecondition = VKP_FAILED_PRECONDITION,
  Aborted = VKP_ABORTED,
  OutOfRange = VKP_OUT_OF_RANGE,
  Unimplemented = VKP_UNIMPLEMENTED,
  Internal = VKP_INTERNAL,
  Unavailable = VKP_UNAVAILABLE,
  DataLoss = VKP_DATA_LOSS,
  Unauthenticated = VKP_UNAUTHENTICATED,
};

// When the host tries again.
enum class Retry : std::int32_t {
  Backoff = VKP_RETRY_BACKOFF,
  After = VKP_RETRY_AFTER,
  Never = VKP_RETRY_NEVER,
};

// Whether the failed operation took place.
enum class Effect : std::int32_t {
  Unknown = VKP_EFFECT_UNKNOWN,
  None = VKP_EFFECT_NONE,
  Happened = VKP_EFFECT_HAPPENED,
};

// Whom the fault concerns. Provider: an expired key, a throttled account; the host then holds the
// creates of the whole instance and tries with one.
enum class Scope : std::int32_t { Pod = VKP_SCOPE_POD, Provider = VKP_SCOPE_PROVIDER };

// `reason` is one CamelCase word for conditions and events. `message` says what was tried, on what,
// why it failed and what to do; never a secret. Without further advice: back-off, effect unknown,
// scope pod.
class Error : public std::runtime_error {
 public:
  Error(Code code, std::string reason, const std::string& message)
      : std::runtime_error(message), reason_(std::move(reason)), code_(code) {}

  Error& retry_after(std::chrono::milliseconds delay) {
    retry_ = Retry::After;
    retry_after_ = delay;
    return *this;
  }
  Error& never_retry() {
    retry_ = Retry::Never;
    return *this;
  }
  Error& with_effect(Effect effect) {
    effect_ = effect;
    return *this;
  }
  Error& with_scope(Scope scope) {
    scope_ = scope;
    return *this;
  }

  [[nodiscard]] Code code() const noexcept { return code_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
  [[nodiscard]] Retry retry() const noexcept { return retry_; }
  [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }
  [[nodiscard]] Effect effect() const noexcept { return effect_; }
  [[nodiscard]] Scope scope() const noexcept { return scope_; }

  // The same as the ABI has it; points into this error.
  vkp_error raw() const&& = delete;
  [[nodiscard]] vkp_error raw() const& noexcept {
    auto error = sized<vkp_error>();
    error.reason = str(reason_);
    error.message = str(what());
    error.retry_after_ms = retry_after_.count();
    error.retry = static_cast<std::int32_t>(retry_);
    error.effect = static_cast<std::int32_t>(effect_);
    error.scope = static_cast<std::int32_t>(scope_);
    error.code = static_cast<vkp_code>(code_);
    return error;
  }

 private:
  std::string reason_;
  std::chrono::milliseconds retry_after_{0};
  Code code_;
  Retry retry_ = Retry::Backoff;
  Effect effect_ = Effect::Unknown;
  Scope scope_ = Scope::Pod;
};

// What the host answered, as an exception unless it is OK.
inline void require(vkp_code answer, const char* tried) {
  if (answer != VKP_OK) {
    throw Error(static_cast<Code>(answer), "HostRefused",
                std::string(tried) + ": the host answered with code " + std::to_string(answer));
  }
}

}  // namespace vkhost::sdk
