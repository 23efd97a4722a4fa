// What is asked of the API server about one pod: write its status, end it, read it afresh.
//
// The pod meant is always that of one UID; a namesake is never touched. [any-thread] [may-block];
// the builders and is_wrong_uid() [no-block].
#pragma once

#include "base/status.hpp"
#include "kube/client.hpp"
#include "kube/pod_record.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace vkhost::kube {

using AnnotationChanges = std::map<std::string, std::optional<std::string>>;  // nullopt removes

// Body of a strategic merge PATCH of pods/NAME/status: `status_json` is an object of PodStatus
// members, or empty. The UID in it is a precondition.
[[nodiscard]] std::string pod_status_patch(std::string_view uid,
                                           std::string_view status_json,
                                           const AnnotationChanges& annotations);

// metav1.DeleteOptions for the object of that UID alone.
[[nodiscard]] std::string delete_options(std::string_view uid, std::chrono::seconds grace);

// The server refused since the object of that name has another UID: 422 on a PATCH (the UID is
// immutable), 409 on a PUT or DELETE. The API has no reason of its own for it, so its words decide.
[[nodiscard]] bool is_wrong_uid(const Status& status);

// The pod after the write. NOT_FOUND when it is gone or its name belongs to another UID by now.
Result<PodPtr> patch_pod_status(Client& client,
                                const PodRecord& pod,
                                std::string_view status_json,
                                const AnnotationChanges& annotations,
                                const CallOptions& options);

// Ends the object at once (grace 0). Gone or replaced already counts as done.
Status delete_pod_now(Client& client, const PodRecord& pod, const CallOptions& options);

// Where a pod is to be found. With a node's name only a pod that is bound to it: the only one that
// the identity of a node may ask for.
struct PodPlace {
  std::string_view pod_namespace;
  std::string_view name;
  std::string_view node_name = {};
};

// From the API server, not from any cache. NOT_FOUND when there is no such pod. It is listed, not
// got: of a pod that is gone the Node authoriser cannot know whose it was, and answers a GET with 403
// (Kubernetes 1.32 and up, KEP-4601).
Result<PodPtr> fetch_pod(Client& client, const PodPlace& place, const CallOptions& options);

}  // namespace vkhost::kube
