#include "daemon/reload.hpp"

#include "config/toml_reader.hpp"
#include "support/recording_log_sink.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
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

class ReloadTest : public ::testing::Test {
 protected:
  ~ReloadTest() override {
    if (reload_) {
      reload_->stop();
    }
  }
  [[nodiscard]] config::Loaded load(const std::string& more) const {
    const auto file = folder_.write("vkhost.toml",
                                    "config_version = 1\n[provider]\nname = 'test'\n"
                                    "[node]\nname = 'virtual'\n" +
                                        more);
    config::Sources sources;
    sources.file = file;
    sources.environment = [](const std::string& name) {
      return name == "HOME" ? std::optional<std::string>("/root") : std::nullopt;
    };
    return config::load(sources);
  }
  void start(const std::string& more = "") {
    config::Loaded running = load(more);
    ASSERT_FALSE(running.problems.has_errors()) << running.problems.to_string();
    Reload::Parts parts;
    parts.load = [this] { return load(next_); };
    parts.set_log_level = [this](config::LogLevel level) { level_ = level; };
    parts.nodes.push_back({{}, [this](pods::Settings pods, bool ignore) {
                             pods_.push_back(std::move(pods));
                             ignores_daemon_sets_ = ignore;
                           }});
    parts.credentials.push_back(
        {"the certificates",
         [](const config::Config&) { return std::vector<std::filesystem::path>(); },
         [this](const config::Config&) -> Result<std::function<void()>> {
           if (!credential_fault_.is_ok()) {
             return credential_fault_;
           }
           return std::function<void()>([this] { ++commits_; });
         }});
    parts.timers = &timers_;
    parts.clock = clock_;
    parts.log = observe::Logger(log_);
    reload_ = std::make_unique<Reload>(std::move(running.config), std::move(parts));
    reload_->start();
  }
  // SIGHUP, and all that comes of it.
  void change_to(const std::string& more) {
    next_ = more;
    std::promise<void> done;
    reload_->read_again([&] { done.set_value(); });
    done.get_future().wait();
  }

  const vkhost::testing::TestFolder folder_;
  const std::shared_ptr<const Clock> clock_ = std::make_shared<SystemClock>();
  Timers timers_{*clock_};
  std::shared_ptr<vkhost::testing::RecordingLogSink> log_ =
      std::make_shared<vkhost::testing::RecordingLogSink>();
  std::string next_;
  std::optional<config::LogLevel> level_;
  std::vector<pods::Settings> pods_;
  std::optional<bool> ignores_daemon_sets_;
  Status credential_fault_;
  int commits_ = 0;
  std::unique_ptr<Reload> reload_;
};

TEST_F(ReloadTest, HandsOutWhatMayChange) {
  start();

  change_to(
      "on_lost = 'wait'\n[log]\nlevel = 'debug'\n[policies]\norphans = 'delete'\n"
      "daemonset_pods = 'accept'\n[pods]\nbackoff_cap = '9s'\n");

  EXPECT_EQ(level_, config::LogLevel::Debug);
  ASSERT_EQ(pods_.size(), 1U);
  EXPECT_EQ(pods_[0].on_lost, pods::OnLost::Wait);
  EXPECT_EQ(pods_[0].orphans, pods::Orphans::Delete);
  EXPECT_EQ(pods_[0].backoff.cap, 9s);
  EXPECT_EQ(ignores_daemon_sets_, false);
  EXPECT_EQ(commits_, 1);
  EXPECT_EQ(reload_->running()->policies.orphans, config::Orphans::Delete);
}

TEST_F(ReloadTest, NamesWhatTakesARestartWithItsPlace) {
  start();

  change_to("[pods]\nworkers = 3\nbackoff_cap = '9s'\n");

  EXPECT_THAT(log_->lines(), Contains(AllOf(HasSubstr("takes a restart"), HasSubstr("pods.workers"),
                                            HasSubstr("vkhost.toml:7:"))));
  EXPECT_THAT(log_->lines(), Contains(AllOf(HasSubstr("is in use"), HasSubstr("pods.backoff_cap"),
                                            HasSubstr("vkhost.toml:8:"))));
  EXPECT_EQ(reload_->running()->pods.workers, 16);
}

TEST_F(ReloadTest, ComparesWithWhatRunsAndNotWithTheStart) {
  start();
  change_to("[policies]\non_lost = 'wait'\n");

  change_to("");

  ASSERT_EQ(pods_.size(), 2U);
  EXPECT_EQ(pods_[0].on_lost, pods::OnLost::Wait);
  EXPECT_EQ(pods_[1].on_lost, pods::OnLost::Fail);
  EXPECT_THAT(log_->lines(), Contains(HasSubstr("policies.on_lost")).Times(2));
}

TEST_F(ReloadTest, ChangesNothingWhenTheNewOneIsWrong) {
  start();

  change_to("[policies]\non_lost = 'wait'\norphans = 'eat'\n[log]\nlevel = 'debug'\n");

  EXPECT_THAT(pods_, IsEmpty());
  EXPECT_FALSE(level_.has_value());
  EXPECT_EQ(commits_, 0);
  EXPECT_THAT(log_->lines(),
              Contains(AllOf(HasSubstr("nothing of it is used"), HasSubstr("vkhost.toml:8:"),
                             HasSubstr("policies.orphans"))));
}

TEST_F(ReloadTest, ChangesNothingWhenACertificateIsWrong) {
  start();
  credential_fault_ = invalid_argument("the key does not belong to the certificate");

  change_to("[policies]\non_lost = 'wait'\n");

  EXPECT_THAT(pods_, IsEmpty());
  EXPECT_EQ(reload_->running()->policies.on_lost, config::OnLost::Fail);
  EXPECT_THAT(log_->lines(), Contains(AllOf(HasSubstr("nothing of it is used"),
                                            HasSubstr("reading the certificates"))));
}

TEST_F(ReloadTest, ReadsNothingOnceItIsStopped) {
  start();
  reload_->stop();
  bool done = false;
  next_ = "[policies]\non_lost = 'wait'\n";

  reload_->read_again([&] { done = true; });
  reload_.reset();  // joins its thread

  EXPECT_FALSE(done);
  EXPECT_THAT(pods_, IsEmpty());
}

}  // namespace
}  // namespace vkhost::daemon
