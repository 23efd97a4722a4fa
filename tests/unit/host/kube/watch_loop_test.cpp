#include "kube/watch_loop.hpp"

#include "base/mutex.hpp"
#include "support/loopback.hpp"

#include <gtest/gtest.h>

#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vkhost::kube {
namespace {

using namespace std::chrono_literals;
using vkhost::testing::Descriptor;
using Does = NextTurn::Does;

const std::shared_ptr<const Clock>& system_clock() {
  static const std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
  return clock;
}
SteadyTime in(std::chrono::milliseconds time) { return system_clock()->steady_now() + time; }

// What a test and the threads of the loop tell each other.
class Board {
 public:
  void change(const std::function<void()>& make) {
    const MutexLock lock(mutex_);
    make();
    changed_.notify_all();
  }
  [[nodiscard]] bool wait_for(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    const MutexLock lock(mutex_);
    while (!holds()) {
      if (!changed_.wait_until(mutex_, until)) {
        return holds();
      }
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
};

// Readable as often as a test says so.
class FakeWatchStream final : public WatchStream {
 public:
  FakeWatchStream(std::shared_ptr<Descriptor> descriptor, std::function<void()> closed)
      : descriptor_(std::move(descriptor)), closed_(std::move(closed)) {}
  ~FakeWatchStream() override { closed_(); }
  Result<std::optional<std::string>> try_next() override {
    eventfd_t count = 0;
    return ::eventfd_read(descriptor_->get(), &count) == 0
               ? std::optional<std::string>(std::to_string(count))
               : std::optional<std::string>();
  }
  [[nodiscard]] int descriptor() const override { return descriptor_->get(); }

 private:
  const std::shared_ptr<Descriptor> descriptor_;
  const std::function<void()> closed_;
};

class FakeWatched final : public Watched {
 public:
  explicit FakeWatched(Board& board) : board_(board) {}

  NextTurn open(const CancelToken& cancel) override {
    std::function<NextTurn(const CancelToken&)> hook;
    board_.change([&] {
      ++opened;
      hook = on_open;
    });
    if (hook) {
      return hook(cancel);
    }
    return {Does::Follow, {}, stream()};
  }
  NextTurn follow(WatchStream& stream) override {
    NextTurn next{Does::Follow, SteadyTime::max(), {}};
    const auto event = stream.try_next();
    board_.change([&] {
      ++followed;
      events += event->has_value() ? 1 : 0;
      threads.insert(std::this_thread::get_id());
      if (on_follow) {
        next = on_follow();
      }
    });
    return next;
  }
  void left() override {
    board_.change([this] { ++times_left; });
  }
  std::unique_ptr<WatchStream> stream() {
    return std::make_unique<FakeWatchStream>(descriptor_,
                                             [this] { board_.change([this] { ++closed; }); });
  }
  void send() { ::eventfd_write(descriptor_->get(), 1); }

  // Guarded by the board.
  int opened = 0;
  int followed = 0;
  int events = 0;
  int closed = 0;
  int times_left = 0;
  std::set<std::thread::id> threads;
  std::function<NextTurn(const CancelToken&)> on_open;
  std::function<NextTurn()> on_follow;

 private:
  Board& board_;
  const std::shared_ptr<Descriptor> descriptor_ =
      std::make_shared<Descriptor>(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
};

struct WatchLoopTest : ::testing::Test {
  ~WatchLoopTest() override { leave(); }
  FakeWatched& make() { return *watched.emplace_back(std::make_unique<FakeWatched>(board)); }
  void leave() {
    for (const auto& one : watched) {
      loop.remove(*one);
    }
  }
  Board board;
  WatchLoop loop{system_clock()};
  std::vector<std::unique_ptr<FakeWatched>> watched;
};

TEST_F(WatchLoopTest, FollowsManyWatchesOnOneThread) {
  for (int i = 0; i < 200; ++i) {
    loop.add(make());
  }
  ASSERT_TRUE(board.wait_for([&] {
    return std::all_of(watched.begin(), watched.end(),
                       [](const auto& one) { return one->followed == 1; });
  })) << "each once after it was opened: something may have come with the answer";

  for (const auto& one : watched) {
    one->send();
  }

  EXPECT_TRUE(board.wait_for([&] {
    return std::all_of(watched.begin(), watched.end(),
                       [](const auto& one) { return one->events == 1; });
  }));
  leave();
  std::set<std::thread::id> threads;
  for (const auto& one : watched) {
    threads.insert(one->threads.begin(), one->threads.end());
    EXPECT_EQ(one->followed, 2) << "nobody is looked at without need";
    EXPECT_EQ(one->closed, 1);
    EXPECT_EQ(one->times_left, 1);
  }
  EXPECT_EQ(threads.size(), 1U);
}

TEST_F(WatchLoopTest, ComesAtTheTimeThoughNothingHas) {
  FakeWatched& one = make();
  one.on_follow = [&] {
    return NextTurn{Does::Follow, one.followed < 3 ? in(1ms) : SteadyTime::max(), {}};
  };

  loop.add(one);

  EXPECT_TRUE(board.wait_for([&] { return one.followed == 3; }));
  leave();
  EXPECT_EQ(one.events, 0);
  EXPECT_EQ(one.opened, 1);
}

TEST_F(WatchLoopTest, OpensAgainAtTheTimeAndClosesTheStreamBefore) {
  FakeWatched& one = make();
  SteadyTime due{};
  SteadyTime reopened{};
  int closed_before = 0;
  one.on_follow = [&] {
    if (one.opened > 1) {
      return NextTurn{Does::Follow, SteadyTime::max(), {}};
    }
    due = in(20ms);
    return NextTurn{Does::Open, due, {}};
  };
  one.on_open = [&](const CancelToken&) {
    board.change([&] {
      if (one.opened == 2) {
        reopened = system_clock()->steady_now();
        closed_before = one.closed;
      }
    });
    return NextTurn{Does::Follow, {}, one.stream()};
  };

  loop.add(one);

  ASSERT_TRUE(board.wait_for([&] { return one.followed == 2; }));
  EXPECT_EQ(closed_before, 1);
  EXPECT_GE(reopened, due);
  one.send();
  EXPECT_TRUE(board.wait_for([&] { return one.events == 1; }));
}

TEST_F(WatchLoopTest, WaitsBeforeItOpensAgain) {
  FakeWatched& one = make();
  SteadyTime due{};
  SteadyTime reopened{};
  one.on_open = [&](const CancelToken&) -> NextTurn {
    const SteadyTime now = system_clock()->steady_now();
    bool first = false;
    board.change([&] {
      first = one.opened == 1;
      (first ? due : reopened) = first ? now + 20ms : now;
    });
    return first ? NextTurn{Does::Open, due, {}} : NextTurn{Does::Follow, {}, one.stream()};
  };

  loop.add(one);

  ASSERT_TRUE(board.wait_for([&] { return one.followed == 1; }));
  EXPECT_GE(reopened, due);
}

TEST_F(WatchLoopTest, LetsAllOthersHaveTheirTurnsBesideOneThatNeverEnds) {
  FakeWatched& flood = make();
  flood.on_follow = [] { return NextTurn{Does::Follow, SteadyTime::min(), {}}; };
  FakeWatched& other = make();
  loop.add(flood);
  loop.add(other);
  ASSERT_TRUE(board.wait_for([&] { return flood.followed > 10 && other.followed == 1; }));

  other.send();

  EXPECT_TRUE(board.wait_for([&] { return other.events == 1; }));
}

TEST_F(WatchLoopTest, IsNotHeldUpByOneThatDoesNotOpen) {
  FakeWatched& slow = make();
  slow.on_open = [](const CancelToken& cancel) {
    static_cast<void>(cancel.wait_until(SteadyTime::max()));
    return NextTurn{};
  };
  loop.add(slow);
  FakeWatched& other = make();
  loop.add(other);

  EXPECT_TRUE(board.wait_for([&] { return other.followed == 1; }));
}

TEST_F(WatchLoopTest, IsNotHeldUpByAnyNumberOfPatientOnes) {
  for (int i = 0; i < 40; ++i) {
    make().on_open = [](const CancelToken& cancel) {
      static_cast<void>(cancel.wait_until(SteadyTime::max()));
      return NextTurn{};
    };
    loop.add(*watched.back(), Opening::Patient);
  }
  FakeWatched& other = make();
  loop.add(other);

  EXPECT_TRUE(board.wait_for([&] { return other.followed == 1; }));
}

TEST_F(WatchLoopTest, FollowsPatientOnesLikeOthers) {
  FakeWatched& one = make();
  loop.add(one, Opening::Patient);
  ASSERT_TRUE(board.wait_for([&] { return one.followed == 1; }));

  one.send();

  EXPECT_TRUE(board.wait_for([&] { return one.events == 1; }));
}

TEST_F(WatchLoopTest, RemovesAtOnceWhatIsBeingOpenedAndWhatStillWaitsForThat) {
  for (int i = 0; i < 40; ++i) {
    make().on_open = [](const CancelToken& cancel) {
      static_cast<void>(cancel.wait_until(SteadyTime::max()));
      return NextTurn{};
    };
    loop.add(*watched.back());
  }
  ASSERT_TRUE(board.wait_for([&] { return watched.front()->opened == 1; }));

  loop.remove(*watched.back());
  EXPECT_EQ(watched.back()->opened, 0);
  leave();

  for (const auto& one : watched) {
    EXPECT_LE(one->opened, 1);
    EXPECT_EQ(one->followed, 0);
  }
}

TEST_F(WatchLoopTest, WaitsForTheTurnOfWhomItRemoves) {
  FakeWatched& one = make();
  std::atomic<bool> is_inside = false;
  std::atomic<bool> has_left = false;
  one.on_open = [&](const CancelToken& cancel) {
    is_inside = true;
    is_inside.notify_all();
    static_cast<void>(cancel.wait_until(SteadyTime::max()));
    std::this_thread::yield();
    has_left = true;
    return NextTurn{Does::Follow, {}, one.stream()};
  };
  loop.add(one);
  is_inside.wait(false);

  loop.remove(one);

  EXPECT_TRUE(has_left);
  EXPECT_EQ(one.followed, 0);
  EXPECT_TRUE(board.wait_for([&] { return one.closed == 1; })) << "what it brought is closed";
}

TEST_F(WatchLoopTest, MayEndWithoutEverHavingBegun) {
  FakeWatched& one = make();

  loop.remove(one);

  EXPECT_EQ(one.opened, 0);
}

}  // namespace
}  // namespace vkhost::kube
