#include "mock/scheduler.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

namespace vkhost::mock {
namespace {

constexpr Millis kNever = Millis{1} << 50U;

class CountingTask final : public Scheduler::Task {
 public:
  ~CountingTask() = default;
  std::optional<Millis> run(Millis) noexcept override {
    const std::lock_guard lock(mutex_);
    ++runs_;
    changed_.notify_all();
    return runs_ < wanted_ ? std::optional<Millis>(0) : std::nullopt;
  }
  // Runs again at once until it has run so often.
  void want(int runs) { wanted_ = runs; }
  bool has_run(int times) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return runs_ >= times; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int runs_ = 0;
  int wanted_ = 1;
};

TEST(Scheduler, RunsATaskThatIsDue) {
  Scheduler scheduler;
  CountingTask task;

  scheduler.add(task, 0);

  EXPECT_TRUE(task.has_run(1));
  scheduler.remove(task);
}

TEST(Scheduler, RunsATaskAgainWhenItSaysSo) {
  Scheduler scheduler;
  CountingTask task;
  task.want(3);

  scheduler.add(task, 0);

  EXPECT_TRUE(task.has_run(3));
  scheduler.remove(task);
}

TEST(Scheduler, RunsATaskEarlierWhenItIsWoken) {
  Scheduler scheduler;
  CountingTask task;
  CountingTask other;
  scheduler.add(task, kNever);
  scheduler.add(other, kNever);

  scheduler.wake(task, now_millis());
  scheduler.wake(task, kNever);

  EXPECT_TRUE(task.has_run(1));
  scheduler.remove(task);
  scheduler.remove(other);
}

TEST(Scheduler, IgnoresAWakeOfATaskThatItDoesNotHave) {
  Scheduler scheduler;
  CountingTask stranger;
  CountingTask task;

  scheduler.wake(stranger, 0);
  scheduler.add(task, 0);

  EXPECT_TRUE(task.has_run(1));
  scheduler.remove(task);
}

TEST(Scheduler, EndsWhileTasksAreStillToCome) {
  CountingTask task;
  Scheduler scheduler;

  scheduler.add(task, kNever);
}

}  // namespace
}  // namespace vkhost::mock
