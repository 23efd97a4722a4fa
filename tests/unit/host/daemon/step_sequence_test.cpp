#include "daemon/step_sequence.hpp"

#include "base/cancel.hpp"
#include "base/mutex.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

// What happened, in order.
class Diary {
 public:
  void note(std::string line) {
    const MutexLock lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  std::vector<std::string> wait_for(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    const MutexLock lock(mutex_);
    while (lines_.size() < count && changed_.wait_until(mutex_, until)) {
    }
    return lines_;
  }
  [[nodiscard]] std::vector<std::string> lines() { return wait_for(0); }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> lines_ VKHOST_GUARDED_BY(mutex_);
};

class StepSequenceTest : public ::testing::Test {
 protected:
  StepSequence& start(std::vector<SequenceStep> steps) {
    sequence_ = std::make_unique<StepSequence>(
        std::move(steps),
        StepSequence::Parts{
            &executor_, &timers_, clock_, std::make_shared<SeededRandom>(1),
            [this](const SequenceStep& step, const Status& status, bool is_final) {
              diary_.note(step.what + (is_final ? " refuses" : status.is_ok() ? " ok" : " fails"));
            }});
    sequence_->start();
    return *sequence_;
  }
  SequenceStep step(const std::string& what) {
    return {what, [] { return Status::ok(); }};
  }

