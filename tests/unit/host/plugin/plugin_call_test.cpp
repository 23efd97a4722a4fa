#include "plugin/plugin_call.hpp"

#include "base/thread.hpp"
#include "plugin/abi_read.hpp"
#include "support/exposition.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>

#include <pthread.h>

#include <atomic>
#include <stdexcept>

namespace vkhost::plugin {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class PluginCall : public ::testing::Test {
 protected:
  Status run(PluginCalls::Body body, const CallOptions& options = {}, const char* key = "pod 1") {
    return calls_.run({"create_pod default/web", key}, options, sink_, std::move(body));
  }

  CallOptions within(milliseconds time) {
    CallOptions options;
    options.deadline = Deadline::after(clock_, time);
    return options;
  }

  // A call that hangs until release(), whatever the host does.
  Status run_hanging(const char* key = "pod 1") {
    return run(
        [this](const CallPointers& to) {
          while (!released_) {
            std::this_thread::yield();
          }
          static_cast<void>(to.text->put(to.text, "too late", 8));
          return VKP_OK;
        },
        within(milliseconds(1)), key);
  }

  void release() {
    released_ = true;
    while (calls_.stuck() > 0) {
      std::this_thread::yield();
    }
  }

  SystemClock clock_;
  std::shared_ptr<vkhost::testing::RecordingLogSink> log_ =
      std::make_shared<vkhost::testing::RecordingLogSink>();
  std::shared_ptr<TextSink> sink_ = std::make_shared<TextSink>(100);
  std::atomic<bool> released_ = false;
  std::shared_ptr<observe::Metrics> registry_ = std::make_shared<observe::Metrics>();
  ThreadPool threads_{clock_};
  PluginCalls calls_{CallParts{"fake",
                               threads_,
                               clock_,
                               observe::Logger(log_),
                               {milliseconds(20), milliseconds(30'000), 2},
                               std::make_shared<std::atomic<std::size_t>>(0),
                               std::make_shared<CallMetrics>(registry_, "cloud")}};

  double counted(std::string_view name, const vkhost::testing::Labels& labels) const {
    return vkhost::testing::sum_of(vkhost::testing::parse_exposition(registry_->render()), name,
                                   labels);
  }
};

TEST_F(PluginCall, ReturnsWhatThePluginReturns) {
  EXPECT_TRUE(run([](const auto&) { return VKP_OK; }).is_ok());
  const Status failed = run([](const auto&) { return VKP_NOT_FOUND; });
  EXPECT_EQ(failed.code(), StatusCode::NotFound);
  EXPECT_THAT(failed.message(), HasSubstr("plugin fake: create_pod default/web failed"));
}

TEST_F(PluginCall, RunsOnAThreadOfItsOwn) {
  const pthread_t here = pthread_self();
  EXPECT_TRUE(run([here](const auto&) {
                return pthread_equal(here, pthread_self()) ? VKP_INTERNAL : VKP_OK;
              }).is_ok());
}

TEST_F(PluginCall, TellsTheTimeThatIsLeft) {
  std::int64_t timeout = 0;
  EXPECT_TRUE(run(
                  [&](const CallPointers& to) {
                    timeout = to.call->timeout_ms;
                    return VKP_OK;
                  },
                  within(milliseconds(9000)))
                  .is_ok());
  EXPECT_GT(timeout, 1000);
  EXPECT_LE(timeout, 9000);
}

TEST_F(PluginCall, GivesACallWithoutDeadlineOne) {
  std::int64_t timeout = 0;
  EXPECT_TRUE(run([&](const CallPointers& to) {
                timeout = to.call->timeout_ms;
                return VKP_OK;
              }).is_ok());
  EXPECT_EQ(timeout, 30'000);
}

TEST_F(PluginCall, DoesNotBeginWhatIsCancelledOrLate) {
  bool called = false;
  const auto body = [&](const auto&) {
    called = true;
    return VKP_OK;
  };
  CancelSource source;
  source.cancel();
  CallOptions cancelled_options;
  cancelled_options.cancel = source.token();

  const Status is_cancelled = run(body, cancelled_options);
  const Status is_late = run(body, within(milliseconds(-5)));

  EXPECT_EQ(is_cancelled.code(), StatusCode::Cancelled);
  EXPECT_EQ(is_cancelled.effect(), Effect::None);
  EXPECT_EQ(is_late.code(), StatusCode::DeadlineExceeded);
  EXPECT_EQ(is_late.effect(), Effect::None);
  EXPECT_FALSE(called);
}

// Waits for the cancel as a good plugin does: by callback.
vkp_code return_when_cancelled(const CallPointers& to, vkp_code code) {
  std::atomic<bool> cancelled = false;
  to.call->on_cancel(
      to.call, [](void* user) { static_cast<std::atomic<bool>*>(user)->store(true); }, &cancelled);
  while (!cancelled) {
    std::this_thread::yield();
  }
  vkp_error error{};
  error.size = sizeof(error);
  error.effect = VKP_EFFECT_NONE;
  to.call->fail(to.call, &error);
  return code;
}

TEST_F(PluginCall, CancelsTheCallWhenTheHostDoes) {
  CancelSource source;
  CallOptions options;
  options.cancel = source.token();
  Thread canceller;

  const Status status = run(
      [&](const CallPointers& to) {
        canceller = Thread("canceller", [&] { source.cancel(); });
        return return_when_cancelled(to, VKP_CANCELLED);
      },
      options);

  EXPECT_EQ(status.code(), StatusCode::Cancelled);
  EXPECT_EQ(status.effect(), Effect::None);
}

TEST_F(PluginCall, CancelsTheCallWhenItsDeadlinePasses) {
  const Status status =
      run([](const CallPointers& to) { return return_when_cancelled(to, VKP_CANCELLED); },
          within(milliseconds(1)));

  EXPECT_EQ(status.code(), StatusCode::DeadlineExceeded);
  EXPECT_EQ(status.effect(), Effect::None);
}

TEST_F(PluginCall, BelievesACancelledCallThatHappened) {
  EXPECT_TRUE(run([](const CallPointers& to) { return return_when_cancelled(to, VKP_OK); },
                  within(milliseconds(1)))
                  .is_ok());
}

TEST_F(PluginCall, AbandonsACallThatDoesNotReturn) {
  const Status status = run_hanging();

  EXPECT_EQ(status.code(), StatusCode::DeadlineExceeded);
  EXPECT_EQ(status.reason(), "PluginHung");
  EXPECT_EQ(status.effect(), Effect::Unknown);
  EXPECT_EQ(calls_.stuck(), 1U);
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("hangs and was abandoned")));
  release();
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("an abandoned call of the plugin has returned")));
  EXPECT_EQ(sink_->text(), std::nullopt);
}

