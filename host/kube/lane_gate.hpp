// LaneGate: how many requests of one lane may be under way, and until when the API server asked them
// to wait.
//
// Each answer 429 takes a place from the lane and holds all of it for the time that the server asked
// for, so that those who wait do not all knock again; places come back one by one. Other lanes have
// gates of their own. enter() fails with CANCELLED, with DEADLINE_EXCEEDED while no place is free, or
// at once with RESOURCE_EXHAUSTED when the lane is held beyond the deadline; none of these requests
// was sent. A gate outlives its passes. [any-thread]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/mutex.hpp"
#include "base/status.hpp"
#include "kube/client.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace vkhost::kube {

// Requests of each lane at the same time.
struct LaneWidths {
  std::size_t lease = 2;
  std::size_t node = 2;
  std::size_t status = 24;
  std::size_t normal = 8;
  std::size_t events = 2;

  // Status and Normal share `in_flight`; one place each at least. Leases of many nodes go side by
  // side, or they would not be renewed in time where the API server is far away.
  [[nodiscard]] static LaneWidths sharing(std::size_t in_flight, std::size_t nodes);
  [[nodiscard]] std::size_t of(Lane lane) const;
  [[nodiscard]] std::size_t total() const { return lease + node + status + normal + events; }
};

[[nodiscard]] std::string_view name_of(Lane lane);

class LaneGate {
 public:
  // However long the server asks to wait, one request comes again after `longest_hold`.
  LaneGate(std::size_t width,
           std::shared_ptr<const Clock> clock,
           std::chrono::milliseconds longest_hold = std::chrono::hours{1});
  ~LaneGate() = default;
  LaneGate(const LaneGate&) = delete;
  LaneGate& operator=(const LaneGate&) = delete;

  // A place in the lane, until it is destroyed.
  class Pass {
   public:
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) {
        gate_->leave();
      }
    }

   private:
    friend class LaneGate;
    explicit Pass(LaneGate* gate) : gate_(gate) {}
    LaneGate* gate_;
  };

  Result<Pass> enter(Deadline deadline, const CancelToken& cancel);  // [may-block]
  // A request with a pass was told to come back after `wait`. True when that should be said in the
  // log: once a minute. [no-block]
  [[nodiscard]] bool refused(std::chrono::milliseconds wait);

 private:
  void leave();
  void grow(SteadyTime now) VKHOST_REQUIRES(mutex_);
  void wait_until(SteadyTime when, SteadyTime now) VKHOST_REQUIRES(mutex_);

  const std::size_t full_width_;
  const std::shared_ptr<const Clock> clock_;
  const std::chrono::milliseconds longest_hold_;
  Mutex mutex_;
  CondVar changed_;
  std::size_t width_ VKHOST_GUARDED_BY(mutex_);
  std::size_t under_way_ VKHOST_GUARDED_BY(mutex_) = 0;
  SteadyTime held_until_ VKHOST_GUARDED_BY(mutex_);
  SteadyTime next_growth_ VKHOST_GUARDED_BY(mutex_);
  SteadyTime tell_again_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::kube
