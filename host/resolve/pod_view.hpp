// PodView: what of a pod's spec takes part in resolving, as plain values.
//
// Read once for each material, from bytes that kube has validated; used inside one call and
// dropped. INVALID_ARGUMENT names the member that has a wrong type (possible in manifests only).
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "resolve/object_reference.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::resolve {

struct EnvFrom {
  std::string prefix;
  ObjectKind kind = ObjectKind::ConfigMap;
  std::string name;
  bool optional = false;
};

struct KeyReference {
  ObjectKind kind = ObjectKind::ConfigMap;
  std::string name;
  std::string key;
  bool optional = false;
};

struct FieldReference {
  std::string api_version;
  std::string path;
};

struct ResourceReference {
  std::string container;  // empty: the one that holds the reference
  std::string resource;   // "limits.cpu"
  std::string divisor;    // empty: 1
};

// Exactly one of the references, or none: then the plain value counts.
struct EnvEntry {
  std::string name;
  std::string value;
  std::optional<KeyReference> key;
  std::optional<FieldReference> field;
  std::optional<ResourceReference> resource;
  std::string unknown_source;  // a kind of valueFrom that this version does not know
};

struct SubPathMount {
  std::string mount_path;
  std::string expression;
};

using ResourceTexts = std::map<std::string, std::string, std::less<>>;  // "cpu" -> "500m"

struct ContainerView {
  std::string name;
  std::vector<EnvFrom> env_from;
  std::vector<EnvEntry> env;
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::vector<SubPathMount> sub_paths;  // those with a subPathExpr
  ResourceTexts limits;
  ResourceTexts requests;
};

struct PodView {
  std::vector<ContainerView> containers;  // init, regular, ephemeral
  bool service_links = true;
  std::string service_account;
  ResourceTexts pod_limits;  // of the pod as a whole
};

// `spec` is the JSON text of the pod's spec.
Result<PodView> read_pod_view(std::string_view spec);

// True when a quick look at the text shows that no container has an environment, command, argument
// or sub-path expression of its own, and that services are linked: most pods, and no document model
// is built for them. False also when it takes a parser to tell.
bool refers_to_nothing(std::string_view spec);

}  // namespace vkhost::resolve
