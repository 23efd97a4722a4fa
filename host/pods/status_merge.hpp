// Status merging: from what the provider says and what the API server has to the one patch that makes
// the API say it. Pure; the rules are in the .cpp. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "pods/resize.hpp"

#include <cstdint>
#include <optional>
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
  std::int64_t generation = 0;  // observedGeneration, where it is not that of the status
};

struct StatusSources {
  const kube::PodRecord& pod;      // what the API server has
  std::string_view observed_json;  // v1.PodStatus of the provider; empty: conditions only
  std::string_view host_ip;        // or empty
  WallTime now;
  std::vector<HostCondition> conditions = {};
  // observedGeneration: of the spec that the provider has answered for; 0: not known. That of `pod` if
  // not given.
  std::optional<std::int64_t> generation = {};
  ResizeView resize = {};
  std::string_view ephemeral_refusal = {};  // why ephemeral containers of the spec do not come
  std::vector<std::string> dropped =
      {};  // conditions that the provider reported and no longer does
};

// A strategic merge patch of PodStatus with the members that differ; empty when nothing differs.
// INVALID_ARGUMENT names the member of the provider's status that cannot be used.
Result<std::string> merge_status(const StatusSources& sources);

// Types of the conditions of a provider's status that are nobody else's.
[[nodiscard]] std::vector<std::string> provider_conditions(std::string_view status_json);
// ... of a status in the API, where everybody's stand side by side: only those that begin with one of
// the provider's own prefixes are certain to be its.
[[nodiscard]] std::vector<std::string> provider_conditions(
    std::string_view status_json, const std::vector<std::string>& prefixes);

}  // namespace vkhost::pods
