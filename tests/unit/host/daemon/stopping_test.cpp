#include "daemon/stopping.hpp"

#include "base/cancel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace vkhost::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::chrono::minutes kLong{1};

TEST(Stopping, EndsOneStageBeforeTheNext) {
  std::vector<std::string> order;
  CancelSource done;

  {
    const Stopping stopping({{{"first", [&] { order.emplace_back("first"); }}},
                             {},
                             {{"second", [&] { order.emplace_back("second"); }}}},
                            [&] { done.cancel(); });
    EXPECT_TRUE(done.token().wait_for(kLong));
  }

  EXPECT_THAT(order, ElementsAre("first", "second"));
}

TEST(Stopping, NamesWhatStillStands) {
  CancelSource open;
  CancelSource other_ended;
  CancelSource done;
  const auto wait = [&] { static_cast<void>(open.token().wait_for(kLong)); };

  const Stopping stopping(
      {{{"node a", wait}, {"node b", [&] { other_ended.cancel(); }}, {"node c", wait}},
       {{"later", [] {}}}},
      [&] { done.cancel(); });

  ASSERT_TRUE(other_ended.token().wait_for(kLong));
  while (stopping.standing().size() != 2) {
    std::this_thread::yield();
  }
  EXPECT_THAT(stopping.standing(), ElementsAre("node a", "node c"));
  open.cancel();
  EXPECT_TRUE(done.token().wait_for(kLong));
  EXPECT_THAT(stopping.standing(), IsEmpty());
}

TEST(Stopping, EndsMorePartsThanItHasThreads) {
  std::atomic<int> ended{0};
  CancelSource done;
  std::vector<Stopping::Part> nodes;
  for (int i = 0; i < 500; ++i) {
    nodes.push_back({"node", [&] { ++ended; }});
  }

  const Stopping stopping({nodes}, [&] { done.cancel(); });

  ASSERT_TRUE(done.token().wait_for(kLong));
  EXPECT_EQ(ended, 500);
}

}  // namespace
}  // namespace vkhost::daemon
