// SingleFlight: who wants to read what somebody else is reading already waits for that answer, so that
// many pods which come together cost one request for each object. Nothing is kept: with the answer the
// flight is over. [any-thread]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/status.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace vkhost::resolve {

template <typename Key, typename T>
class SingleFlight {
 public:
  explicit SingleFlight(const Clock& clock) : clock_(clock) {}  // which outlives it

  // What `read` yields, or the answer to another one's read of `key` that began at `not_before` or
  // later, be it a failure. A read that its own asker cancelled is nobody else's answer. [may-block]
  Result<T> run(const Key& key,
                SteadyTime not_before,
                const CancelToken& cancel,
                const std::function<Result<T>()>& read) {
    while (true) {
      if (cancel.is_cancelled()) {
        return cancelled("the read was cancelled");
      }
      const auto [flight, is_mine] = board(key);
      if (is_mine) {
        return fly(key, *flight, read);
      }
      const std::optional<Result<T>> answer = wait(*flight, cancel);
      if (answer && flight->began >= not_before &&
          answer->status().code() != StatusCode::Cancelled) {
        return *answer;
      }
    }
  }
  // Those who wait for the answer to somebody else's read.
  [[nodiscard]] std::size_t waiting() const {
    const MutexLock lock(mutex_);
    return waiting_;
  }

 private:
  struct Flight {
    SteadyTime began;
    std::optional<Result<T>> answer = std::nullopt;  // guarded by mutex_
  };
  using FlightPtr = std::shared_ptr<Flight>;

  // True: the caller is the one who reads.
  std::pair<FlightPtr, bool> board(const Key& key) {
    const MutexLock lock(mutex_);
    FlightPtr& flight = flights_[key];
    const bool is_mine = flight == nullptr;
    if (is_mine) {
      flight = std::make_shared<Flight>(Flight{clock_.steady_now()});
    }
    return {flight, is_mine};
  }
  Result<T> fly(const Key& key, Flight& flight, const std::function<Result<T>()>& read) {
    try {
      Result<T> answer = read();
      land(key, flight, answer);
      return answer;
    } catch (...) {
      land(key, flight, internal_error("the read ended with an exception"));
      throw;
    }
  }
  void land(const Key& key, Flight& flight, Result<T> answer) {
    const MutexLock lock(mutex_);
    flight.answer = std::move(answer);
    flights_.erase(key);
    changed_.notify_all();
  }
  // None: the waiting was cancelled.
  std::optional<Result<T>> wait(const Flight& flight, const CancelToken& cancel) {
    const CancelCallback wake(cancel, [this] {
      const MutexLock lock(mutex_);
      changed_.notify_all();
    });
    const MutexLock lock(mutex_);
    ++waiting_;
    while (!flight.answer && !cancel.is_cancelled()) {
      changed_.wait(mutex_);
    }
    --waiting_;
    return flight.answer;
  }

  const Clock& clock_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::size_t waiting_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::map<Key, FlightPtr> flights_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::resolve
