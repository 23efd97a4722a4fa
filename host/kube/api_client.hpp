// make_client: the real Client, over transports that a factory makes.
//
// One transport, made anew when the credentials bring other certificates; running requests and
// watches end on the old one. Connections are shared by all lanes, but each lane may use only so many
// at once that there is one left for the others. Watches have their own. [any-thread]
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "http/client.hpp"
#include "kube/client.hpp"
#include "kube/credentials.hpp"
#include "kube/lane_gate.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vkhost::kube {

// Called again after each rotation of certificates; in the daemon it is http::make_poco_transport.
using TransportFactory =
    std::function<Result<std::unique_ptr<http::Transport>>(http::TransportSettings)>;

struct ClientSettings {
  std::string server;     // URL, perhaps with a base path
  std::string proxy_url;  // or empty
  LaneWidths widths;
  // For requests without a deadline: a server that never answers must not hold a thread.
  std::chrono::milliseconds request_timeout{std::chrono::seconds{60}};
  std::uint32_t max_tries = 5;  // of one request, the first included
  BackoffLimits retry{std::chrono::milliseconds{100}, std::chrono::seconds{2}};
};

struct ClientParts {
  std::shared_ptr<Credentials> credentials;
  TransportFactory make_transport;
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<Random> random;
  observe::Logger log;
  observe::Metrics* metrics = nullptr;  // null: nothing is counted; else it outlives the client
};

// Nothing is dialled before the first request, which also reports settings that are wrong.
std::unique_ptr<Client> make_client(ClientSettings settings, ClientParts parts);

}  // namespace vkhost::kube
