#include "http/connection_pool.hpp"

#include "base/thread.hpp"
#include "support/raw_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;
using testing::RawPeer;
using testing::RawServer;
using Choice = ConnectionPool::Choice;

class MovedClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override { return SteadyTime{now_.load()}; }
  [[nodiscard]] WallTime wall_now() const override { return {}; }
  void advance(std::chrono::milliseconds by) { now_ = now_.load() + by; }

 private:
  std::atomic<SteadyTime::duration> now_ = SteadyTime::duration{0};
};

class ConnectionPoolTest : public ::testing::Test {
 protected:
  static Deadline soon(std::chrono::milliseconds after = 20s) {
    return Deadline::at(std::chrono::steady_clock::now() + after);
  }
  std::unique_ptr<ConnectionPool> make(PoolLimits limits) {
    Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = server_.port();
    return std::make_unique<ConnectionPool>(
        std::make_unique<Dialer>(endpoint, std::nullopt, nullptr, ""), limits, clock_);
  }
  // Whether a kept connection was taken.
  static bool use_and_keep(ConnectionPool& pool, Choice choice = Choice::KeptOrNew) {
    auto lease = pool.take(choice, soon(), {});
    EXPECT_TRUE(lease.is_ok()) << lease.status().to_string();
    lease->keep();
    return lease->was_kept();
  }

  std::shared_ptr<MovedClock> clock_ = std::make_shared<MovedClock>();
  RawServer server_{[](RawPeer& peer) { peer.wait_for_end(); }};
};

TEST_F(ConnectionPoolTest, KeepsAConnectionForTheNextRequest) {
  const auto pool = make({});

  EXPECT_FALSE(use_and_keep(*pool));
  EXPECT_TRUE(use_and_keep(*pool));
  EXPECT_FALSE(use_and_keep(*pool, Choice::New));
  EXPECT_EQ(pool->idle(), 2U);
}

TEST_F(ConnectionPoolTest, ClosesAConnectionThatNobodyKeeps) {
  const auto pool = make({});

  {
    const auto lease = pool->take(Choice::KeptOrNew, soon(), {});
  }

  EXPECT_EQ(pool->idle(), 0U);
}

TEST_F(ConnectionPoolTest, ForgetsConnectionsThatWereIdleTooLong) {
  const auto pool = make({.idle_timeout = 60s});
  use_and_keep(*pool);
  clock_->advance(59s);
  EXPECT_TRUE(use_and_keep(*pool));

  clock_->advance(61s);

  EXPECT_FALSE(use_and_keep(*pool));
  EXPECT_EQ(pool->idle(), 1U);
}

TEST_F(ConnectionPoolTest, DropsThoseThatNobodyHasUsedSinceThen) {
  const auto pool = make({});
  use_and_keep(*pool);
  use_and_keep(*pool, Choice::New);
  clock_->advance(1s);
  const SteadyTime then = clock_->steady_now();
  use_and_keep(*pool, Choice::New);
  ASSERT_EQ(pool->idle(), 3U);

  pool->drop_idle_before(then);

  EXPECT_EQ(pool->idle(), 1U);
  EXPECT_TRUE(use_and_keep(*pool));
}

TEST_F(ConnectionPoolTest, DoesNotTakeAKeptConnectionThatWasShutDown) {
  const auto pool = make({});
  {
    auto lease = pool->take(Choice::KeptOrNew, soon(), {});
    ASSERT_TRUE(lease.is_ok());
    lease->keep();
    lease->socket()->shutdown();
  }

  EXPECT_FALSE(use_and_keep(*pool));
}

TEST_F(ConnectionPoolTest, BoundsHowManyAreInUse) {
  const auto pool = make({.max_connections = 1});
  auto first =
      std::make_unique<Result<ConnectionPool::Lease>>(pool->take(Choice::KeptOrNew, soon(), {}));

  const auto second = pool->take(Choice::KeptOrNew, soon(50ms), {});
  EXPECT_EQ(second.status().code(), StatusCode::DeadlineExceeded);
  EXPECT_NE(second.status().message().find("in use"), std::string::npos);

  Thread leaver("leaver", [&] {
    static_cast<void>(CancelToken().wait_for(20ms));
    first.reset();
  });
  EXPECT_TRUE(pool->take(Choice::KeptOrNew, soon(), {}).is_ok());
}

TEST_F(ConnectionPoolTest, StopsWaitingForATurnWhenCancelled) {
  const auto pool = make({.max_connections = 1});
  const auto first = pool->take(Choice::KeptOrNew, soon(), {});
  CancelSource source;
  Thread canceller("canceller", [&] {
    static_cast<void>(CancelToken().wait_for(20ms));
    source.cancel();
  });

  const auto second = pool->take(Choice::KeptOrNew, soon(), source.token());

  EXPECT_EQ(second.status().code(), StatusCode::Cancelled);
}

}  // namespace
}  // namespace vkhost::http
