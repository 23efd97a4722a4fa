// PodState: everything the engine knows about one pod UID: what is desired (the API object), what is
// observed (the back end, by the provider's word), and what is under way. Owned by the store; read
// and written under the engine's mutex only, copied out before any I/O.
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/status.hpp"
#include "kube/pod_record.hpp"
#include "plugin/provider.hpp"
#include "pods/admission.hpp"
#include "pods/end_order.hpp"
#include "pods/material_marks.hpp"
#include "pods/pod_diff.hpp"
#include "pods/pod_events.hpp"
#include "pods/resize.hpp"
#include "pods/settings.hpp"
#include "pods/status_merge.hpp"
#include "pods/write_echo.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::pods {

enum class Backend {
  Unknown,  // not asked yet, or the provider could not tell
  None,     // no workload: never created, or known to be absent before it ever ran
  Wanted,   // create_pod must be called (again): the call before failed, or the work after it
  Present,  // accepted by the provider
  Lost,     // it ran, and is absent now
  Gone,     // deleted: nothing is left
};

// Whether the provider was asked, once the deadline of a pod was over, how it stands.
enum class DeadlineQuestion { None, Asked, Answered };

// Calls of one pod, one at a time.
enum class CallKind { None, Create, Update, Delete };

struct PodState {
  // ---- Desired
  kube::PodPtr pod;  // last seen; stays when the object is gone, for the delete call
  bool removed_from_api = false;
  std::uint64_t metadata_hash = 0;        // see user_metadata_hash()
  std::uint64_t changed_material = 0;     // kChanged… bits that the provider was not told yet
  LossPolicy own_policy;                  // by its annotation
  std::optional<SteadyTime> finished_at;  // first seen with phase Succeeded or Failed
  std::shared_ptr<EndOrder> order;        // it has to end, though its object stays; or null
  DeadlineQuestion deadline_question = DeadlineQuestion::None;
  bool admitted = false;              // judged, or taken on before there was a judge
  bool rejected = false;              // judged as well: it may not run here
  std::shared_ptr<Seats::Seat> seat;  // what an admitted pod takes of the node
  // The condition vkhost.io/FieldsHonoured; null: it has none, or an earlier process wrote it.
  std::shared_ptr<const HostCondition> fields;

  // ---- Observed
  Backend backend = Backend::Unknown;
  std::uint64_t seq = 0;        // of the newest news taken
  std::string observed_status;  // provider's PodStatus, or empty
  bool observed_final = false;  // ... with phase Succeeded or Failed
  std::string handle;
  bool ever_started = false;
  bool was_accepted = false;      // a create_pod succeeded, or the workload was seen
  bool create_attempted = false;  // in the life of this process or before
  bool named = false;             // the provider has heard of this UID: it may be listed by it
  Status loss;                    // what the provider said when the workload was lost
  bool loss_handled = false;      // the pod was failed because of it, or its loss shown
  bool shows_loss = false;        // Ready is closed until the provider has news
  std::uint32_t absences = 0;     // in a row: without a long run between them
  std::optional<SteadyTime> running_since;

  // ---- What the provider was told last
  ToldParts told;
  std::uint64_t told_bits = 0;  // applied by the update accepted last
  // Deferred by the provider; told again then, or when they have changed.
  std::uint64_t deferred = 0;
  std::uint32_t deferrals = 0;  // in a row
  SteadyTime deferred_until{};
  std::uint64_t quiet_material = 0;  // not known to be news for anybody: the pod was adopted
  SteadyTime quiet_until{};          // ... and told by itself not before
  MaterialMarks told_material;       // what it was given
  std::uint64_t refused_material =
      0;                      // parts that it was told it will not have, for the user to know
  std::size_t warned_of = 0;  // hash of what went wrong with an update of material
  std::int64_t observed_generation = 0;        // of the spec that the provider has answered for
  std::shared_ptr<const ResizeAnswer> resize;  // null for nearly every pod
  std::shared_ptr<const std::string> ephemeral_refusal;
  // Of the pod that the create accepted last was for; 0: not known.
  std::uint64_t created_spec_hash = 0;
  std::uint64_t created_metadata_hash = 0;
  std::optional<std::chrono::milliseconds> told_grace;  // of the delete call accepted last
  SteadyTime delete_accepted_at{};
  bool delete_was_accepted = false;      // once
  std::optional<SteadyTime> give_up_at;  // the object waits no longer than that
  bool overdue = false;                  // it has been given up; the workload is deleted on
  std::uint32_t overdue_deletes = 0;     // accepted since then
  // Of the pod that a create call was made for whose work may stand, though it failed: a create call
  // changes nothing of that. 0: there is none; kUnknownPod: several, or nobody knows any more.
  std::uint64_t begun_hash = 0;
  static constexpr std::uint64_t kUnknownPod = ~std::uint64_t{0};
  CallKind accepted = CallKind::None;  // the call that an error pushed later belongs to

