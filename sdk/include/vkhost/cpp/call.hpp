// Call: the context of one call from the host: deadline, cancellation, trace. Valid until the call
// returns; pass it on by reference. [any-thread] [no-block] except where wait is said.
#pragma once

#include <vkhost/cpp/abi.hpp>
#include <vkhost/cpp/error.hpp>
#include <vkhost/provider.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace vkhost::sdk {

class Call {
 public:
  explicit Call(const vkp_call* raw) noexcept
      : raw_(raw),
        timeout_ms_(read(*raw, &vkp_call::timeout_ms)),
        begin_(std::chrono::steady_clock::now()) {}
  ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // A passed deadline is a cancel, too. A cancelled call returns within 5 s and tells the truth:
  // normally if what was asked has happened, else Error with Code::Cancelled and the effect.
  [[nodiscard]] bool cancelled() const noexcept { return raw_->cancelled(raw_); }
  void throw_if_cancelled(Effect effect) const {
    if (cancelled()) {
      throw Error(Code::Cancelled, "Cancelled", "the host cancelled the call").with_effect(effect);
    }
  }

  // What is left until the deadline, never negative; nothing when there is none (streams).
  [[nodiscard]] std::optional<std::chrono::milliseconds> remaining() const noexcept {
    if (timeout_ms_ < 0) {
      return std::nullopt;
    }
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin_);
    return std::max(std::chrono::milliseconds(timeout_ms_) - passed, std::chrono::milliseconds(0));
  }

  // Waits for `at_most`, or until the call is cancelled; true when it was cancelled.
  [[nodiscard]] bool wait_for(std::chrono::milliseconds at_most) const;

  // W3C trace context to pass on to the back end, or empty.
  [[nodiscard]] std::string_view traceparent() const noexcept {
    return view(read(*raw_, &vkp_call::traceparent));
  }

  [[nodiscard]] const vkp_call* raw() const noexcept { return raw_; }

 private:
  const vkp_call* raw_;
  std::int64_t timeout_ms_;
  std::chrono::steady_clock::time_point begin_;
};

// Calls `fn` once when the call is cancelled, from any thread, or at once when it already is. `fn`
// must not block; what it throws is dropped. Not running any more once this object is gone. Must
// not be destroyed from within `fn`.
class OnCancel {
 public:
  OnCancel(const Call& call, std::function<void()> fn) : call_(call.raw()), fn_(std::move(fn)) {
    registration_ = call_->on_cancel(call_, &OnCancel::run, this);
  }
  ~OnCancel() { call_->off_cancel(call_, registration_); }
  OnCancel(const OnCancel&) = delete;
  OnCancel& operator=(const OnCancel&) = delete;

 private:
  static void run(void* self) noexcept {
    try {
      static_cast<OnCancel*>(self)->fn_();
    } catch (...) {  // NOLINT(bugprone-empty-catch): nobody is there to take it
    }
  }

  const vkp_call* call_;
  std::function<void()> fn_;
  std::uint64_t registration_ = 0;
};

inline bool Call::wait_for(std::chrono::milliseconds at_most) const {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_cancelled = false;
  // Notifies under the lock: `changed` may be gone right after it.
  const OnCancel registration(*this, [&] {
    const std::lock_guard<std::mutex> lock(mutex);
    is_cancelled = true;
    changed.notify_all();
  });
  std::unique_lock<std::mutex> lock(mutex);
  return changed.wait_for(lock, at_most, [&] { return is_cancelled; });
}

}  // namespace vkhost::sdk
