// ClusterObjectFeed: news of ConfigMaps, Secrets and selections of ClusterTrustBundles from the API server,
// for resolve.
//
// One single watch for each object, on the process's WatchLoop; beyond so many of them, and where watching
// is forbidden, objects are read now and then, and selections always. Outlives what it hands out. [any-thread]
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "kube/client.hpp"
#include "kube/single_watch.hpp"
#include "kube/watch_loop.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"
#include "resolve/object_feed.hpp"
#include "resolve/object_source.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace vkhost::daemon {

// Each has a connection of its own while it is watched.
inline constexpr std::size_t kMaxWatchedObjects = 512;

class ClusterObjectFeed final : public resolve::ObjectFeed {
 public:
  struct Parts {  // references outlive the feed
    kube::Client& client;
    std::shared_ptr<const Clock> clock;
    std::shared_ptr<Random> random;
    observe::Logger log;
    kube::WatchLoop& watches;
    resolve::ObjectSource& objects;       // whom selections are asked of
    observe::Metrics* metrics = nullptr;  // see SingleWatch::Parts
  };
  explicit ClusterObjectFeed(Parts parts, std::size_t max_watched = kMaxWatchedObjects);

  std::unique_ptr<resolve::FollowedObject> follow(const resolve::ObjectReference& object,
                                                  const std::string& known_version,
                                                  kube::ObjectListener& listener) override;

 private:
  const Parts parts_;
  kube::SingleWatchGroup group_;
};

}  // namespace vkhost::daemon
