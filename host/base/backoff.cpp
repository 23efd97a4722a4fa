#include "base/backoff.hpp"

#include <algorithm>

namespace vkhost {

std::uint64_t SeededRandom::seed_from_system() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

double SeededRandom::next() {
  const MutexLock lock(mutex_);
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine_);
}

std::chrono::milliseconds backoff_delay(const BackoffLimits& limits,
                                        std::uint32_t failures,
                                        Random& random) {
  // 2^20 times any sensible first delay is beyond any cap; the bound keeps the shift defined.
  const std::uint32_t exponent = failures == 0 ? 0 : std::min(failures - 1, 20U);
  const auto full = std::min(limits.cap, limits.first * (std::int64_t{1} << exponent));
  const auto reduction = static_cast<double>(full.count()) * 0.5 * random.next();
  return full - std::chrono::milliseconds(static_cast<std::int64_t>(reduction));
}

}  // namespace vkhost
