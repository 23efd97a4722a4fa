#include "daemon/provider_reload.hpp"

#include "config/toml_reader.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_library.hpp"
#include "support/recording_log_sink.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kSchema = R"({"type":"object","properties":{
  "region":{"type":"string"},
  "interval":{"type":"integer","x-reloadable":true},
  "key":{"type":"string","x-secret":true,"x-reloadable":true}}})";

class ProviderReloadTest : public ::testing::Test {
 protected:
  ProviderReloadTest() { library_.extensions = {"vkp.reconfigure/1"}; }

  [[nodiscard]] config::ProviderConfig config(std::string_view toml) const {
    auto source = std::make_shared<config::Source>();
    source->name = "a.toml";
    source->folder = folder_.path();
    source->has_lines = true;
    config::Problems problems;
    config::ProviderConfig made;
    made.name = "test";
    made.settings = config::SettingsDocument(*config::read_toml(toml, source, problems));
    return made;
  }
  void given_running(std::string_view toml) {
    const config::ProviderConfig running = config(toml);
    config::Problems problems;
    const auto checked = check_provider_settings(library_, running.settings, "provider.settings",
                                                 outside_, problems);
    ASSERT_TRUE(checked.has_value()) << problems.to_string();
    reload_ = std::make_unique<ProviderReload>(
        running, "provider.settings", *checked,
        ProviderReload::Parts{&library_, &outside_, clock_, std::make_shared<SeededRandom>(1),
                              observe::Logger(log_)});
    reload_->add("node-1", [this](const Secret& json) {
      handed_.push_back(json.reveal());
      return answer_;
    });
    reload_->look();  // what the first look reads is what there is
    ASSERT_THAT(handed_, IsEmpty());
  }
  // False: it has errors.
  bool change_to(std::string_view toml) {
    auto prepared = reload_->prepare(config(toml), "provider.settings", problems_);
    if (!prepared) {
      return false;
    }
    reload_->apply(std::move(*prepared));
    return true;
  }

  const vkhost::testing::TestFolder folder_;
  vkhost::testing::FakeLibrary library_{kSchema};
  const SettingsOutside outside_{[](const std::string&) { return std::nullopt; }, {}};
  std::shared_ptr<vkhost::testing::FakeClock> clock_ =
      std::make_shared<vkhost::testing::FakeClock>();
  std::shared_ptr<vkhost::testing::RecordingLogSink> log_ =
      std::make_shared<vkhost::testing::RecordingLogSink>();
  config::Problems problems_;
  Status answer_;
  std::vector<std::string> handed_;
  std::unique_ptr<ProviderReload> reload_;
};

TEST_F(ProviderReloadTest, HandsOverWhatIsReloadable) {
  given_running("region = 'x'\ninterval = 1");

  EXPECT_TRUE(change_to("region = 'x'\ninterval = 2"));

  EXPECT_THAT(handed_, ElementsAre(R"({"interval":2,"region":"x"})"));
}

TEST_F(ProviderReloadTest, HandsNothingOverWhenNothingHasChanged) {
  given_running("region = 'x'\ninterval = 1");

  EXPECT_TRUE(change_to("interval = 1\n\n# a comment\nregion = 'x'"));

  EXPECT_THAT(handed_, IsEmpty());
}

TEST_F(ProviderReloadTest, NamesWhatTakesARestartWithItsPlaceAndHandsOverTheRest) {
  given_running("region = 'x'\ninterval = 1");

  EXPECT_TRUE(change_to("interval = 2\nregion = 'y'"));

  EXPECT_THAT(handed_, ElementsAre(R"({"interval":2,"region":"x"})"));
  EXPECT_THAT(log_->lines(),
              Contains(AllOf(HasSubstr("takes a restart"), HasSubstr("provider.settings.region"),
                             HasSubstr("a.toml:2"))));
}

TEST_F(ProviderReloadTest, NamesEverythingWhereThePluginTakesNothing) {
  library_.extensions.clear();
  given_running("region = 'x'\ninterval = 1");

  EXPECT_TRUE(change_to("region = 'x'\ninterval = 2"));

  EXPECT_THAT(handed_, IsEmpty());
  EXPECT_THAT(log_->lines(), Contains(AllOf(HasSubstr("takes a restart"),
                                            HasSubstr("provider.settings.interval"))));
}

