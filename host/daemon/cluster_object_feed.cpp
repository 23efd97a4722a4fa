#include "daemon/cluster_object_feed.hpp"

#include "kube/paths.hpp"

#include <utility>

namespace vkhost::daemon {
namespace {

class WatchedObject final : public resolve::FollowedObject {
 public:
  WatchedObject(kube::SingleWatchSettings settings,
                kube::SingleWatch::Parts parts,
                kube::WatchLoop& loop)
      : loop_(loop), watch_(std::move(settings), std::move(parts)) {
    loop_.add(watch_, kube::Opening::Patient);
  }
  ~WatchedObject() override { loop_.remove(watch_); }
  WatchedObject(const WatchedObject&) = delete;
  WatchedObject& operator=(const WatchedObject&) = delete;

  [[nodiscard]] bool is_live() const override { return watch_.is_live(); }

 private:
  kube::WatchLoop& loop_;
  kube::SingleWatch watch_;
};

std::string collection_of(const resolve::ObjectReference& object) {
  return object.kind == resolve::ObjectKind::Secret
             ? kube::secrets_path(object.object_namespace)
             : kube::config_maps_path(object.object_namespace);
}

}  // namespace

ClusterObjectFeed::ClusterObjectFeed(Parts parts, std::size_t max_watched)
    : parts_(std::move(parts)), group_(max_watched, parts_.log) {}

std::unique_ptr<resolve::FollowedObject> ClusterObjectFeed::follow(
    const resolve::ObjectReference& object,
    const std::string& known_version,
    kube::ObjectListener& listener) {
  kube::SingleWatchSettings settings;
  settings.collection_path = collection_of(object);
  settings.name = object.name;
  settings.known_version = known_version;
  return std::make_unique<WatchedObject>(
      std::move(settings),
      kube::SingleWatch::Parts{parts_.client, listener, group_, parts_.clock, parts_.random,
                               parts_.log, parts_.metrics},
      parts_.watches);
}

}  // namespace vkhost::daemon
