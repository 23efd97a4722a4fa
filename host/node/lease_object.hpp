// The Lease of a node in kube-node-lease. Pure. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace vkhost::node {

struct LeaseSources {
  std::string_view node_name;
  std::string_view node_uid;
  std::chrono::milliseconds duration;
  WallTime now;
};

std::string new_lease(const LeaseSources& sources);

// With the text of the present one, its resourceVersion and transitions are kept; the owner reference
// always names this node's UID.
Result<std::string> renewed_lease(const LeaseSources& sources, std::string_view present_json);

}  // namespace vkhost::node
