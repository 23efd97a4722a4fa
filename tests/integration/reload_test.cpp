// SIGHUP to the built daemon, without a cluster: what changes, what takes a restart, what is refused.
#include "http/client.hpp"
#include "support/certificates.hpp"
#include "support/child_process.hpp"
#include "support/daemon_process.hpp"
#include "support/places.hpp"
#include "support/test_folder.hpp"
#include "support/tls_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

namespace vkhost::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kSoon{30};
constexpr std::string_view kReadAgain = "the configuration was read again";

class Reload : public ::testing::Test {
 protected:
  Reload() { std::filesystem::create_directories(manifests()); }

  [[nodiscard]] std::filesystem::path manifests() const { return folder_.path() / "manifests"; }
  void given_pod(const std::string& name) const {
    std::ofstream(manifests() / (name + ".new"))
        << "apiVersion: v1\nkind: Pod\nmetadata: {name: " << name
        << "}\nspec:\n  terminationGracePeriodSeconds: 0\n"
           "  containers: [{name: main, image: app}]\n";
    std::filesystem::rename(manifests() / (name + ".new"), manifests() / (name + ".yaml"));
  }
  [[nodiscard]] DaemonSettings with(const std::string& more,
                                    const std::string& provider_settings = "") const {
    DaemonSettings settings = settings_;
    settings.node_name = "virtual";
    settings.provider_settings = provider_settings;
    settings.more =
        "[standalone]\nenabled = true\nmanifests = '" + manifests().string() + "'\n" + more;
    return settings;
  }
  void start(const std::string& more = "", const std::string& provider_settings = "") {
    daemon_ = std::make_unique<DaemonProcess>(with(more, provider_settings));
    ASSERT_TRUE(daemon_->wait_for_log("node is up", kSoon));
  }
  // A changed file and a SIGHUP; returns when the daemon has said `answer`.
  void change_to(const std::string& more,
                 const std::string& provider_settings = "",
                 std::string_view answer = kReadAgain) {
    daemon_->configure(with(more, provider_settings));
    daemon_->send_signal(SIGHUP);
    ASSERT_TRUE(daemon_->wait_for_log(answer, kSoon)) << answer;
  }
  [[nodiscard]] std::string get(const std::string& what) const {
    return run_command({.argv = {daemon_path(), "get", what, "--config", daemon_->config_file()}},
                       kSoon)
        .output;
  }
  template <typename Condition>
  std::string get_until(const std::string& what, const Condition& holds) const {
    const auto deadline = std::chrono::steady_clock::now() + kSoon;
    std::string output;
    do {
      output = get(what);
    } while (!holds(output) && std::chrono::steady_clock::now() < deadline);
    return output;
  }
  static auto has(const std::string& text) {
    return [text](const std::string& output) { return output.find(text) != std::string::npos; };
  }
  // Of the line of the log with `message`.
  [[nodiscard]] std::string log_line(std::string_view message) const {
    const std::string log = daemon_->log();
    const std::size_t at = log.find(message);
    if (at == std::string::npos) {
      return "";
    }
    const std::size_t begin = log.rfind('\n', at) + 1;
    return log.substr(begin, log.find('\n', at) - begin);
  }
  [[nodiscard]] int kubelet_port() const {
    const std::string line = log_line("\"message\":\"kubelet API\"");
    const std::string key = "\"port\":\"";
    const std::size_t at = line.find(key);
    return at == std::string::npos ? 0 : std::stoi(line.substr(at + key.size()));
  }
  // Whether the kubelet API shows a certificate that this authority has signed.
  [[nodiscard]] bool shows_certificate_of(const CertificateAuthority& authority) const {
    std::string why;
    return TlsStream::connect(TlsContext::client(authority.certificate_pem()), kubelet_port(),
                              {SystemClock().steady_now() + kSoon, -1}, &why) != nullptr;
  }

  const TestFolder folder_;
  DaemonSettings settings_;
  std::unique_ptr<DaemonProcess> daemon_;
};

// The workloads of the mock vanish a second after their start.
constexpr const char* kVanishing =
    "[[provider.settings.rules]]\nmatch = { name = 'lost-*' }\nvanish_after_ms = 1000\n";

TEST_F(Reload, ChangesPoliciesWithoutARestart) {
  start("[policies]\non_lost = 'wait'\n[pods]\nresync_interval = '1s'\n", kVanishing);
  given_pod("lost-1");
  ASSERT_THAT(get_until("pods", has("Running")), HasSubstr("lost-1"));
  const pid_t before = daemon_->pid();

  change_to("[policies]\non_lost = 'fail'\n[pods]\nresync_interval = '1s'\n", kVanishing);

  const std::string failed = "ContainerStatusUnknown";
  EXPECT_THAT(get_until("pods", has(failed)), HasSubstr(failed));
  EXPECT_EQ(daemon_->pid(), before);
  EXPECT_THAT(log_line("a changed setting is in use"),
              AllOf(HasSubstr("policies.on_lost"), HasSubstr("vkhost.toml:")));
}

