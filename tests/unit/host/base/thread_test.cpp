#include "base/thread.hpp"

#include <gtest/gtest.h>

#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>

namespace vkhost {
namespace {

TEST(Thread, IsJoinedWhenItEnds) {
  std::atomic<bool> ran{false};
  {
    const Thread thread("worker", [&] { ran = true; });
  }

  EXPECT_TRUE(ran);
}

TEST(Thread, HasItsNameInTheProcessListCutToFifteenBytes) {
  std::string name;
  Thread thread("a-name-longer-than-15", [&] {
    std::array<char, 32> buffer{};
    pthread_getname_np(pthread_self(), buffer.data(), buffer.size());
    name = buffer.data();
  });

  thread.join();

  EXPECT_EQ(name, "a-name-longer-t");
}

TEST(Thread, TakesNoSignalsButThoseOfItsOwnFaults) {
  sigset_t mask;
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  Thread thread("worker", [&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); });
  thread.join();

  EXPECT_EQ(sigismember(&mask, SIGTERM), 1);
  EXPECT_EQ(sigismember(&mask, SIGHUP), 1);
  EXPECT_EQ(sigismember(&mask, SIGSEGV), 0);
  EXPECT_EQ(sigismember(&mask, SIGABRT), 0);

  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

TEST(Thread, AssignmentJoinsTheOneThatWasThere) {
  std::atomic<int> ended{0};
  Thread thread("first", [&] { ++ended; });

  thread = Thread("second", [&] { ++ended; });

  EXPECT_GE(ended, 1);
  thread.join();
  EXPECT_EQ(ended, 2);
  EXPECT_FALSE(thread.joinable());
  thread.join();  // nothing to join is no error
}

TEST(ThreadDeathTest, EndsTheProcessWithASentenceForAnException) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");

  EXPECT_DEATH(
      {
        Thread thread("broken", [] { throw std::runtime_error("out of luck"); });
        thread.join();
      },
      "thread broken ended by an exception: out of luck");
}

}  // namespace
}  // namespace vkhost
