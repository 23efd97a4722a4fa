// NodeFacts: what of a v1.Node decides which pods may run on it. Immutable once made and shared.
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "kube/resource_amounts.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::kube {

struct NodeTaint {
  std::string key;
  std::string value;
  std::string effect;
};

struct NodeFacts {
  std::string name;
  std::string operating_system;  // linux where the node does not say
  std::map<std::string, std::string, std::less<>> labels;
  std::vector<NodeTaint> taints;
  ResourceAmounts allocatable;  // empty: the node limits nothing
};

// INVALID_ARGUMENT names the field of the wrong type. An amount that is no quantity limits nothing.
Result<NodeFacts> parse_node_facts(std::string_view node_json);

// What the node is about to say of itself, completed by what others wrote into its object: labels
// and resources that it does not have itself, and all taints.
[[nodiscard]] NodeFacts joined_facts(NodeFacts own, const NodeFacts& in_api);

}  // namespace vkhost::kube
