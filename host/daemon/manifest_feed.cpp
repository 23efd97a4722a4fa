#include "daemon/manifest_feed.hpp"

#include <functional>
#include <utility>
#include <vector>

namespace vkhost::daemon {
namespace {

using resolve::ObjectKind;
using resolve::ObjectReference;

void add_hashes(ObjectKind kind,
                const ObjectDocuments& documents,
                std::map<ObjectReference, std::size_t>* hashes) {
  for (const auto& [key, text] : documents) {
    const std::size_t slash = key.find('/');
    hashes->emplace(ObjectReference{kind, key.substr(0, slash), key.substr(slash + 1)},
                    std::hash<std::string>()(text) | 1U);
  }
}

}  // namespace

class ManifestFeed::Followed final : public resolve::FollowedObject {
 public:
  Followed(ManifestFeed& feed, Id id) : feed_(feed), id_(id) {}
  ~Followed() override { feed_.leave(id_); }
  // Reading costs nothing here, so nobody has to trust what was told.
  [[nodiscard]] bool is_live() const override { return false; }

 private:
  ManifestFeed& feed_;
  const Id id_;
};

std::unique_ptr<resolve::FollowedObject> ManifestFeed::follow(const ObjectReference& object,
                                                              const std::string& /*known_version*/,
                                                              kube::ObjectListener& listener) {
  const MutexLock lock(mutex_);
  const auto found = present_.find(object);
  followers_.emplace(++last_id_,
                     Follower{object, &listener, found == present_.end() ? 0 : found->second});
  return std::make_unique<Followed>(*this, last_id_);
}

void ManifestFeed::update(const ObjectDocuments& config_maps, const ObjectDocuments& secrets) {
  Hashes present;
  add_hashes(ObjectKind::ConfigMap, config_maps, &present);
  add_hashes(ObjectKind::Secret, secrets, &present);
  std::vector<std::pair<Id, std::optional<std::string>>> news;
  {
    const MutexLock lock(mutex_);
    present_ = std::move(present);
    for (auto& [id, follower] : followers_) {
      const auto found = present_.find(follower.object);
      const std::size_t now = found == present_.end() ? 0 : found->second;
      if (std::exchange(follower.told, now) == now) {
        continue;
      }
      const ObjectDocuments& documents =
          follower.object.kind == ObjectKind::Secret ? secrets : config_maps;
      const std::string key = follower.object.object_namespace + "/" + follower.object.name;
      news.emplace_back(id, now == 0 ? std::nullopt : std::optional(documents.at(key)));
    }
  }
  for (const auto& [id, text] : news) {
    tell(id, text);
  }
}

void ManifestFeed::tell(Id id, const std::optional<std::string>& text) {
  kube::ObjectListener* listener = nullptr;
  {
    const MutexLock lock(mutex_);
    const auto found = followers_.find(id);
    if (found == followers_.end()) {
      return;
    }
    listener = found->second.listener;
    calling_ = id;
  }
  if (text) {
    listener->object_changed(*text);
  } else {
    listener->object_gone();
  }
  const MutexLock lock(mutex_);
  calling_ = 0;
  called_.notify_all();
}

void ManifestFeed::leave(Id id) {
  const MutexLock lock(mutex_);
  followers_.erase(id);
  while (calling_ == id) {
    called_.wait(mutex_);
  }
}

}  // namespace vkhost::daemon
