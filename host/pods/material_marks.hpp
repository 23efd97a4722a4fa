// MaterialMarks: by what it is known whether the provider has this content of files and pull credentials
// already, so that nothing is pushed to it twice. A plain value of PodState. [no-block]
#pragma once

#include "plugin/provider.hpp"

#include <cstdint>
#include <string_view>

namespace vkhost::pods {

struct MaterialMarks {
  // Hashes of these members of the material document; 0: not known.
  std::uint64_t files = 0;
  std::uint64_t pull_credentials = 0;
  bool has_tokens = false;  // in this document; a new one is worth a push always

  // Takes over those of `parts` (kChanged… bits).
  void take(const MaterialMarks& other, std::uint64_t parts);
  void forget(std::uint64_t parts) { take({}, parts); }
};

// `document` is one that this host has made.
[[nodiscard]] MaterialMarks marks_of(std::string_view document);

// Those of `parts` that need not be pushed: what the provider was `told` is the same, or there is nothing
// of the kind.
[[nodiscard]] std::uint64_t needless_parts(std::uint64_t parts,
                                           const MaterialMarks& present,
                                           const MaterialMarks& told);

}  // namespace vkhost::pods
