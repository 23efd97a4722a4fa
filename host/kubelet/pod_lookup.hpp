// PodLookup: what the kubelet API needs to know of the daemon's nodes and pods, in this room's words;
// `daemon` answers. All [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "kube/pod_record.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::kubelet {

struct PodState {
  kube::PodPtr pod;
  bool runs_in_backend = false;  // accepted by the provider and not being deleted
  std::string last_error;        // of the last call that failed; empty once one succeeded
  std::optional<WallTime> next_try;
};

struct NodeState {
  std::string name;
  std::string provider;
  bool ready = false;
  std::string reason;
  std::string message;
  std::size_t pods = 0;
};

class PodLookup {
 public:
  PodLookup() = default;
  PodLookup(const PodLookup&) = delete;
  PodLookup& operator=(const PodLookup&) = delete;
  virtual ~PodLookup() = default;

  // The node that is served on this port; empty when there is none.
  [[nodiscard]] virtual std::string node_at(int local_port) const = 0;
  [[nodiscard]] virtual std::vector<PodState> pods(const std::string& node_name) const = 0;
  [[nodiscard]] virtual std::optional<NodeState> node(const std::string& node_name) const = 0;
};

}  // namespace vkhost::kubelet
