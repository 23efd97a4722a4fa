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

}  // namespace vkhost::pods
