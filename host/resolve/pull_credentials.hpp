// PullCredentials: the registry credentials for a pod's images, out of the image pull secrets of the
// pod and of its service account.
//
// No secret keeps a pod from being created: what is missing, or holds nothing that can be used, is
// told by a warning and left out, for the image may be public. Only while one cannot be read does
// the pod wait. Part of one PodResolution, which reads objects and counts bytes for all of the
// material. Credentials are in no message. [pod-serial] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "resolve/objects.hpp"
#include "resolve/pull_references.hpp"
#include "resolve/resolve_events.hpp"
#include "resolve/service_accounts.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::resolve {

class PullCredentials {
 public:
  struct Parts {  // all outlive it
    const kube::PodRecord& pod;
    ResolveEvents& events;
    ServiceAccounts* accounts;  // null: none can be read
    const CancelToken& cancel;
    // A Secret of the pod's namespace. NOT_FOUND alone says that there is none. [may-block]
    std::function<Result<ObjectPtr>(const std::string& name)> read;
    // Takes so many bytes from what the material may have; fails when they are not there.
    std::function<Status(std::size_t bytes)> spend;
  };
  explicit PullCredentials(Parts parts) : parts_(std::move(parts)) {}

  // [{"server":…},…], the member `pull_credentials` of the material: the pod's secrets in their
  // order, then those of its account that the pod has not named.
  Result<std::string> json(const PullReferences& references);

 private:
  Result<std::vector<std::string>> secrets_of(const PullReferences& references);
  Status add(const std::string& secret_name, bool is_of_pod, std::string& json);
  void warn_of(const std::string& secret_name, const std::vector<std::string>& problems);

  const Parts parts_;
  std::vector<std::string> missing_;
};

}  // namespace vkhost::resolve
