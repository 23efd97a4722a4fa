// Where the API server is and who the daemon is to it, by its configuration. [startup] [may-block] for
// reading files; nobody is dialled.
#pragma once

#include "base/status.hpp"
#include "config/config.hpp"
#include "kube/connection.hpp"

#include <filesystem>

namespace vkhost::daemon {

// By kubernetes.bootstrap_kubeconfig, else by the kubeconfig, else by the service account of the pod that
// we are in. NOT_FOUND when there is none of them, INVALID_ARGUMENT when one can't be read.
Result<kube::Connection> api_connection(const config::KubernetesConfig& config);

// The same server, to somebody who shows nothing.
[[nodiscard]] kube::Connection without_identity(const kube::Connection& connection);

// Where a certificate that was got with bootstrap_kubeconfig is kept, with its key.
[[nodiscard]] std::filesystem::path certificate_folder(const config::PathsConfig& paths);

}  // namespace vkhost::daemon
