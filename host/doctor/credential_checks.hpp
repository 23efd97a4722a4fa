// Who the daemon is to the API server, and whether what it shows is still good. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "config/config.hpp"
#include "doctor/report.hpp"
#include "kube/client.hpp"
#include "kube/connection.hpp"
#include "kube/credentials.hpp"

#include <string>

namespace vkhost::doctor {

// Certificates of the connection: the client's and its key, and the authorities of the server.
// `is_renewed`: the daemon gets the next client certificate by itself. [no-block]
void check_connection_certificates(const kube::Connection& connection,
                                   const http::ClientTls& tls,
                                   bool is_renewed,
                                   WallTime now,
                                   Report& report);

struct Self {
  std::string user;         // empty: nobody says so
  bool is_node = false;     // system:node:NAME in system:nodes
  bool is_refused = false;  // the API server doesn't know the credentials
};

// Asks the API server, or where it does not say takes the certificate's word, and compares a node's
// identity with the nodes that are configured. [may-block]
Self check_self(kube::Client& client,
                const http::ClientTls& tls,
                const config::Config& config,
                const Clock& clock,
                Report& report);

}  // namespace vkhost::doctor
