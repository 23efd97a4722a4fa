// Storm: many pods bound to one node at once. What pod_storm measures, on both sides.
#pragma once

#include "support/cluster.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace vkhost::bench {

struct StormSettings {
  int pods = 0;
  int connections = 0;
  bool tokens = false;  // whether the pods want a service-account token
  // Further members of every pod's spec and of its container, as JSON: "\"volumes\":[…]".
  std::string spec = {};
  std::string container = {};
};

class Storm {
 public:
  using Seconds = std::chrono::duration<double>;

  Storm(testing::Cluster& cluster, const StormSettings& settings);

  // The namespace of its pods.
  [[nodiscard]] const std::string& space() const { return namespace_; }

  // What the API server needs for creates and status writes of a raw client.
  Seconds raw_run();
  // The same pods, run by whoever manages that node: from the first create until a watch has shown
  // all of them as Running. Then `when_running` is called, with the pods still there.
  Seconds managed_run(const std::string& node, const std::function<void()>& when_running);
  // The same on many nodes, by the number of the pod.
  using NodeOf = std::function<std::string(int pod)>;
  Seconds managed_run(const NodeOf& node, const std::function<void()>& when_running);

 private:
  [[nodiscard]] std::string pods_path() const;
  [[nodiscard]] std::string path(int i) const;
  std::string list_version();
  std::chrono::steady_clock::time_point wait_until_running(std::string version);
  void create_all(const NodeOf& node);
  void remove_all();

  testing::Cluster& cluster_;
  const StormSettings settings_;
  testing::ApiClient api_;
  const std::string namespace_;
};

// How many requests of each kind ("PATCH pods/status") the API server has answered so far.
using RequestCounts = std::map<std::string, double>;
[[nodiscard]] RequestCounts request_counts(testing::Cluster& cluster);

}  // namespace vkhost::bench
