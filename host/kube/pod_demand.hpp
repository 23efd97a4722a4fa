// PodDemand: what a pod asks of the node that it is to run on.
//
// Read from the pod's document where somebody has to decide about it, and dropped afterwards.
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "kube/node_facts.hpp"
#include "kube/resource_amounts.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::kube {

struct Toleration {
  std::string key;
  std::string op;  // Equal when empty
  std::string value;
  std::string effect;
};

struct NodeRequirement {
  std::string key;
  std::string op;
  std::vector<std::string> values;
};

// All of them have to hold; a term without any holds nowhere.
struct NodeSelectorTerm {
  std::vector<NodeRequirement> labels;
  std::vector<NodeRequirement> fields;
};

struct PodDemand {
  std::string os_label;  // the pod's own label kubernetes.io/os
  std::string os_name;   // spec.os.name
  std::map<std::string, std::string> node_selector;
  // requiredDuringSchedulingIgnoredDuringExecution: one of them has to hold.
  std::optional<std::vector<NodeSelectorTerm>> affinity;
  std::vector<Toleration> tolerations;
  // Of everything that runs at the same time, at the worst moment; overhead included.
  ResourceAmounts requests;
};

// INVALID_ARGUMENT names the field that cannot be read.
Result<PodDemand> parse_pod_demand(std::string_view pod_json);

// Both nodeSelector and affinity.
[[nodiscard]] bool selects(const PodDemand& pod, const NodeFacts& node);
[[nodiscard]] bool tolerates(const PodDemand& pod, const NodeTaint& taint);

}  // namespace vkhost::kube
