// PodStorage: the volumes of a pod that are storage rather than files which the host makes, as plain
// values: claims, emptyDir, and sources that name Secrets. All other sources stand in the pod alone.
//
// Read once for each material, from bytes that kube has validated. INVALID_ARGUMENT names the member
// that has a wrong type, or a volume of two kinds (possible in manifests only). [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "resolve/source_secrets.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::resolve {

struct ClaimReference {
  std::string name;           // of an ephemeral one: not known here, it follows from the pod's
  bool is_ephemeral = false;  // made for this pod, and to belong to it
};

struct EmptyFolder {
  std::string medium;                       // "", "Memory", "HugePages…"
  std::optional<std::int64_t> limit_bytes;  // rounded up
};

struct StorageVolume {
  std::string name;
  std::string kind;          // the member that names its source: "persistentVolumeClaim"
  bool is_mounted = false;   // by volumeMounts
  bool is_a_device = false;  // by volumeDevices
  std::optional<ClaimReference> claim;
  std::optional<EmptyFolder> empty_folder;
  std::vector<SourceSecret> secrets;  // that the pod itself names
};

struct PodStorage {
  std::vector<StorageVolume> volumes;  // those that a container uses
};

// `spec` is the JSON text of the pod's spec.
Result<PodStorage> read_pod_storage(std::string_view spec);

// True when a quick look at the text shows that no volume is of these kinds. False also when it takes a
// parser to tell.
bool uses_no_storage(std::string_view spec);

}  // namespace vkhost::resolve
