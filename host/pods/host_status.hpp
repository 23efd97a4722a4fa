// Statuses that the host makes itself, where the provider has none to give, and what a provider's
// status says at a glance. Pure. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"

#include <string>
#include <string_view>

namespace vkhost::pods {

struct LossReport {
  std::string status_json;
  std::string reason;
  std::string message;
};

// Of a pod whose workload was lost: Failed, and each container that had not ended by the provider's
// word (`observed_json`, may be empty) or the API's ends as ContainerStatusUnknown with exit code 137.
// `loss` is what the provider said about it, or OK.
[[nodiscard]] LossReport lost_status(const kube::PodRecord& pod,
                                     std::string_view observed_json,
                                     const Status& loss,
                                     WallTime now);

// Of a pod whose object is about to be removed although the provider gave no final status: each
// container that had not ended ends as above. The phase is Succeeded where all are known to have
// ended well, else Failed. `why` goes to status.reason and message; OK: neither.
[[nodiscard]] std::string concluded_status(const kube::PodRecord& pod,
                                           std::string_view observed_json,
                                           const Status& why,
                                           WallTime now);

// Of a pod that had to end, and was stopped for it: Failed, its containers as above.
[[nodiscard]] std::string ordered_status(const kube::PodRecord& pod,
                                         std::string_view observed_json,
                                         const std::string& reason,
                                         const std::string& message,
                                         WallTime now);

// Of a pod that could not be created: each container, or the first init container, waits with `reason`; the phase is Pending, or
// Failed when `is_final`.
[[nodiscard]] std::string rejected_status(const kube::PodRecord& pod,
                                          std::string_view reason,
                                          std::string_view message,
                                          bool is_final);

struct StatusFacts {
  bool started = false;  // some container runs or has run
  bool final = false;    // phase Succeeded or Failed
};

// Nothing is true of a document that cannot be read.
[[nodiscard]] StatusFacts status_facts(std::string_view status_json);

}  // namespace vkhost::pods
