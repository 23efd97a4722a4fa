// NodeFacts: what pods may ask about the node they run on, in this room's words; `daemon` answers
// from the node that it registered.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::resolve {

class NodeFacts {  // [any-thread] [no-block]
 public:
  NodeFacts() = default;
  NodeFacts(const NodeFacts&) = delete;
  NodeFacts& operator=(const NodeFacts&) = delete;
  virtual ~NodeFacts() = default;

  // The node's own addresses, the first one being status.hostIP; empty when not known yet.
  [[nodiscard]] virtual std::vector<std::string> host_ips() const = 0;
  // status.allocatable["cpu"] and so on; nothing when the node does not have it.
  [[nodiscard]] virtual std::optional<std::string> allocatable(std::string_view resource) const = 0;
};

}  // namespace vkhost::resolve
