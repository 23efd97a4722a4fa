#include "resolve/claims.hpp"

#include "resolve/config_error.hpp"

#include <chrono>
#include <cstddef>
#include <utility>

namespace vkhost::resolve {
namespace {

constexpr std::chrono::seconds kFresh{1};
constexpr std::size_t kMaxBytes = std::size_t{1024} * 1024;
constexpr std::size_t kClaimBytes = 1024;  // an entry's own needs, roughly

// `words` as a kubelet begins; `object` as the API server names what is missing.
Status fetch_error(const Status& status, const std::string& words, const std::string& object) {
  return status.code() == StatusCode::NotFound ? config_error(words + ": " + object + " not found")
                                               : read_error(status, words);
}

}  // namespace

Claims::Claims(ObjectSource& source, const Clock& clock)
    : source_(source), clock_(clock), reads_(clock), bound_(clock, kFresh, kMaxBytes) {}

Result<BoundClaimPtr> Claims::bound(const std::string& claim_namespace,
                                    const std::string& name,
                                    const CancelToken& cancel) {
  // A line break stands in no namespace.
  const std::string key = claim_namespace + "\n" + name;
  if (BoundClaimPtr known = bound_.find(key)) {
    return known;
  }
  return reads_.run(key, clock_.steady_now() - kFresh, cancel, [&]() -> Result<BoundClaimPtr> {
    if (BoundClaimPtr known = bound_.find(key)) {
      return known;  // the read before has just ended
    }
    const SteadyTime began = clock_.steady_now();
    VKHOST_TRY_ASSIGN(BoundClaimPtr found, read(claim_namespace, name, cancel));
    bound_.put(key, found, kClaimBytes + found->volume.source.size(), began);
    return found;
  });
}

Result<BoundClaimPtr> Claims::read(const std::string& claim_namespace,
                                   const std::string& name,
                                   const CancelToken& cancel) {
  const std::string no_claim = "failed to fetch PVC from API server";
  const auto claim_text = name.empty() ? not_found("the reference has no name")
                                       : source_.get_claim(claim_namespace, name, cancel);
  if (!claim_text) {
    return fetch_error(claim_text.status(), no_claim, "persistentvolumeclaims \"" + name + "\"");
  }
  auto claim = parse_claim(*claim_text);
  if (!claim) {
    return read_error(claim.status(), no_claim);
  }
  if (!claim->is_bound) {
    return config_error(claim->is_being_deleted ? "PVC is being deleted" : "PVC is not bound");
  }
  if (claim->volume.empty()) {
    return config_error("PVC has empty pvc.Spec.VolumeName");
  }
  const std::string no_volume = "failed to fetch PV " + claim->volume + " from API server";
  const auto volume_text = source_.get_persistent_volume(claim->volume, cancel);
  if (!volume_text) {
    return fetch_error(volume_text.status(), no_volume,
                       "persistentvolumes \"" + claim->volume + "\"");
  }
  auto volume = parse_persistent_volume(*volume_text);
  if (!volume) {
    return read_error(volume.status(), no_volume);
  }
  const std::string found = "found PV object " + claim->volume + " but ";
  if (!volume->is_claimed) {
    return config_error(found +
                        "it has a nil pv.Spec.ClaimRef indicating it is not yet bound to "
                        "the claim");
  }
  if (volume->claim_uid != claim->uid || claim->uid.empty()) {
    return config_error(found + "its pv.Spec.ClaimRef.UID " + volume->claim_uid +
                        " does not point to claim.UID " + claim->uid);
  }
  if (volume->kind.empty()) {
    return config_error(found + "it names no kind of storage that is known");
  }
  return std::make_shared<const BoundClaim>(BoundClaim{std::move(*claim), std::move(*volume)});
}

}  // namespace vkhost::resolve
