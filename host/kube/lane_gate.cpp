#include "kube/lane_gate.hpp"

#include <algorithm>
#include <string>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A place that a refusal took comes back after this. Slow, since trying costs a refusal, which holds
// the whole lane.
constexpr seconds kGrowth{2};
constexpr seconds kBetweenWarnings{60};
constexpr std::size_t kNodesForEachPlace = 50;

}  // namespace

LaneWidths LaneWidths::sharing(std::size_t in_flight, std::size_t nodes) {
  LaneWidths widths;
  widths.lease = std::clamp<std::size_t>(nodes / kNodesForEachPlace, 2, 16);
  widths.node = widths.lease;
  widths.normal = std::clamp<std::size_t>(in_flight / 4, 1, 8);
  widths.status = in_flight > widths.normal ? in_flight - widths.normal : 1;
  return widths;
}

std::size_t LaneWidths::of(Lane lane) const {
  switch (lane) {
    case Lane::Lease:
      return lease;
    case Lane::Node:
      return node;
    case Lane::Status:
      return status;
    case Lane::Events:
      return events;
    case Lane::Normal:
      break;
  }
  return normal;
}

std::string_view name_of(Lane lane) {
  switch (lane) {
    case Lane::Lease:
      return "lease";
    case Lane::Node:
      return "node";
    case Lane::Status:
      return "status";
    case Lane::Events:
      return "events";
    case Lane::Normal:
      break;
  }
  return "normal";
}

LaneGate::LaneGate(std::size_t width, std::shared_ptr<const Clock> clock, milliseconds longest_hold)
    : full_width_(std::max<std::size_t>(width, 1)),
      clock_(std::move(clock)),
      longest_hold_(longest_hold),
      width_(full_width_),
      held_until_(clock_->steady_now()),
      next_growth_(held_until_),
      tell_again_(held_until_) {}

void LaneGate::grow(SteadyTime now) {
  while (width_ < full_width_ && now >= next_growth_) {
    ++width_;
    next_growth_ += kGrowth;
  }
}

void LaneGate::wait_until(SteadyTime when, SteadyTime now) {
  if (when == SteadyTime::max()) {
    changed_.wait(mutex_);
  } else {  // times are of the Clock, the kernel waits by the real one
    changed_.wait_until(mutex_, std::chrono::steady_clock::now() + (when - now));
  }
}

Result<LaneGate::Pass> LaneGate::enter(Deadline deadline, const CancelToken& cancel) {
  const CancelCallback wake(cancel, [this] {
    const MutexLock lock(mutex_);
    changed_.notify_all();
  });
  const MutexLock lock(mutex_);
  for (;;) {
    const SteadyTime now = clock_->steady_now();
    if (cancel.is_cancelled()) {
      return cancelled("waiting for other requests to the API server").with_effect(Effect::None);
    }
    if (now < held_until_) {
      if (deadline.is_past(held_until_)) {
        return Status(StatusCode::ResourceExhausted, "the API server has asked to wait")
            .with_reason("TooManyRequests")
            .with_effect(Effect::None)
            .with_retry(Retry::After, std::chrono::ceil<milliseconds>(held_until_ - now));
      }
      wait_until(held_until_, now);
      continue;
    }
    grow(now);
    if (under_way_ < width_) {
      ++under_way_;
      return Pass(this);
    }
    if (deadline.is_past(now)) {
      return deadline_exceeded(std::to_string(width_) +
                               " other requests of its kind are under way, the most there may be")
          .with_effect(Effect::None);
    }
    wait_until(width_ < full_width_ ? std::min(next_growth_, deadline.when()) : deadline.when(),
               now);
  }
}

bool LaneGate::refused(milliseconds wait) {
  const MutexLock lock(mutex_);
  const SteadyTime now = clock_->steady_now();
  // Of a burst that was refused as a whole but for a few, those few are what the server takes.
  width_ = std::max<std::size_t>(std::min(width_, under_way_), 2) - 1;
  held_until_ = std::max(held_until_, now + std::min(wait, longest_hold_));
  next_growth_ = held_until_ + kGrowth;
  const bool is_news = now >= tell_again_;
  if (is_news) {
    tell_again_ = now + kBetweenWarnings;
  }
  return is_news;
}

void LaneGate::leave() {
  const MutexLock lock(mutex_);
  --under_way_;
  changed_.notify_all();
}

}  // namespace vkhost::kube
