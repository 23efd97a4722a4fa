// The JSON documents of the kubelet API. Pure. [any-thread] [no-block]
#pragma once

#include "kubelet/pod_lookup.hpp"

#include <string>
#include <vector>

namespace vkhost::kubelet {

// v1.PodList of the API server's own bytes.
[[nodiscard]] std::string pod_list(const std::vector<PodState>& pods);
// v1.PodList of what the provider runs: names, UIDs and containers alone.
[[nodiscard]] std::string running_pod_list(const std::vector<PodState>& pods);

// {"pods": [{namespace, name, uid, node, phase, reason, ready_containers, containers, restarts,
//            pod_ip, started, last_error, next_try}]}; what is not known is left out
[[nodiscard]] std::string pod_states(const std::string& node_name,
                                     const std::vector<PodState>& pods);
// {"nodes": [{name, provider, ready, reason, message, pods}]}
[[nodiscard]] std::string node_states(const NodeState& node);

// metav1.Status of a refused request.
[[nodiscard]] std::string failure_status(int code, std::string_view message);

}  // namespace vkhost::kubelet
