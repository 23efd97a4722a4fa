// The daemon as it runs in a pod of the cluster: by the files of its service account, and with no
// right but those that it needs.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::testing {
namespace {

// Gives a process a /run of its own with the service account in it, then becomes its arguments.
constexpr std::string_view kInAPod = R"(
folder=/run/secrets/kubernetes.io/serviceaccount
mount -t tmpfs none /run && mkdir -p "$folder" && cp "$0"/account-* "$folder" &&
for file in "$folder"/*; do mv "$file" "$folder/${file##*account-}"; done &&
exec "$@"
)";

using Words = std::vector<std::string>;

// The ways to a mount namespace of one's own: root needs none of the users, and gets none in a
// chroot; everybody else needs one.
const std::vector<Words>& ways_in() {
  static const std::vector<Words> ways{{"unshare", "--mount"},
                                       {"unshare", "--user", "--map-root-user", "--mount"}};
  return ways;
}

Words launcher(Words way, const TestFolder& account) {
  way.insert(way.end(), {"sh", "-c", std::string(kInAPod), account.path()});
  return way;
}

// Empty, with what was tried in *why, where this machine lets us in by no way.
Words find_launcher(const TestFolder& account, std::string* why) {
  for (const Words& way : ways_in()) {
    Words trial = launcher(way, account);
    trial.emplace_back("true");
    const CommandResult result = run_command({.argv = trial});
    if (result.status == 0) {
      return launcher(way, account);
    }
    *why += result.output;
  }
  return {};
}

// The files that a pod of the service account finds that comes with the daemon, and its rights.
void write_account(const TestFolder& folder) {
  static_cast<void>(folder.write("account-token", Cluster::instance().token(kDaemonUser)));
  static_cast<void>(folder.write("account-ca.crt", Cluster::instance().ca_pem()));
  static_cast<void>(folder.write("account-namespace", "vkhost"));
}

TEST(InCluster, TheServiceAccountOfThePodIsEnough) {
  const TestFolder account;
  write_account(account);
  std::string why;
  const Words launcher = find_launcher(account, &why);
  if (launcher.empty()) {
    GTEST_SKIP() << "no mount namespace of one's own on this machine: " << why;
  }
  DaemonSettings daemon;
  daemon.launcher = launcher;
  daemon.environment = {{"KUBERNETES_SERVICE_HOST", "127.0.0.1"},
                        {"KUBERNETES_SERVICE_PORT", std::to_string(Cluster::instance().port())},
                        {"KUBECONFIG", ""},
                        {"HOME", account.path()}};

  NodeUnderTest node({.user = "", .daemon = daemon});

  const std::string uid = node.create_pod("web");
  node.wait_until_running("web");
  node.cluster().remove(node.pod_path("web"));
  node.cluster().wait_until_gone(node.pod_path("web"), kLong);
  EXPECT_EQ(node.journal().count("gone", uid), 1U);
  EXPECT_THAT(node.daemon().log(), ::testing::Not(::testing::HasSubstr("PERMISSION_DENIED")));
}

}  // namespace
}  // namespace vkhost::testing
