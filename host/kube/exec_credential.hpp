// The exchange with an exec plugin of kubeconfig: what it is told, and the ExecCredential it prints
// (client.authentication.k8s.io, v1 and v1beta1).
//
// What it printed never reaches a message, only what it wrote to stderr. [any-thread] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/secret.hpp"
#include "base/status.hpp"
#include "kube/connection.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vkhost::kube {

struct ExecCredential {
  Secret token;
  std::string certificate_pem;  // with key_pem, or both empty
  Secret key_pem;
  std::optional<WallTime> expires;
};

// Value of KUBERNETES_EXEC_INFO. `ca_pem` is the CA as read from the connection's source.
[[nodiscard]] std::string exec_info(const Connection& connection, std::string_view ca_pem);

Result<ExecCredential> read_exec_credential(std::string_view json, std::string_view api_version);

// UNAUTHENTICATED with what the plugin said when it fails, DEADLINE_EXCEEDED, CANCELLED.
Result<ExecCredential> run_exec_plugin(const Connection& connection,
                                       std::string_view ca_pem,
                                       const Clock& clock,
                                       Deadline deadline,
                                       const CancelToken& cancel);

}  // namespace vkhost::kube
