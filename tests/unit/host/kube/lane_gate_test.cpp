#include "kube/lane_gate.hpp"

#include "base/thread.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using vkhost::testing::FakeClock;

TEST(LaneWidths, ShareTheRequestsInFlight) {
  const auto shares = [](std::size_t in_flight) {
    const LaneWidths widths = LaneWidths::sharing(in_flight, 1);
    return std::pair(widths.status, widths.normal);
  };

  EXPECT_EQ(shares(32), std::pair(std::size_t{24}, std::size_t{8}));
  EXPECT_EQ(shares(1000), std::pair(std::size_t{992}, std::size_t{8}));
  EXPECT_EQ(shares(4), std::pair(std::size_t{3}, std::size_t{1}));
  EXPECT_EQ(shares(1), std::pair(std::size_t{1}, std::size_t{1}));
  EXPECT_EQ(LaneWidths::sharing(32, 1).total(), 38U);
  EXPECT_EQ(LaneWidths::sharing(32, 1).of(Lane::Lease), 2U);
  EXPECT_EQ(LaneWidths::sharing(32, 500).of(Lane::Lease), 10U);
  EXPECT_EQ(LaneWidths::sharing(32, 500).of(Lane::Node), 10U);
  EXPECT_EQ(LaneWidths::sharing(32, 100'000).of(Lane::Lease), 16U);
}

struct LaneGateTest : ::testing::Test {
  Deadline within(milliseconds time) const { return Deadline::after(*clock, time); }
  StatusCode knock() { return gate.enter(within(milliseconds{0}), {}).status().code(); }
  // As many passes as there are at the moment.
  std::vector<LaneGate::Pass> take_all() {
    std::vector<LaneGate::Pass> passes;
    for (;;) {
      auto pass = gate.enter(within(milliseconds{0}), {});
      if (!pass.is_ok()) {
        return passes;
      }
      passes.push_back(std::move(pass).value());
    }
  }

  std::shared_ptr<FakeClock> clock = std::make_shared<FakeClock>();
  LaneGate gate{4, clock};
};

TEST_F(LaneGateTest, BoundsHowManyAreUnderWay) {
  auto passes = take_all();

  EXPECT_EQ(passes.size(), 4U);
  const Status refused = gate.enter(within(milliseconds{0}), {}).status();
  EXPECT_EQ(refused.code(), StatusCode::DeadlineExceeded);
  EXPECT_EQ(refused.effect(), Effect::None);

  passes.pop_back();

  EXPECT_EQ(knock(), StatusCode::Ok);
}

TEST_F(LaneGateTest, LetsTheNextOneInWhenOneLeaves) {
  auto passes = take_all();
  std::optional<StatusCode> entered;
  Thread waiter("waiter", [&] { entered = gate.enter(Deadline::never(), {}).status().code(); });

  passes.pop_back();
  waiter.join();

  EXPECT_EQ(entered, StatusCode::Ok);
}

TEST_F(LaneGateTest, StopsWaitingWhenCancelled) {
  const auto passes = take_all();
  CancelSource source;
  std::optional<StatusCode> ended;
  Thread waiter("waiter",
                [&] { ended = gate.enter(Deadline::never(), source.token()).status().code(); });

  source.cancel();
  waiter.join();

  EXPECT_EQ(ended, StatusCode::Cancelled);
}

TEST_F(LaneGateTest, HoldsEverybodyAsLongAsTheServerAsked) {
  EXPECT_TRUE(gate.refused(seconds{7}));

  const Status held = gate.enter(within(seconds{7}), {}).status();
  EXPECT_EQ(held.code(), StatusCode::ResourceExhausted);
  EXPECT_EQ(held.retry(), Retry::After);
  EXPECT_EQ(held.retry_after(), seconds{7});
  EXPECT_EQ(held.effect(), Effect::None);

  clock->advance(seconds{7});
  EXPECT_EQ(knock(), StatusCode::Ok);
}

TEST_F(LaneGateTest, HoldsNobodyForLongerThanItMay) {
  LaneGate urgent(2, clock, seconds{2});
  static_cast<void>(urgent.refused(seconds{300}));
  EXPECT_FALSE(urgent.enter(within(milliseconds{0}), {}).is_ok());

  clock->advance(seconds{2});

  EXPECT_TRUE(urgent.enter(within(milliseconds{0}), {}).is_ok());
}

TEST_F(LaneGateTest, TakesNoMoreAfterABurstThanWereServed) {
  {
    auto passes = take_all();
    for (int refusals = 0; refusals < 2; ++refusals) {
      static_cast<void>(gate.refused(seconds{1}));
      passes.pop_back();
    }
  }
  clock->advance(seconds{1});

  EXPECT_EQ(take_all().size(), 2U);
}

TEST_F(LaneGateTest, NeverClosesAndOpensAgainBitByBit) {
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(gate.refused(seconds{1}));
  }
  clock->advance(seconds{1});
  EXPECT_EQ(take_all().size(), 1U);

  clock->advance(seconds{2});
  EXPECT_EQ(take_all().size(), 2U);
  clock->advance(seconds{100});
  EXPECT_EQ(take_all().size(), 4U);
}

TEST_F(LaneGateTest, IsWorthALogLineOnceAMinute) {
  EXPECT_TRUE(gate.refused(seconds{0}));
  EXPECT_FALSE(gate.refused(seconds{0}));
  clock->advance(seconds{60});
  EXPECT_TRUE(gate.refused(seconds{0}));
}

}  // namespace
}  // namespace vkhost::kube
