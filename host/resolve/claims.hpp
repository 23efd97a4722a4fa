// Claims: PersistentVolumeClaims and the PersistentVolumes that they are bound to.
//
// Shared by all materials that are being made, for whichever node. Pods that come together and share a
// claim share the read of it; what is bound is kept for a moment, what is not never. Nothing is watched:
// the identity of a node may only get them. [any-thread] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"
#include "resolve/object_source.hpp"
#include "resolve/persistent_volume.hpp"
#include "resolve/single_flight.hpp"
#include "resolve/timed_cache.hpp"

#include <memory>
#include <string>

namespace vkhost::resolve {

struct BoundClaim {
  Claim claim;
  PersistentVolume volume;
};
using BoundClaimPtr = std::shared_ptr<const BoundClaim>;

class Claims {
 public:
  // Both outlive this object.
  Claims(ObjectSource& source, const Clock& clock);

  // A claim and its volume, each of which refers to the other; the claim may be on its way out.
  // FAILED_PRECONDITION: one is missing, not to be read or not bound (yet), in a kubelet's words. Other
  // failures pass by themselves.
  Result<BoundClaimPtr> bound(const std::string& claim_namespace,
                              const std::string& name,
                              const CancelToken& cancel);

 private:
  Result<BoundClaimPtr> read(const std::string& claim_namespace,
                             const std::string& name,
                             const CancelToken& cancel);

  ObjectSource& source_;
  const Clock& clock_;
  SingleFlight<std::string, BoundClaimPtr> reads_;
  TimedCache<BoundClaim> bound_;  // by namespace and name
};

}  // namespace vkhost::resolve
