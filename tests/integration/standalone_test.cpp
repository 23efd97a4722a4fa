// The built daemon without a cluster: manifests in, mock workloads out, `vkhost get` as a user sees it.
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "http/client.hpp"
#include "observe/catalogue.hpp"
#include "support/child_process.hpp"
#include "support/daemon_process.hpp"
#include "support/exposition.hpp"
#include "support/places.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::seconds kSoon{30};

class Standalone : public ::testing::Test {
 protected:
  Standalone() { std::filesystem::create_directories(manifests()); }

  [[nodiscard]] std::filesystem::path manifests() const { return folder_.path() / "manifests"; }
  void given_pod(const std::string& name, const std::string& image = "app") {
    given_manifest(name + ".yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
                                       "}\nspec:\n  terminationGracePeriodSeconds: 0\n"
                                       "  containers: [{name: main, image: " +
                                       image + "}]\n");
  }
  void given_manifest(const std::string& file, const std::string& text) {
    std::ofstream(manifests() / (file + ".new")) << text;
    std::filesystem::rename(manifests() / (file + ".new"), manifests() / file);
  }
  // One whose create_pod neither returns nor heeds that it is cancelled.
  void given_hanging_pod() {
    provider_rules_ =
        "\n[[provider.settings.rules]]\nmatch = { image = 'hangs' }\n"
        "hang = { for_ms = 0, ignore_cancel = true }\n";
    given_pod("stuck", "hangs");
  }
  [[nodiscard]] bool create_hangs() const {
    return daemon_->wait_for_log("create_pod hangs", kSoon);
  }
  void start(const std::string& more = "") {
    DaemonSettings settings = settings_;
    settings.node_name = "virtual";
    settings.provider_settings =
        "state_dir = '" + (folder_.path() / "mock").string() + "'" + provider_rules_;
    settings.more =
        "[standalone]\nenabled = true\nmanifests = '" + manifests().string() + "'\n" + more;
    daemon_ = std::make_unique<DaemonProcess>(settings);
  }
  [[nodiscard]] CommandResult vkhost(std::vector<std::string> arguments) const {
    Command command;
    command.argv = {daemon_path()};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    return run_command(command, kSoon);
  }
  [[nodiscard]] CommandResult get(const std::string& what) const {
    return vkhost({"get", what, "--config", daemon_->config_file()});
  }
  // The output of `vkhost get` once it holds.
  template <typename Condition>
  std::string get_until(const std::string& what, const Condition& holds) const {
    const auto deadline = std::chrono::steady_clock::now() + kSoon;
    std::string output;
    do {
      output = get(what).output;
    } while (!holds(output) && std::chrono::steady_clock::now() < deadline);
    return output;
  }
  [[nodiscard]] std::size_t creates() const {
    std::size_t count = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(folder_.path() / "mock")) {
      if (entry.path().filename() != "calls.log") {
        continue;
      }
      std::ifstream log(entry.path());
      for (std::string line; std::getline(log, line);) {
        count += line.find(R"("call":"create_pod")") != std::string::npos ? 1U : 0U;
      }
    }
    return count;
  }
  // What /metrics answers at health.listen.
  [[nodiscard]] std::string metrics(const std::string& accept) const {
    EXPECT_TRUE(daemon_->wait_for_log("\"message\":\"health\"", kSoon));
    const std::string log = daemon_->log();
    const std::string key = "\"port\":\"";
    const std::size_t at = log.find(key, log.find("\"message\":\"health\"")) + key.size();
    const auto clock = std::make_shared<SystemClock>();
    http::TransportSettings settings;
    settings.url = "http://127.0.0.1:" + log.substr(at, log.find('"', at) - at);
    const auto transport = http::make_poco_transport(std::move(settings), clock);
    EXPECT_TRUE(transport.is_ok()) << transport.status().to_string();
    const auto answer =
        (*transport)
            ->send({.method = "GET", .target = "/metrics", .headers = {{"Accept", accept}}},
                   Deadline::after(*clock, kSoon), {});
    EXPECT_TRUE(answer.is_ok()) << answer.status().to_string();
    return answer.is_ok() ? answer->body : std::string();
  }
  static auto has(const std::string& text) {
    return [text](const std::string& output) { return output.find(text) != std::string::npos; };
  }

  TestFolder folder_;
  DaemonSettings settings_;
  std::string provider_rules_;
  std::unique_ptr<DaemonProcess> daemon_;
};

TEST_F(Standalone, RunsThePodsOfItsFolder) {
  given_pod("web");
  start();

  EXPECT_THAT(get_until("pods", has("Running")), HasSubstr("web"));
  EXPECT_THAT(get_until("nodes", has("Ready")), HasSubstr("virtual"));
}

