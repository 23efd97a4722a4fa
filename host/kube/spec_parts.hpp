// SpecParts: the parts of a pod's spec that may change while it runs, as hashes, so that two versions
// can be compared part by part.
//
// They are kept in annotations: the same in every process and build, whatever the white space. The
// order of members counts; the API server always writes the same one. [any-thread] [no-block]
#pragma once

#include <cstdint>
#include <string_view>

namespace vkhost::kube {

// FNV-1a. `seed` is the hash of what came before.
inline constexpr std::uint64_t kHashSeed = 14'695'981'039'346'656'037U;
[[nodiscard]] std::uint64_t stable_hash(std::string_view text, std::uint64_t seed = kHashSeed);

// 48 bits each: what fits an annotation of every pod.
struct SpecParts {
  std::uint64_t image = 0;      // names and images of containers and init containers
  std::uint64_t resources = 0;  // theirs and the pod's own; 0: none are asked for
  std::uint64_t ephemeral = 0;  // ephemeral containers; 0: none
  std::uint64_t deadline = 0;   // activeDeadlineSeconds; 0: none

  friend bool operator==(const SpecParts& a, const SpecParts& b) = default;
};

// `spec` is the raw slice of a pod's document. Any input is safe.
[[nodiscard]] SpecParts hash_spec_parts(std::string_view spec);

}  // namespace vkhost::kube
