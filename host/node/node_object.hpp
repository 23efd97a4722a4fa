// The v1.Node document of a virtual node: what to create, and what to patch. Pure. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "node/settings.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vkhost::node {

// Why the node is ready or not; what the Ready condition says.
struct Readiness {
  bool ready = false;
  std::string reason;
  std::string message;
};

struct NodeSources {
  const Settings& settings;
  std::string_view provider_json;  // v1.Node of the provider, or empty
  Readiness readiness;
  WallTime now;
};

// metadata.name that the provider gives its node, or empty.
Result<std::string> name_from_provider(std::string_view provider_json);

// The whole Node for its creation. INVALID_ARGUMENT names what of the provider's node is wrong.
Result<std::string> new_node(const NodeSources& sources);

// Strategic merge patch for nodes/<name>/status that turns `api_json` into what is wanted. Labels,
// annotations and conditions of others survive; ours that are no longer wanted are removed, known by
// an annotation that lists them. Heartbeats are always included.
Result<std::string> node_patch(const NodeSources& sources, std::string_view api_json);

// Strategic merge patch of the Ready condition alone, for a node whose provider has said nothing yet.
Result<std::string> readiness_patch(const NodeSources& sources, std::string_view api_json);

// status.allocatable of the node for one resource, if it has it.
Result<std::optional<std::string>> allocatable_of(const NodeSources& sources,
                                                  const std::string& resource);

// Lease in kube-node-lease. With the text of the present one, its resourceVersion, holder and
// transitions are kept; the owner reference always names this node's UID.
struct LeaseSources {
  std::string_view node_name;
  std::string_view node_uid;
  std::chrono::milliseconds duration;
  WallTime now;
};
std::string new_lease(const LeaseSources& sources);
Result<std::string> renewed_lease(const LeaseSources& sources, std::string_view present_json);

// metadata.uid of any object.
Result<std::string> uid_of(std::string_view object_json);

}  // namespace vkhost::node
