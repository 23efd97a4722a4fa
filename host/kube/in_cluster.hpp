// The Connection of a process that runs in a pod: its service account. [startup] [may-block]
#pragma once

#include "base/status.hpp"
#include "kube/connection.hpp"

#include <filesystem>
#include <string>

namespace vkhost::kube {

struct InClusterPlaces {
  std::filesystem::path folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  std::string host;  // $KUBERNETES_SERVICE_HOST
  std::string port;  // $KUBERNETES_SERVICE_PORT
};

// FAILED_PRECONDITION when this is no pod, or one without a service account token.
Result<Connection> in_cluster_connection(const InClusterPlaces& places);

}  // namespace vkhost::kube
