// VolumeStorage: what a pod's volumes are made of that are no files: the PersistentVolume behind each
// claim, the Secrets that sources name, medium and limit of an emptyDir.
//
// What is missing keeps a kubelet's pod in ContainerCreating, with the event FailedMount; so it does
// here. Part of one PodResolution, which reads Secrets and counts bytes for all of the material. Secrets
// are in no message. [pod-serial] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "resolve/claims.hpp"
#include "resolve/resolve_events.hpp"
#include "resolve/storage_view.hpp"
#include "resolve/used_object.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::resolve {

class VolumeStorage {
 public:
  struct Parts {  // all outlive it
    const kube::PodRecord& pod;
    ResolveEvents& events;
    Claims* claims;  // null: there are none
    const CancelToken& cancel;
    // A Secret. NOT_FOUND alone says that there is none. [may-block]
    std::function<Result<ObjectPtr>(const std::string& secret_namespace, const std::string& name)>
        read;
    // Takes so many bytes from what the material may have; fails when they are not there.
    std::function<Status(std::size_t bytes)> spend;
    // For a pod that has it already: a claim on its way out still counts.
    bool is_held = false;
  };
  explicit VolumeStorage(Parts parts) : parts_(std::move(parts)) {}

  // {"NAME":{"claim":…,"secrets":…},…}, the member `storage` of the material. FAILED_PRECONDITION
  // with reason ContainerCreating, after a warning: something is missing.
  Result<std::string> json(const PodStorage& storage);

 private:
  Result<std::string> volume_json(const StorageVolume& volume);
  Result<BoundClaimPtr> bound(const StorageVolume& volume, const std::string& name);
  Status add_secrets(const std::vector<SourceSecret>& secrets, std::string& json);
  Status failed(const std::string& words, const Status& status);

  const Parts parts_;
};

}  // namespace vkhost::resolve
