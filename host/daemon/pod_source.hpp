// PodSource: where the desired pods of one node come from: a watch of the API server, or manifests.
#pragma once

#include "base/status.hpp"
#include "kube/pod_record.hpp"

namespace vkhost::daemon {

class PodSource {
 public:
  PodSource() = default;
  PodSource(const PodSource&) = delete;
  PodSource& operator=(const PodSource&) = delete;
  virtual ~PodSource() = default;

  // `listener` hears pods_listed first, perhaps only once the API server answers. [may-block]
  virtual Status start(const std::string& node_name, kube::PodListener* listener) = 0;
  // After it returns the listener hears nothing more.
  virtual void stop() = 0;
};

}  // namespace vkhost::daemon
