// The daemon under the identities that an administrator gives it: that of its node (node authoriser
// and NodeRestriction), by a bootstrap token, and that of a service account with a role of its own.
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"
#include "support/places.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A node may not read the cluster's client authority, so it is given to the daemon.
DaemonSettings with_client_authority(const TestFolder& folder) {
  DaemonSettings daemon;
  daemon.kubelet_settings =
      "client_ca_file = '" + folder.write("ca.crt", Cluster::instance().ca_pem()).native() + "'";
  daemon.provider_settings = "material = ['env']\n";
  return daemon;
}

TEST(NodeIdentity, RunsAPodFromEndToEnd) {
  const TestFolder folder;
  NodeUnderTest node({.kubeconfig = node_kubeconfig, .daemon = with_client_authority(folder)});
  const std::string space = "/api/v1/namespaces/" + node.space();
  node.cluster().create(space + "/configmaps", R"({"metadata":{"name":"c"},"data":{"k":"v"}})");
  node.cluster().create(space + "/secrets",
                        R"({"metadata":{"name":"s"},"stringData":{"k":"sesame"}})");
  const std::string uid = json_at(
      node.cluster().create(
          node.pods_path(),
          R"({"metadata":{"name":"web"},"spec":{"nodeName":")" + node.name() +
              R"(","containers":[{"name":"main","image":"registry.example/app:1","envFrom":[)"
              R"({"configMapRef":{"name":"c"}},{"secretRef":{"name":"s"}}]}]}})"),
      "/metadata/uid");
  node.wait_until_running("web");

  const int port = std::stoi(
      json_at(node.cluster().get(node.path()), "/status/daemonEndpoints/kubeletEndpoint/Port"));
  const std::string served =
      json_at(read_file(node.daemon().folder() / "runtime/daemon.json"), "/certificate");
  const ApiAnswer pods = ApiClient(port, served, node.cluster().token("admin")).get("/pods");
  EXPECT_EQ(json_at(pods.body, "/items/0/metadata/name"), "web") << pods.body;

  node.cluster().remove(node.pod_path("web"));
  node.cluster().wait_until_gone(node.pod_path("web"), kLong);
  EXPECT_EQ(node.journal().count("gone", uid), 1U);
  EXPECT_THAT(node.daemon().log(), HasSubstr("services/kubernetes"));  // names the cluster
  EXPECT_EQ(
      json_at(node.cluster().get(node.path()), "/metadata/annotations/vkhost.io~1cluster-uid"),
      json_at(node.cluster().get("/api/v1/namespaces/default/services/kubernetes"),
              "/metadata/uid"));
  EXPECT_THAT(node.daemon().log(), Not(HasSubstr("PERMISSION_DENIED")));
  EXPECT_THAT(node.daemon().log(), Not(HasSubstr("not allowed")));
}

TEST(NodeIdentity, SetsNoLabelThatIsRestricted) {
  const TestFolder folder;
  DaemonSettings daemon = with_client_authority(folder);
  daemon.node_settings =
      "labels = { 'team.kubernetes.io/name' = 'a', 'example.com/rack' = '7', "
      "'topology.kubernetes.io/zone' = 'z' }";

  NodeUnderTest node({.kubeconfig = node_kubeconfig, .daemon = daemon});

  const std::string labels = json_at(node.cluster().get(node.path()), "/metadata/labels");
  EXPECT_THAT(labels, HasSubstr("example.com/rack"));
  EXPECT_THAT(labels, HasSubstr("topology.kubernetes.io/zone"));
  EXPECT_THAT(labels, HasSubstr("node.kubernetes.io/exclude-from-external-load-balancers"));
  EXPECT_THAT(labels, Not(HasSubstr("team.kubernetes.io")));
  EXPECT_THAT(labels, Not(HasSubstr("kubernetes.io/role")));
  EXPECT_THAT(node.daemon().log(), HasSubstr("team.kubernetes.io/name"));
}

TEST(NodeIdentity, TakesOverTheNodeThatAnAdministratorMade) {
  const TestFolder folder;
  NodeUnderTest node({.user = "admin", .daemon = with_client_authority(folder)});
  const std::string uid = node.create_pod("web");
  node.wait_until_running("web");
  ASSERT_TRUE(node.daemon().stop());
  const std::string cluster_uid =
      json_at(node.cluster().get("/api/v1/namespaces/kube-system"), "/metadata/uid");
  DaemonSettings daemon = node.daemon_settings();
  daemon.kubeconfig = node_kubeconfig(node.name());
  daemon.kubernetes_settings = "cluster_uid = '" + cluster_uid + "'";
  daemon.node_settings =
      "labels = { 'example.com/rack' = '8' }\nprovider_id = 'static://rack-8'\n"
      "taints = [{ key = 'example.com/new', effect = 'NoSchedule' }]";
  node.daemon().configure(daemon);

  node.daemon().start();

  const std::string taken = node.cluster().wait_for(
      node.path(),
      [](const std::string& object) {
        return object.find("static://rack-8") != std::string::npos &&
               json_at(object, "/metadata/labels").find("example.com/rack") != std::string::npos;
      },
      kLong);
  EXPECT_THAT(taken, HasSubstr("kubernetes.io/role"));  // which it may not remove
  // Nor may it change its taints.
  EXPECT_THAT(json_at(taken, "/spec"), Not(HasSubstr("example.com/new")));
  node.create_pod("later");
  node.wait_until_running("later");
  EXPECT_EQ(node.journal().count("create_pod", uid), 1U);
  EXPECT_THAT(node.daemon().log(), Not(HasSubstr("PERMISSION_DENIED")));
  EXPECT_THAT(node.daemon().log(), Not(HasSubstr("not allowed")));
}

TEST(NodeIdentity, IsOfNoUseForAnotherNode) {
  const TestFolder folder;
  NodeUnderTest node({.kubeconfig = [](const std::string&) { return node_kubeconfig("another"); },
                      .daemon = with_client_authority(folder)},
                     false);

  EXPECT_TRUE(node.daemon().wait_for_log("those of node another", kLong)) << node.daemon().log();
  EXPECT_THAT(node.daemon().log(), HasSubstr(node.name()));
  EXPECT_FALSE(node.cluster().exists(node.path()));
}

// ---- A role of its own

std::string url_of(Cluster& cluster) {
  return "https://127.0.0.1:" + std::to_string(cluster.port());
}

TEST(OwnRole, IsEnoughForEverything) {
  NodeUnderTest node({.user = std::string(kDaemonUser),
                      .daemon = {.provider_settings = "material = ['env']\n",
                                 .more = "[policies]\non_stop = 'drain'\n"}});
  const std::string space = "/api/v1/namespaces/" + node.space();
  node.cluster().create(space + "/configmaps", R"({"metadata":{"name":"c"},"data":{"k":"v"}})");
  node.cluster().create(space + "/secrets",
                        R"({"metadata":{"name":"s"},"stringData":{"k":"sesame"}})");
  node.cluster().create(
      node.pods_path(),
      R"({"metadata":{"name":"web"},"spec":{"nodeName":")" + node.name() +
          R"(","containers":[{"name":"main","image":"registry.example/app:1","envFrom":[)"
          R"({"configMapRef":{"name":"c"}},{"secretRef":{"name":"s"}}]}]}})");
  node.wait_until_running("web");
  const std::string kept = node.create_pod("kept");
  node.wait_until_running("kept");
  const int port = std::stoi(
      json_at(node.cluster().get(node.path()), "/status/daemonEndpoints/kubeletEndpoint/Port"));
  const std::string served =
      json_at(read_file(node.daemon().folder() / "runtime/daemon.json"), "/certificate");
  ApiClient stranger(port, served, node.cluster().token("vkhost"));
  ApiClient holder(port, served,
                   node.cluster().ca().issue({.common_name = "kube-apiserver-kubelet-client",
                                              .organizations = {"system:masters"},
                                              .use = CertificateUse::Client}));
  EXPECT_EQ(ApiClient(port, served, node.cluster().token("admin")).get("/pods").status, 200);
  EXPECT_EQ(holder.get("/pods").status, 200);
  EXPECT_EQ(stranger.get("/pods").status, 403);

  // A deletion, a Node that has to be made again, and a drain.
  node.cluster().remove(node.pod_path("web"));
  node.cluster().wait_until_gone(node.pod_path("web"), kLong);
  node.cluster().remove(node.path());
  node.wait_until_ready();
  ASSERT_TRUE(node.daemon().stop(kLong));

  EXPECT_EQ(node.journal().count("gone", kept), 1U);
  // The stranger's is the only refusal: none of the daemon's own requests met one.
  const std::string log = node.daemon().log();
  const std::size_t stranger_refused = log.find("PERMISSION_DENIED");
  ASSERT_NE(stranger_refused, std::string::npos);
  EXPECT_EQ(log.find("PERMISSION_DENIED", stranger_refused + 1), std::string::npos) << log;
}

// ---- A bootstrap token

void apply_manifests(Cluster& cluster, const std::string& manifests) {
  const CommandResult applied = cluster.kubectl({"apply", "--filename", "-"}, manifests);
  ASSERT_EQ(applied.status, 0) << applied.output;
}

// Text of a kubeconfig with a bootstrap token of that ID, whose holder belongs to that group too.
std::string bootstrap_kubeconfig(Cluster& cluster,
                                 const std::string& id,
                                 const std::string& group) {
  const std::string secret = "sesame0123456789";
  cluster.create("/api/v1/namespaces/kube-system/secrets",
                 R"({"metadata":{"name":"bootstrap-token-)" + id +
                     R"("},"type":"bootstrap.kubernetes.io/token","stringData":{"token-id":")" +
                     id + R"(","token-secret":")" + secret +
                     R"(","usage-bootstrap-authentication":"true","auth-extra-groups":")" + group +
                     R"("}})");
  return kubeconfig_text(url_of(cluster), cluster.ca_pem(), id + "." + secret);
}

