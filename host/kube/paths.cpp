#include "kube/paths.hpp"

namespace vkhost::kube {
namespace {

constexpr std::string_view kCore = "/api/v1";
constexpr std::string_view kCoordination = "/apis/coordination.k8s.io/v1";
constexpr std::string_view kCertificates =
    "/apis/certificates.k8s.io/v1/certificatesigningrequests";

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& out, std::string_view text, bool dots_too) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c) && !(dots_too && c == '.')) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
}

std::string collection(std::string_view group,
                       std::string_view in_namespace,
                       std::string_view kind) {
  std::string path(group);
  if (!in_namespace.empty()) {
    path += "/namespaces/";
    path += path_segment(in_namespace);
  }
  path += '/';
  path += kind;
  return path;
}

std::string member(std::string path, std::string_view name) {
  path += '/';
  path += path_segment(name);
  return path;
}

}  // namespace

std::string path_segment(std::string_view text) {
  std::string out;
  append_encoded(out, text, text == "." || text == "..");
  return out;
}

std::string query_string(const Query& query) {
  std::string out;
  for (const auto& [key, value] : query) {
    out += out.empty() ? '?' : '&';
    append_encoded(out, key, false);
    out += '=';
    append_encoded(out, value, false);
  }
  return out;
}

std::string pods_path(std::string_view pod_namespace) {
  return collection(kCore, pod_namespace, "pods");
}
std::string pod_path(std::string_view pod_namespace, std::string_view name) {
  return member(pods_path(pod_namespace), name);
}
std::string pod_status_path(std::string_view pod_namespace, std::string_view name) {
  return pod_path(pod_namespace, name) + "/status";
}

std::string pod_eviction_path(std::string_view pod_namespace, std::string_view name) {
  return pod_path(pod_namespace, name) + "/eviction";
}

std::string nodes_path() { return collection(kCore, "", "nodes"); }
std::string node_path(std::string_view name) { return member(nodes_path(), name); }
std::string node_status_path(std::string_view name) { return node_path(name) + "/status"; }

std::string leases_path(std::string_view lease_namespace) {
  return collection(kCoordination, lease_namespace, "leases");
}
std::string lease_path(std::string_view lease_namespace, std::string_view name) {
  return member(leases_path(lease_namespace), name);
}

std::string events_path(std::string_view event_namespace) {
  return collection(kCore, event_namespace, "events");
}
std::string event_path(std::string_view event_namespace, std::string_view name) {
  return member(events_path(event_namespace), name);
}

std::string config_maps_path(std::string_view map_namespace) {
  return collection(kCore, map_namespace, "configmaps");
}
std::string config_map_path(std::string_view map_namespace, std::string_view name) {
  return member(config_maps_path(map_namespace), name);
}

std::string secrets_path(std::string_view secret_namespace) {
  return collection(kCore, secret_namespace, "secrets");
}
std::string secret_path(std::string_view secret_namespace, std::string_view name) {
  return member(secrets_path(secret_namespace), name);
}

std::string services_path(std::string_view service_namespace) {
  return collection(kCore, service_namespace, "services");
}

std::string service_account_path(std::string_view account_namespace, std::string_view name) {
  return member(collection(kCore, account_namespace, "serviceaccounts"), name);
}
std::string service_account_token_path(std::string_view account_namespace, std::string_view name) {
  return service_account_path(account_namespace, name) + "/token";
}

std::string claim_path(std::string_view claim_namespace, std::string_view name) {
  return member(collection(kCore, claim_namespace, "persistentvolumeclaims"), name);
}
std::string persistent_volume_path(std::string_view name) {
  return member(collection(kCore, "", "persistentvolumes"), name);
}

std::string trust_bundles_path(std::string_view version) {
  return "/apis/certificates.k8s.io/" + path_segment(version) + "/clustertrustbundles";
}

std::string token_reviews_path() { return "/apis/authentication.k8s.io/v1/tokenreviews"; }
std::string subject_access_reviews_path() {
  return "/apis/authorization.k8s.io/v1/subjectaccessreviews";
}

std::string self_subject_reviews_path() {
  return "/apis/authentication.k8s.io/v1/selfsubjectreviews";
}

std::string self_subject_access_reviews_path() {
  return "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
}

std::string certificate_requests_path() { return std::string(kCertificates); }
std::string certificate_request_path(std::string_view name) {
  return member(certificate_requests_path(), name);
}

}  // namespace vkhost::kube
