// Status merging: from what the provider says and what the API server has to the one patch that makes
// the API say it. Pure; the rules are in the .cpp. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::pods {

// A condition that the host says on its own account, whatever the provider says of the same type.
struct HostCondition {
  std::string type;
  bool is_true = false;
  std::string reason;
  std::string message;
};

struct StatusSources {
  const kube::PodRecord& pod;      // what the API server has
  std::string_view observed_json;  // v1.PodStatus of the provider; empty: conditions only
  std::string_view host_ip;        // or empty
  WallTime now;
  std::vector<HostCondition> conditions = {};
};

// A strategic merge patch of PodStatus with the members that differ; empty when nothing differs.
// INVALID_ARGUMENT names the member of the provider's status that cannot be used.
Result<std::string> merge_status(const StatusSources& sources);

}  // namespace vkhost::pods
