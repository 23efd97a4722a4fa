// CancelSource and CancelToken: one cancellation, many observers.
//
// The owner of an operation keeps the source; everything that works for it holds a token, polls it,
// waits on it, or registers a callback. Cancelling is final. A default-constructed token is never
// cancelled. [any-thread]
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace vkhost {

namespace detail {
class CancelState;
}

class CancelToken {
 public:
  CancelToken() = default;

  [[nodiscard]] bool is_cancelled() const;  // [no-block]
  // Sleeps until `until` (real time) or cancellation; true when cancelled. [may-block]
  [[nodiscard]] bool wait_until(SteadyTime until) const;
  [[nodiscard]] bool wait_for(std::chrono::milliseconds duration) const;

 private:
  friend class CancelSource;
  friend class CancelCallback;
  explicit CancelToken(std::shared_ptr<detail::CancelState> state) : state_(std::move(state)) {}
  std::shared_ptr<detail::CancelState> state_;
};

// Runs `callback` once when the token is cancelled: on the cancelling thread, or at once on this one
// when that happened before. The callback must not block. Once the destructor has returned the
// callback is not running and will not run (unless it is the callback itself that destroys it).
class CancelCallback {
 public:
  CancelCallback(const CancelToken& token, const std::function<void()>& callback);
  ~CancelCallback();
  CancelCallback(const CancelCallback&) = delete;
  CancelCallback& operator=(const CancelCallback&) = delete;

 private:
  std::shared_ptr<detail::CancelState> state_;
  std::uint64_t id_ = 0;
};

class CancelSource {
 public:
  CancelSource();
  // Cancelled when `parent` is, or by itself.
  explicit CancelSource(const CancelToken& parent);
  ~CancelSource();
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;

  void cancel();
  [[nodiscard]] bool is_cancelled() const;
  [[nodiscard]] CancelToken token() const;

 private:
  std::shared_ptr<detail::CancelState> state_;
  std::unique_ptr<CancelCallback> parent_link_;
};

}  // namespace vkhost
