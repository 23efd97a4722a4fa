#include "cli/run_flags.hpp"

#include "config/keys.hpp"
#include "config/load.hpp"
#include "config/settings_tree.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace vkhost::cli {
namespace {

using ::testing::HasSubstr;

config::Loaded load(std::vector<std::string> arguments) {
  config::Problems problems;
  const CommandLine line =
      read_command_line(arguments, run_flag_table(), UnknownFlags::Kept, kKlogPrefix);
  EXPECT_TRUE(line.errors.empty());
  config::Value flags = settings_of_flags(line, problems);
  const auto environment = [](const std::string& name) {
    return name == "HOME" ? std::optional<std::string>("/home/me") : std::nullopt;
  };
  config::Loaded loaded = config::load({std::nullopt, environment, std::move(flags), false});
  for (const config::Problem& problem : problems.list()) {
    loaded.problems.add(problem);
  }
  return loaded;
}

TEST(RunFlags, SetTheKeysThatTheyStandFor) {
  const config::Loaded loaded = load({"--provider",
                                      "mock",
                                      "--nodename=web",
                                      "--os",
                                      "Windows",
                                      "--namespace",
                                      "batch",
                                      "--pod-sync-workers",
                                      "50",
                                      "--full-resync-period",
                                      "1m30s",
                                      "--log-level",
                                      "WARNING",
                                      "--taint-key",
                                      "a",
                                      "--taint-value",
                                      "b",
                                      "--taint-effect",
                                      "NoExecute",
                                      "--kubeconfig",
                                      "",
                                      "--client-verify-ca",
                                      "/ca.pem",
                                      "--cluster-domain",
                                      "example.com"});

  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_string();
  const config::Config& config = loaded.config;
  EXPECT_EQ(config.providers[0].library, "mock");
  EXPECT_EQ(config.nodes[0].name, "web");
  EXPECT_EQ(config.nodes[0].operating_system, "windows");
  EXPECT_EQ(config.nodes[0].taints, (std::vector<config::Taint>{{"a", "b", "NoExecute"}}));
  EXPECT_EQ(config.kubernetes.pod_namespace, "batch");
  EXPECT_EQ(config.kubernetes.kubeconfig, "");
  EXPECT_EQ(config.kubernetes.cluster_domain, "example.com");
  EXPECT_EQ(config.pods.workers, 50);
  EXPECT_EQ(config.pods.resync_interval, std::chrono::seconds{90});
  EXPECT_EQ(config.log.level, config::LogLevel::Warn);
  EXPECT_EQ(config.kubelet.client_ca_file, "/ca.pem");
}

TEST(RunFlags, SwitchTheTaintOff) {
  EXPECT_EQ(load({"--provider=mock", "--disable-taint", "true"}).config.nodes[0].taints,
            std::vector<config::Taint>{});
  EXPECT_EQ(load({"--provider=mock", "--disable-taint=false"}).config.nodes[0].taints->size(), 1U);
}

TEST(RunFlags, AreBlamedForTheirValues) {
  const std::string problems =
      load({"--provider=mock", "--pod-sync-workers", "0", "--os", "plan9"}).problems.to_string();

  EXPECT_THAT(problems, HasSubstr("--pod-sync-workers: pods.workers: expected an integer, 1 to "
                                  "1000, found integer 0\n"));
  EXPECT_THAT(problems, HasSubstr("--os: node.operating_system: expected one of \"linux\", "
                                  "\"windows\", found \"plan9\"\n"));
}

TEST(RunFlags, AreNamedInAWarningWhenTheyHaveNoEffect) {
  const config::Loaded loaded = load(
      {"--provider=mock", "--metrics-addr", ":10255", "--enable-node-lease", "--kube-api-qps=5",
       "--no-verify-clients", "--klog.v=2", "--full-resync-period=0", "--startup-timeout=1m"});

  EXPECT_FALSE(loaded.problems.has_errors()) << loaded.problems.to_string();
  for (const char* flag :
       {"--metrics-addr", "--enable-node-lease", "--kube-api-qps", "--no-verify-clients",
        "--klog.v", "--full-resync-period", "--startup-timeout"}) {
    EXPECT_THAT(loaded.problems.to_string(), HasSubstr(std::string(flag) + ": warning: "));
  }
}

TEST(RunFlags, TakeTheProvidersSettingsFromAFile) {
  const testing::TestFolder folder;
  const auto file = folder.write("settings.json", R"({"region": "eu"})");

  const config::Loaded loaded = load({"--provider=mock", "--provider-config", file.string()});

  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_string();
  EXPECT_EQ(loaded.config.providers[0].settings.json().reveal(), R"({"region":"eu"})");
}

TEST(RunFlags, AreEachAKeyOrAWarning) {
  std::set<std::string_view> names;
  for (const RunFlag& flag : run_flags()) {
    EXPECT_TRUE(names.insert(flag.flag.name).second) << flag.flag.name;
    const bool is_special = flag.flag.name == "--config" || flag.flag.name == "--provider-config";
    EXPECT_NE(flag.key.empty(), flag.instead.empty() && !is_special) << flag.flag.name;
    if (flag.key.empty()) {
      continue;
    }
    config::Value root(config::Table{}, config::Place{});
    config::put_setting(root, flag.key, config::Value(config::Table{}, config::Place{}));
    config::Config config;
    config::Problems problems;
    config::all_keys().read(root, "", config, problems);
    EXPECT_EQ(problems.to_string().find("unknown key"), std::string::npos) << flag.flag.name;
  }
}

}  // namespace
}  // namespace vkhost::cli
