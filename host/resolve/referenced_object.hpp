// ReferencedObject: the items of a ConfigMap or Secret, decoded, or what a selection of
// ClusterTrustBundles holds. [any-thread] [no-block]
#pragma once

#include "base/secret.hpp"
#include "base/status.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace vkhost::resolve {

// One type for both kinds, the careful one; values are wiped when the last user lets go.
struct ReferencedObject {
  std::map<std::string, Secret, std::less<>> items;
  // binaryData of a ConfigMap: for files, and never a variable.
  std::map<std::string, Secret, std::less<>> binary_items;
  std::size_t bytes = 0;  // of all keys and values
  // Set by who keeps it (ObjectStore): a hash of what can be used of it, never 0; resourceVersion;
  // whether it is declared never to change.
  std::uint64_t content = 0;
  std::string version;
  bool immutable = false;
};

// `data` and `binaryData` of a ConfigMap.
Result<ReferencedObject> parse_config_map(std::string_view json);
// `data` of a Secret, and over it `stringData`, which only manifests have: an API server merges it
// when it takes the object. Messages name keys, never values.
Result<ReferencedObject> parse_secret(std::string_view json);

}  // namespace vkhost::resolve
