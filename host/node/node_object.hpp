// The v1.Node document of a virtual node: what to create, and what to patch. Pure. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "node/settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::node {

// Why the node is ready or not; what the Ready condition says.
struct Readiness {
  bool ready = false;
  std::string reason;
  std::string message;

  bool operator==(const Readiness&) const = default;
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
// annotations, resources and conditions of others survive; ours that are no longer wanted are
// removed, known by an annotation that lists them. Heartbeats are always included.
Result<std::string> node_patch(const NodeSources& sources, std::string_view api_json);

// Strategic merge patch of the Ready condition alone, for a node whose provider has said nothing yet.
Result<std::string> readiness_patch(const NodeSources& sources, std::string_view api_json);

// What nodes/<name>/status cannot change.
struct SpecPatch {
  std::string json;  // strategic merge patch for nodes/<name>, bound to its version; empty: no news
  // spec.providerID of the node where it is another than the wanted one: it can't be changed.
  std::string foreign_provider_id;
};
Result<SpecPatch> spec_patch(const NodeSources& sources, std::string_view api_json);

// Whether somebody else, or time, made the node in the API say something else than what is wanted;
// heartbeats do not count.
Result<bool> differs(const NodeSources& sources, std::string_view api_json);

// Labels of configuration and provider that the API server takes from nobody who is a node; they are
// left out. Empty for any other identity.
Result<std::vector<std::string>> labels_left_out(const NodeSources& sources);

// status.allocatable of the node for one resource, if it has it.
Result<std::optional<std::string>> allocatable_of(const NodeSources& sources,
                                                  const std::string& resource);

// Where a node keeps Settings::cluster_uid, for the next daemon. Only what is known is written, so that it
// outlasts a daemon that does not know it yet.
inline constexpr const char* kClusterUidAnnotation = "vkhost.io/cluster-uid";
// What stands there, or empty.
Result<std::string> kept_cluster_uid(std::string_view api_json);

// metadata.uid of any object.
Result<std::string> uid_of(std::string_view object_json);

}  // namespace vkhost::node
