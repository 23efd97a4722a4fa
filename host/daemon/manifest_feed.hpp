// ManifestFeed: tells who follows a ConfigMap or Secret of the manifest folder when it changes.
//
// Part of StandaloneStore, which calls update() with each state of the folder. An edit in the very moment
// between somebody's first read and follow() is told with the next one. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "daemon/manifest.hpp"
#include "resolve/object_feed.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vkhost::daemon {

class ManifestFeed final : public resolve::ObjectFeed {  // outlives what it hands out
 public:
  std::unique_ptr<resolve::FollowedObject> follow(const resolve::ObjectReference& object,
                                                  const std::string& known_version,
                                                  kube::ObjectListener& listener) override;
  // The objects as they are now; the listeners are called before it returns. By one at a time.
  void update(const ObjectDocuments& config_maps, const ObjectDocuments& secrets);

 private:
  using Id = std::uint64_t;
  class Followed;
  struct Follower {
    resolve::ObjectReference object;
    kube::ObjectListener* listener = nullptr;
    std::size_t told = 0;  // hash of its text; 0: there is none
  };
  using Hashes = std::map<resolve::ObjectReference, std::size_t>;

  void leave(Id id);  // [may-block]
  void tell(Id id, const std::optional<std::string>& text);

  Mutex mutex_;
  CondVar called_;
  Id last_id_ VKHOST_GUARDED_BY(mutex_) = 0;
  Id calling_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::map<Id, Follower> followers_ VKHOST_GUARDED_BY(mutex_);
  Hashes present_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::daemon
