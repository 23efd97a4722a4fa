#include "base/deadline.hpp"

#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace vkhost {
namespace {

using std::chrono::milliseconds;

TEST(Deadline, PassesWhenTheClockReachesIt) {
  testing::FakeClock clock;
  const Deadline deadline = Deadline::after(clock, milliseconds{100});

  clock.advance(milliseconds{99});
  EXPECT_FALSE(deadline.is_past(clock.steady_now()));
  EXPECT_EQ(deadline.remaining(clock.steady_now()), milliseconds{1});

  clock.advance(milliseconds{1});
  EXPECT_TRUE(deadline.is_past(clock.steady_now()));
}

TEST(Deadline, NeverHasLessThanNothingLeft) {
  testing::FakeClock clock;
  const Deadline deadline = Deadline::after(clock, milliseconds{100});

  clock.advance(std::chrono::hours{1});

  EXPECT_EQ(deadline.remaining(clock.steady_now()), milliseconds{0});
}

TEST(Deadline, RoundsWhatIsLeftUpSoThatATimeoutIsNotZeroTooEarly) {
  const testing::FakeClock clock;

  const Deadline deadline = Deadline::at(clock.steady_now() + std::chrono::microseconds{1});

  EXPECT_EQ(deadline.remaining(clock.steady_now()), milliseconds{1});
}

TEST(Deadline, NeverIsNeverPast) {
  const testing::FakeClock clock;
  const Deadline never = Deadline::never();

  EXPECT_TRUE(never.is_never());
  EXPECT_FALSE(never.is_past(clock.steady_now()));
  EXPECT_EQ(never.remaining(clock.steady_now()), milliseconds::max());
}

TEST(Deadline, EarlierKeepsTheOneThatComesFirst) {
  const testing::FakeClock clock;
  const Deadline soon = Deadline::after(clock, milliseconds{1});

  EXPECT_EQ(Deadline::never().earlier(soon).when(), soon.when());
  EXPECT_EQ(soon.earlier(Deadline::never()).when(), soon.when());
}

}  // namespace
}  // namespace vkhost
