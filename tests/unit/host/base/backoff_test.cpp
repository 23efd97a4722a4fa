#include "base/backoff.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace vkhost {
namespace {

using std::chrono::milliseconds;

class FixedRandom final : public Random {
 public:
  explicit FixedRandom(double value) : value_(value) {}
  double next() override { return value_; }

 private:
  double value_;
};

constexpr BackoffLimits kLimits{milliseconds{100}, milliseconds{1500}};

TEST(BackoffDelay, DoublesWithEachFailureUpToTheCap) {
  FixedRandom no_jitter(0.0);
  const std::array<std::int64_t, 6> expected = {100, 200, 400, 800, 1500, 1500};

  for (std::uint32_t failures = 1; failures <= expected.size(); ++failures) {
    EXPECT_EQ(backoff_delay(kLimits, failures, no_jitter).count(), expected.at(failures - 1))
        << failures;
  }
}

TEST(BackoffDelay, TreatsNoFailureLikeTheFirst) {
  FixedRandom no_jitter(0.0);

  EXPECT_EQ(backoff_delay(kLimits, 0, no_jitter), milliseconds{100});
}

TEST(BackoffDelay, StaysAtTheCapAfterAnyNumberOfFailures) {
  FixedRandom no_jitter(0.0);

  EXPECT_EQ(backoff_delay(kLimits, UINT32_MAX, no_jitter), milliseconds{1500});
}

TEST(BackoffDelay, IsShortenedByAtMostHalf) {
  FixedRandom most(0.999999);

  const auto delay = backoff_delay(kLimits, 3, most);

  EXPECT_GE(delay, milliseconds{200});
  EXPECT_LE(delay, milliseconds{201});
}

TEST(SeededRandom, RepeatsItselfForTheSameSeed) {
  SeededRandom one(7);
  SeededRandom other(7);

  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(one.next(), other.next());
  }
}

TEST(SeededRandom, StaysBelowOne) {
  SeededRandom random(7);
  double lowest = 1.0;
  double highest = 0.0;

  for (int i = 0; i < 1000; ++i) {
    const double value = random.next();
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }

  EXPECT_GE(lowest, 0.0);
  EXPECT_LT(lowest, 0.1);
  EXPECT_LT(highest, 1.0);
  EXPECT_GT(highest, 0.9);
}

}  // namespace
}  // namespace vkhost
