// PersistentVolumeClaim and PersistentVolume, as far as a node needs them. Plain values out of the API's
// JSON; INVALID_ARGUMENT says what is wrong with it. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "resolve/source_secrets.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::resolve {

struct Claim {
  std::string uid;
  std::string owner_uid;  // of its controller; empty: none
  std::string volume;     // name of the PersistentVolume; empty: none yet
  bool is_bound = false;
  bool is_being_deleted = false;
};

struct PersistentVolume {
  std::string claim_uid;    // whose it is
  bool is_claimed = false;  // it names a claim
  std::string kind;         // the member that names its source: "csi"; empty: none that is known
  std::string source;       // raw JSON of that member, an object
  std::vector<SourceSecret> secrets;
  std::string volume_mode = "Filesystem";  // or "Block"
  std::vector<std::string> access_modes;
  std::vector<std::string> mount_options;
  std::optional<std::int64_t> capacity_bytes;
  std::optional<std::int64_t> gid;  // of the annotation pv.beta.kubernetes.io/gid
};

Result<Claim> parse_claim(std::string_view json);
Result<PersistentVolume> parse_persistent_volume(std::string_view json);

}  // namespace vkhost::resolve
