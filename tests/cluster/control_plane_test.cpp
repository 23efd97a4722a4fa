// The control plane itself and the fault proxy before it, without the daemon: what the other cluster
// tests take for granted.
#include "support/cluster.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

std::string node_json(const std::string& name) {
  return R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + name + R"("}})";
}

class ControlPlane : public ::testing::Test {
 protected:
  Cluster& cluster_ = Cluster::instance();
};

TEST_F(ControlPlane, IsReadyAndKubectlTalksToIt) {
  EXPECT_EQ(cluster_.get("/readyz"), "ok");

  const CommandResult version = cluster_.kubectl({"version", "--output=json"});

  ASSERT_EQ(version.status, 0) << version.output;
  EXPECT_EQ(json_at(version.output, "/serverVersion/gitVersion"),
            json_at(version.output, "/clientVersion/gitVersion"));
}

TEST_F(ControlPlane, SchedulesAPodToANodeThatIsReady) {
  const std::string node = Cluster::unique_name("node");
  const std::string space = cluster_.create_namespace();
  cluster_.create("/api/v1/nodes", node_json(node));
  cluster_.patch("/api/v1/nodes/" + node + "/status",
                 R"({"status":{"capacity":{"cpu":"4","memory":"8Gi","pods":"10"},
                     "conditions":[{"type":"Ready","status":"True"}]}})");

  const CommandResult applied = cluster_.kubectl({"apply", "--namespace", space, "-f", "-"}, R"(
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  nodeSelector: {kubernetes.io/hostname: )" + node + R"(}
  tolerations: [{operator: Exists}]
  containers: [{name: web, image: web}]
)");
  ASSERT_EQ(applied.status, 0) << applied.output;
  cluster_.patch("/api/v1/nodes/" + node,
                 R"({"metadata":{"labels":{"kubernetes.io/hostname":")" + node + R"("}}})");

  const std::string pod = "/api/v1/namespaces/" + space + "/pods/web";
  cluster_.wait_for(
      pod, [&](const std::string& object) { return json_at(object, "/spec/nodeName") == node; });
  cluster_.remove(pod, 0);
  cluster_.wait_until_gone(pod);
  cluster_.remove("/api/v1/nodes/" + node);
}

TEST_F(ControlPlane, KnowsItsUsersByTokenAndByCertificate) {
  const std::string node = "/api/v1/nodes/vk-7";
  ApiClient nobody(cluster_.port(), cluster_.ca_pem(), "wrong");
  ApiClient user(cluster_.port(), cluster_.ca_pem(), cluster_.token("vkhost"));
  ApiClient by_token(cluster_.port(), cluster_.ca_pem(), cluster_.token("system:node:vk-7"));
  ApiClient by_certificate(cluster_.port(), cluster_.ca_pem(),
                           cluster_.ca().issue({.common_name = "system:node:vk-8",
                                                .organizations = {"system:nodes"},
                                                .use = CertificateUse::Client}));

  EXPECT_EQ(nobody.get(node).status, 401);
  EXPECT_EQ(user.get(node).status, 403);
  EXPECT_EQ(by_token.create("/api/v1/nodes", node_json("vk-7")).status, 201);
  EXPECT_EQ(by_certificate.create("/api/v1/nodes", node_json("vk-8")).status, 201);
  EXPECT_EQ(by_certificate.remove(node).status, 403);

  cluster_.remove(node);
  cluster_.remove("/api/v1/nodes/vk-8");
}

TEST_F(ControlPlane, TakesANodeThroughTheProxy) {
  const auto proxy = cluster_.proxy();
  ApiClient client(proxy->port(), proxy->ca_pem(), cluster_.token("admin"));
  const std::string name = Cluster::unique_name("node");

  EXPECT_EQ(client.create("/api/v1/nodes", node_json(name)).status, 201);

  EXPECT_TRUE(cluster_.exists("/api/v1/nodes/" + name));
  EXPECT_EQ(proxy->traffic().count("create nodes"), 1);
  cluster_.remove("/api/v1/nodes/" + name);
}

TEST_F(ControlPlane, LosesAWatchOnDemand) {
  const auto proxy = cluster_.proxy();
  ApiClient client(proxy->port(), proxy->ca_pem(), cluster_.token("admin"));
  std::atomic<int> nodes{0};
  std::atomic<int> errors{0};
  ApiClient::WatchEnd end{};
  const auto watch = [&] {
    return Thread("watch", [&] {
      end = client.watch("/api/v1/nodes?watch=true", Cluster::kSoon, [&](std::string_view event) {
        const std::string type = json_at(event, "/type");
        nodes += type == "ADDED" ? 1 : 0;
        errors += type == "ERROR" && json_at(event, "/object/code") == "410" ? 1 : 0;
        return true;
      });
    });
  };

  Thread watcher = watch();
  ASSERT_TRUE(proxy->traffic().wait_for_watches(1, Cluster::kSoon));
  proxy->cut_watches();
  watcher.join();
  EXPECT_EQ(end, ApiClient::WatchEnd::Cut);

  watcher = watch();
  ASSERT_TRUE(proxy->traffic().wait_for_watches(1, Cluster::kSoon));
  EXPECT_EQ(proxy->expire_open_watches(), 1);
  watcher.join();
  EXPECT_EQ(end, ApiClient::WatchEnd::ByServer);
  EXPECT_EQ(errors, 1);
}

TEST_F(ControlPlane, CarriesAStormOfPodsThroughTheProxy) {
  const auto proxy = cluster_.proxy();
  ApiClient client(proxy->port(), proxy->ca_pem(), cluster_.token("admin"));
  const std::string pods = "/api/v1/namespaces/" + cluster_.create_namespace() + "/pods";
  constexpr int kThreads = 16;
  constexpr int kPodsEach = 32;
  std::atomic<int> created{0};
  {
    std::vector<Thread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back("storm", [&, t] {
        for (int i = 0; i < kPodsEach; ++i) {
          const std::string name = "p-" + std::to_string(t) + "-" + std::to_string(i);
          // Bound to no node that exists, so the scheduler has nothing to do.
          const std::string pod = R"({"metadata":{"name":")" + name +
                                  R"("},"spec":{"nodeName":"none","containers":[{"name":"c",)" +
                                  R"("image":"c"}]}})";
          created += client.create(pods, pod).status == 201 ? 1 : 0;
        }
      });
    }
  }

  EXPECT_EQ(created, kThreads * kPodsEach);
  EXPECT_EQ(json_size(client.get(pods).body, "/items"), created);
  EXPECT_LE(proxy->traffic().peak_in_flight(), kThreads);
  client.remove(pods + "?gracePeriodSeconds=0");
}

TEST(ControlPlaneProcesses, EndWithTheirSupervisorHoweverItDies) {
  const auto cluster = Cluster::start();
  std::vector<Descriptor> processes;
  for (const pid_t pid : cluster->pids()) {
    processes.push_back(open_pidfd(pid));
    ASSERT_GE(processes.back().get(), 0);
  }

  ASSERT_EQ(::kill(cluster->supervisor_pid(), SIGKILL), 0);

  for (const auto& process : processes) {
    const SteadyTime until = std::chrono::steady_clock::now() + 10s;
    EXPECT_EQ(wait_for_fd(process.get(), POLLIN, {.until = until}), Io::Ok);
  }
}

}  // namespace
}  // namespace vkhost::testing
