#include "pods/work_queue.hpp"

#include "base/cancel.hpp"
#include "base/thread.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class WorkQueueTest : public ::testing::Test {
 protected:
  SteadyTime in(seconds time) const { return clock_->steady_now() + time; }

  std::shared_ptr<testing::FakeClock> clock_ = std::make_shared<testing::FakeClock>();
  WorkQueue queue_{clock_};
};

TEST_F(WorkQueueTest, HandsOutAKeyOnceHoweverOftenItWasAdded) {
  queue_.add("a");
  queue_.add("a");

  EXPECT_EQ(queue_.try_take(), "a");
  EXPECT_EQ(queue_.try_take(), std::nullopt);
}

TEST_F(WorkQueueTest, KeepsTheOrderInWhichKeysBecameReady) {
  queue_.add_at("late", in(seconds{2}));
  queue_.add_at("early", in(seconds{1}));
  queue_.add("now");
  clock_->advance(seconds{3});

  EXPECT_EQ(queue_.try_take(), "now");
  EXPECT_EQ(queue_.try_take(), "early");
  EXPECT_EQ(queue_.try_take(), "late");
}

TEST_F(WorkQueueTest, HoldsAKeyBackUntilItsTime) {
  queue_.add_at("a", in(seconds{1}));
  EXPECT_EQ(queue_.try_take(), std::nullopt);
  EXPECT_EQ(queue_.next_due(), in(seconds{1}));

  clock_->advance(seconds{1});

  EXPECT_EQ(queue_.try_take(), "a");
}

TEST_F(WorkQueueTest, MovesAKeyForwardNeverBack) {
  queue_.add_at("a", in(seconds{10}));
  queue_.add_at("a", in(seconds{5}));
  queue_.add_at("a", in(seconds{20}));
  EXPECT_EQ(queue_.next_due(), in(seconds{5}));

  queue_.add("a");

  EXPECT_EQ(queue_.try_take(), "a");
  queue_.done("a");
  clock_->advance(seconds{60});
  EXPECT_EQ(queue_.try_take(), std::nullopt);
}

TEST_F(WorkQueueTest, NeverHandsOutAKeyTwiceAtATime) {
  queue_.add("a");
  ASSERT_EQ(queue_.try_take(), "a");

  queue_.add("a");
  EXPECT_EQ(queue_.try_take(), std::nullopt);
  queue_.done("a");

  EXPECT_EQ(queue_.try_take(), "a");
}

TEST_F(WorkQueueTest, RemembersTheEarliestTimeAskedForDuringWork) {
  queue_.add("a");
  ASSERT_EQ(queue_.try_take(), "a");
  queue_.add_at("a", in(seconds{9}));
  queue_.add_at("a", in(seconds{3}));
  queue_.done("a");

  EXPECT_EQ(queue_.next_due(), in(seconds{3}));
}

TEST_F(WorkQueueTest, GrowsWithItsKeysAndNotWithTheirTimes) {
  for (int i = 0; i < 1000; ++i) {
    queue_.add_at("a", in(seconds{3600 - i}));
    queue_.add("a");
    ASSERT_EQ(queue_.try_take(), "a");
    queue_.add_at("a", in(seconds{3600}));
    queue_.done("a");
  }

  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_EQ(queue_.next_due(), in(seconds{3600}));
}

TEST_F(WorkQueueTest, ForgetsAKeyThatIsDone) {
  queue_.add("a");
  queue_.done(*queue_.try_take());

  EXPECT_EQ(queue_.size(), 0U);
  EXPECT_EQ(queue_.next_due(), std::nullopt);
}

TEST_F(WorkQueueTest, TakesNothingMoreAfterClose) {
  queue_.add("a");
  queue_.close();
  queue_.add("b");

  EXPECT_EQ(queue_.try_take(), std::nullopt);
  EXPECT_EQ(queue_.take(), std::nullopt);
}

TEST(WorkQueueThreads, EveryKeyComesToSomebodyInTime) {
  WorkQueue queue(std::make_shared<SystemClock>());
  std::atomic<int> taken{0};
  CancelSource all;
  constexpr int kKeys = 500;
  std::vector<Thread> takers;
  for (int i = 0; i < 4; ++i) {
    takers.emplace_back("taker", [&] {
      while (const auto key = queue.take()) {
        queue.done(*key);
        if (++taken == kKeys) {
          all.cancel();
        }
      }
    });
  }

  for (int i = 0; i < kKeys; ++i) {
    queue.add_at("key-" + std::to_string(i),
                 std::chrono::steady_clock::now() + milliseconds{(i * 7) % 20});
  }

  EXPECT_TRUE(all.token().wait_for(std::chrono::minutes{1}));
  queue.close();
}

}  // namespace
}  // namespace vkhost::pods
