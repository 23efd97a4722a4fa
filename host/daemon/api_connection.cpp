#include "daemon/api_connection.hpp"

#include "kube/in_cluster.hpp"
#include "kube/kubeconfig.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

namespace vkhost::daemon {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): never written
  return value == nullptr ? std::string() : value;
}

// The kubeconfig, where there is such a file; else the service account of the pod that we are in. A
// kubeconfig is nearly always named, if only by default ($HOME), so its absence decides.
Result<kube::Connection> find_connection(const config::KubernetesConfig& config) {
  const auto files = kube::split_kubeconfig_list(config.kubeconfig);
  const bool exists = std::any_of(files.begin(), files.end(), [](const auto& file) {
    std::error_code error;
    return std::filesystem::exists(file, error) || error;  // one that is hidden is not missing
  });
  if (exists) {
    return kube::load_kubeconfig(files, config.context);
  }
  const kube::InClusterPlaces places{kube::InClusterPlaces{}.folder,
                                     environment("KUBERNETES_SERVICE_HOST"),
                                     environment("KUBERNETES_SERVICE_PORT")};
  auto in_cluster = kube::in_cluster_connection(places);
  if (in_cluster.is_ok() || in_cluster.status().code() != StatusCode::FailedPrecondition) {
    return in_cluster;
  }
  return not_found("no way to an API server: " +
                   (files.empty() ? std::string("kubernetes.kubeconfig is not set")
                                  : "there is no file " + config.kubeconfig) +
                   ", and " + in_cluster.status().message() +
                   "; name a kubeconfig, or run with --standalone");
}

}  // namespace

Result<kube::Connection> api_connection(const config::KubernetesConfig& config) {
  VKHOST_TRY_ASSIGN(kube::Connection connection,
                    config.bootstrap_kubeconfig.empty()
                        ? find_connection(config)
                        : kube::load_kubeconfig({config.bootstrap_kubeconfig}, {}));
  if (!config.server.empty()) {
    connection.server = config.server;
  }
  return connection;
}

kube::Connection without_identity(const kube::Connection& connection) {
  kube::Connection bare;
  bare.origin = connection.origin;
  bare.server = connection.server;
  bare.proxy_url = connection.proxy_url;
  bare.tls_server_name = connection.tls_server_name;
  bare.insecure_skip_tls_verify = connection.insecure_skip_tls_verify;
  bare.certificate_authority = connection.certificate_authority;
  return bare;
}

std::filesystem::path certificate_folder(const config::PathsConfig& paths) {
  return std::filesystem::path(paths.state) / "pki";
}

}  // namespace vkhost::daemon
