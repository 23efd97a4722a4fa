#include "http/connection_pool.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace vkhost::http {

ConnectionPool::ConnectionPool(std::unique_ptr<Dialer> dialer,
                               PoolLimits limits,
                               std::shared_ptr<const Clock> clock)
    : dialer_(std::move(dialer)), limits_(limits), clock_(std::move(clock)) {}

ConnectionPool::Lease::~Lease() {
  if (pool_ != nullptr) {
    pool_->give_back(std::move(socket_), keep_);
  }
}

Status ConnectionPool::wait_for_turn(Deadline deadline, const CancelToken& cancel) {
  const CancelCallback wake(cancel, [this] {
    const MutexLock lock(mutex_);
    freed_.notify_all();
  });
  const MutexLock lock(mutex_);
  while (in_use_ >= limits_.max_connections) {
    if (cancel.is_cancelled()) {
      return cancelled("waiting for a connection");
    }
    if (deadline.is_never()) {
      freed_.wait(mutex_);
    } else if (!freed_.wait_until(mutex_, deadline.when()) && in_use_ >= limits_.max_connections) {
      return deadline_exceeded("all " + std::to_string(limits_.max_connections) +
                               " connections are in use");
    }
  }
  ++in_use_;
  return Status::ok();
}

Result<ConnectionPool::Lease> ConnectionPool::take(Choice choice,
                                                   Deadline deadline,
                                                   const CancelToken& cancel) {
  VKHOST_TRY(wait_for_turn(deadline, cancel));
  Lease lease(this);  // from here on the turn is given back
  if (choice == Choice::KeptOrNew) {
    lease.socket_ = take_idle();
    lease.was_kept_ = lease.socket_ != nullptr;
  }
  if (lease.socket_ == nullptr) {
    VKHOST_TRY_ASSIGN(lease.socket_, dial(deadline, cancel));
  }
  return lease;
}

Result<SocketPtr> ConnectionPool::dial(Deadline deadline, const CancelToken& cancel) {
  const auto until = std::chrono::steady_clock::now() + limits_.connect_timeout;
  auto dialled = dialer_->dial(deadline.earlier(Deadline::at(until)), cancel);
  if (cancel.is_cancelled()) {
    return cancelled("connecting");
  }
  if (!dialled && dialled.status().code() == StatusCode::DeadlineExceeded &&
      !deadline.is_past(std::chrono::steady_clock::now())) {
    // The caller's time is not up: it is the server that does not answer.
    return unavailable("no connection within " + std::to_string(limits_.connect_timeout.count()) +
                       " ms (" + dialled.status().message() + ")");
  }
  return dialled;
}

SocketPtr ConnectionPool::take_idle() {
  const SteadyTime now = clock_->steady_now();
  std::vector<Idle> stale;  // closed after the lock
  const MutexLock lock(mutex_);
  while (!idle_.empty()) {
    Idle last = std::move(idle_.back());
    idle_.pop_back();
    if (now - last.since < limits_.idle_timeout && last.socket->is_quiet()) {
      return last.socket;
    }
    stale.push_back(std::move(last));
  }
  return {};
}

void ConnectionPool::give_back(SocketPtr socket, bool keep) {
  const SteadyTime now = clock_->steady_now();
  std::vector<Idle> stale;
  const MutexLock lock(mutex_);
  --in_use_;
  freed_.notify_one();
  const auto fresh = std::find_if(idle_.begin(), idle_.end(), [&](const Idle& it) {
    return now - it.since < limits_.idle_timeout;
  });
  stale.assign(idle_.begin(), fresh);
  idle_.erase(idle_.begin(), fresh);
  if (keep && socket != nullptr) {
    idle_.push_back({std::move(socket), now});
  }
}

void ConnectionPool::drop_idle_before(SteadyTime when) {
  std::vector<Idle> dropped;  // closed after the lock
  const MutexLock lock(mutex_);
  const auto kept = std::stable_partition(idle_.begin(), idle_.end(),
                                          [&](const Idle& it) { return it.since < when; });
  dropped.assign(std::make_move_iterator(idle_.begin()), std::make_move_iterator(kept));
  idle_.erase(idle_.begin(), kept);
}

std::size_t ConnectionPool::idle() const {
  const MutexLock lock(mutex_);
  return idle_.size();
}

}  // namespace vkhost::http
