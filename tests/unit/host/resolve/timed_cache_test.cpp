#include "resolve/timed_cache.hpp"

#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

namespace vkhost::resolve {
namespace {

using std::chrono::milliseconds;

class TimedCacheTest : public ::testing::Test {
 protected:
  void put(const std::string& key, int value, std::size_t bytes = 10) {
    cache_.put(key, std::make_shared<const int>(value), bytes, clock_.steady_now());
  }

  testing::FakeClock clock_;
  TimedCache<int> cache_{clock_, milliseconds{100}, 30};
};

TEST_F(TimedCacheTest, FindsTheNewestUntilItIsOld) {
  put("a", 1);
  put("a", 2);

  EXPECT_EQ(*cache_.find("a"), 2);
  EXPECT_EQ(cache_.size(), 1U);
  clock_.advance(milliseconds{100});
  EXPECT_EQ(cache_.find("a"), nullptr);
}

TEST_F(TimedCacheTest, CountsTheAgeFromTheBeginningOfTheRead) {
  const SteadyTime began = clock_.steady_now();
  clock_.advance(milliseconds{60});
  cache_.put("a", std::make_shared<const int>(1), 10, began);
  cache_.put("late", std::make_shared<const int>(1), 10, began - milliseconds{50});

  EXPECT_NE(cache_.find("a"), nullptr);
  EXPECT_EQ(cache_.find("late"), nullptr);
  clock_.advance(milliseconds{40});
  EXPECT_EQ(cache_.find("a"), nullptr);
}

TEST_F(TimedCacheTest, MakesRoomByDroppingTheOldest) {
  put("a", 1);
  clock_.advance(milliseconds{1});
  put("b", 2);
  clock_.advance(milliseconds{1});
  put("c", 3);
  put("d", 4, 20);

  EXPECT_EQ(cache_.find("a"), nullptr);
  EXPECT_EQ(cache_.find("b"), nullptr);
  EXPECT_NE(cache_.find("c"), nullptr);
  EXPECT_NE(cache_.find("d"), nullptr);
}

TEST_F(TimedCacheTest, TakesNothingThatNeverFits) {
  put("a", 1);
  put("big", 2, 31);

  EXPECT_NE(cache_.find("a"), nullptr);
  EXPECT_EQ(cache_.find("big"), nullptr);
}

TEST_F(TimedCacheTest, ForgetsWhatItIsToldTo) {
  put("a", 1);
  put("b", 2);

  cache_.forget("a");
  cache_.forget("none");

  EXPECT_EQ(cache_.find("a"), nullptr);
  EXPECT_NE(cache_.find("b"), nullptr);
}

TEST_F(TimedCacheTest, LetsGoOfWhatIsExpired) {
  put("a", 1);
  clock_.advance(milliseconds{100});
  cache_.drop_expired();

  EXPECT_EQ(cache_.size(), 0U);
}

}  // namespace
}  // namespace vkhost::resolve
