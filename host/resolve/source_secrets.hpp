// SourceSecrets: which Secrets the source of a volume names, for whoever mounts it: of a volume of a pod
// or of a PersistentVolume, whose sources are spelled alike. Plain values. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "resolve/json_members.hpp"

#include <string>
#include <vector>

namespace vkhost::resolve {

struct SourceSecret {
  std::string member;            // of the source: "nodePublishSecretRef"
  std::string secret_namespace;  // empty: the pod's
  std::string name;
};

// `source` is the member `kind` of a volume, or of a PersistentVolume's spec. Those that only
// controllers use (controllerPublishSecretRef, …) are not among them. INVALID_ARGUMENT names what has a
// wrong type.
Result<std::vector<SourceSecret>> read_source_secrets(const Poco::JSON::Object& source,
                                                      const std::string& kind,
                                                      const Place& place);

}  // namespace vkhost::resolve
