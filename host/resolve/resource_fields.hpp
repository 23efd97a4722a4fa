// Values of resourceFieldRef: limits and requests of a container in units of a divisor, rounded up.
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/pod_view.hpp"

#include <string>

namespace vkhost::resolve {

// A limit of cpu, memory or ephemeral-storage that nobody set is the pod's own one, else what the
// node can allocate: that is all the container can get. FAILED_PRECONDITION: Retry::Never when the
// reference makes no sense, else the node's figures are not known yet.
Result<std::string> read_resource_field(const ResourceReference& reference,
                                        const PodView& pod,
                                        const ContainerView& container,
                                        const NodeFacts& node);

}  // namespace vkhost::resolve
