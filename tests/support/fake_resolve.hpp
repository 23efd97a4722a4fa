// What host/resolve asks of others, played by the test: objects held in memory and counted, events
// recorded, facts of a node as set. [any-thread] where the real ones are
#pragma once

#include "base/check.hpp"
#include "base/mutex.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/object_feed.hpp"
#include "resolve/object_source.hpp"
#include "resolve/resolve_events.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::testing {

// Objects are put and failed by "Kind/namespace/name"; a list of services by "Services/namespace".
class FakeObjectSource final : public resolve::ObjectSource {
 public:
  void put(const std::string& key, std::string json) {
    MutexLock lock(mutex_);
    objects_[key] = std::move(json);
  }
  void remove(const std::string& key) {
    MutexLock lock(mutex_);
    objects_.erase(key);
  }
  void fail(const std::string& key, Status status) {
    MutexLock lock(mutex_);
    failures_.insert_or_assign(key, std::move(status));
  }
  void heal(const std::string& key) {
    MutexLock lock(mutex_);
    failures_.erase(key);
  }
  // Runs once in the next read, without a lock, before the answer is looked up.
  void during_next(std::function<void()> hook) {
    MutexLock lock(mutex_);
    hook_ = std::move(hook);
  }
  [[nodiscard]] std::vector<std::string> reads() const {
    MutexLock lock(mutex_);
    return reads_;
  }

  Result<std::string> get_config_map(const std::string& object_namespace,
                                     const std::string& name,
                                     const CancelToken& /*cancel*/) override {
    return read("ConfigMap/" + object_namespace + "/" + name);
  }
  Result<std::string> get_secret(const std::string& object_namespace,
                                 const std::string& name,
                                 const CancelToken& /*cancel*/) override {
    return read("Secret/" + object_namespace + "/" + name);
  }
  Result<std::string> get_service(const std::string& object_namespace,
                                  const std::string& name,
                                  const CancelToken& /*cancel*/) override {
    return read("Service/" + object_namespace + "/" + name);
  }
  Result<std::string> get_service_account(const std::string& object_namespace,
                                          const std::string& name,
                                          const CancelToken& /*cancel*/) override {
    return read("ServiceAccount/" + object_namespace + "/" + name);
  }
  Result<std::string> get_claim(const std::string& object_namespace,
                                const std::string& name,
                                const CancelToken& /*cancel*/) override {
    return read("PersistentVolumeClaim/" + object_namespace + "/" + name);
  }
  Result<std::string> get_persistent_volume(const std::string& name,
                                            const CancelToken& /*cancel*/) override {
    return read("PersistentVolume//" + name);
  }
  Result<std::string> list_trust_bundles(const std::string& selection,
                                         const CancelToken& /*cancel*/) override {
    return read("ClusterTrustBundles//" + selection);
  }
  Result<std::string> list_services(const std::string& object_namespace,
                                    const CancelToken& /*cancel*/) override {
    auto list = read("Services/" + object_namespace);
    if (list.status().code() == StatusCode::NotFound) {
      return std::string(R"({"items":[]})");
    }
    return list;
  }

 private:
  Result<std::string> read(const std::string& key) {
    std::function<void()> hook;
    {
      MutexLock lock(mutex_);
      hook = std::exchange(hook_, nullptr);
    }
    if (hook) {
      hook();
    }
    MutexLock lock(mutex_);
    reads_.push_back(key);
    if (const auto failure = failures_.find(key); failure != failures_.end()) {
      return failure->second;
    }
    const auto object = objects_.find(key);
    if (object == objects_.end()) {
      return not_found(key + " not found");
    }
    return object->second;
  }

  mutable Mutex mutex_;
  std::map<std::string, std::string> objects_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, Status> failures_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> reads_ VKHOST_GUARDED_BY(mutex_);
  std::function<void()> hook_ VKHOST_GUARDED_BY(mutex_);
};

// News are what the test says, on its thread. Objects are named as in FakeObjectSource.
class FakeObjectFeed final : public resolve::ObjectFeed {
 public:
  std::unique_ptr<resolve::FollowedObject> follow(const resolve::ObjectReference& object,
                                                  const std::string& known_version,
                                                  kube::ObjectListener& listener) override {
    const std::string kind = object.kind == resolve::ObjectKind::Secret ? "Secret/"
                             : object.kind == resolve::ObjectKind::ConfigMap
                                 ? "ConfigMap/"
                                 : "ClusterTrustBundles/";
    const std::string key = kind + object.object_namespace + "/" + object.name;
    MutexLock lock(mutex_);
    followed_.emplace(++last_id_, Followed{key, &listener, known_version});
    return std::make_unique<Following>(*this, last_id_);
  }
  void change(const std::string& key, const std::string& json) {
    listener(key).object_changed(json);
  }
  void end(const std::string& key) { listener(key).object_gone(); }
  void be_live(bool is_live) { is_live_ = is_live; }
  // "Kind/namespace/name@version" of each.
  [[nodiscard]] std::vector<std::string> followed() const {
    MutexLock lock(mutex_);
    std::vector<std::string> keys;
    for (const auto& [id, followed] : followed_) {
      keys.push_back(followed.key + "@" + followed.version);
    }
    return keys;
  }

 private:
  struct Followed {
    std::string key;
    kube::ObjectListener* listener = nullptr;
    std::string version;
  };
  class Following final : public resolve::FollowedObject {
   public:
    Following(FakeObjectFeed& feed, int id) : feed_(feed), id_(id) {}
    ~Following() override {
      MutexLock lock(feed_.mutex_);
      feed_.followed_.erase(id_);
    }
    [[nodiscard]] bool is_live() const override { return feed_.is_live_; }

   private:
    FakeObjectFeed& feed_;
    const int id_;
  };
  kube::ObjectListener& listener(const std::string& key) {
    MutexLock lock(mutex_);
    const auto found = std::find_if(followed_.rbegin(), followed_.rend(),
                                    [&](const auto& entry) { return entry.second.key == key; });
    VKHOST_CHECK(found != followed_.rend(), "the object is followed");
    return *found->second.listener;
  }

  mutable Mutex mutex_;
  int last_id_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::map<int, Followed> followed_ VKHOST_GUARDED_BY(mutex_);
  std::atomic<bool> is_live_ = true;
};

// "Reason: message" of each warning.
class RecordingResolveEvents final : public resolve::ResolveEvents {
 public:
  void warning(const kube::PodRecord& /*pod*/,
               std::string_view reason,
               std::string_view message) override {
    MutexLock lock(mutex_);
    lines_.push_back(std::string(reason) + ": " + std::string(message));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    MutexLock lock(mutex_);
    return lines_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_ VKHOST_GUARDED_BY(mutex_);
};

// Set before use, then only read.
class FakeNodeFacts final : public resolve::NodeFacts {
 public:
  std::vector<std::string> ips;
  std::map<std::string, std::string, std::less<>> amounts;

  [[nodiscard]] std::vector<std::string> host_ips() const override { return ips; }
  [[nodiscard]] std::optional<std::string> allocatable(std::string_view resource) const override {
    const auto amount = amounts.find(resource);
    return amount == amounts.end() ? std::nullopt : std::optional(amount->second);
  }
};

}  // namespace vkhost::testing
