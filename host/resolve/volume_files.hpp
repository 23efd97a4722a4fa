// VolumeFiles: the files of a pod's volumes, by the rules of the API server and of a kubelet.
//
//   configMap, secret  a file for each key, or for each item
//   downwardAPI        a file for each item
//   projected          the files of its sources, later ones over earlier ones; a serviceAccountToken
//                      and a clusterTrustBundle are one file each
//
// What is missing and not optional keeps a kubelet's pod in ContainerCreating, with the event
// FailedMount; so it does here. Part of one PodResolution, which reads objects and counts bytes for
// all of the material. Files may be secret: their contents are in no message. [pod-serial]
// [may-block]
#pragma once

#include "base/secret.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "resolve/node_facts.hpp"
#include "resolve/objects.hpp"
#include "resolve/pod_fields.hpp"
#include "resolve/pod_view.hpp"
#include "resolve/resolve_events.hpp"
#include "resolve/tokens.hpp"
#include "resolve/volume_view.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace vkhost::resolve {

struct VolumeFile {
  Secret data;
  std::int64_t mode = 0;  // permission bits
  bool secret = false;
  std::optional<std::int64_t> uid = {};
  TokenPtr token = {};  // what it holds, if it holds one
};

class VolumeFiles {
 public:
  struct Parts {  // all outlive it
    const kube::PodRecord& pod;
    const PodView& view;
    const NodeFacts& node;
    PodFields& fields;
    ResolveEvents& events;
    // NOT_FOUND alone says that there is none. [may-block]
    std::function<Result<ObjectPtr>(ObjectKind kind, const std::string& name)> read;
    // Takes so many bytes from what the material may have; fails when they are not there.
    std::function<Status(std::size_t bytes)> spend;
    // What is made: files other than tokens, tokens.
    bool makes_files = true;
    bool makes_tokens = false;
    // A token of the pod's service account; null where nobody issues any. [may-block]
    std::function<Result<TokenPtr>(const TokenFile& file)> token = {};
  };
  explicit VolumeFiles(Parts parts) : parts_(std::move(parts)) {}

  // {"NAME":{"files":[…]},…}, the member `volumes` of the material. FAILED_PRECONDITION with reason
  // ContainerCreating, after a warning: something is missing, or with Retry::Never can never be.
  Result<std::string> json(const PodVolumes& volumes);

 private:
  // "/" comes before everything else: what lies in a folder follows right after its name.
  struct PathOrder {
    bool operator()(std::string_view a, std::string_view b) const;
  };
  struct Content {
    const VolumeView& volume;
    const PodVolumes& all;
    std::map<std::string, VolumeFile, PathOrder> files;
    std::set<std::string> named;  // paths that the pod itself has spelled out
  };

  Result<std::string> volume_json(const VolumeView& volume, const PodVolumes& all);
  Status add(const ObjectFiles& source, Content& content);
  Status add(const DownwardFiles& source, Content& content);
  Status add(const TokenFile& source, Content& content);
  Status add(const TrustBundleFile& source, Content& content);
  static Status add(const OtherFiles& source, Content& content);
  Status add_all(const ObjectFiles& source, const ReferencedObject& object, Content& content);
  Status add_owned(const std::string& path, VolumeFile file, Content& content);
  Status add_named(const std::string& path,
                   std::optional<std::int64_t> mode,
                   VolumeFile file,
                   Content& content);
  Status add_file(const std::string& path,
                  std::optional<std::int64_t> mode,
                  VolumeFile file,
                  Content& content);
  Result<std::string> downward_value(const DownwardFile& file);
  Status mount_failed(const std::string& volume, const Status& status);

  const Parts parts_;
};

// The path of a file within its volume without "." and empty parts. FAILED_PRECONDITION with
// Retry::Never when it leads out of the volume, names no file, or begins with "..", which kubelets
// keep to themselves.
Result<std::string> volume_path(const std::string& path);

}  // namespace vkhost::resolve