TEST_F(Standalone, ShowsTheMetricsOfItsCatalogueInBothFormats) {
  given_pod("stands-in-no-metric");
  start();
  ASSERT_THAT(get_until("pods", has("Running")), HasSubstr("stands-in-no-metric"));
  std::set<std::string> wanted = {"vkhost_mock_calls_total"};
  for (const observe::MetricText* metric : observe::catalogue()) {
    wanted.emplace(metric->name);
  }

  const std::string text = metrics("*/*");
  const std::string open = metrics("application/openmetrics-text;version=1.0.0");

  std::set<std::string> shown;
  const Families families = parse_exposition(text);
  for (const auto& [name, family] : families) {
    shown.insert(name);
  }
  EXPECT_EQ(shown, wanted);
  EXPECT_EQ(parse_exposition(open, observe::Exposition::OpenMetrics).size(), wanted.size());
  EXPECT_EQ(sum_of(families, "vkhost_provider_calls_total",
                   {{"provider", "mock"}, {"call", "create_pod"}, {"code", "OK"}}),
            1);
  EXPECT_EQ(sum_of(families, "vkhost_mock_calls_total", {{"call", "create_pod"}}), 1);
  EXPECT_EQ(sum_of(families, "vkhost_node_ready", {{"node", "virtual"}}), 1);
  EXPECT_EQ(text.find("stands-in-no-metric"), std::string::npos);
}

TEST_F(Standalone, FollowsManifestsThatComeChangeAndGo) {
  start();
  given_pod("web");
  ASSERT_THAT(get_until("pods", has("Running")), HasSubstr("web"));

  given_pod("web", "other");
  given_pod("second");
  ASSERT_THAT(get_until("pods", has("second")), HasSubstr("second"));
  std::filesystem::remove(manifests() / "second.yaml");

  EXPECT_THAT(get_until("pods",
                        [](const std::string& output) {
                          return output.find("second") == std::string::npos &&
                                 output.find("Running") != std::string::npos;
                        }),
              HasSubstr("web"));
  EXPECT_EQ(creates(), 3U);
}

TEST_F(Standalone, ReportsABrokenFileAndRunsTheOthers) {
  given_manifest("broken.yaml", "kind: [");
  given_pod("web");
  start();

  EXPECT_THAT(get_until("pods", has("Running")), HasSubstr("web"));
  EXPECT_THAT(daemon_->log(), HasSubstr("broken.yaml"));
}

TEST_F(Standalone, AdoptsItsPodsAfterItWasKilled) {
  given_pod("web");
  start();
  ASSERT_THAT(get_until("pods", has("Running")), HasSubstr("web"));

  daemon_->kill();
  daemon_->start();

  EXPECT_THAT(get_until("pods", has("Running")), HasSubstr("web"));
  EXPECT_EQ(creates(), 1U);
}

TEST_F(Standalone, LivesWithAPluginWithoutAnyExtensionWhosePingThrows) {
  settings_.plugin = fixture_path("bare_and_throwing");
  start();

  ASSERT_TRUE(daemon_->wait_for_log("this ping was never meant to be called", kSoon));
  EXPECT_THAT(get_until("nodes", has("NotReady")), HasSubstr("NotReady"));
  given_pod("web");
  EXPECT_THAT(get_until("pods", has("web")), HasSubstr("web"));

  EXPECT_EQ(daemon_->stop(), std::optional<ExitStatus>(0));
}

TEST_F(Standalone, StopsAtOnceAndInOrder) {
  given_pod("web");
  start();
  ASSERT_THAT(get_until("pods", has("Running")), HasSubstr("web"));

  EXPECT_EQ(daemon_->stop(), std::optional<ExitStatus>(0));
  EXPECT_EQ(get("pods").status, 5);
}

TEST_F(Standalone, LeavesInTimeWithoutWhatDoesNotEndAndNamesIt) {
  given_hanging_pod();
  start("[stop]\ntimeout = '1s'\n");
  ASSERT_TRUE(create_hangs());

  EXPECT_EQ(daemon_->stop(), std::optional<ExitStatus>(1));
  EXPECT_THAT(daemon_->log(), HasSubstr(R"("had_not_ended":"node virtual")"));
}

TEST_F(Standalone, EndsAtOnceAtASecondSignal) {
  given_hanging_pod();
  start("[stop]\ntimeout = '1h'\n");
  ASSERT_TRUE(create_hangs());
  daemon_->send_signal(SIGTERM);
  ASSERT_TRUE(daemon_->wait_for_log("vkhost stops", kSoon));

  daemon_->send_signal(SIGINT);

  EXPECT_EQ(daemon_->wait(kSoon), std::optional<ExitStatus>(128 + SIGINT));
  EXPECT_THAT(daemon_->log(), HasSubstr("second signal"));
}

TEST_F(Standalone, RefusesSettingsThatThePluginDoesNotTake) {
  const auto file = folder_.write("wrong.toml",
                                  "config_version = 1\n[provider]\nname = 'mock'\n"
                                  "[provider.settings]\ncpu = 'many'\nno_such_setting = 1\n"
                                  "[standalone]\nenabled = true\nmanifests = '/tmp'\n");

  const CommandResult result = vkhost({"check-config", file});

  EXPECT_EQ(result.status, 3) << result.output;
  EXPECT_THAT(result.output, HasSubstr("wrong.toml:6"));
  EXPECT_THAT(result.output, HasSubstr("no_such_setting"));
}

TEST_F(Standalone, SaysWhichPluginItCannotFind) {
  const auto file = folder_.write("wrong.toml",
                                  "config_version = 1\n[provider]\nname = 'nosuch'\n"
                                  "[standalone]\nenabled = true\nmanifests = '/tmp'\n");

  const CommandResult result = vkhost({"run", "--config", file});

  EXPECT_EQ(result.status, 4) << result.output;
  EXPECT_THAT(result.output, HasSubstr("nosuch"));
}

}  // namespace
}  // namespace vkhost::testing
