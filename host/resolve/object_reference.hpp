// ObjectReference: which object a pod refers to. [any-thread] [no-block]
#pragma once

#include <compare>
#include <string>

namespace vkhost::resolve {

// TrustBundles: a selection of ClusterTrustBundles (trust_bundles.hpp) as one object, of no namespace.
enum class ObjectKind { ConfigMap, Secret, TrustBundles };

struct ObjectReference {
  ObjectKind kind = ObjectKind::ConfigMap;
  std::string object_namespace;
  std::string name;

  auto operator<=>(const ObjectReference&) const = default;
};

}  // namespace vkhost::resolve
