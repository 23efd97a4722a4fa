#include "support/daemon_process.hpp"

#include "support/places.hpp"
#include "support/run_records.hpp"

#include <gtest/gtest.h>

#include <signal.h>

#include <iostream>
#include <utility>

namespace vkhost::testing {
namespace {

// TOML's literal strings know no escapes; our paths and names have no quotes.
std::string quoted(const std::string& text) { return "'" + text + "'"; }

std::string last_lines(const std::string& log, std::size_t bytes) {
  return log.size() <= bytes ? log : log.substr(log.size() - bytes);
}

}  // namespace

DaemonProcess::DaemonProcess(DaemonSettings settings) : settings_(std::move(settings)) {
  write_configuration();
  start();
}

DaemonProcess::~DaemonProcess() {
  if (::testing::Test::HasFailure()) {
    std::cerr << "end of the daemon's log:\n" << last_lines(log(), 4000) << '\n';
  }
  child_.reset();  // all of its log is there
  keep_file(log_file(), "daemon.log");
}

void DaemonProcess::configure(DaemonSettings settings) {
  settings_ = std::move(settings);
  write_configuration();
}

void DaemonProcess::write_configuration() const {
  const std::filesystem::path plugin(settings_.plugin);
  const bool is_file = plugin.has_parent_path();
  std::string toml = "config_version = 1\n\n[provider]\nname = " + quoted(plugin.stem()) +
                     "\nlibrary = " + quoted(is_file ? plugin : plugin_path(settings_.plugin)) +
                     "\n\n[provider.settings]\n" + settings_.provider_settings +
                     "\n\n[[node]]\nname = " + quoted(settings_.node_name) + "\n" +
                     settings_.node_settings +
                     "\n\n[paths]\nstate = " + quoted(folder() / "state") +
                     "\nruntime = " + quoted(folder() / "runtime") +
                     "\n\n[kubelet]\nlisten = " + quoted(settings_.kubelet_listen) + "\n" +
                     settings_.kubelet_settings + "\n[health]\nlisten = '127.0.0.1:0'\n";
  for (const std::string& node : settings_.more_nodes) {
    toml += "\n[[node]]\nname = " + quoted(node) + "\n" + settings_.node_settings + "\n";
  }
  if (!settings_.kubeconfig.empty() || !settings_.kubernetes_settings.empty()) {
    toml += "\n[kubernetes]\n" + settings_.kubernetes_settings + "\n";
  }
  if (!settings_.kubeconfig.empty()) {
    const auto kubeconfig = folder_.write("kubeconfig", settings_.kubeconfig);
    toml += "kubeconfig = " + quoted(kubeconfig) + "\n";
  }
  static_cast<void>(folder_.write("vkhost.toml", toml + "\n" + settings_.more));
}

void DaemonProcess::start() {
  child_.reset();
  std::vector<std::string> argv = settings_.launcher;
  argv.insert(argv.end(), {settings_.program.empty() ? daemon_path() : settings_.program, "run",
                           "--config", config_file()});
  argv.insert(argv.end(), settings_.arguments.begin(), settings_.arguments.end());
  child_ = std::make_unique<ChildProcess>(
      Command{.argv = argv, .environment = settings_.environment, .log = log_file()});
}

std::optional<ExitStatus> DaemonProcess::stop(std::chrono::milliseconds within) {
  send_signal(SIGTERM);
  return wait(within);
}

void DaemonProcess::kill() {
  send_signal(SIGKILL);
  static_cast<void>(wait(std::chrono::seconds{10}));
}

}  // namespace vkhost::testing
