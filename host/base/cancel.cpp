#include "base/cancel.hpp"

#include "base/mutex.hpp"

#include <map>
#include <thread>

namespace vkhost {
namespace detail {

class CancelState {
 public:
  bool is_cancelled() {
    const MutexLock lock(mutex_);
    return cancelled_;
  }

  bool wait_until(SteadyTime until) {
    const MutexLock lock(mutex_);
    while (!cancelled_) {
      if (!changed_.wait_until(mutex_, until)) {
        return cancelled_;
      }
    }
    return true;
  }

  // 0 when already cancelled: the caller then runs its callback itself.
  std::uint64_t add(std::function<void()> callback) {
    const MutexLock lock(mutex_);
    if (cancelled_) {
      return 0;
    }
    callbacks_.emplace(++last_id_, std::move(callback));
    return last_id_;
  }

  void remove(std::uint64_t id) {
    const MutexLock lock(mutex_);
    callbacks_.erase(id);
    while (running_id_ == id && running_thread_ != std::this_thread::get_id()) {
      changed_.wait(mutex_);
    }
  }

  void cancel() {
    mutex_.lock();
    if (cancelled_) {
      mutex_.unlock();
      return;
    }
    cancelled_ = true;
    running_thread_ = std::this_thread::get_id();
    changed_.notify_all();
    while (!callbacks_.empty()) {
      auto node = callbacks_.extract(callbacks_.begin());
      running_id_ = node.key();
      mutex_.unlock();  // callbacks run without the lock: they may touch other tokens
      node.mapped()();
      mutex_.lock();
      running_id_ = 0;
      changed_.notify_all();
    }
    mutex_.unlock();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool cancelled_ VKHOST_GUARDED_BY(mutex_) = false;
  std::uint64_t last_id_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::uint64_t running_id_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::thread::id running_thread_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::uint64_t, std::function<void()>> callbacks_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace detail

bool CancelToken::is_cancelled() const { return state_ && state_->is_cancelled(); }

bool CancelToken::wait_until(SteadyTime until) const {
  // A token that nobody can cancel still has to sleep.
  static const auto never = std::make_shared<detail::CancelState>();
  return (state_ ? state_ : never)->wait_until(until);
}

bool CancelToken::wait_for(std::chrono::milliseconds duration) const {
  return wait_until(std::chrono::steady_clock::now() + duration);
}

CancelCallback::CancelCallback(const CancelToken& token, const std::function<void()>& callback)
    : state_(token.state_) {
  if (!state_) {
    return;
  }
  id_ = state_->add(callback);
  if (id_ == 0) {
    callback();
  }
}

CancelCallback::~CancelCallback() {
  if (state_ && id_ != 0) {
    state_->remove(id_);
  }
}

CancelSource::CancelSource() : state_(std::make_shared<detail::CancelState>()) {}

CancelSource::CancelSource(const CancelToken& parent) : CancelSource() {
  parent_link_ = std::make_unique<CancelCallback>(parent, [state = state_] { state->cancel(); });
}

CancelSource::~CancelSource() = default;

void CancelSource::cancel() { state_->cancel(); }
bool CancelSource::is_cancelled() const { return state_->is_cancelled(); }
CancelToken CancelSource::token() const { return CancelToken(state_); }

}  // namespace vkhost
