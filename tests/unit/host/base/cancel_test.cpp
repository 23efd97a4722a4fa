#include "base/cancel.hpp"

#include "base/clock.hpp"
#include "base/thread.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

namespace vkhost {
namespace {

using std::chrono::milliseconds;

TEST(CancelToken, IsNeverCancelledWithoutASource) {
  const CancelToken token;
  int calls = 0;

  const CancelCallback callback(token, [&] { ++calls; });

  EXPECT_FALSE(token.is_cancelled());
  EXPECT_FALSE(token.wait_for(milliseconds{1}));
  EXPECT_EQ(calls, 0);
}

TEST(CancelToken, OutlivesItsSource) {
  auto source = std::make_unique<CancelSource>();
  const CancelToken token = source->token();

  source->cancel();
  source.reset();

  EXPECT_TRUE(token.is_cancelled());
}

TEST(CancelToken, WaitReturnsAtOnceWhenCancelledBefore) {
  CancelSource source;
  source.cancel();

  EXPECT_TRUE(source.token().wait_until(SteadyTime::max()));
}

TEST(CancelToken, CancellationEndsAWaitOnAnotherThread) {
  CancelSource source;
  std::atomic<bool> cancelled{false};

  Thread waiter("waiter", [&] { cancelled = source.token().wait_for(std::chrono::hours{1}); });
  source.cancel();
  waiter.join();

  EXPECT_TRUE(cancelled);
}

TEST(CancelCallback, RunsOnce) {
  CancelSource source;
  int calls = 0;
  const CancelCallback callback(source.token(), [&] { ++calls; });

  source.cancel();
  source.cancel();

  EXPECT_EQ(calls, 1);
}

TEST(CancelCallback, RunsAtOnceWhenCancelledBefore) {
  CancelSource source;
  source.cancel();
  int calls = 0;

  const CancelCallback callback(source.token(), [&] { ++calls; });

  EXPECT_EQ(calls, 1);
}

TEST(CancelCallback, DoesNotRunAfterItsEnd) {
  CancelSource source;
  int calls = 0;
  {
    const CancelCallback callback(source.token(), [&] { ++calls; });
  }

  source.cancel();

  EXPECT_EQ(calls, 0);
}

TEST(CancelCallback, MayEndItself) {
  CancelSource source;
  std::optional<CancelCallback> callback;
  callback.emplace(source.token(), [&] { callback.reset(); });

  source.cancel();

  EXPECT_FALSE(callback.has_value());
}

TEST(CancelCallback, MayRegisterAnotherOne) {
  CancelSource source;
  std::optional<CancelCallback> second;
  int calls = 0;
  const CancelCallback first(source.token(),
                             [&] { second.emplace(source.token(), [&] { ++calls; }); });

  source.cancel();

  EXPECT_EQ(calls, 1);
}

TEST(CancelCallback, EndWaitsForTheCallbackThatRuns) {
  CancelSource source;
  CancelSource entered;
  CancelSource let_go;
  std::atomic<bool> finished{false};
  auto callback = std::make_unique<CancelCallback>(source.token(), [&] {
    entered.cancel();
    static_cast<void>(let_go.token().wait_until(SteadyTime::max()));
    finished = true;
  });
  Thread canceller("canceller", [&] { source.cancel(); });
  ASSERT_TRUE(entered.token().wait_for(std::chrono::minutes{1}));

  Thread releaser("releaser", [&] { let_go.cancel(); });
  callback.reset();

  EXPECT_TRUE(finished);
}

TEST(CancelSource, IsCancelledWithItsParent) {
  CancelSource parent;
  const CancelSource child(parent.token());

  parent.cancel();

  EXPECT_TRUE(child.is_cancelled());
}

TEST(CancelSource, LeavesItsParentAlone) {
  const CancelSource parent;
  CancelSource child(parent.token());

  child.cancel();

  EXPECT_FALSE(parent.is_cancelled());
}

TEST(CancelSource, OfACancelledParentStartsCancelled) {
  CancelSource parent;
  parent.cancel();

  const CancelSource child(parent.token());

  EXPECT_TRUE(child.is_cancelled());
}

}  // namespace
}  // namespace vkhost
