// What of a pod's metadata is the user's: labels and annotations, without what the host and the
// provider wrote. Pure. [any-thread] [no-block]
#pragma once

#include "kube/pod_record.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vkhost::pods {

// Equal for two versions of a pod when no label and no annotation changed but those whose key begins
// with one of `own_prefixes`.
[[nodiscard]] std::uint64_t user_metadata_hash(const kube::PodRecord& pod,
                                               const std::vector<std::string>& own_prefixes);

}  // namespace vkhost::pods
