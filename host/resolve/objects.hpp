// Objects: ConfigMaps, Secrets and service variables, parsed.
//
// Shared by all materials that are being made, for whichever node; what several ask for at once is read
// once. ConfigMaps and Secrets are ObjectStore's; services are kept for a moment. [any-thread]
// [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"
#include "resolve/object_source.hpp"
#include "resolve/object_store.hpp"
#include "resolve/pod_view.hpp"
#include "resolve/service_variables.hpp"
#include "resolve/single_flight.hpp"
#include "resolve/timed_cache.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace vkhost::resolve {

using ServiceVariablesPtr = std::shared_ptr<const ServiceVariables>;

class Objects {
 public:
  // All parts outlive this object. What was read for another pod, and is not followed, is no older than
  // `max_age`; 0: every pod reads for itself.
  explicit Objects(ObjectStore::Parts parts,
                   std::chrono::milliseconds max_age = std::chrono::seconds{1},
                   std::size_t max_bytes = std::size_t{4} * 1024 * 1024)
      : source_(parts.source),
        clock_(parts.clock),
        max_age_(max_age),
        store_(std::move(parts), max_age, max_bytes),
        reads_(clock_),
        services_(clock_, max_age, max_bytes) {}

  Result<ObjectPtr> read(ObjectKind kind,
                         const std::string& object_namespace,
                         const std::string& name,
                         const CancelToken& cancel) {
    return store_.read({kind, object_namespace, name}, cancel);
  }
  // Who uses which of them, and hears of changes.
  [[nodiscard]] ObjectStore& store() { return store_; }
  // Those that a pod of this namespace gets, with or without links to the namespace's services.
  Result<ServiceVariablesPtr> service_variables(const std::string& pod_namespace,
                                                bool links,
                                                const CancelToken& cancel);
  // For a timer: values of Secrets do not stay in memory longer than they are of use. [no-block]
  void drop_expired();
  // How much is kept for a moment, expired or not.
  [[nodiscard]] std::size_t remembered() const { return store_.counts().fresh + services_.size(); }

 private:
  Result<ServiceVariablesPtr> read_services(const std::string& pod_namespace,
                                            bool links,
                                            const CancelToken& cancel);
  Result<Services> services_for(const std::string& pod_namespace,
                                bool links,
                                const CancelToken& cancel);

  ObjectSource& source_;
  const Clock& clock_;
  const std::chrono::milliseconds max_age_;
  ObjectStore store_;
  SingleFlight<std::string, ServiceVariablesPtr> reads_;
  TimedCache<ServiceVariables> services_;
};

}  // namespace vkhost::resolve
