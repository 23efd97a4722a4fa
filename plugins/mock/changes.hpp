// The parts of a pod that can change while it runs: their bits, and their names in capabilities,
// settings and the log. [any-thread] [no-block]
#pragma once

#include <vkhost/provider.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace vkhost::mock {

struct ChangedPart {
  std::string_view name;
  std::uint64_t bit;  // VKP_CHANGED_…
};

inline constexpr std::array<ChangedPart, 8> kChangedParts{
    {{"metadata", VKP_CHANGED_METADATA},
     {"image", VKP_CHANGED_IMAGE},
     {"resources", VKP_CHANGED_RESOURCES},
     {"ephemeral_containers", VKP_CHANGED_EPHEMERAL_CONTAINERS},
     {"deadline", VKP_CHANGED_DEADLINE},
     {"files", VKP_CHANGED_FILES},
     {"tokens", VKP_CHANGED_TOKENS},
     {"pull_credentials", VKP_CHANGED_PULL_CREDENTIALS}}};

}  // namespace vkhost::mock
