#include "base/executor.hpp"

#include "base/cancel.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

namespace vkhost {
namespace {

constexpr std::chrono::minutes kLong{1};

class ExecutorTest : public ::testing::Test {
 protected:
  const SystemClock clock_;
};

TEST_F(ExecutorTest, RunsTasksInOrderOnASingleThread) {
  std::vector<int> order;
  CancelSource all;
  Executor executor("test", 1, clock_);

  for (int i = 0; i < 100; ++i) {
    executor.submit([&, i] {
      order.push_back(i);
      if (i == 99) {
        all.cancel();
      }
    });
  }

  ASSERT_TRUE(all.token().wait_for(kLong));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  }
}

TEST_F(ExecutorTest, RunsAsManyAtATimeAsItIsAllowed) {
  Executor executor("test", 4, clock_);
  std::atomic<int> inside{0};
  CancelSource all_inside;
  CancelSource open;
  std::atomic<bool> fifth_ran{false};
  for (int i = 0; i < 4; ++i) {
    executor.submit([&] {
      if (++inside == 4) {
        all_inside.cancel();
      }
      static_cast<void>(open.token().wait_for(kLong));
    });
  }
  CancelSource fifth;
  executor.submit([&] {
    fifth_ran = true;
    fifth.cancel();
  });

  ASSERT_TRUE(all_inside.token().wait_for(kLong));
  EXPECT_FALSE(fifth_ran);
  open.cancel();
  EXPECT_TRUE(fifth.token().wait_for(kLong));
}

TEST_F(ExecutorTest, LosesNoTaskThatComesWhileThreadsGoIdle) {
  Executor executor("test", 2, clock_);
  constexpr int kTasks = 20'000;
  std::atomic<int> ran{0};
  CancelSource all;
  const auto count = [&] {
    if (++ran == kTasks) {
      all.cancel();
    }
  };

  for (int i = 0; i < kTasks; ++i) {
    executor.submit(count);
  }

  EXPECT_TRUE(all.token().wait_for(kLong)) << ran;
}

TEST_F(ExecutorTest, DoesShortTasksOnTheThreadThatStays) {
  Executor executor("test", 8, clock_, kLong);
  std::set<std::thread::id> threads;
  CancelSource all;

  for (int i = 0; i < 100; ++i) {
    executor.submit([&, i] {
      threads.insert(std::this_thread::get_id());
      if (i == 99) {
        all.cancel();
      }
    });
  }

  ASSERT_TRUE(all.token().wait_for(kLong));
  EXPECT_EQ(threads.size(), 1U);
}

TEST_F(ExecutorTest, GetsHelpForATaskThatHasWaited) {
  Executor executor("test", 2, clock_, std::chrono::milliseconds{1});
  CancelSource begun;
  CancelSource open;
  CancelSource second;
  executor.submit([&] {
    begun.cancel();
    static_cast<void>(open.token().wait_for(kLong));
  });
  ASSERT_TRUE(begun.token().wait_for(kLong));

  executor.submit([&] { second.cancel(); });

  EXPECT_TRUE(second.token().wait_for(kLong));
  open.cancel();
}

TEST_F(ExecutorTest, TakesTasksFromItsOwnTasks) {
  CancelSource second;
  Executor executor("test", 1, clock_);

  executor.submit([&] { executor.submit([&] { second.cancel(); }); });

  EXPECT_TRUE(second.token().wait_for(kLong));
}

TEST_F(ExecutorTest, DropsWhatHasNotBegunWhenItEnds) {
  std::atomic<bool> ran{false};
  CancelSource begun;
  CancelSource open;
  {
    Executor executor("test", 1, clock_);
    executor.submit([&] {
      begun.cancel();
      static_cast<void>(open.token().wait_for(std::chrono::milliseconds{20}));
    });
    ASSERT_TRUE(begun.token().wait_for(kLong));
    executor.submit([&] { ran = true; });
  }

  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace vkhost
