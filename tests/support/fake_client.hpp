// client_on: the real kube::Client over FakeTransport, for tests of whoever talks to the API server.
//
// Requests of all lanes go to the same FakeServer; retries wait a millisecond. [any-thread]
#pragma once

#include "kube/client.hpp"
#include "support/fake_transport.hpp"

#include <memory>

namespace vkhost::testing {

std::unique_ptr<kube::Client> client_on(std::shared_ptr<FakeServer> server);

}  // namespace vkhost::testing
