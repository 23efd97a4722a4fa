#include "daemon/node_material.hpp"

#include <utility>

namespace vkhost::daemon {
namespace {

// Values of Secrets stay in memory this long after the last pod that may have used them.
constexpr std::chrono::seconds kRemembered{2};

}  // namespace

NodeMaterial::NodeMaterial(Parts parts, const plugin::Capabilities& capabilities)
    : parts_(std::move(parts)),
      resolver_({parts_.objects, this, this}, {}, capabilities),
      forget_(*parts_.timers, [this] { parts_.objects->drop_expired(); }) {}

Result<std::string> NodeMaterial::material(const kube::PodRecord& pod, const CancelToken& cancel) {
  auto material = resolver_.material(pod, {}, cancel);
  forget_.set(parts_.clock->steady_now() + kRemembered);
  return material;
}

void NodeMaterial::warning(const kube::PodRecord& pod,
                           std::string_view reason,
                           std::string_view message) {
  parts_.events->pod_event(pod, {pods::EventType::Warning, reason, message});
}

std::vector<std::string> NodeMaterial::host_ips() const {
  return parts_.host_ip.empty() ? std::vector<std::string>() : std::vector{parts_.host_ip};
}

std::optional<std::string> NodeMaterial::allocatable(std::string_view resource) const {
  return parts_.allocatable(resource);
}

}  // namespace vkhost::daemon
