// NodeMaterial: resolve's Resolver as the pod engine's MaterialSource, with the node's own facts and
// with its warnings as events of the pod. [any-thread]
#pragma once

#include "base/timers.hpp"
#include "pods/interfaces.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/objects.hpp"
#include "resolve/resolve_events.hpp"
#include "resolve/resolver.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::daemon {

class NodeMaterial final : public pods::MaterialSource,
                           private resolve::ResolveEvents,
                           private resolve::NodeFacts {
 public:
  struct Parts {                          // all outlive the source
    resolve::Objects* objects = nullptr;  // of all nodes
    pods::EventSink* events = nullptr;
    const Clock* clock = nullptr;
    Timers* timers = nullptr;
    // status.allocatable of the node as it stands, by resource.
    std::function<std::optional<std::string>(std::string_view resource)> allocatable;
    std::string host_ip;
  };
  NodeMaterial(Parts parts, const plugin::Capabilities& capabilities);

  Result<std::string> material(const kube::PodRecord& pod, const CancelToken& cancel) override;

 private:
  void warning(const kube::PodRecord& pod,
               std::string_view reason,
               std::string_view message) override;
  [[nodiscard]] std::vector<std::string> host_ips() const override;
  [[nodiscard]] std::optional<std::string> allocatable(std::string_view resource) const override;

  const Parts parts_;
  resolve::Resolver resolver_;
  Timer forget_;
};

}  // namespace vkhost::daemon
