// What of a pod's metadata is the user's: labels and annotations, without what the host and the
// provider wrote. Pure. [any-thread] [no-block]
#pragma once

#include "kube/pod_record.hpp"
#include "pods/settings.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::pods {

// Users put a pod's own policy there: fail, recreate or wait.
inline constexpr std::string_view kOnLostAnnotation = "vkhost.io/on-lost";

// Equal for two versions of a pod when no label and no annotation changed but those whose key begins
// with one of `own_prefixes`.
[[nodiscard]] std::uint64_t user_metadata_hash(const kube::PodRecord& pod,
                                               const std::vector<std::string>& own_prefixes);

[[nodiscard]] LossPolicy own_loss_policy(const kube::PodRecord& pod);

}  // namespace vkhost::pods
