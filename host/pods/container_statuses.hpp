// The container statuses of a provider's status, completed and held against the spec: each container of
// the pod once, in the order of the spec, with one state and all that v1.ContainerStatus requires.
// Pure; Poco throws for members of unexpected types: callers fence. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "kube/pod_record.hpp"

#include <Poco/JSON/Object.h>

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::pods {

struct ContainerFacts {
  bool all_ready = true;
  bool all_done = true;  // of init containers
  std::vector<std::string> unready;
};
// INVALID_ARGUMENT names the list that cannot be used.
Status complete_regular(Poco::JSON::Object& status,
                        const kube::PodRecord& pod,
                        ContainerFacts* facts);
// Sidecars count for readiness; initialized is the pod once they have started and the others ended.
Status complete_init(Poco::JSON::Object& status,
                     const kube::PodRecord& pod,
                     ContainerFacts* facts,
                     ContainerFacts* init_facts);
// They come later than the pod: until the provider has news of one, the host says that it will come,
// or why it will not.
Status complete_ephemeral(Poco::JSON::Object& status,
                          const kube::PodRecord& pod,
                          std::string_view refusal);

}  // namespace vkhost::pods
