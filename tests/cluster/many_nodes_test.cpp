// Several nodes in one daemon.
#include "base/cancel.hpp"
#include "cluster/node_under_test.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> threads_of(pid_t pid) {
  std::vector<std::string> names;
  std::error_code gone;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", gone)) {
    std::ifstream file(task.path() / "comm");
    std::getline(file, names.emplace_back());
  }
  return names;
}

// Established TCP connections of this machine to that port of 127.0.0.1.
std::size_t connections_to(int port) {
  char remote[16];
  static_cast<void>(std::snprintf(remote, sizeof remote, "0100007F:%04X", port));
  std::ifstream table("/proc/net/tcp");
  std::size_t count = 0;
  for (std::string line; std::getline(table, line);) {
    // "  1: LOCAL:PORT REMOTE:PORT STATE …", 01 is ESTABLISHED.
    const auto at = line.find(std::string(" ") + remote + " 01 ");
    count += at == std::string::npos ? 0 : 1;
  }
  return count;
}

// virtual-kubelet#145, #251, #565, #981: One process is one node
TEST(ManyNodes, ShareConnectionsAndThreads) {
  constexpr std::size_t kNodes = 10;
  constexpr std::size_t kPodsOfEach = 3;
  // What bench many_nodes is measured by at fifty times as many.
  constexpr std::size_t kThreads = 24;
  // Those of all lanes together.
  constexpr std::size_t kRequestsInFlight = 38;
  const auto proxy = Cluster::instance().proxy();
  NodeOptions options{.proxy = proxy.get()};
  for (std::size_t i = 1; i < kNodes; ++i) {
    options.daemon.more_nodes.push_back(Cluster::unique_name("node"));
  }
  std::vector<std::string> nodes = options.daemon.more_nodes;
  NodeUnderTest node(std::move(options));
  nodes.push_back(node.name());

  std::map<std::string, std::string> node_of;
  for (std::size_t i = 0; i < kNodes * kPodsOfEach; ++i) {
    const std::string pod = "web-" + std::to_string(i);
    node_of[pod] = nodes.at(i % kNodes);
    node.create_pod(pod, {.node = node_of[pod]});
  }

  ASSERT_TRUE(node.book().wait_until_running(kNodes * kPodsOfEach, kLong)) << node.book().summary();
  for (const auto& [pod, its_node] : node_of) {
    EXPECT_EQ(node.book().page(pod).last().node, its_node);
    EXPECT_EQ(node.book().page(pod).start_times().size(), 1U) << pod;
  }
  // Its pods and itself for each node, and the cluster's client authority.
  constexpr std::size_t kWatches = 2 * kNodes + 1;
  EXPECT_TRUE(proxy->traffic().wait_for_watches(kWatches, kLong));
  EXPECT_LE(connections_to(proxy->port()), kWatches + kRequestsInFlight);
  // Threads that came with the work leave when there is none.
  const auto until = std::chrono::steady_clock::now() + kLong;
  std::vector<std::string> threads;
  do {
    static_cast<void>(CancelToken().wait_for(100ms));
    threads = threads_of(node.daemon().pid());
  } while (threads.size() > kThreads && std::chrono::steady_clock::now() < until);
  EXPECT_LE(threads.size(), kThreads) << ::testing::PrintToString(threads);
}

}  // namespace
}  // namespace vkhost::testing
