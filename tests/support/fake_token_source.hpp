// FakeTokenSource: issues tokens "token-1", "token-2", … by the test's clock and with the lifetime that
// is asked for, and remembers the requests. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "resolve/token_source.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::testing {

class FakeTokenSource final : public resolve::TokenSource {
 public:
  explicit FakeTokenSource(const Clock& clock) : clock_(clock) {}  // which outlives it

  // From now on, until heal().
  void fail(Status status) {
    MutexLock lock(mutex_);
    failure_ = std::move(status);
  }
  void heal() {
    MutexLock lock(mutex_);
    failure_.reset();
  }
  // In place of what is asked for.
  void grant(std::chrono::seconds lifetime) {
    MutexLock lock(mutex_);
    granted_ = lifetime;
  }
  // Runs once in the next request, without a lock.
  void during_next(std::function<void()> hook) {
    MutexLock lock(mutex_);
    hook_ = std::move(hook);
  }
  [[nodiscard]] std::vector<kube::TokenRequest> requests() const {
    MutexLock lock(mutex_);
    return requests_;
  }
  [[nodiscard]] std::size_t count() const { return requests().size(); }

  Result<kube::BoundToken> issue(const kube::TokenRequest& request,
                                 const CancelToken& /*cancel*/) override {
    std::function<void()> hook;
    {
      MutexLock lock(mutex_);
      requests_.push_back(request);
      hook = std::exchange(hook_, nullptr);
    }
    if (hook) {
      hook();
    }
    MutexLock lock(mutex_);
    if (failure_) {
      return *failure_;
    }
    kube::BoundToken token;
    token.token = Secret("token-" + std::to_string(++issued_));
    token.audience = request.audience.empty() ? "https://api" : request.audience;
    token.lifetime = granted_.value_or(request.lifetime);
    token.expires = clock_.wall_now() + token.lifetime;
    return token;
  }

 private:
  const Clock& clock_;
  mutable Mutex mutex_;
  std::optional<Status> failure_ VKHOST_GUARDED_BY(mutex_);
  std::optional<std::chrono::seconds> granted_ VKHOST_GUARDED_BY(mutex_);
  std::function<void()> hook_ VKHOST_GUARDED_BY(mutex_);
  std::vector<kube::TokenRequest> requests_ VKHOST_GUARDED_BY(mutex_);
  int issued_ VKHOST_GUARDED_BY(mutex_) = 0;
};

}  // namespace vkhost::testing
