// Names that are hashes: the same input gives the same name in every process. Not against an
// adversary. [any-thread] [no-block]
#pragma once

#include <string>
#include <string_view>

namespace vkhost::daemon {

// UID of a standalone pod (RFC 9562, version 8), from its node and content.
[[nodiscard]] std::string content_uid(std::string_view node_name, std::string_view content);

// Ownership mark of a node in back ends: at most 63 of a-z, 0-9 and hyphens, so that it fits labels,
// tags and names.
[[nodiscard]] std::string owner_key(std::string_view cluster_uid, std::string_view node_name);

}  // namespace vkhost::daemon
