// TrustBundles: what a projected clusterTrustBundle asks for, and the certificates of the
// ClusterTrustBundles that answer it. One by its name and several by their signer and labels are asked for
// alike, as a selection, which stands for an object: there is none while nothing is selected. [any-thread]
// [no-block]
#pragma once

#include "base/status.hpp"
#include "kube/client.hpp"
#include "resolve/json_members.hpp"
#include "resolve/referenced_object.hpp"

#include <string>
#include <string_view>

namespace vkhost::resolve {

// The one item of a ReferencedObject of the kind TrustBundles.
inline constexpr std::string_view kTrustAnchors = "trust anchors";

struct TrustBundleFile {
  std::string path;
  bool optional = false;
  std::string selection;  // for trust_bundle_query(); empty: nothing can answer it
  std::string missing;    // what a kubelet says then
};

// INVALID_ARGUMENT names what is wrong with it, a selector included, however it got past an API server.
Result<TrustBundleFile> read_trust_bundle_file(const Poco::JSON::Object& source,
                                               const Place& place);

// What a list of ClusterTrustBundles is asked for with.
[[nodiscard]] kube::Query trust_bundle_query(std::string_view selection);
// Whether a list has nothing in it.
[[nodiscard]] bool is_empty_list(std::string_view json);
// The certificates of all bundles of a list, each once and in an order of their own, as PEM. What is no
// block of a certificate is passed over, as by a kubelet.
Result<ReferencedObject> parse_trust_bundles(std::string_view list);

}  // namespace vkhost::resolve
