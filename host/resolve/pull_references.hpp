// PullReferences: where a pod's image pull credentials stand, as plain values.
//
// Read from bytes that kube has validated, without a document model of the whole.
// INVALID_ARGUMENT names the member that has a wrong type (possible in manifests only). [any-thread]
// [no-block]
#pragma once

#include "base/status.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::resolve {

struct PullReferences {
  std::vector<std::string> secrets;  // in the pod's order, each once, none without a name
  std::string service_account;       // empty: none, as in manifests
};

// `spec` is the JSON text of the pod's spec.
Result<PullReferences> read_pull_references(std::string_view spec);

// Names in the member `imagePullSecrets` of a pod's spec or of a ServiceAccount, whose JSON text
// `holder` is; `what` names it in messages.
Result<std::vector<std::string>> read_pull_secrets(std::string_view holder, std::string_view what);

}  // namespace vkhost::resolve
