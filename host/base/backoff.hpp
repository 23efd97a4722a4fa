// Random and Backoff: capped exponential delays with jitter, for retries without a limit.
// A Backoff belongs to one owner; SystemRandom may be shared. [no-block]
#pragma once

#include "base/mutex.hpp"

#include <chrono>
#include <cstdint>
#include <random>

namespace vkhost {

class Random {
 public:
  Random() = default;
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;
  virtual ~Random() = default;
  // Uniform in [0, 1).
  [[nodiscard]] virtual double next() = 0;
};

class SeededRandom final : public Random {  // [any-thread]
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  static std::uint64_t seed_from_system();
  [[nodiscard]] double next() override;

 private:
  Mutex mutex_;
  std::mt19937_64 engine_ VKHOST_GUARDED_BY(mutex_);
};

struct BackoffLimits {
  std::chrono::milliseconds first{500};
  std::chrono::milliseconds cap{std::chrono::minutes{5}};
};

// The delay before try number `failures` + 1: first * 2^(failures-1), at most cap, then reduced by
// up to half at random so that many that failed together do not come back together.
[[nodiscard]] std::chrono::milliseconds backoff_delay(const BackoffLimits& limits,
                                                      std::uint32_t failures,
                                                      Random& random);

}  // namespace vkhost
