// PodVolumes: those volumes of a pod that are made of files which the host knows, as plain values.
//
// Read once for each material, from bytes that kube has validated; used inside one call and
// dropped. INVALID_ARGUMENT names the member that has a wrong type (possible in manifests only).
// [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "resolve/pod_view.hpp"
#include "resolve/trust_bundles.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vkhost::resolve {

struct KeyToPath {
  std::string key;
  std::string path;
  std::optional<std::int64_t> mode;
};

// Of a configMap or secret, alone or projected.
struct ObjectFiles {
  ObjectKind kind = ObjectKind::ConfigMap;
  std::string name;
  bool optional = false;
  std::vector<KeyToPath> items;  // empty: a file for each key
};

// Exactly one of the references.
struct DownwardFile {
  std::string path;
  std::optional<std::int64_t> mode;
  std::optional<FieldReference> field;
  std::optional<ResourceReference> resource;
};

// Of a downwardAPI, alone or projected.
struct DownwardFiles {
  std::vector<DownwardFile> items;
};

// A projected serviceAccountToken.
struct TokenFile {
  std::string path;
  std::string audience;  // empty: the API server's own
  std::int64_t expiration_seconds = 3600;
};

// A projected source of another kind, by the name of its member.
struct OtherFiles {
  std::string kind;
};

// A further kind is one more alternative here, its reader in volume_view.cpp, and what it contributes
// in volume_files.cpp; the compiler names the places that lack it.
using FileSource = std::variant<ObjectFiles, DownwardFiles, TokenFile, TrustBundleFile, OtherFiles>;

inline constexpr std::int64_t kDefaultFileMode = 0644;

struct VolumeView {
  std::string name;
  bool is_projected = false;
  std::int64_t default_mode = kDefaultFileMode;
  std::vector<FileSource> sources;  // one, unless projected
};

struct PodVolumes {
  std::vector<VolumeView>
      volumes;  // those that a container mounts, as a kubelet leaves out the others
  std::optional<std::int64_t> fs_group;  // spec.securityContext.fsGroup
  std::optional<std::int64_t> fs_user;   // whom all containers run as, if the pod says so of each
};

// `spec` is the JSON text of the pod's spec.
Result<PodVolumes> read_pod_volumes(std::string_view spec);

[[nodiscard]] bool has_token(const VolumeView& volume);

// True when a quick look at the text shows that no volume is of these kinds: no document model is
// built for such pods. False also when it takes a parser to tell.
bool mounts_no_files(std::string_view spec);

}  // namespace vkhost::resolve
