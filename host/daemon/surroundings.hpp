// Surroundings: what a virtual node lives in, a cluster or a folder of manifests, behind one interface,
// so that the rest of the daemon does not ask which of the two it is.
//
// Built first and stopped last; everything it hands out lives as long as it does. [any-thread] unless
// a function says otherwise.
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "config/config.hpp"
#include "daemon/pod_source.hpp"
#include "kube/client.hpp"
#include "kube/watch_loop.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"
#include "pods/interfaces.hpp"
#include "resolve/object_feed.hpp"
#include "resolve/object_source.hpp"
#include "resolve/token_source.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vkhost::daemon {

class Surroundings {
 public:
  Surroundings() = default;
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;
  virtual ~Surroundings() = default;

  virtual void start() = 0;  // [startup]
  virtual void stop() = 0;   // after the nodes [may-block]

  // Stable over restarts; the root of ownership marks. UNAVAILABLE: ask again. [may-block]
  virtual Result<std::string> cluster_uid(const CancelToken& cancel) = 0;
  // The node whose credentials the daemon has; empty where they are nobody's node. UNAUTHENTICATED: it
  // has none yet; other failures: nobody says so, ask again. [may-block]
  virtual Result<std::string> node_identity(const CancelToken& cancel) = 0;
  [[nodiscard]] virtual kube::Client* api() = 0;  // null when standalone
  [[nodiscard]] virtual pods::PodApi& pod_api() = 0;
  [[nodiscard]] virtual pods::EventSink& events() = 0;
  [[nodiscard]] virtual resolve::ObjectSource& objects() = 0;
  // News of them; null where there are none.
  [[nodiscard]] virtual resolve::ObjectFeed* object_feed() = 0;
  // Who issues tokens of service accounts; null where there is nobody.
  [[nodiscard]] virtual resolve::TokenSource* tokens() = 0;
  // Reads the credentials that this configuration names once more, and changes nothing: what comes back
  // takes them into use. Those of another API server take a restart, as the log says then. One at a time.
  // [may-block]
  virtual Result<std::function<void()>> prepare_credentials(const config::Config& config) = 0;
  // Where the pods of one node come from. [startup]
  virtual std::unique_ptr<PodSource> make_pod_source() = 0;
};

// What everything in the process shares.
struct Shared {
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<Random> random;
  observe::Logger log;
  std::shared_ptr<kube::WatchLoop> watches = nullptr;  // may be null where there is no API server
  std::shared_ptr<observe::Metrics> metrics = std::make_shared<observe::Metrics>();
};

// Reads kubeconfig or the service account of the pod; talks to nobody yet. INVALID_ARGUMENT or
// NOT_FOUND say what is wrong with it. [startup]
Result<std::unique_ptr<Surroundings>> make_cluster_surroundings(const config::Config& config,
                                                                const Shared& shared);
// Opens the state folder. [startup]
Result<std::unique_ptr<Surroundings>> make_standalone_surroundings(const config::Config& config,
                                                                   const Shared& shared);

}  // namespace vkhost::daemon
