#include "base/gate.hpp"

#include "base/cancel.hpp"
#include "base/thread.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <utility>

namespace vkhost {
namespace {

TEST(Gate, LetsInWhileItIsOpen) {
  Gate gate;

  const Gate::Pass first = gate.enter();
  const Gate::Pass second = gate.enter();

  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
}

TEST(Gate, KeepsOutOnceItIsClosed) {
  Gate gate;

  gate.close();

  EXPECT_FALSE(gate.enter());
}

TEST(Gate, CloseReturnsAtOnceWhenNobodyIsInside) {
  Gate gate;
  {
    const Gate::Pass pass = gate.enter();
  }

  gate.close();
  gate.close();

  EXPECT_FALSE(gate.enter());
}

TEST(Gate, CloseWaitsForWhatIsInside) {
  Gate gate;
  std::atomic<bool> left{false};
  CancelSource entered;
  Thread worker("worker", [&] {
    const Gate::Pass pass = gate.enter();
    entered.cancel();
    while (gate.enter()) {  // until close() has begun
    }
    left = true;
  });
  ASSERT_TRUE(entered.token().wait_for(std::chrono::minutes{1}));

  gate.close();

  EXPECT_TRUE(left);
}

TEST(GatePass, LeavesOnceHoweverOftenItMoves) {
  Gate gate;
  std::optional<Gate::Pass> pass = gate.enter();
  Gate::Pass moved = std::move(*pass);
  pass.reset();
  Gate::Pass kept = std::move(moved);

  kept = Gate::Pass();

  gate.close();  // would wait for ever if a pass were still out
  EXPECT_FALSE(kept);
}

}  // namespace
}  // namespace vkhost