TEST_F(Reload, ChangesTheLogLevelAndBack) {
  start("[log]\nlevel = 'info'\n");
  change_to("[log]\nlevel = 'error'\n", "", "a changed setting is in use");
  // Says nothing of itself any more, so the next level tells that it was read.
  change_to("[log]\nlevel = 'debug'\n");

  EXPECT_THAT(daemon_->log(), HasSubstr(kReadAgain));
}

TEST_F(Reload, NamesWhatTakesARestart) {
  start();

  change_to("[pods]\nworkers = 3\n");

  EXPECT_THAT(log_line("a changed setting takes a restart"),
              AllOf(HasSubstr("pods.workers"), HasSubstr("vkhost.toml:")));
}

TEST_F(Reload, KeepsTheOldOneWhenTheNewIsWrong) {
  start();
  given_pod("web");
  ASSERT_THAT(get_until("pods", has("Running")), HasSubstr("web"));

  change_to("[policies]\non_lost = 'eat'\n[log]\nlevel = 'debug'\n", "", "nothing of it is used");

  EXPECT_THAT(log_line("nothing of it is used"),
              AllOf(HasSubstr("vkhost.toml:"), HasSubstr("policies.on_lost")));
  EXPECT_THAT(daemon_->log(), Not(HasSubstr("a changed setting is in use")));
  EXPECT_THAT(get("pods"), HasSubstr("Running"));
}

TEST_F(Reload, KeepsTheOldOneWhenThePluginRefusesTheNew) {
  start("[policies]\non_lost = 'fail'\n", "cpu = '4'\n");

  change_to("[policies]\non_lost = 'wait'\n", "cpu = 'many'\n", "nothing of it is used");

  EXPECT_THAT(log_line("nothing of it is used"), HasSubstr("provider.settings.cpu"));
  EXPECT_THAT(daemon_->log(), Not(HasSubstr("a changed setting is in use")));
}

TEST_F(Reload, HandsSettingsToTheProviderAndNamesTheOthers) {
  start("", "cpu = '4'\nseed = 1\n");

  change_to("", "cpu = '8'\nseed = 2\n");

  EXPECT_TRUE(daemon_->wait_for_log("the provider has taken its changed settings", kSoon));
  EXPECT_THAT(log_line("a changed setting takes a restart"), HasSubstr("provider.settings.seed"));
}

// The key of the account is renewed by whoever writes the file; nobody tells the daemon.
TEST_F(Reload, TakesANewKeyFromItsFileAndTriesAgainWhatTheOldOneHeldUp) {
  const auto key = folder_.write("key", "expired-1");
  start("", "api_key = { file = '" + key.string() + "' }\n");
  given_pod("web");
  ASSERT_TRUE(daemon_->wait_for_log("KeyExpired", kSoon));

  static_cast<void>(folder_.write("key", "fresh-key"));

  EXPECT_THAT(get_until("pods", has("Running")), HasSubstr("Running"));
  EXPECT_THAT(daemon_->log(), Not(HasSubstr("fresh-key")));
}

TEST_F(Reload, ShowsAnotherCertificateOnceItsFilesHaveChanged) {
  const CertificateAuthority first("first");
  const CertificateAuthority second("second");
  const auto one = issue_for_loopback(first);
  settings_.kubelet_settings =
      "certificate_file = '" + folder_.write("tls.crt", one.certificate_pem).string() +
      "'\nkey_file = '" + folder_.write("tls.key", one.key_pem).string() + "'\n";
  start();
  ASSERT_TRUE(shows_certificate_of(first));

  const auto two = issue_for_loopback(second);
  static_cast<void>(folder_.write("tls.crt", two.certificate_pem));
  static_cast<void>(folder_.write("tls.key", two.key_pem));
  change_to("");

  EXPECT_TRUE(shows_certificate_of(second));
  EXPECT_FALSE(shows_certificate_of(first));
  EXPECT_THAT(get("nodes"), HasSubstr("virtual"));  // who knows it by the runtime file
}

// As systemd hears it with Type=notify-reload.
TEST_F(Reload, TellsTheServiceManagerWhenItBeginsAndWhenItIsDone) {
  const std::string path = folder_.path() / "notify";
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path[0], path.c_str(), path.size());
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const timeval patience{kSoon.count(), 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const auto told = [&] {
    std::array<char, 128> text{};
    const ssize_t size = ::recv(socket.get(), text.data(), text.size(), 0);
    return std::string(text.data(), static_cast<std::size_t>(size < 0 ? 0 : size));
  };
  settings_.environment = {{"NOTIFY_SOCKET", path}};
  start();
  ASSERT_EQ(told(), "READY=1");

  change_to("");

  EXPECT_THAT(told(), ::testing::StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(told(), "READY=1");
}

}  // namespace
}  // namespace vkhost::testing
