#include "daemon/cluster_object_feed.hpp"

#include "kube/paths.hpp"

#include <chrono>
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

// Several objects by what they have in common, looked at now and then: no watch tells what is selected.
class PolledSelection final : public resolve::FollowedObject, private kube::Watched {
 public:
  PolledSelection(std::string selection,
                  const ClusterObjectFeed::Parts& parts,
                  kube::ObjectListener& listener)
      : selection_(std::move(selection)), parts_(parts), listener_(listener) {
    parts_.watches.add(*this, kube::Opening::Patient);
  }
  ~PolledSelection() override { parts_.watches.remove(*this); }
  PolledSelection(const PolledSelection&) = delete;
  PolledSelection& operator=(const PolledSelection&) = delete;

  [[nodiscard]] bool is_live() const override { return false; }

 private:
  kube::NextTurn open(const CancelToken& cancel) override {
    auto list = parts_.objects.list_trust_bundles(selection_, cancel);
    if (list.is_ok()) {
      listener_.object_changed(std::move(*list));
    } else if (list.status().code() == StatusCode::NotFound) {
      listener_.object_gone();
    }
    const auto pause = kPoll - std::chrono::duration_cast<std::chrono::milliseconds>(
                                   kPoll * (parts_.random->next() / 3));
    return {kube::NextTurn::Does::Open, parts_.clock->steady_now() + pause, {}};
  }
  kube::NextTurn follow(kube::WatchStream& /*stream*/) override { return {}; }
  void left() override {}

  static constexpr std::chrono::milliseconds kPoll = std::chrono::seconds{45};

  const std::string selection_;
  const ClusterObjectFeed::Parts& parts_;
  kube::ObjectListener& listener_;
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
  if (object.kind == resolve::ObjectKind::TrustBundles) {
    return std::make_unique<PolledSelection>(object.name, parts_, listener);
  }
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