TEST_F(PluginCall, IsCountedWithItsEndAlsoWhenThereIsNone) {
  ASSERT_TRUE(run([](const auto&) { return VKP_OK; }).is_ok());
  static_cast<void>(run_hanging());
  static_cast<void>(run([](const auto&) { return VKP_OK; }));  // is not made

  const std::string_view calls = "vkhost_provider_calls_total";
  EXPECT_EQ(counted(calls, {{"call", "create_pod"}}), 2);
  EXPECT_EQ(counted(calls, {{"call", "create_pod"}, {"code", "OK"}}), 1);
  EXPECT_EQ(counted(calls, {{"call", "create_pod"}, {"code", "DEADLINE_EXCEEDED"}}), 1);
  EXPECT_EQ(counted("vkhost_provider_calls_abandoned", {{"provider", "cloud"}}), 1);
  release();
  EXPECT_EQ(counted("vkhost_provider_calls_abandoned", {{"provider", "cloud"}}), 0);
}

TEST_F(PluginCall, RefusesTheNextCallForAPodWhoseCallHangs) {
  static_cast<void>(run_hanging("pod 1"));

  const Status same = run([](const auto&) { return VKP_OK; }, {}, "pod 1");
  const Status other = run([](const auto&) { return VKP_OK; }, {}, "pod 2");

  EXPECT_EQ(same.code(), StatusCode::Unavailable);
  EXPECT_EQ(same.reason(), "PluginHung");
  EXPECT_EQ(same.effect(), Effect::None);
  EXPECT_TRUE(other.is_ok());
  release();
  EXPECT_TRUE(run([](const auto&) { return VKP_OK; }, {}, "pod 1").is_ok());
}

