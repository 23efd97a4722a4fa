#include "node/chores.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace vkhost::node {
namespace {

using std::chrono::milliseconds;

class ChoresTest : public ::testing::Test {
 protected:
  template <typename Condition>
  static bool eventually(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    return condition();
  }

  std::shared_ptr<SystemClock> clock_ = std::make_shared<SystemClock>();
  Timers timers_{*clock_};
  Executor executor_{"chores", 4, *clock_};
  std::atomic<int> done_ = 0;
  std::atomic<bool> released_ = false;
};

TEST_F(ChoresTest, RunAgainAndAgainOnceTheyHaveBegun) {
  Chores chores(clock_, milliseconds{1});
  const auto id = chores.add(milliseconds{5}, [this] { ++done_; });

  chores.start(timers_, {&executor_});
  chores.run_now(id);

  EXPECT_TRUE(eventually([this] { return done_ >= 3; }));
}

TEST_F(ChoresTest, AskedForBeforeTheStartBeginWithIt) {
  Chores chores(clock_, milliseconds{1});
  const auto id = chores.add(std::nullopt, [this] { ++done_; });
  chores.run_now(id);

  chores.start(timers_, {&executor_});

  EXPECT_TRUE(eventually([this] { return done_ == 1; }));
}

TEST_F(ChoresTest, ThatHangHoldUpNoOthersAndNeverRunTwiceAtATime) {
  std::atomic<int> hanging = 0;
  Chores chores(clock_, milliseconds{1});
  const auto hangs = chores.add(milliseconds{1}, [&] {
    ++hanging;
    EXPECT_TRUE(eventually([this] { return released_.load(); }));
  });
  const auto id = chores.add(milliseconds{2}, [this] { ++done_; });
  chores.start(timers_, {&executor_, &executor_});

  chores.run_now(hangs);
  chores.run_now(id);

  EXPECT_TRUE(eventually([this] { return done_ >= 5; }));
  EXPECT_EQ(hanging, 1);
  released_ = true;
}

TEST_F(ChoresTest, AskedForWhileTheyRunAreRunOnceMore) {
  Chores chores(clock_, milliseconds{1});
  const auto id = chores.add(std::nullopt, [this] {
    ++done_;
    EXPECT_TRUE(eventually([this] { return released_.load(); }));
  });
  chores.start(timers_, {&executor_});
  chores.run_now(id);
  ASSERT_TRUE(eventually([this] { return done_ == 1; }));

  chores.run_now(id);
  chores.run_now(id);
  released_ = true;

  EXPECT_TRUE(eventually([this] { return done_ == 2; }));
  chores.stop();
  EXPECT_EQ(done_, 2);
}

TEST_F(ChoresTest, DueWithinAMomentBeginTogether) {
  Chores chores(clock_, std::chrono::minutes{1});
  const auto first = chores.add(std::nullopt, [this] { ++done_; });
  const auto second = chores.add(std::nullopt, [this] { ++done_; });
  const SteadyTime now = clock_->steady_now();
  chores.run_by(second, now + std::chrono::seconds{50});
  chores.start(timers_, {&executor_, &executor_});

  chores.run_by(first, now + milliseconds{5});

  EXPECT_TRUE(eventually([this] { return done_ == 2; }));
}

TEST_F(ChoresTest, ThatWaitForAThreadDoNotHoldUpTheStop) {
  Executor narrow("narrow", 1, *clock_);
  narrow.submit([this] { EXPECT_TRUE(eventually([this] { return released_.load(); })); });
  {
    Chores chores(clock_, milliseconds{1});
    const auto id = chores.add(std::nullopt, [this] { ++done_; });
    chores.start(timers_, {&narrow});
    chores.run_now(id);

    chores.stop();
  }
  released_ = true;
  narrow.submit([this] { done_ += 10; });

  EXPECT_TRUE(eventually([this] { return done_ >= 10; }));
  EXPECT_EQ(done_, 10);
}

}  // namespace
}  // namespace vkhost::node
