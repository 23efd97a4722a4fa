// Gate: lets work in while it is open; close() keeps new work out and returns when the last piece
// that was inside has left. [any-thread]
#pragma once

#include "base/mutex.hpp"

#include <cstddef>
#include <utility>

namespace vkhost {

class Gate {
 public:
  // Move-only proof of being inside; leaves on destruction.
  class Pass {
   public:
    Pass() = default;
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      leave();
      gate_ = std::exchange(other.gate_, nullptr);
      return *this;
    }
    ~Pass() { leave(); }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class Gate;
    explicit Pass(Gate* gate) : gate_(gate) {}
    void leave() {
      if (gate_ != nullptr) {
        std::exchange(gate_, nullptr)->leave();
      }
    }
    Gate* gate_ = nullptr;
  };

  // An empty pass when the gate is closed.
  [[nodiscard]] Pass enter() {
    const MutexLock lock(mutex_);
    if (closed_) {
      return {};
    }
    ++inside_;
    return Pass(this);
  }

  void close() {  // [may-block]
    const MutexLock lock(mutex_);
    closed_ = true;
    while (inside_ > 0) {
      left_.wait(mutex_);
    }
  }

 private:
  void leave() {
    const MutexLock lock(mutex_);
    if (--inside_ == 0) {
      left_.notify_all();
    }
  }

  Mutex mutex_;
  CondVar left_;
  bool closed_ VKHOST_GUARDED_BY(mutex_) = false;
  std::size_t inside_ VKHOST_GUARDED_BY(mutex_) = 0;
};

}  // namespace vkhost
