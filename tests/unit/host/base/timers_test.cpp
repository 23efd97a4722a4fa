#include "base/timers.hpp"

#include "base/cancel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <vector>

namespace vkhost {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::minutes kLong{1};

class TimersTest : public ::testing::Test {
 protected:
  SteadyTime in(milliseconds time) const { return clock_.steady_now() + time; }

  const SystemClock clock_;
  Timers timers_{clock_};
};

TEST_F(TimersTest, CallBackInTheOrderOfTheirTimes) {
  std::vector<char> order;
  CancelSource all;
  Timer late(timers_, [&] {
    order.push_back('l');
    all.cancel();
  });
  Timer early(timers_, [&] { order.push_back('e'); });

  late.set(in(milliseconds{30}));
  early.set(in(milliseconds{10}));

  ASSERT_TRUE(all.token().wait_for(kLong));
  EXPECT_EQ(order, (std::vector<char>{'e', 'l'}));
}

TEST_F(TimersTest, KeepOnlyTheTimeThatWasSetLast) {
  std::atomic<int> calls{0};
  CancelSource called;
  Timer timer(timers_, [&] { ++calls; });
  Timer later(timers_, [&] { called.cancel(); });

  timer.set(in(milliseconds{20}));
  timer.set(in(std::chrono::hours{1}));
  timer.set(in(milliseconds{30}));
  later.set(in(milliseconds{40}));

  ASSERT_TRUE(called.token().wait_for(kLong));
  EXPECT_EQ(calls, 1);
}

TEST_F(TimersTest, NeverCallBackBeforeTheirTime) {
  const SteadyTime when = in(milliseconds{20});
  std::atomic<bool> was_early{false};
  CancelSource called;
  Timer timer(timers_, [&] {
    was_early = clock_.steady_now() < when;
    called.cancel();
  });

  timer.set(when);

  ASSERT_TRUE(called.token().wait_for(kLong));
  EXPECT_FALSE(was_early);
}

TEST_F(TimersTest, MayBeSetByTheirOwnCallback) {
  std::atomic<int> calls{0};
  CancelSource third;
  std::optional<Timer> timer;
  timer.emplace(timers_, [&] {
    if (++calls == 3) {
      third.cancel();
    } else {
      timer->set(clock_.steady_now());
    }
  });

  timer->set(clock_.steady_now());

  EXPECT_TRUE(third.token().wait_for(kLong));
}

TEST_F(TimersTest, AreSilentOnceTheyAreGone) {
  std::atomic<bool> is_gone{false};
  std::atomic<bool> was_called_late{false};
  for (int i = 0; i < 500; ++i) {
    is_gone = false;
    {
      Timer timer(timers_, [&] { was_called_late = was_called_late || is_gone; });
      timer.set(clock_.steady_now());
    }
    is_gone = true;
  }

  EXPECT_FALSE(was_called_late);
}

}  // namespace
}  // namespace vkhost
