#include "daemon/node_material.hpp"

#include <utility>

namespace vkhost::daemon {

NodeMaterial::NodeMaterial(Parts parts, const plugin::Capabilities& capabilities)
    : parts_(std::move(parts)),
      resolver_({parts_.objects, this, this, parts_.clock}, {}, capabilities) {}

void NodeMaterial::warning(const kube::PodRecord& pod,
                           std::string_view reason,
                           std::string_view message) {
  parts_.events->pod_event(pod, pods::EventType::Warning, reason, message);
}

std::vector<std::string> NodeMaterial::host_ips() const {
  return parts_.host_ip.empty() ? std::vector<std::string>() : std::vector{parts_.host_ip};
}

std::optional<std::string> NodeMaterial::allocatable(std::string_view resource) const {
  return parts_.allocatable(resource);
}

}  // namespace vkhost::daemon
