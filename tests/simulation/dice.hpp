// Dice: every decision of one schedule, from its seed alone; the same on every machine, which the
// distributions of the standard library are not. Owned by one world. [no-block]
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vkhost::simulation {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {  // splitmix64
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  // In [0, sides).
  unsigned roll(unsigned sides) { return static_cast<unsigned>((next() >> 32U) % sides); }
  bool percent(unsigned chance) { return chance > 0 && roll(100) < chance; }
  template <typename T>
  const T& one_of(const std::vector<T>& some) {
    return some[roll(static_cast<unsigned>(some.size()))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace vkhost::simulation