  const std::shared_ptr<const Clock> clock_ = std::make_shared<SystemClock>();
  Timers timers_{*clock_};
  Executor executor_{"steps", 1, *clock_};
  Diary diary_;
  std::unique_ptr<StepSequence> sequence_;
};

TEST_F(StepSequenceTest, TakesItsStepsOneAfterTheOther) {
  start({step("a"), step("b"), step("c")});

  EXPECT_THAT(diary_.wait_for(3), ElementsAre("a ok", "b ok", "c ok"));
}

TEST_F(StepSequenceTest, RepeatsAStepUntilItSucceeds) {
  std::atomic<int> tries = 0;
  start({{"a", [&] { return ++tries < 3 ? unavailable("away") : Status::ok(); }}, step("b")});

  EXPECT_THAT(diary_.wait_for(4), ElementsAre("a fails", "a fails", "a ok", "b ok"));
}

TEST_F(StepSequenceTest, HoldsNoThreadWhileItWaitsForTheNextTry) {
  std::atomic<int> tries = 0;
  start({{"a", [&] {
            ++tries;
            return unavailable("away").with_retry(Retry::After, 10min);
          }}});
  ASSERT_THAT(diary_.wait_for(1), ElementsAre("a fails"));

  executor_.submit([&] { diary_.note("another's turn"); });

  EXPECT_THAT(diary_.wait_for(2), ElementsAre("a fails", "another's turn"));
  sequence_->stop();
  EXPECT_EQ(tries, 1);
}

TEST_F(StepSequenceTest, HoldsNoThreadWhileAStepWaits) {
  std::atomic<bool> is_there = false;
  StepSequence& sequence = start({{"a",
                                   [&]() -> std::optional<Status> {
                                     diary_.note("asked");
                                     return is_there ? std::optional(Status::ok()) : std::nullopt;
                                   }},
                                  step("b")});
  ASSERT_THAT(diary_.wait_for(1), ElementsAre("asked"));
  executor_.submit([&] { diary_.note("another's turn"); });
  ASSERT_THAT(diary_.wait_for(2), ElementsAre("asked", "another's turn"));

  is_there = true;
  sequence.resume();

  EXPECT_THAT(diary_.wait_for(5), ElementsAre("asked", "another's turn", "asked", "a ok", "b ok"));
}

TEST_F(StepSequenceTest, MissesNoWordThatComesWhileTheStepStillLooks) {
  std::atomic<bool> looks = false;
  std::atomic<bool> told = false;
  std::atomic<int> asked = 0;
  StepSequence& sequence = start({{"a", [&]() -> std::optional<Status> {
                                     if (++asked > 1) {
                                       return Status::ok();
                                     }
                                     looks = true;
                                     looks.notify_all();
                                     told.wait(false);
                                     return std::nullopt;
                                   }}});
  looks.wait(false);

  sequence.resume();
  told = true;
  told.notify_all();

  EXPECT_THAT(diary_.wait_for(1), ElementsAre("a ok"));
}

TEST_F(StepSequenceTest, EndsWithTheAdviceNeverToTryAgainWhereThatCounts) {
  const auto never = [] { return unavailable("no").with_retry(Retry::Never); };
  start({{"a", never, true}, step("b")});

  EXPECT_THAT(diary_.wait_for(1), ElementsAre("a refuses"));
  sequence_->stop();
  sequence_->resume();
  EXPECT_THAT(diary_.lines(), ElementsAre("a refuses"));
}

TEST_F(StepSequenceTest, DoesNotHeedThatAdviceElsewhere) {
  std::atomic<int> tries = 0;
  start({{"a", [&] {
            return ++tries == 1 ? unavailable("no").with_retry(Retry::Never) : Status::ok();
          }}});

  EXPECT_THAT(diary_.wait_for(2), ElementsAre("a fails", "a ok"));
}

TEST_F(StepSequenceTest, StopsBehindTheStepAtWork) {
  CancelSource cancel;
  std::atomic<bool> is_inside = false;
  std::atomic<bool> has_left = false;
  start({{"a",
          [&] {
            is_inside = true;
            is_inside.notify_all();
            static_cast<void>(cancel.token().wait_until(SteadyTime::max()));
            has_left = true;
            return Status::ok();
          }},
         step("b")});
  is_inside.wait(false);

  cancel.cancel();
  sequence_->stop();

  EXPECT_TRUE(has_left);
  const auto lines = diary_.lines();
  sequence_->resume();
  executor_.submit([this] { diary_.note("after it"); });
  EXPECT_EQ(diary_.wait_for(lines.size() + 1).back(), "after it");
}

TEST_F(StepSequenceTest, TriesAtOnceWhatWouldWaitForItsNextTry) {
  std::atomic<bool> is_there = false;
  StepSequence& sequence = start(
      {{"a", [&] {
          return is_there ? Status::ok() : unavailable("away").with_retry(Retry::After, 10min);
        }}});
  ASSERT_THAT(diary_.wait_for(1), ElementsAre("a fails"));

  is_there = true;
  // It may be a moment until the step rests.
  sequence.retry();

  EXPECT_THAT(diary_.wait_for(2), ElementsAre("a fails", "a ok"));
}

TEST_F(StepSequenceTest, TriesOnceMoreWhatHadRefusedForGood) {
  std::atomic<bool> is_there = false;
  StepSequence& sequence =
      start({{"a",
              [&] {
                return is_there ? Status::ok()
                                : Status(StatusCode::Unauthenticated, "the key has expired")
                                      .with_retry(Retry::Never);
              },
              true},
             step("b")});
  ASSERT_THAT(diary_.wait_for(1), ElementsAre("a refuses"));

  is_there = true;
  sequence.retry();

  EXPECT_THAT(diary_.wait_for(3), ElementsAre("a refuses", "a ok", "b ok"));
}

TEST_F(StepSequenceTest, TriesAgainAtOnceWhenItIsAskedWhileTheStepIsAtWork) {
  std::atomic<bool> works = false;
  std::atomic<bool> told = false;
  std::atomic<int> tries = 0;
  StepSequence& sequence = start({{"a", [&]() -> std::optional<Status> {
                                     if (++tries > 1) {
                                       return Status::ok();
                                     }
                                     works = true;
                                     works.notify_all();
                                     told.wait(false);
                                     return unavailable("away").with_retry(Retry::After, 10min);
                                   }}});
  works.wait(false);

  sequence.retry();
  told = true;
  told.notify_all();

  EXPECT_THAT(diary_.wait_for(2), ElementsAre("a fails", "a ok"));
}

}  // namespace
}  // namespace vkhost::daemon
