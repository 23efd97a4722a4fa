// The Credentials of a Connection, and the Client on top of them.
//
// Files are read again once a minute and after a 401; an exec plugin runs when what it gave is about
// to expire and after a 401. While one thread reads or runs, others go on with what there is, or
// wait for it if there is nothing yet. What worked before stays when a file can't be read.
// [any-thread]
#pragma once

#include "kube/api_client.hpp"
#include "kube/connection.hpp"
#include "kube/credentials.hpp"

#include <memory>

namespace vkhost::kube {

std::shared_ptr<Credentials> make_credentials(Connection connection,
                                              std::shared_ptr<const Clock> clock,
                                              observe::Logger log);

// A client for that server with those credentials; `settings` brings the rest, parts.credentials is
// filled in.
std::unique_ptr<Client> make_client(const Connection& connection,
                                    ClientSettings settings,
                                    ClientParts parts);

}  // namespace vkhost::kube