DaemonSettings bootstrapped(Cluster& cluster,
                            const TestFolder& folder,
                            const std::string& node,
                            const std::string& kubeconfig) {
  DaemonSettings daemon;
  daemon.node_name = node;
  daemon.provider_settings = "pods = '100'\n";
  daemon.node_settings = "lease_duration = '10s'";
  daemon.kubelet_settings =
      "client_ca_file = '" + folder.write("ca.crt", cluster.ca_pem()).native() + "'";
  daemon.kubernetes_settings =
      "bootstrap_kubeconfig = '" + folder.write("bootstrap", kubeconfig).native() + "'";
  return daemon;
}

bool is_ready(const std::string& node) {
  return !node.empty() && condition_of(node, "Ready") == "True";
}

std::size_t occurrences(const std::string& text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Bootstrap, TurnsATokenIntoARotatedCertificate) {
  // Earlier signers count a certificate's life from five minutes ago.
  const bool counts_from_now = Cluster::instance().minor_version() >= 22;
  const auto cluster = Cluster::start({"--signing-duration", counts_from_now ? "60s" : "360s"});
  apply_manifests(*cluster, read_file(source_dir() / "packaging/rbac/bootstrap/certificates.yaml"));
  const std::string kubeconfig =
      bootstrap_kubeconfig(*cluster, "abcdef", "system:bootstrappers:vkhost");
  const TestFolder folder;
  DaemonProcess daemon(bootstrapped(*cluster, folder, "web-1", kubeconfig));
  const std::string node = "/api/v1/nodes/web-1";
  cluster->wait_for(node, is_ready, kLong);
  // From now on the certificate is all that the daemon has.
  cluster->remove("/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef");
  const std::string first = read_file(daemon.folder() / "state/pki/client.pem");
  const WallTime expired = std::chrono::system_clock::now() + std::chrono::seconds{60};

  cluster->wait_for(
      "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/web-1",
      [&](const std::string& object) {
        const auto renewed = parse_time(json_at(object, "/spec/renewTime"));
        return renewed && *renewed > expired;
      },
      std::chrono::minutes{4});

  EXPECT_NE(read_file(daemon.folder() / "state/pki/client.pem"), first);
  EXPECT_GE(occurrences(daemon.log(), "the node has a client certificate"), 2U);
  EXPECT_THAT(daemon.log(), Not(HasSubstr("PRIVATE KEY")));
  EXPECT_TRUE(is_ready(cluster->get(node)));

  // The next life goes on with what the last one kept.
  ASSERT_TRUE(daemon.stop());
  daemon.start();
  EXPECT_TRUE(daemon.wait_for_log("the node is ready", kLong)) << daemon.log();
}

