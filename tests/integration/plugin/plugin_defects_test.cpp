// What each defect of a plugin costs: its own call, its own pod, never the host.
#include "base/thread.hpp"
#include "plugin/library.hpp"
#include "support/plugin_files.hpp"
#include "support/recording_listener.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>

#include <signal.h>
#include <stdlib.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace vkhost::plugin {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const PodRef kWeb{"default", "web", "uid-1", ""};
const PodRef kOther{"default", "other", "uid-2", ""};

class PluginDefect : public ::testing::Test {
 protected:
  // An instance of the fixture, not started.
  void given(std::string_view fixture) {
    const Result<Library*> library = loader_->load({files_.fixture(fixture), "", Trust::AnyPath});
    ASSERT_TRUE(library.is_ok()) << library.status().message();
    auto made = (*library)->create({"{}", "{}"}, listener_, {});
    ASSERT_TRUE(made.is_ok()) << made.status().message();
    provider_ = *std::move(made);
  }

  CreateOutcome create(const PodRef& ref, const CallOptions& options = {}) {
    return provider_->create_pod({ref, "{}", "{}", CreateReason::First}, options);
  }

  CallOptions within(milliseconds time) {
    CallOptions options;
    options.deadline = Deadline::after(clock_, time);
    return options;
  }

  vkhost::testing::PluginFiles files_;
  SystemClock clock_;
  std::shared_ptr<vkhost::testing::RecordingLogSink> log_ =
      std::make_shared<vkhost::testing::RecordingLogSink>();
  vkhost::testing::RecordingListener listener_;
  std::optional<Loader> loader_{std::in_place, LoaderSettings{.call_grace = milliseconds(50)},
                                clock_, observe::Logger(log_)};
  std::unique_ptr<Provider> provider_;
};

TEST_F(PluginDefect, ThrowsBecomesAnErrorOfThatCall) {
  given("throws");

  const CreateOutcome created = create(kWeb);
  const Status deleted = provider_->delete_pod({kWeb, "", {}, DeleteReason::Deleted}, {});
  const Status pinged = provider_->ping(within(milliseconds(5)));

  EXPECT_EQ(created.status.reason(), "PluginThrew");
  EXPECT_THAT(created.status.message(), HasSubstr("no more turbo"));
  EXPECT_EQ(created.handle, "written-before");
  EXPECT_EQ(deleted.reason(), "PluginThrew");
  EXPECT_EQ(pinged.code(), StatusCode::DeadlineExceeded);
}

TEST_F(PluginDefect, EndsThreadCostsThatThreadOnly) {
  given("ends_thread");

  EXPECT_EQ(provider_->ping({}).reason(), "PluginThrew");
  EXPECT_TRUE(create(kWeb).status.is_ok());
}

