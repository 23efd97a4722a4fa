#include "base/thread_pool.hpp"

#include "base/mutex.hpp"

#include <gmock/gmock.h>

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <thread>

namespace vkhost {
namespace {

// A door that threads wait at until it is opened.
class Door {
 public:
  void open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    MutexLock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    while (!open_) {
      changed_.wait(mutex_);
    }
  }
  void await_waiting(int count) {
    MutexLock lock(mutex_);
    while (waiting_ < count) {
      changed_.wait(mutex_);
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ VKHOST_GUARDED_BY(mutex_) = false;
  int waiting_ VKHOST_GUARDED_BY(mutex_) = 0;
};

TEST(ThreadPool, RunsEveryTaskThoughAllOthersWait) {
  const SystemClock clock;
  ThreadPool threads(clock);
  const auto door = std::make_shared<Door>();

  for (int task = 0; task < 20; ++task) {
    ASSERT_TRUE(threads.run([door] { door->pass(); }).is_ok());
  }
  door->await_waiting(20);

  EXPECT_EQ(threads.threads(), 20U);
  door->open();
}

TEST(ThreadPool, UsesAnIdleThreadAgain) {
  const SystemClock clock;
  ThreadPool threads(clock);

  for (int task = 0; task < 50; ++task) {
    const auto done = std::make_shared<Door>();
    ASSERT_TRUE(threads.run([done] { done->pass(); }).is_ok());
    done->await_waiting(1);
    done->open();
  }

  EXPECT_LT(threads.threads(), 10U);
}

TEST(ThreadPool, RefusesWhatNeedsMoreThreadsThanAllowed) {
  const SystemClock clock;
  ThreadPool threads(clock, {.max_threads = 2});
  const auto door = std::make_shared<Door>();
  ASSERT_TRUE(threads.run([door] { door->pass(); }).is_ok());
  ASSERT_TRUE(threads.run([door] { door->pass(); }).is_ok());
  door->await_waiting(2);

  const Status third = threads.run([] {});

  EXPECT_EQ(third.code(), StatusCode::ResourceExhausted);
  door->open();
}

TEST(ThreadPool, LetsIdleThreadsGo) {
  const SystemClock clock;
  ThreadPool threads(clock, {.kept_idle = 1, .idle_limit = std::chrono::milliseconds(1)});
  const auto door = std::make_shared<Door>();
  for (int task = 0; task < 8; ++task) {
    ASSERT_TRUE(threads.run([door] { door->pass(); }).is_ok());
  }
  door->await_waiting(8);
  door->open();

  while (threads.threads() > 1) {
    std::this_thread::yield();
  }

  EXPECT_EQ(threads.threads(), 1U);
}

TEST(ThreadPool, BlocksSignalsThatAreForTheHost) {
  const SystemClock clock;
  std::atomic<bool> blocked = false;
  {
    ThreadPool threads(clock);
    ASSERT_TRUE(threads
                    .run([&] {
                      sigset_t mask;
                      pthread_sigmask(SIG_BLOCK, nullptr, &mask);
                      blocked =
                          sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGCHLD) == 1;
                    })
                    .is_ok());
  }

  EXPECT_TRUE(blocked);
}

TEST(ThreadPool, SurvivesATaskThatEndsItsThread) {
  const SystemClock clock;
  ThreadPool threads(clock);
  ASSERT_TRUE(threads.run([] { pthread_exit(nullptr); }).is_ok());
  while (threads.threads() > 0) {
    std::this_thread::yield();
  }

  const auto done = std::make_shared<Door>();
  ASSERT_TRUE(threads.run([done] { done->pass(); }).is_ok());
  done->await_waiting(1);
  done->open();
}

TEST(ThreadPool, LeavesAThreadBehindThatATaskDoesNotGiveBack) {
  const SystemClock clock;
  const auto door = std::make_shared<Door>();  // never opened: the thread stands there at exit
  ThreadPool threads(clock, {.end_limit = std::chrono::milliseconds(10)});

  ASSERT_TRUE(threads.run([door] { door->pass(); }).is_ok());
  door->await_waiting(1);
}

}  // namespace
}  // namespace vkhost
