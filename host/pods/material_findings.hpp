// What of a pod comes to nothing because its provider takes no material of that kind, or because the
// host makes none: found by the host alone, whatever the provider says of the pod. [any-thread]
// [no-block]
#pragma once

#include "plugin/provider.hpp"

#include <string_view>
#include <vector>

namespace vkhost::pods {

// In the order of the document. Volumes count that a container uses; the one with the service account's
// token, which every pod is given, does not. The JSON has to be valid.
[[nodiscard]] std::vector<plugin::Finding> material_findings(
    std::string_view pod_json, const plugin::Capabilities& capabilities);

}  // namespace vkhost::pods