TEST_F(PluginDefect, HangsCostsItsOwnPod) {
  const std::string release = (files_.folder() / "release").string();
  setenv("VKHOST_FIXTURE_RELEASE", release.c_str(), 1);
  given("hangs");

  const CreateOutcome hung = create(kWeb, within(milliseconds(5)));

  EXPECT_EQ(hung.status.code(), StatusCode::DeadlineExceeded);
  EXPECT_EQ(hung.status.reason(), "PluginHung");
  EXPECT_EQ(hung.status.effect(), Effect::Unknown);
  EXPECT_EQ(hung.handle, "written-before");
  EXPECT_EQ(loader_->stuck_calls(), 1U);
  EXPECT_EQ(provider_->delete_pod({kWeb, "", {}, DeleteReason::Deleted}, {}).code(),
            StatusCode::Unavailable);
  EXPECT_EQ(provider_->delete_pod({kOther, "", {}, DeleteReason::Deleted}, {}).code(),
            StatusCode::NotFound);
  EXPECT_TRUE(provider_->ping({}).is_ok());

  std::ofstream(release) << "go";
  while (loader_->stuck_calls() > 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(provider_->delete_pod({kWeb, "", {}, DeleteReason::Deleted}, {}).code(),
            StatusCode::NotFound);
}

TEST_F(PluginDefect, ReturnsNonsenseIsRefusedPieceByPiece) {
  given("returns_nonsense");
  listener_.forget("nobody");

  EXPECT_THAT(provider_->node("n", {}).status().message(), HasSubstr("a comma or } is missing"));
  const Status pinged = provider_->ping({});
  EXPECT_EQ(pinged.code(), StatusCode::Unknown);
  EXPECT_EQ(pinged.reason(), std::string(128, 'R'));
  EXPECT_EQ(pinged.message(), "gone \xEF\xBF\xBD\xEF\xBF\xBD wrong");
  EXPECT_EQ(pinged.retry(), Retry::Backoff);
  EXPECT_EQ(pinged.scope(), Scope::Pod);
  const CreateOutcome created = create(kWeb);
  EXPECT_EQ(created.status.reason(), "PluginInvalidResult");
  EXPECT_EQ(created.handle, std::nullopt);
  const auto updated = provider_->update_pod({kWeb, "{}", "{}", kChangedImage}, {});
  ASSERT_THAT(*updated, SizeIs(1));
  EXPECT_EQ((*updated)[0].outcome, UpdateOutcome::Deferred);
  EXPECT_THAT(*provider_->recover_pods({{kWeb, "{}"}}, true, {}),
              ElementsAre(RecoverVerdict::Unknown));
}

TEST_F(PluginDefect, ReturnsNonsenseInAListCostsTheStatusOfThatPod) {
  given("returns_nonsense");

  const PodList list = *provider_->list_pods({}, {});

  ASSERT_THAT(list.pods, SizeIs(2));
  EXPECT_TRUE(list.complete);
  EXPECT_EQ(list.pods[0].verdict, ListVerdict::PresentStatusUnknown);
  EXPECT_EQ(list.pods[0].marks, Marks::Legacy);
  EXPECT_EQ(list.pods[1].verdict, ListVerdict::Unknown);

  setenv("VKHOST_FIXTURE_LOSE_AN_ITEM", "1", 1);
  EXPECT_FALSE(provider_->list_pods({}, {})->complete);
  unsetenv("VKHOST_FIXTURE_LOSE_AN_ITEM");
}

TEST_F(PluginDefect, ReturnsNonsenseInAPushIsToldSo) {
  given("returns_nonsense");
  listener_.forget("nobody");

  EXPECT_TRUE(provider_->start({"n", "o"}, {}).is_ok());

  EXPECT_THAT(listener_.changes("uid-1"), IsEmpty());
  EXPECT_THAT(listener_.handles(), IsEmpty());
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("push of an unknown pod")));
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("push refused as invalid")).Times(3));
}

TEST_F(PluginDefect, NullResultsAreErrorsOrSayNothing) {
  given("null_results");

  EXPECT_EQ(provider_->node("n", {}).status().reason(), "PluginEmptyResult");
  EXPECT_FALSE(provider_->list_pods({}, {})->complete);
  EXPECT_TRUE(create(kWeb).status.is_ok());
}

TEST_F(PluginDefect, UsesSinkAfterReturnTouchesNothing) {
  given("uses_sink_after_return");

  EXPECT_EQ(create(kWeb).handle, "in time");
  EXPECT_TRUE(provider_->ping({}).is_ok()) << "the plugin was let through";

  EXPECT_THAT(log_->lines(), Contains(AllOf(HasSubstr("after that call had returned"),
                                            HasSubstr("create_pod default/web"))));
}

TEST_F(PluginDefect, CallsBackAfterStopAreAnsweredWithCancelled) {
  given("calls_back_after_stop");
  EXPECT_TRUE(provider_->stop({}).is_ok());

  provider_.reset();

  EXPECT_THAT(log_->lines(), Contains(HasSubstr("late push answered with CANCELLED")));
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("late node_changed answered with CANCELLED")));
  EXPECT_THAT(listener_.changes("uid-1"), IsEmpty());
}

// A crash is beyond any fence: it ends the process, which only a child can show.
TEST(PluginCrash, EndsTheProcessWithItsSignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto crash = [] {
    const SystemClock clock;
    vkhost::testing::RecordingListener listener;
    Loader loader({}, clock, {});
    const auto path = vkhost::testing::fixture_path("crashes");
    const Result<Library*> library = loader.load({path, "", Trust::AnyPath});
    const auto provider = (*library)->create({"{}", "{}"}, listener, {});
    static_cast<void>(
        signal(SIGSEGV, SIG_DFL));  // a sanitizer's handler would report it its own way
    static_cast<void>((*provider)->ping({}));
  };

  EXPECT_EXIT(crash(), ::testing::KilledBySignal(SIGSEGV), "");
}

}  // namespace
}  // namespace vkhost::plugin
