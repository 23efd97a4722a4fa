// StandaloneStore: what the API server is to the pod engine in a cluster, made of a manifest folder
// and a state folder.
//
// Desired pods come from apply(). What must survive a restart (handle, status, a deletion under way)
// is one file for each pod, written whole and renamed into place. A pod whose manifest is gone is
// deleted with its grace; one that was edited is another pod, which begins when the old one has ended.
// The engine hears of everything through the listener, as from a watch. [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "daemon/manifest.hpp"
#include "daemon/manifest_feed.hpp"
#include "daemon/state_file.hpp"
#include "kube/pod_record.hpp"
#include "observe/log.hpp"
#include "pods/interfaces.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::daemon {

class StandaloneStore final : public pods::PodApi {
 public:
  // Reads what an earlier process left in `folder`, which is created. A file that cannot be used is
  // reported and left alone.
  static Result<std::unique_ptr<StandaloneStore>> create(std::filesystem::path folder,
                                                         std::shared_ptr<const Clock> clock,
                                                         observe::Logger log);

  // Before the first apply().
  void set_listener(kube::PodListener* listener) { listener_ = listener; }
  // The manifests as they are now. The first call lists all pods to the listener. [may-block]
  void apply(Manifests manifests);

  // pods::PodApi
  Result<std::string> patch_status(const kube::PodRecord& pod,
                                   const pods::StatusPatch& patch,
                                   const CancelToken& cancel) override;
  Status remove_pod(const kube::PodRecord& pod, const CancelToken& cancel) override;
  Result<kube::PodPtr> read_pod(const std::string& pod_namespace,
                                const std::string& name,
                                const std::string& node_name,
                                const CancelToken& cancel) override;

  // ConfigMap or Secret documents of the folder.
  [[nodiscard]] std::optional<std::string> config_map(const std::string& key) const;
  [[nodiscard]] std::optional<std::string> secret(const std::string& key) const;
  // News of them, as apply() brings it.
  [[nodiscard]] ManifestFeed& object_feed() { return feed_; }

 private:
  StandaloneStore(std::filesystem::path folder,
                  std::shared_ptr<const Clock> clock,
                  observe::Logger log);
  void load();
  // Creates what is wanted and not held up by an older pod of the same name.
  void admit(std::vector<kube::PodPtr>* applied) VKHOST_REQUIRES(mutex_);
  void mark_deleted(std::vector<kube::PodPtr>* applied) VKHOST_REQUIRES(mutex_);
  Result<kube::PodPtr> keep(const std::string& json, Durability durability) VKHOST_REQUIRES(mutex_);

  const std::filesystem::path folder_;
  const std::shared_ptr<const Clock> clock_;
  const observe::Logger log_;
  kube::PodListener* listener_ = nullptr;
  ManifestFeed feed_;

  // Keeps news in order on their way to the listener; never held together with mutex_ while waiting.
  Mutex news_mutex_;
  mutable Mutex mutex_;
  bool listed_ VKHOST_GUARDED_BY(mutex_) = false;
  std::uint64_t version_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::map<std::string, kube::PodPtr> pods_ VKHOST_GUARDED_BY(mutex_);   // by UID
  std::map<std::string, PodManifest> wanted_ VKHOST_GUARDED_BY(mutex_);  // by UID
  ObjectDocuments config_maps_ VKHOST_GUARDED_BY(mutex_);
  ObjectDocuments secrets_ VKHOST_GUARDED_BY(mutex_);
};

// Applies a strategic merge patch of PodStatus and annotations to a pod document, as an API server
// would: conditions merge by type, null removes, "$patch": "replace" replaces a list.
Result<std::string> patched_pod(std::string_view pod_json, const pods::StatusPatch& patch);

}  // namespace vkhost::daemon
