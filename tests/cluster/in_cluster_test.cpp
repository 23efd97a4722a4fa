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

constexpr std::string_view kRules = R"([
  {"apiGroups":[""],"resources":["nodes"],"verbs":["get","list","watch","create","patch"]},
  {"apiGroups":[""],"resources":["nodes/status"],"verbs":["patch"]},
  {"apiGroups":[""],"resources":["pods"],"verbs":["get","list","watch","delete"]},
  {"apiGroups":[""],"resources":["pods/status"],"verbs":["patch"]},
  {"apiGroups":[""],"resources":["events"],"verbs":["create","patch"]},
  {"apiGroups":[""],"resources":["namespaces"],"verbs":["get"]},
  {"apiGroups":[""],"resources":["configmaps","secrets","services","serviceaccounts"],
   "verbs":["get","list","watch"]},
  {"apiGroups":[""],"resources":["serviceaccounts/token"],"verbs":["create"]},
  {"apiGroups":["coordination.k8s.io"],"resources":["leases"],"verbs":["get","create","update"]},
  {"apiGroups":["authentication.k8s.io"],"resources":["tokenreviews"],"verbs":["create"]},
  {"apiGroups":["authorization.k8s.io"],"resources":["subjectaccessreviews"],"verbs":["create"]}
])";

class ServiceAccount {
 public:
  explicit ServiceAccount(Cluster& cluster)
      : cluster_(cluster), space_(cluster.create_namespace()), role_(space_ + "-vkhost") {
    const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
    const std::string accounts = "/api/v1/namespaces/" + space_ + "/serviceaccounts";
    cluster_.create(accounts, R"({"metadata":{"name":"vkhost"}})");
    cluster_.create(rbac + "clusterroles", R"({"metadata":{"name":")" + role_ + R"("},"rules":)" +
                                               std::string(kRules) + "}");
    cluster_.create(
        rbac + "clusterrolebindings",
        R"({"metadata":{"name":")" + role_ +
            R"("},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":")" +
            role_ + R"("},"subjects":[{"kind":"ServiceAccount","name":"vkhost","namespace":")" +
            space_ + R"("}]})");
    const std::string token =
        json_at(cluster_.create(accounts + "/vkhost/token",
                                R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",)"
                                R"("spec":{"expirationSeconds":3600}})"),
                "/status/token");
    static_cast<void>(folder_.write("account-token", token));
    static_cast<void>(folder_.write("account-ca.crt", cluster_.ca_pem()));
    static_cast<void>(folder_.write("account-namespace", space_));
  }
  ~ServiceAccount() {
    const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/";
    cluster_.remove(rbac + "clusterrolebindings/" + role_);
    cluster_.remove(rbac + "clusterroles/" + role_);
    cluster_.remove("/api/v1/namespaces/" + space_);
  }
  ServiceAccount(const ServiceAccount&) = delete;
  ServiceAccount& operator=(const ServiceAccount&) = delete;

  [[nodiscard]] const TestFolder& folder() const { return folder_; }

 private:
  Cluster& cluster_;
  const std::string space_;
  const std::string role_;
  TestFolder folder_;
};

TEST(InCluster, TheServiceAccountOfThePodIsEnough) {
  const ServiceAccount account(Cluster::instance());
  std::string why;
  const Words launcher = find_launcher(account.folder(), &why);
  if (launcher.empty()) {
    GTEST_SKIP() << "no mount namespace of one's own on this machine: " << why;
  }
  DaemonSettings daemon;
  daemon.launcher = launcher;
  daemon.environment = {{"KUBERNETES_SERVICE_HOST", "127.0.0.1"},
                        {"KUBERNETES_SERVICE_PORT", std::to_string(Cluster::instance().port())},
                        {"KUBECONFIG", ""},
                        {"HOME", account.folder().path()}};

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
