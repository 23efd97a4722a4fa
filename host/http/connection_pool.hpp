// ConnectionPool: connections to one server, kept for the next request and bounded in how many are in
// use. [any-thread]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/mutex.hpp"
#include "base/status.hpp"
#include "http/deadline_socket.hpp"
#include "http/dialer.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace vkhost::http {

struct PoolLimits {
  std::size_t max_connections = 32;
  std::chrono::milliseconds connect_timeout{std::chrono::seconds{10}};
  std::chrono::milliseconds idle_timeout{std::chrono::seconds{60}};
};

class ConnectionPool {
 public:
  ConnectionPool(std::unique_ptr<Dialer> dialer,
                 PoolLimits limits,
                 std::shared_ptr<const Clock> clock);

  // A connection in use. Destroying it closes the connection, unless keep() was called before.
  class Lease {
   public:
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          socket_(std::move(other.socket_)),
          was_kept_(other.was_kept_),
          keep_(other.keep_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    [[nodiscard]] const SocketPtr& socket() const { return socket_; }
    [[nodiscard]] bool was_kept() const { return was_kept_; }
    void keep() { keep_ = true; }

   private:
    friend class ConnectionPool;
    explicit Lease(ConnectionPool* pool) : pool_(pool) {}
    ConnectionPool* pool_;
    SocketPtr socket_;
    bool was_kept_ = false;
    bool keep_ = false;
  };

  enum class Choice { KeptOrNew, New };
  // Waits for its turn, then takes the connection that was used last, or makes one. `deadline` is on
  // the real clock. As Dialer::dial, and DEADLINE_EXCEEDED while all are in use. [may-block]
  Result<Lease> take(Choice choice, Deadline deadline, const CancelToken& cancel);
  // One that does not count and is not kept. [may-block]
  Result<SocketPtr> dial(Deadline deadline, const CancelToken& cancel);

  // Closes the kept connections that nobody has used since `when`.
  void drop_idle_before(SteadyTime when);

  [[nodiscard]] std::size_t idle() const;

 private:
  struct Idle {
    SocketPtr socket;
    SteadyTime since;
  };

  Status wait_for_turn(Deadline deadline, const CancelToken& cancel);
  SocketPtr take_idle();
  void give_back(SocketPtr socket, bool keep);

  const std::unique_ptr<Dialer> dialer_;
  const PoolLimits limits_;
  const std::shared_ptr<const Clock> clock_;
  mutable Mutex mutex_;
  CondVar freed_;
  std::size_t in_use_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::vector<Idle> idle_ VKHOST_GUARDED_BY(mutex_);  // used last = at the end
};

}  // namespace vkhost::http
