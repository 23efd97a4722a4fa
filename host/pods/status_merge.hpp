// Status merging: from what the provider says and what the API server has to the one patch that makes
// the API say it. Pure; the rules are in the .cpp. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"

#include <string>
#include <string_view>

namespace vkhost::pods {

struct StatusSources {
  const kube::PodRecord& pod;      // what the API server has
  std::string_view observed_json;  // v1.PodStatus of the provider
  std::string_view host_ip;        // or empty
  WallTime now;
};

// A strategic merge patch of PodStatus with the members that differ; empty when nothing differs.
// INVALID_ARGUMENT names the member of the provider's status that cannot be used.
Result<std::string> merge_status(const StatusSources& sources);

// The provider's status, made from what is known, of a pod whose workload was lost: Failed, and each
// container that was not terminated yet ends as ContainerStatusUnknown with exit code 137.
std::string lost_status(const kube::PodRecord& pod, WallTime now);

// ... of a pod that could not be created: each container waits with `reason`; the phase is Pending,
// or Failed when `is_final`.
std::string rejected_status(const kube::PodRecord& pod,
                            std::string_view reason,
                            std::string_view message,
                            bool is_final);

// Whether some container of this status runs or has run.
bool shows_started_container(std::string_view status_json);

}  // namespace vkhost::pods
