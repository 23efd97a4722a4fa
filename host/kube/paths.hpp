// Paths of the Kubernetes API, with names escaped: what Client's requests take.
//
// An empty namespace means all namespaces, for lists and watches. [any-thread] [no-block]
#pragma once

#include "kube/client.hpp"

#include <string>
#include <string_view>

namespace vkhost::kube {

// Percent-encodes all but the unreserved characters of RFC 3986 §2.3; "." and ".." are encoded as
// well, so that no name can climb out of its collection.
[[nodiscard]] std::string path_segment(std::string_view text);
// "?a=1&b=2" with both sides encoded; empty for no parameters.
[[nodiscard]] std::string query_string(const Query& query);

[[nodiscard]] std::string pods_path(std::string_view pod_namespace);
[[nodiscard]] std::string pod_path(std::string_view pod_namespace, std::string_view name);
[[nodiscard]] std::string pod_status_path(std::string_view pod_namespace, std::string_view name);
[[nodiscard]] std::string pod_eviction_path(std::string_view pod_namespace, std::string_view name);

[[nodiscard]] std::string nodes_path();
[[nodiscard]] std::string node_path(std::string_view name);
[[nodiscard]] std::string node_status_path(std::string_view name);

inline constexpr std::string_view kNodeLeaseNamespace = "kube-node-lease";
[[nodiscard]] std::string leases_path(std::string_view lease_namespace);
[[nodiscard]] std::string lease_path(std::string_view lease_namespace, std::string_view name);

[[nodiscard]] std::string events_path(std::string_view event_namespace);
[[nodiscard]] std::string event_path(std::string_view event_namespace, std::string_view name);

[[nodiscard]] std::string config_maps_path(std::string_view map_namespace);
[[nodiscard]] std::string config_map_path(std::string_view map_namespace, std::string_view name);
[[nodiscard]] std::string secrets_path(std::string_view secret_namespace);
[[nodiscard]] std::string secret_path(std::string_view secret_namespace, std::string_view name);
[[nodiscard]] std::string services_path(std::string_view service_namespace);
[[nodiscard]] std::string service_account_path(std::string_view account_namespace,
                                               std::string_view name);
[[nodiscard]] std::string service_account_token_path(std::string_view account_namespace,
                                                     std::string_view name);

// Of a PersistentVolumeClaim.
[[nodiscard]] std::string claim_path(std::string_view claim_namespace, std::string_view name);
[[nodiscard]] std::string persistent_volume_path(std::string_view name);

// Of ClusterTrustBundles, in that version of the API.
[[nodiscard]] std::string trust_bundles_path(std::string_view version);

[[nodiscard]] std::string token_reviews_path();
[[nodiscard]] std::string subject_access_reviews_path();
[[nodiscard]] std::string self_subject_reviews_path();
[[nodiscard]] std::string self_subject_access_reviews_path();

[[nodiscard]] std::string certificate_requests_path();
[[nodiscard]] std::string certificate_request_path(std::string_view name);

}  // namespace vkhost::kube
