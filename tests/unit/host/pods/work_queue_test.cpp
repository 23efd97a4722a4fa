#include "pods/work_queue.hpp"

#include "base/cancel.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

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

TEST_F(WorkQueueTest, HandsOutUrgentKeysFirst) {
  queue_.add("repair-1", Urgency::Patient);
  queue_.add("repair-2", Urgency::Patient);
  queue_.add("first");

  EXPECT_EQ(queue_.try_take(), "first");
  EXPECT_EQ(queue_.try_take(), "repair-1");
  EXPECT_EQ(queue_.try_take(), "repair-2");
}

TEST_F(WorkQueueTest, MakesAKeyThatWaitsUrgentNeverPatient) {
  queue_.add("repair", Urgency::Patient);
  queue_.add("both", Urgency::Patient);
  queue_.add("both", Urgency::Urgent);
  queue_.add("both", Urgency::Patient);

  EXPECT_EQ(queue_.try_take(), "both");
  EXPECT_EQ(queue_.try_take(), "repair");
  EXPECT_EQ(queue_.try_take(), std::nullopt);
}

TEST_F(WorkQueueTest, KeepsHowUrgentAKeyIsThatWasAddedWhileWorkedOn) {
  queue_.add("a");
  ASSERT_EQ(queue_.try_take(), "a");
  queue_.add("repair", Urgency::Patient);
  queue_.add("a", Urgency::Urgent);

  queue_.done("a");

  EXPECT_EQ(queue_.try_take(), "a");
}

TEST_F(WorkQueueTest, LetsNoPatientKeyWaitForEver) {
  queue_.add("repair", Urgency::Patient);
  std::size_t urgent = 0;

  for (std::string next; next != "repair"; queue_.done(next)) {
    queue_.add("urgent-" + std::to_string(urgent));
    next = queue_.try_take().value_or("repair");
    ASSERT_LT(++urgent, 20U);
  }

  EXPECT_GT(urgent, 2U);
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
}

class WorkQueueThreads : public ::testing::Test {
 protected:
  const std::shared_ptr<const SystemClock> clock_ = std::make_shared<SystemClock>();
  Timers timers_{*clock_};
  Executor executor_{"test", 4, *clock_};
  WorkQueue queue_{clock_};
};

TEST_F(WorkQueueThreads, GiveEveryKeyToSomebodyInTime) {
  constexpr int kKeys = 500;
  std::atomic<int> taken{0};
  CancelSource all;
  queue_.run(executor_, timers_, 4, [&](const std::string&) {
    if (++taken == kKeys) {
      all.cancel();
    }
  });

  for (int i = 0; i < kKeys; ++i) {
    queue_.add_at("key-" + std::to_string(i),
                  std::chrono::steady_clock::now() + milliseconds{(i * 7) % 20});
  }

  EXPECT_TRUE(all.token().wait_for(std::chrono::minutes{1}));
}

TEST_F(WorkQueueThreads, DoWhatWasAddedBeforeTheyBegan) {
  queue_.add("early");
  CancelSource done;

  queue_.run(executor_, timers_, 1, [&](const std::string&) { done.cancel(); });

  EXPECT_TRUE(done.token().wait_for(std::chrono::minutes{1}));
}

TEST_F(WorkQueueThreads, WorkOnNoMoreKeysAtATimeThanAllowed) {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  CancelSource all;
  queue_.run(executor_, timers_, 2, [&](const std::string&) {
    most = std::max<int>(most, ++inside);
    std::this_thread::yield();
    --inside;
    if (++done == 200) {
      all.cancel();
    }
  });

  for (int i = 0; i < 200; ++i) {
    queue_.add("key-" + std::to_string(i));
  }

  ASSERT_TRUE(all.token().wait_for(std::chrono::minutes{1}));
  EXPECT_LE(most, 2);
}

TEST_F(WorkQueueThreads, CloseWaitsForTheWorkThatHasBegun) {
  CancelSource begun;
  std::atomic<bool> ended{false};
  queue_.run(executor_, timers_, 1, [&](const std::string&) {
    begun.cancel();
    static_cast<void>(CancelToken().wait_for(milliseconds{10}));
    ended = true;
  });
  queue_.add("a");
  ASSERT_TRUE(begun.token().wait_for(std::chrono::minutes{1}));

  queue_.close();

  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace vkhost::pods
