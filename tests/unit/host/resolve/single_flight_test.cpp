#include "resolve/single_flight.hpp"

#include "base/thread.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace vkhost::resolve {
namespace {

using std::chrono::seconds;

class SingleFlightTest : public ::testing::Test {
 protected:
  using Flights = SingleFlight<std::string, int>;

  void wait_until_waiting(std::size_t count) const {
    while (flights_.waiting() < count) {
      std::this_thread::yield();
    }
  }

  testing::FakeClock clock_;
  Flights flights_{clock_};
  std::atomic<int> reads_ = 0;
  std::atomic<int> right_ = 0;
};

TEST_F(SingleFlightTest, ReadsOnceForAllWhoAskMeanwhile) {
  constexpr std::size_t kOthers = 7;
  std::vector<Thread> others;

  const auto answer = flights_.run("a", clock_.steady_now(), {}, [&] {
    for (std::size_t i = 0; i < kOthers; ++i) {
      others.emplace_back("asker", [&] {
        const auto same = flights_.run("a", clock_.steady_now(), {}, [&] {
          ++reads_;
          return Result<int>(0);
        });
        right_ += same.is_ok() && *same == 42 ? 1 : 0;
      });
    }
    wait_until_waiting(kOthers);
    return Result<int>(42);
  });
  others.clear();

  EXPECT_EQ(*answer, 42);
  EXPECT_EQ(right_, static_cast<int>(kOthers));
  EXPECT_EQ(reads_, 0);
}

TEST_F(SingleFlightTest, SharesFailuresAndKeepsNothing) {
  const auto failed =
      flights_.run("a", clock_.steady_now(), {}, [] { return Result<int>(unavailable("away")); });
  const auto later = flights_.run("a", clock_.steady_now(), {}, [] { return Result<int>(1); });

  EXPECT_EQ(failed.status().code(), StatusCode::Unavailable);
  EXPECT_EQ(*later, 1);
}

TEST_F(SingleFlightTest, ReadsAnewForWhomTheOldReadBeganTooEarly) {
  Thread other;

  const auto old = flights_.run("a", clock_.steady_now(), {}, [&] {
    clock_.advance(seconds{5});
    other = Thread("asker", [&] {
      const auto fresh = flights_.run("a", clock_.steady_now() - seconds{1}, {}, [&] {
        ++reads_;
        return Result<int>(2);
      });
      right_ += fresh.is_ok() && *fresh == 2 ? 1 : 0;
    });
    wait_until_waiting(1);
    return Result<int>(1);
  });
  other = Thread();

  EXPECT_EQ(*old, 1);
  EXPECT_EQ(right_, 1);
  EXPECT_EQ(reads_, 1);
}

TEST_F(SingleFlightTest, OutlivesTheAskerWhoIsCancelled) {
  CancelSource first;
  Thread other;

  const auto gone = flights_.run("a", clock_.steady_now(), first.token(), [&] {
    other = Thread("asker", [&] {
      const auto own = flights_.run("a", clock_.steady_now(), {}, [] { return Result<int>(7); });
      right_ += own.is_ok() && *own == 7 ? 1 : 0;
    });
    wait_until_waiting(1);
    first.cancel();
    return Result<int>(cancelled("the pod was deleted"));
  });
  other = Thread();

  EXPECT_EQ(gone.status().code(), StatusCode::Cancelled);
  EXPECT_EQ(right_, 1);
}

TEST_F(SingleFlightTest, LetsGoOfAWaiterThatIsCancelled) {
  CancelSource second;

  const auto answer = flights_.run("a", clock_.steady_now(), {}, [&] {
    Thread other("asker", [&] {
      const auto none =
          flights_.run("a", clock_.steady_now(), second.token(), [] { return Result<int>(0); });
      right_ += none.status().code() == StatusCode::Cancelled ? 1 : 0;
    });
    wait_until_waiting(1);
    second.cancel();
    other = Thread();  // joined while the read still goes on
    return Result<int>(1);
  });

  EXPECT_TRUE(answer.is_ok());
  EXPECT_EQ(right_, 1);
}

}  // namespace
}  // namespace vkhost::resolve
