#include "kube/event_memory.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::kube {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const SteadyTime kNow = SteadyTime(std::chrono::hours(5));

TEST(BurstLimiter, AllowsABurstAndThenOneInAWhile) {
  BurstLimiter limiter({.burst = 3, .refill_one = minutes{5}, .remembered = 10});

  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(limiter.allow("a", kNow));
  }
  EXPECT_FALSE(limiter.allow("a", kNow));
  EXPECT_TRUE(limiter.allow("b", kNow)) << "each object has its own";
  EXPECT_FALSE(limiter.allow("a", kNow + minutes{4}));
  EXPECT_TRUE(limiter.allow("a", kNow + minutes{5}));
  EXPECT_FALSE(limiter.allow("a", kNow + minutes{5}));
}

TEST(BurstLimiter, NeverSavesUpMoreThanABurst) {
  BurstLimiter limiter({.burst = 2, .refill_one = seconds{1}, .remembered = 10});
  EXPECT_TRUE(limiter.allow("a", kNow));

  int allowed = 0;
  while (limiter.allow("a", kNow + minutes{60})) {
    ++allowed;
  }

  EXPECT_EQ(allowed, 2);
}

TEST(BurstLimiter, ForgetsTheLeastRecentlyUsed) {
  BurstLimiter limiter({.burst = 1, .refill_one = minutes{5}, .remembered = 2});
  EXPECT_TRUE(limiter.allow("a", kNow));
  EXPECT_TRUE(limiter.allow("b", kNow));
  EXPECT_FALSE(limiter.allow("a", kNow));  // used again: b is older now

  EXPECT_TRUE(limiter.allow("c", kNow));

  EXPECT_FALSE(limiter.allow("a", kNow));
  EXPECT_TRUE(limiter.allow("b", kNow));
}

TEST(EventMemory, ForgetsWhatTheApiServerHasForgotten) {
  EventMemory memory;
  memory.remember("k", {"name", 1, kNow});

  EXPECT_NE(memory.find("k", kNow + minutes{59}), nullptr);
  EXPECT_EQ(memory.find("k", kNow + minutes{60}), nullptr);
  EXPECT_EQ(memory.size(), 0U);
}

TEST(EventMemory, KeepsABoundedNumber) {
  EventMemory memory;
  for (std::size_t i = 0; i < EventMemory::kRemembered + 5; ++i) {
    memory.remember(std::to_string(i), {"name", 1, kNow});
  }

  EXPECT_EQ(memory.size(), EventMemory::kRemembered);
  EXPECT_EQ(memory.find("0", kNow), nullptr);
  EXPECT_NE(memory.find("5", kNow), nullptr);
}

TEST(EventMemory, ReplacesWhatItRemembered) {
  EventMemory memory;
  memory.remember("k", {"old", 1, kNow});
  memory.remember("k", {"new", 1, kNow});

  EXPECT_EQ(memory.find("k", kNow)->name, "new");
  EXPECT_EQ(memory.size(), 1U);
}

}  // namespace
}  // namespace vkhost::kube
