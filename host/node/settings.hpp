// What the configuration says about one virtual node.
#pragma once

#include "base/backoff.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::node {

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  // NoSchedule, NoExecute or PreferNoSchedule
};

struct Address {
  std::string type;  // InternalIP, ExternalIP, Hostname, …
  std::string address;
};

// Values that are set here win over what the provider says of its node, and that over the host's.
struct Settings {
  std::string name;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::optional<std::vector<Taint>> taints;
  std::vector<Taint> startup_taints;               // at the registration only
  std::map<std::string, std::string> capacity;     // resource to quantity
  std::map<std::string, std::string> allocatable;  // default: capacity
  // Read again when it changes: between the provider's and the configured values.
  std::string capacity_file;
  std::vector<Address> addresses;  // where the API server dials this daemon
  std::uint16_t kubelet_port = 0;
  std::string operating_system = "linux";
  std::string architecture;  // empty: the provider's, else that of the machine
  std::string machine_architecture = "amd64";
  std::string kubelet_version;
  std::string provider_id;
  std::string provider;           // its name: label and taint value
  bool is_node_identity = false;  // authenticated as system:node:<name>: no restricted labels
  std::string cluster_uid;        // what its workloads are marked with; empty: not known yet

  std::chrono::milliseconds lease_duration{std::chrono::seconds{40}};
  std::chrono::milliseconds ping_interval{std::chrono::seconds{10}};
  std::chrono::milliseconds ping_timeout{std::chrono::seconds{5}};
  std::chrono::milliseconds status_interval{std::chrono::minutes{5}};
  // So many in a row without an answer make the node NotReady.
  std::uint32_t ping_failures = 2;
  // Between two questions for the provider's node.
  BackoffLimits refresh_backoff{std::chrono::seconds{1}, std::chrono::minutes{1}};
};

}  // namespace vkhost::node