TEST(Bootstrap, WaitsForAnAdministratorWhoApproves) {
  Cluster& cluster = Cluster::instance();
  const std::string node = Cluster::unique_name("bootstrap");
  const std::string group = "system:bootstrappers:" + node;
  apply_manifests(cluster,
                  "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\n"
                  "metadata:\n  name: " +
                      node +
                      "\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n"
                      "  name: system:node-bootstrapper\nsubjects:\n"
                      "- apiGroup: rbac.authorization.k8s.io\n  kind: Group\n  name: " +
                      group + "\n");
  const TestFolder folder;
  DaemonProcess daemon(
      bootstrapped(cluster, folder, node, bootstrap_kubeconfig(cluster, "fedcba", group)));
  ASSERT_TRUE(daemon.wait_for_log("a client certificate was asked for", kLong)) << daemon.log();
  const std::string log = daemon.log();
  const std::size_t begin = log.find("node-csr-");
  ASSERT_NE(begin, std::string::npos);
  const std::string request = log.substr(
      begin, log.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-", begin) - begin);
  EXPECT_FALSE(cluster.exists("/api/v1/nodes/" + node));

  const CommandResult approved = cluster.kubectl({"certificate", "approve", request});

  ASSERT_EQ(approved.status, 0) << approved.output;
  cluster.wait_for("/api/v1/nodes/" + node, is_ready, kLong);
  EXPECT_TRUE(daemon.stop());
  cluster.remove("/api/v1/nodes/" + node);
  cluster.remove("/api/v1/namespaces/kube-system/secrets/bootstrap-token-fedcba");
  cluster.remove("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/" + node);
}

}  // namespace
}  // namespace vkhost::testing