TEST_F(PluginCall, RefusesEveryCallWhenTooManyHang) {
  static_cast<void>(run_hanging("pod 1"));
  static_cast<void>(run_hanging("pod 2"));

  const Status status = run([](const auto&) { return VKP_OK; }, {}, "pod 3");

  EXPECT_EQ(status.code(), StatusCode::Unavailable);
  EXPECT_EQ(status.scope(), Scope::Provider);
  EXPECT_THAT(status.message(), HasSubstr("2 calls have not returned"));
  release();
}

TEST_F(PluginCall, IsNotLostInACancelCallbackThatHangs) {
  struct Both {
    std::atomic<bool>* released;
    std::atomic<bool> entered = false;
  } both{&released_};

  const Status status = run(
      [&both](const CallPointers& to) {
        to.call->on_cancel(
            to.call,
            [](void* user) {
              auto& it = *static_cast<Both*>(user);
              it.entered = true;
              while (!*it.released) {
                std::this_thread::yield();
              }
            },
            &both);
        while (!both.entered) {
          std::this_thread::yield();
        }
        return VKP_CANCELLED;  // the call ends when its callback does
      },
      within(milliseconds(1)));

  EXPECT_EQ(status.reason(), "PluginHung");
  release();
}

TEST_F(PluginCall, FencesExceptions) {
  const Status standard =
      run([](const auto&) -> vkp_code { throw std::runtime_error("no \xff more"); });
  const Status number = run([](const auto&) -> vkp_code { throw 42; });

  EXPECT_EQ(standard.code(), StatusCode::Internal);
  EXPECT_EQ(standard.reason(), "PluginThrew");
  EXPECT_EQ(standard.effect(), Effect::Unknown);
  EXPECT_THAT(standard.message(),
              AllOf(HasSubstr("create_pod default/web"), HasSubstr("no \xEF\xBF\xBD more")));
  EXPECT_EQ(number.reason(), "PluginThrew");
}

TEST_F(PluginCall, SurvivesAPluginThatEndsTheThread) {
  const Status status = run([](const auto&) -> vkp_code { pthread_exit(nullptr); });

  EXPECT_EQ(status.code(), StatusCode::Internal);
  EXPECT_EQ(status.reason(), "PluginThrew");
  EXPECT_THAT(status.message(), HasSubstr("ended the thread"));
  EXPECT_TRUE(run([](const auto&) { return VKP_OK; }).is_ok());
}

TEST_F(PluginCall, TakesARefusedResultForAFailure) {
  const Status status = run([](const CallPointers& to) {
    static_cast<void>(to.text->put(to.text, "\xff", 1));
    return VKP_OK;
  });

  EXPECT_EQ(status.code(), StatusCode::InvalidArgument);
  EXPECT_EQ(status.reason(), "PluginInvalidResult");
  EXPECT_THAT(status.message(), HasSubstr("not UTF-8"));
}

TEST_F(PluginCall, SaysWhenThereIsNoThread) {
  ThreadPool none(clock_, {.max_threads = 0});
  PluginCalls calls({"fake", none, clock_, {}, {}});

  const Status status = calls.run({"ping", "ping"}, {}, sink_, [](const auto&) { return VKP_OK; });

  EXPECT_EQ(status.code(), StatusCode::ResourceExhausted);
}

}  // namespace
}  // namespace vkhost::plugin
