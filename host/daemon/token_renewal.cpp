#include "daemon/token_renewal.hpp"

#include <algorithm>

namespace vkhost::daemon {

TokenRenewal::TokenRenewal(const Parts& parts)
    : executor_(parts.executor),
      tokens_({parts.source, parts.clock, parts.random, parts.log,
               [this](SteadyTime when) { look_at(when); }}),
      timer_(parts.timers, [this] { look(); }) {}

TokenRenewal::~TokenRenewal() { stop(); }

void TokenRenewal::stop() {
  stop_.cancel();
  gate_->close();
}

void TokenRenewal::look_at(SteadyTime when) {
  const MutexLock lock(mutex_);
  if (!next_ || when < *next_) {
    next_ = when;
    timer_.set(when);
  }
}

// On the timer's thread.
void TokenRenewal::look() {
  {
    const MutexLock lock(mutex_);
    next_.reset();
  }
  const std::size_t wanted = std::min(tokens_.due(), kAtOnce);
  {
    const MutexLock lock(mutex_);
    for (; working_ < wanted; ++working_) {
      executor_.submit([this, gate = gate_] {
        if (const Gate::Pass pass = gate->enter()) {
          work();
        }
      });
    }
    if (working_ > 0) {
      return;  // the last of them looks when to go on
    }
  }
  if (const auto next = tokens_.next_look()) {
    look_at(*next);
  }
}

void TokenRenewal::work() {
  while (tokens_.renew_one(stop_.token())) {
  }
  {
    const MutexLock lock(mutex_);
    --working_;
  }
  const auto next = tokens_.next_look();
  if (next && !stop_.is_cancelled()) {
    look_at(*next);
  }
}

}  // namespace vkhost::daemon
