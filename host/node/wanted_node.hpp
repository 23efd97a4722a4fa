// What a virtual node is to look like: configuration over provider over the host's defaults.
// Internal to the room. Pure. [any-thread]
#pragma once

#include "node/node_json.hpp"
#include "node/node_object.hpp"

#include <string>
#include <vector>

namespace vkhost::node {

struct WantedNode {
  Object::Ptr labels;
  Object::Ptr annotations;
  Array::Ptr taints;
  Array::Ptr startup_taints;  // of others as soon as the node is registered
  std::string provider_id;
  Object::Ptr status;
};

// Conditions keep the times of those in `before` that say the same.
WantedNode wanted_node(const NodeSources& sources,
                       const Object::Ptr& provider_node,
                       const Array::Ptr& before);
Object::Ptr wanted_allocatable(const Settings& settings, const Object::Ptr& provider_status);

// The Ready condition alone.
Object::Ptr wanted_ready(const NodeSources& sources, const Array::Ptr& before);

// What the node is told to look like and what of it may be removed later, by name, as JSON. The five
// conditions that every node has are not among them: they always stay.
std::string owned_names(const WantedNode& wanted);

// Whether the API server lets no node set or remove that label of its own.
bool is_refused_of_a_node(const std::string& label);
// The labels of configuration and provider of which that is true, so that they are left out.
std::vector<std::string> refused_labels(const NodeSources& sources,
                                        const Object::Ptr& provider_node);

}  // namespace vkhost::node
