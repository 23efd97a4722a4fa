#include "kubelet/timed_cache.hpp"

#include "base/thread.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace vkhost::kubelet {
namespace {

using namespace std::chrono_literals;
using Cache = TimedCache<Result<int>>;

class TimedCacheTest : public ::testing::Test {
 protected:
  int ask(const std::string& key, std::chrono::milliseconds lifetime = 60s) {
    return *cache_.get(key, {}, [&] { return Cache::Timed{++asked_, lifetime}; });
  }

  std::shared_ptr<testing::FakeClock> clock_ = std::make_shared<testing::FakeClock>();
  Cache cache_{3, clock_};
  int asked_ = 0;
};

TEST_F(TimedCacheTest, RemembersAnAnswerForItsLifetime) {
  EXPECT_EQ(ask("a"), 1);
  clock_->advance(59s);
  EXPECT_EQ(ask("a"), 1);

  clock_->advance(1s);

  EXPECT_EQ(ask("a"), 2);
}

TEST_F(TimedCacheTest, DoesNotKeepAnAnswerWithoutALifetime) {
  EXPECT_EQ(ask("a", 0ms), 1);
  EXPECT_EQ(ask("a"), 2);
}

TEST_F(TimedCacheTest, ForgetsTheOldestWhenItIsFull) {
  for (const char* key : {"a", "b", "c", "d"}) {
    ask(key);
  }

  EXPECT_EQ(ask("d"), 4);
  EXPECT_EQ(ask("b"), 2);
  EXPECT_EQ(ask("a"), 5) << "the oldest went";
}

// One thread that is inside `ask` until it is let go.
class SlowAsker {
 public:
  SlowAsker(Cache& cache, Result<int> answer)
      : thread_("asker", [this, &cache, answer] {
          static_cast<void>(cache.get("a", {}, [&] {
            inside_.cancel();
            static_cast<void>(go_.token().wait_for(20s));
            return Cache::Timed{answer, answer.is_ok() ? 60s : 0s};
          }));
        }) {
    EXPECT_TRUE(inside_.token().wait_for(20s));
  }
  void let_go() { go_.cancel(); }

 private:
  CancelSource inside_;
  CancelSource go_;
  Thread thread_;
};

TEST_F(TimedCacheTest, AsksOnceForAllWhoWantTheSame) {
  std::atomic<int> right = 0;
  {
    SlowAsker first(cache_, 7);
    std::vector<Thread> others;
    for (int i = 0; i < 4; ++i) {
      others.emplace_back("other", [&] {
        const auto got = cache_.get("a", {}, [] { return Cache::Timed{Result<int>(-1), 60s}; });
        right += got.is_ok() && *got == 7 ? 1 : 0;
      });
    }
    first.let_go();
  }

  EXPECT_EQ(right, 4);
}

TEST_F(TimedCacheTest, LetsAnotherAskWhenTheFirstWasCancelled) {
  SlowAsker first(cache_, cancelled("its client left"));
  int got = 0;
  Thread other("other", [&] {
    got = *cache_.get("a", {}, [] { return Cache::Timed{Result<int>(8), 60s}; });
  });

  first.let_go();
  other.join();

  EXPECT_EQ(got, 8);
}

TEST_F(TimedCacheTest, DoesNotKeepAWaiterThatIsCancelled) {
  SlowAsker first(cache_, 7);
  CancelSource source;
  Thread canceller("canceller", [&] {
    static_cast<void>(CancelToken().wait_for(20ms));
    source.cancel();
  });

  const auto got =
      cache_.get("a", source.token(), [] { return Cache::Timed{Result<int>(-1), 60s}; });
  first.let_go();

  EXPECT_EQ(got.status().code(), StatusCode::Cancelled);
}

}  // namespace
}  // namespace vkhost::kubelet
