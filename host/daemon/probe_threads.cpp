#include "daemon/probe_threads.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace vkhost::daemon {
namespace {

// Nodes of a provider that hangs each keep one.
constexpr std::size_t kOfOneProvider = 32;
// Pings are short, and may as well wait for one another.
constexpr std::chrono::milliseconds kPatience{20};

}  // namespace

ProbeThreads::ProbeThreads(const std::vector<config::NodeConfig>& nodes, const Clock& clock) {
  std::map<std::string, std::size_t> counts;
  for (const config::NodeConfig& node : nodes) {
    ++counts[node.provider];
  }
  for (const auto& [provider, count] : counts) {
    executors_.try_emplace(provider, "probe", std::min(count, kOfOneProvider), clock, kPatience);
  }
}

}  // namespace vkhost::daemon
