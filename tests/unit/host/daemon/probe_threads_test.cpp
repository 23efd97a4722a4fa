#include "daemon/probe_threads.hpp"

#include "base/cancel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace vkhost::daemon {
namespace {

constexpr std::chrono::seconds kLong{60};

std::vector<config::NodeConfig> nodes_of(const std::string& provider, std::size_t count) {
  config::NodeConfig node;
  node.provider = provider;
  return {count, node};
}

class ProbeThreadsTest : public ::testing::Test {
 protected:
  const SystemClock clock_;
};

TEST_F(ProbeThreadsTest, AreNotAllHeldByAProviderThatHangsOnManyNodes) {
  constexpr std::size_t kHanging = 100;
  std::vector<config::NodeConfig> nodes = nodes_of("hanging", kHanging);
  nodes.push_back(nodes_of("well", 1).front());
  CancelSource open;
  CancelSource answered;
  ProbeThreads threads(nodes, clock_);

  for (std::size_t i = 0; i < kHanging; ++i) {
    threads.of("hanging").submit([&] { static_cast<void>(open.token().wait_for(kLong)); });
  }
  threads.of("well").submit([&] { answered.cancel(); });

  EXPECT_TRUE(answered.token().wait_for(kLong / 2));
  open.cancel();
}

TEST_F(ProbeThreadsTest, AskNodesOfOneProviderAtTheSameTime) {
  constexpr int kNodes = 8;
  std::atomic<int> inside{0};
  CancelSource all_inside;
  ProbeThreads threads(nodes_of("slow", kNodes), clock_);

  for (int i = 0; i < kNodes; ++i) {
    threads.of("slow").submit([&] {
      if (++inside == kNodes) {
        all_inside.cancel();
      }
      static_cast<void>(all_inside.token().wait_for(kLong));
    });
  }

  EXPECT_TRUE(all_inside.token().wait_for(kLong / 2));
}

}  // namespace
}  // namespace vkhost::daemon
