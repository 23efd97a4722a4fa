// From v1.Pod to what the mock needs of it. Pure. [any-thread] [no-block]
#pragma once

#include "workload.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::mock {

struct Pod {
  std::string pod_namespace;
  std::string name;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  RestartPolicy restart_policy = RestartPolicy::Always;
  bool host_network = false;
  std::vector<Container> containers;  // init containers first, in order; ephemeral ones last
};

// Throws Error(InvalidArgument, never retry) for what is not a pod with at least one container.
[[nodiscard]] Pod parse_pod(std::string_view pod_json);

// Takes over what a pod update can change, as far as `changed` (VKP_CHANGED_… bits) names it: images,
// and containers that are new. Those whose image changed while they ran begin again at `now`. True when
// there is one.
bool apply_update(Workload& workload, const Pod& pod, std::uint64_t changed, Millis now);

}  // namespace vkhost::mock
