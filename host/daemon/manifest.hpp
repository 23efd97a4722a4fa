// Manifest documents of standalone mode: checked, completed with what an API server would fill in,
// and given an identity. Pure. [any-thread] [no-block]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::daemon {

struct PodManifest {
  std::string file;  // for messages
  std::string pod_namespace;
  std::string name;
  // Hash of node, namespace, name and content: an edit makes another pod, a restart finds the same.
  std::string uid;
  std::string json;  // v1.Pod with metadata and spec complete, without status
  std::int64_t grace_seconds = 30;
};

// ConfigMap or Secret, by "namespace/name".
using ObjectDocuments = std::map<std::string, std::string>;

struct Manifests {
  std::vector<PodManifest> pods;
  ObjectDocuments config_maps;
  ObjectDocuments secrets;
  std::vector<std::string> problems;  // one sentence each, beginning with file and line
};

// Adds the documents of one file. A document that cannot be used becomes a problem; the others count.
void add_manifest_file(const std::string& file,
                       std::string_view text,
                       std::string_view node_name,
                       Manifests* manifests);

}  // namespace vkhost::daemon
