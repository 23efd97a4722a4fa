#include "plugin/call_context.hpp"

#include "base/thread.hpp"
#include "plugin/abi_read.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>

namespace vkhost::plugin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CallContext : public ::testing::Test {
 protected:
  static void count(void* user) { static_cast<std::atomic<int>*>(user)->fetch_add(1); }

  void lend() { pass_.emplace(call_, 1500); }
  void take_back() { pass_.reset(); }
  [[nodiscard]] const vkp_call* abi() const { return pass_->pointers().call; }

  std::shared_ptr<vkhost::testing::RecordingLogSink> log_ =
      std::make_shared<vkhost::testing::RecordingLogSink>();
  std::shared_ptr<TextSink> sink_ = std::make_shared<TextSink>(100);
  std::shared_ptr<Call> call_ =
      std::make_shared<Call>("create_pod default/web", "00-trace-01", sink_, observe::Logger(log_));
  std::optional<CallPass> pass_;
  std::atomic<int> called_ = 0;
};

TEST_F(CallContext, TellsThePluginWhatComesWithTheCall) {
  lend();

  EXPECT_EQ(abi()->size, sizeof(vkp_call));
  EXPECT_EQ(abi()->timeout_ms, 1500);
  EXPECT_EQ(std::string_view(abi()->traceparent.data, abi()->traceparent.size), "00-trace-01");
  EXPECT_FALSE(abi()->cancelled(abi()));
}

TEST_F(CallContext, KeepsTheLastErrorThatThePluginGave) {
  lend();
  vkp_error error{};
  error.size = sizeof(error);
  error.message = as_text("first");
  abi()->fail(abi(), &error);
  error.message = as_text("last");
  error.retry = VKP_RETRY_NEVER;
  abi()->fail(abi(), &error);
  abi()->fail(abi(), nullptr);

  const Status status = call_->failure(VKP_INVALID_ARGUMENT, "fallback");

  EXPECT_EQ(status.message(), "last");
  EXPECT_EQ(status.retry(), Retry::Never);
}

TEST_F(CallContext, RunsCancelCallbacksOnce) {
  lend();
  EXPECT_NE(abi()->on_cancel(abi(), &count, &called_), 0U);

  call_->request_cancel();
  EXPECT_TRUE(abi()->cancelled(abi()));
  EXPECT_EQ(called_, 0);
  call_->run_cancel_callbacks();
  call_->run_cancel_callbacks();

  EXPECT_EQ(called_, 1);
}

TEST_F(CallContext, RunsALateCancelCallbackAtOnce) {
  lend();
  call_->request_cancel();
  call_->run_cancel_callbacks();

  abi()->on_cancel(abi(), &count, &called_);

  EXPECT_EQ(called_, 1);
}

TEST_F(CallContext, RunsNoCallbackThatWasTakenBack) {
  lend();
  const std::uint64_t registration = abi()->on_cancel(abi(), &count, &called_);
  abi()->off_cancel(abi(), registration);
  abi()->off_cancel(abi(), registration);
  abi()->off_cancel(abi(), 4711);

  call_->run_cancel_callbacks();

  EXPECT_EQ(called_, 0);
}

TEST_F(CallContext, RunsNoCallbackAfterTheCallHasReturned) {
  lend();
  abi()->on_cancel(abi(), &count, &called_);
  take_back();

  call_->run_cancel_callbacks();

  EXPECT_EQ(called_, 0);
}

TEST_F(CallContext, WaitsForACallbackThatRunsWhenTheCallReturns) {
  lend();
  struct Both {
    std::atomic<bool> entered = false;
    std::atomic<bool> leave = false;
    std::atomic<bool> left = false;
  } both;
  abi()->on_cancel(
      abi(),
      [](void* user) {
        auto& it = *static_cast<Both*>(user);
        it.entered = true;
        while (!it.leave) {
          std::this_thread::yield();
        }
        it.left = true;
      },
      &both);
  Thread canceller("canceller", [&] { call_->run_cancel_callbacks(); });
  while (!both.entered) {
    std::this_thread::yield();
  }
  Thread releaser("releaser", [&] { both.leave = true; });

  take_back();

  EXPECT_TRUE(both.left);
}

TEST_F(CallContext, SurvivesACallbackThatThrows) {
  lend();
  abi()->on_cancel(abi(), [](void* /*user*/) { throw std::runtime_error("boo"); }, nullptr);
  abi()->on_cancel(abi(), &count, &called_);

  call_->run_cancel_callbacks();

  EXPECT_EQ(called_, 1);
  EXPECT_THAT(log_->lines(), ElementsAre(HasSubstr("cancel callback of the plugin threw")));
}

TEST_F(CallContext, TakesNothingAndSaysSoWhenUsedAfterReturn) {
  lend();
  const CallPointers kept = pass_->pointers();
  kept.text->put(kept.text, "in time", 7);
  take_back();
  EXPECT_THAT(log_->lines(), IsEmpty());

  EXPECT_TRUE(kept.call->cancelled(kept.call));
  EXPECT_EQ(kept.text->put(kept.text, "late", 4), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(kept.problems->put(kept.problems, nullptr), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(kept.recover->put(kept.recover, nullptr), VKP_NOT_FOUND);
  EXPECT_EQ(kept.update->put(kept.update, nullptr), VKP_INVALID_ARGUMENT);
  EXPECT_EQ(kept.list->put(kept.list, nullptr), VKP_INVALID_ARGUMENT);
  kept.list->complete(kept.list);
  kept.call->fail(kept.call, nullptr);
  EXPECT_NE(kept.call->on_cancel(kept.call, &count, &called_), 0U);
  kept.call->off_cancel(kept.call, 1);

  EXPECT_EQ(called_, 0);
  EXPECT_EQ(sink_->text(), "in time");
  EXPECT_THAT(log_->lines(), ElementsAre(HasSubstr("after that call had returned "
                                                   "call=create_pod default/web")));
}

TEST_F(CallContext, LendsOtherPointersToTheNextCalls) {
  lend();
  const vkp_call* const first = abi();
  take_back();

  for (int later = 0; later < 200; ++later) {
    const CallPass pass(call_, 0);
    EXPECT_NE(pass.pointers().call, first);
  }
}

TEST_F(CallContext, TakesNullPointers) {
  lend();

  EXPECT_TRUE(abi()->cancelled(nullptr));
  abi()->fail(nullptr, nullptr);
  abi()->off_cancel(nullptr, 1);
  EXPECT_EQ(pass_->pointers().text->put(nullptr, "x", 1), VKP_INVALID_ARGUMENT);
  EXPECT_NE(abi()->on_cancel(abi(), nullptr, nullptr), 0U);
  call_->run_cancel_callbacks();
}

}  // namespace
}  // namespace vkhost::plugin
