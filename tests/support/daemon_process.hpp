// DaemonProcess: the built daemon, run by a test with a configuration and a folder of its own.
//
// Listens at ports that the kernel chooses; state and runtime folders lie in the test's folder, which
// stays when the test fails, with the log. The daemon dies with the test. One owner. [may-block]
#pragma once

#include "support/child_process.hpp"
#include "support/test_folder.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::testing {

struct DaemonSettings {
  std::string node_name = {};
  std::vector<std::string> more_nodes = {};  // like that one but for their names
  std::string kubeconfig = {};               // text, see Cluster::kubeconfig(); empty: standalone
  std::string plugin = "mock";               // by its short name, or the path of a file
  // TOML lines for these tables, and whole tables besides.
  std::string provider_settings = {};
  std::string node_settings = {};
  std::string kubernetes_settings = {};
  std::string kubelet_listen = "127.0.0.1:0";
  std::string kubelet_settings = {};
  std::string more = {};
  std::filesystem::path program = {};       // another than the product
  std::vector<std::string> arguments = {};  // after `run --config FILE`
  std::vector<std::string> launcher = {};   // a command that ends with running its arguments
  std::vector<std::pair<std::string, std::string>> environment = {};
};

class DaemonProcess {
 public:
  explicit DaemonProcess(DaemonSettings settings);
  ~DaemonProcess();
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  // Again after it ended or was killed: same folder, same configuration. Kills one that runs.
  void start();
  // SIGTERM; nothing when it still runs after that time.
  std::optional<ExitStatus> stop(std::chrono::milliseconds within = std::chrono::seconds{30});
  void kill();
  // A changed configuration for the next start, or for a reload by SIGHUP.
  void configure(DaemonSettings settings);
  void send_signal(int signal) const { child_->send_signal(signal); }
  // Nothing while it runs.
  std::optional<ExitStatus> wait(std::chrono::milliseconds within) { return child_->wait(within); }

  [[nodiscard]] pid_t pid() const { return child_->pid(); }
  // Of the run under way; earlier ones are in the file.
  [[nodiscard]] std::string log() const { return child_->output(); }
  [[nodiscard]] bool wait_for_log(std::string_view text, std::chrono::milliseconds within) const {
    return child_->wait_for_output(text, within);
  }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] std::filesystem::path log_file() const { return folder() / "daemon.log"; }
  [[nodiscard]] std::filesystem::path config_file() const { return folder() / "vkhost.toml"; }

 private:
  void write_configuration() const;

  DaemonSettings settings_;
  TestFolder folder_;
  std::unique_ptr<ChildProcess> child_;
};

}  // namespace vkhost::testing
