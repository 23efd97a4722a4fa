// ObjectReference: which object a pod refers to. [any-thread] [no-block]
#pragma once

#include <compare>
#include <string>

namespace vkhost::resolve {

enum class ObjectKind { ConfigMap, Secret };

struct ObjectReference {
  ObjectKind kind = ObjectKind::ConfigMap;
  std::string object_namespace;
  std::string name;

  auto operator<=>(const ObjectReference&) const = default;
};

}  // namespace vkhost::resolve