TEST_F(ProviderReloadTest, ChangesNothingWhenTheSettingsAreWrong) {
  given_running("region = 'x'\ninterval = 1");

  EXPECT_FALSE(change_to("region = 'x'\ninterval = 'often'"));

  EXPECT_THAT(handed_, IsEmpty());
  EXPECT_THAT(problems_.to_string(), AllOf(HasSubstr("a.toml:2"), HasSubstr("interval")));
}

// What the plugin would refuse in the company of the old region is not tried with it.
TEST_F(ProviderReloadTest, LeavesForARestartWhatBelongsToSomethingThatTakesOne) {
  library_.judge = [](std::string_view json) {
    const bool fits = json.find("\"x\"") == std::string_view::npos ||
                      json.find("\"interval\":2") == std::string_view::npos;
    return fits ? std::vector<plugin::ConfigProblem>()
                : std::vector<plugin::ConfigProblem>{{false, "/interval", "not in this region"}};
  };
  given_running("region = 'x'\ninterval = 1");

  EXPECT_TRUE(change_to("region = 'y'\ninterval = 2"));

  EXPECT_THAT(handed_, IsEmpty());
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("provider.settings.interval")));
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("provider.settings.region")));
}

TEST_F(ProviderReloadTest, TakesAChangeBack) {
  given_running("interval = 1");
  change_to("interval = 2");

  change_to("interval = 1");

  EXPECT_THAT(handed_, ElementsAre(R"({"interval":2})", R"({"interval":1})"));
}

TEST_F(ProviderReloadTest, AsksAgainWhatHadAPassingReason) {
  given_running("interval = 1");
  answer_ = unavailable("the back end is away");
  change_to("interval = 2");
  ASSERT_TRUE(reload_->wants_looks());
  reload_->look();
  ASSERT_THAT(handed_, SizeIs(1));

  answer_ = Status::ok();
  clock_->advance(1min);
  reload_->look();

  EXPECT_THAT(handed_, SizeIs(2));
  EXPECT_FALSE(reload_->wants_looks());
}

TEST_F(ProviderReloadTest, AsksOnceForWhatTheProviderTakesAtARestartOnly) {
  given_running("interval = 1");
  answer_ = failed_precondition("interval cannot change");
  change_to("interval = 2");

  clock_->advance(1h);
  reload_->look();

  EXPECT_THAT(handed_, SizeIs(1));
  EXPECT_FALSE(reload_->wants_looks());
  EXPECT_THAT(log_->lines(),
              Contains(AllOf(HasSubstr("at a restart only"), HasSubstr("interval cannot change"))));
}

// One that refuses, and later takes something else.
TEST_F(ProviderReloadTest, AsksAnInstanceThatRefusedForTheNextChange) {
  given_running("interval = 1");
  answer_ = failed_precondition("no");
  change_to("interval = 2");

  answer_ = Status::ok();
  change_to("interval = 3");

  EXPECT_THAT(handed_, ElementsAre(R"({"interval":2})", R"({"interval":3})"));
}

TEST_F(ProviderReloadTest, LeavesTheOthersAloneWhenOneHangs) {
  given_running("interval = 1");
  int others = 0;
  reload_->add("node-2", [&](const Secret&) {
    ++others;
    return Status::ok();
  });
  answer_ = deadline_exceeded("it hangs");

  change_to("interval = 2");
  EXPECT_EQ(others, 0);
  answer_ = Status::ok();
  clock_->advance(1min);
  reload_->look();

  EXPECT_EQ(others, 1);
}

TEST_F(ProviderReloadTest, TakesTheChangedContentOfAFile) {
  static_cast<void>(folder_.write("key", "old"));
  given_running("key = { file = 'key' }");
  ASSERT_TRUE(reload_->wants_looks());

  static_cast<void>(folder_.write("key", "brand-new"));
  reload_->look();
  reload_->look();

  EXPECT_THAT(handed_, ElementsAre(R"({"key":"brand-new"})"));
  EXPECT_THAT(log_->lines(), Not(Contains(HasSubstr("brand-new"))));
}

TEST_F(ProviderReloadTest, KeepsWhatItHasWhileTheFileIsNotThere) {
  const auto file = folder_.write("key", "old");
  given_running("key = { file = 'key' }");

  std::filesystem::remove(file);
  reload_->look();
  EXPECT_THAT(handed_, IsEmpty());
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("the present settings stay")));
  static_cast<void>(folder_.write("key", "next"));
  reload_->look();

  EXPECT_THAT(handed_, ElementsAre(R"({"key":"next"})"));
}

}  // namespace
}  // namespace vkhost::daemon
