// PodState: everything the engine knows about one pod UID: what is desired (the API object), what is
// observed (the back end, by the provider's word), and what is under way. Owned by the store; read
// and written under the engine's mutex only, copied out before any I/O.
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "plugin/provider.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vkhost::pods {

enum class Backend {
  Unknown,  // not asked yet, or the provider could not tell
  None,     // no workload: never created, or known to be absent before it ever ran
  Wanted,   // create_pod must be called (again): the call before failed, or the work after it
  Present,  // accepted by the provider
  Lost,     // it ran, and is absent now
  Gone,     // the provider has said its last word: nothing is left
};

struct PodState {
  // ---- Desired
  kube::PodPtr pod;  // last seen; stays when the object is gone, for the delete call
  bool removed_from_api = false;

  // ---- Observed
  Backend backend = Backend::Unknown;
  std::uint64_t seq = 0;        // of the newest news taken
  std::string observed_status;  // provider's PodStatus, or empty
  std::string handle;
  bool ever_started = false;
  bool create_attempted = false;  // in the life of this process or before

  // ---- What the provider was told last
  std::uint64_t told_spec_hash = 0;
  std::uint64_t told_metadata_hash = 0;
  std::optional<std::chrono::milliseconds> told_grace;  // of the delete call accepted last
  SteadyTime delete_accepted_at{};

  // ---- Under way
  bool create_in_flight = false;
  std::shared_ptr<CancelSource> create_cancel;  // set while create_in_flight
  std::uint64_t create_returned_at = 0;         // engine's event counter, see list reconciliation

  // ---- Failure and retry
  Status last_error;
  std::uint32_t failures = 0;
  SteadyTime next_try{};  // not before
  WallTime next_try_wall{};
  bool retry_when_changed = false;  // rejected for good: only a changed pod is tried again
  std::uint64_t rejected_spec_hash = 0;

  // ---- Status writing
  std::map<std::string, std::optional<std::string>> pending_annotations;
  std::string written_resource_version;  // of our own last write, to know its echo
  bool status_dirty = false;             // news not written yet
  bool status_writing = false;
  std::uint32_t write_failures = 0;
  SteadyTime write_again_at{};
  bool final_status_written = false;

  // ---- Orphans (no API object was ever seen)
  bool is_orphan = false;
  plugin::PodRef orphan_ref;
};

}  // namespace vkhost::pods
