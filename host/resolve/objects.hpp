// Objects: ConfigMaps, Secrets and service variables, parsed, and kept for a moment.
//
// Shared by all materials that are being made, for whichever node. NOT_FOUND alone means that there is none, and is
// never kept. [any-thread] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"
#include "resolve/object_source.hpp"
#include "resolve/pod_view.hpp"
#include "resolve/referenced_object.hpp"
#include "resolve/service_variables.hpp"
#include "resolve/timed_cache.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace vkhost::resolve {

using ObjectPtr = std::shared_ptr<const ReferencedObject>;
using ServiceVariablesPtr = std::shared_ptr<const ServiceVariables>;

class Objects {
 public:
  // Source and clock outlive this object. What was read for another pod is no older than `max_age`; 0:
  // every pod reads for itself.
  Objects(ObjectSource& source,
          const Clock& clock,
          std::chrono::milliseconds max_age = std::chrono::seconds{1},
          std::size_t max_bytes = std::size_t{4} * 1024 * 1024)
      : source_(source),
        clock_(clock),
        objects_(clock, max_age, max_bytes),
        services_(clock, max_age, max_bytes) {}

  Result<ObjectPtr> read(ObjectKind kind,
                         const std::string& object_namespace,
                         const std::string& name,
                         const CancelToken& cancel);
  // Those that a pod of this namespace gets, with or without links to the namespace's services.
  Result<ServiceVariablesPtr> service_variables(const std::string& pod_namespace,
                                                bool links,
                                                const CancelToken& cancel);
  // For a timer: values of Secrets do not stay in memory longer than they are of use. [no-block]
  void drop_expired();
  // How much is kept, expired or not.
  [[nodiscard]] std::size_t remembered() const { return objects_.size() + services_.size(); }

 private:
  Result<Services> services_for(const std::string& pod_namespace,
                                bool links,
                                const CancelToken& cancel);

  ObjectSource& source_;
  const Clock& clock_;
  TimedCache<ReferencedObject> objects_;
  TimedCache<ServiceVariables> services_;
};

}  // namespace vkhost::resolve
