// Who is who: names of pods and owners, which are hashes (the same input gives the same name in every
// process, not against an adversary), and nodes by the names of their users. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vkhost::daemon {

// UID of a standalone pod (RFC 9562, version 8), from its node and content.
[[nodiscard]] std::string content_uid(std::string_view node_name, std::string_view content);

// Ownership mark of a node in back ends: at most 63 of a-z, 0-9 and hyphens, so that it fits labels,
// tags and names.
[[nodiscard]] std::string owner_key(std::string_view cluster_uid, std::string_view node_name);

// The node that a user of the API server is: "web-1" for system:node:web-1 in the group system:nodes,
// empty for everybody else.
[[nodiscard]] std::string node_of_user(std::string_view user,
                                       const std::vector<std::string>& groups);

// Whether credentials of node `identity` (empty: of no node) are good for node `name`.
// FAILED_PRECONDITION names both.
Status check_node_identity(std::string_view identity, std::string_view name);

// Whether `uid`, of the cluster as it is now, is the one that the workloads of node `name` are marked with as
// far as it remembers (`kept`; empty: it doesn't). FAILED_PRECONDITION names both, and the ways on.
Status check_cluster_uid(std::string_view kept, std::string_view uid, std::string_view name);

}  // namespace vkhost::daemon
