// From the configuration to the settings of one virtual node. Pure. [any-thread] [no-block]
#pragma once

#include "config/config.hpp"
#include "node/settings.hpp"
#include "pods/settings.hpp"

#include <cstdint>
#include <string>

namespace vkhost::daemon {

// Where the API server dials the daemon for one node.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
  std::string other_address = {};  // of the other family; empty: there is none
};

[[nodiscard]] node::Settings node_settings(const config::NodeConfig& node, const Endpoint& kubelet);
[[nodiscard]] pods::Settings pods_settings(const config::Config& config,
                                           const config::NodeConfig& node,
                                           const Endpoint& kubelet);

// Document that a provider instance gets about its surroundings.
[[nodiscard]] std::string instance_info(const config::Config& config,
                                        const config::NodeConfig& node,
                                        const Endpoint& kubelet);

}  // namespace vkhost::daemon