  // ---- Under way
  CallKind call = CallKind::None;
  std::shared_ptr<CancelSource> call_cancel;  // of a create or an update; a deletion fires it
  std::uint64_t create_returned_at = 0;       // engine's event counter, see list reconciliation
  std::optional<Status> early_error;          // news that overtook the return of the call
  bool early_gone = false;

  // ---- Failure and retry
  Status last_error;
  std::uint32_t failures = 0;
  std::uint32_t accepted_failures = 0;  // counted on when work fails that was accepted
  SteadyTime next_try{};                // not before
  // Parts of the pod whose material could not be made: they wait for next_try, others do not.
  // kEverything: of a create. 0: no such failure.
  std::uint64_t unready = 0;
  bool has_material_news = false;  // since the call under way was begun
  static constexpr std::uint64_t kEverything = ~std::uint64_t{0};
  WallTime next_try_wall{};
  bool retry_when_changed = false;  // rejected for good: only a changed pod is tried again
  std::uint64_t rejected_spec_hash = 0;
  std::uint64_t rejected_metadata_hash = 0;
  ToldMarks told_marks;       // Events of containers that were told
  bool wanted_again = false;  // lost, and its re-creation is wanted
  // What the condition vkhost.io/Provider shows; null as long as no call has failed.
  std::shared_ptr<const HostCondition> trouble;
  std::optional<SteadyTime> waits_since;  // for the end of a pod of its name

  // ---- Status writing
  std::map<std::string, std::optional<std::string>> pending_annotations;
  bool handle_dirty = false;     // the handle, or what the provider was told, was not written yet
  std::size_t written_told = 0;  // hash of kToldAnnotation as written last; 0: there is none
  std::vector<std::string> written_conditions;  // the provider's own in the API
  bool resources_sent = false;  // those that the provider has, in a status that was written
  SteadyTime write_handle_at{};
  WriteEcho echo;
  bool status_dirty = false;  // news not written yet
  bool status_writing = false;
  bool end_sent = false;           // a terminal phase is on its way to the API, or there
  std::size_t refused_status = 0;  // hash of the observed status that the API server refused
  std::uint32_t write_failures = 0;
  SteadyTime write_again_at{};
  // The removal of the object waits no longer than that for a status that cannot be written.
  std::optional<SteadyTime> write_patience_ends;
  bool concluded = false;  // a terminal status was made where the provider gave none
  std::optional<SteadyTime> removal_sent_at;  // the API accepted the removal of the object

  // ---- Measured
  std::optional<SteadyTime> event_at;  // of the watch event that asks for a call
  std::optional<SteadyTime>
      created_event_at;               // ... whose create call was made; until a status is written
  std::optional<SteadyTime> news_at;  // of the oldest status of the provider not written yet

  // ---- Orphans (no API object was ever seen)
  bool is_orphan = false;
  plugin::PodRef orphan_ref;

  [[nodiscard]] PodParts parts() const { return {pod->parts, metadata_hash}; }
  // The workload has to go: its object is being deleted or gone.
  [[nodiscard]] bool is_ending() const {
    return is_orphan || removed_from_api || pod->is_deleting();
  }
  // A container was seen to run. Where that must not happen twice, having been accepted counts as
  // much: it may have run and ended between two looks.
  [[nodiscard]] bool may_have_run() const {
    return ever_started ||
           (pod && pod->restart_policy == "Never" && (was_accepted || !handle.empty()));
  }
  [[nodiscard]] bool has_news_to_compare() const {
    return !observed_status.empty() || trouble || shows_loss || order;
  }
  // The API server, or the host itself, found the provider's status unusable.
  [[nodiscard]] bool is_status_refused() const {
    return refused_status != 0 && refused_status == std::hash<std::string>()(observed_status);
  }
  // Its end is told, whatever becomes of its workload: nobody waits for that any more.
  [[nodiscard]] bool is_let_go() const {
    return overdue || rejected || (order && order->is_concluded);
  }
  // The back end may hold something of this pod, be it a record: delete_pod has to be called.
  [[nodiscard]] bool needs_delete() const {
    switch (backend) {
      case Backend::Gone:
        return false;
      case Backend::None:
      case Backend::Wanted:
        return create_attempted;
      case Backend::Unknown:
      case Backend::Present:
      case Backend::Lost:
        break;
    }
    return true;
  }
};

}  // namespace vkhost::pods
