// What the provider lists, and workloads without a pod.
//
// A list says what was true when it began. Items carry a seq, by which a push overtakes them; what a
// complete list does not name is absent, unless its create returned after the list had begun. Only
// absence by a list or by the provider's word counts; no answer changes nothing.
//
// Orphans. A workload is deleted only if it bears this node's marks, a UID and a name, the API has no
// pod of that UID by a fresh read, and that was so in two lists in a row. A workload that was matched
// without a UID (legacy) is never touched. The default is to report.
#include "base/failure_point.hpp"
#include "base/planted.hpp"
#include "pods/engine.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::pods {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Fresh reads of the API server in one sweep, whatever the number of orphans.
constexpr std::size_t kMaxOrphanReads = 100;
// A workload whose pod turns out to exist (another engine's, or hidden by a filter) is looked at again
// after that, as is one that was reported.
constexpr minutes kOrphanLook{10};
// Reads that take longer together leave the rest to the next sweep: pods wait for lists meanwhile.
constexpr seconds kSweepTime{10};
// How long a pod that waits for its deletion's end goes unasked.
constexpr seconds kAskAgain{5};

}  // namespace

bool PodEngine::step_list() {
  const auto key = polls_.try_take();
  if (!key) {
    return false;
  }
  poll();
  polls_.done(*key);
  return true;
}

void PodEngine::poll() {
  const plugin::Capabilities& shape = parts_.provider->capabilities();
  const auto interval = shape.pushes ? settings_->resync_interval
                                     : std::min(settings_->resync_interval, shape.poll_interval);
  bool full = false;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      return;
    }
    if (is_quiet()) {
      polls_.add_at(kPoll, calls_.quiet_until());
      return;
    }
    full = relisted_ || parts_.clock->steady_now() >= next_full_list_;
  }
  // Whatever escapes costs this look, and nobody else anything.
  try {
    if (full) {
      reconcile_with_list();
    } else {
      inspect_waiting();
    }
  } catch (const std::exception& error) {
    parts_.log.error("looking at the pods of the provider failed, it is tried again",
                     {{"error", std::string(error.what())}});
    full = true;
  }
  const MutexLock lock(mutex_);
  if (full) {
    next_full_list_ = parts_.clock->steady_now() + interval;
  }
  polls_.add_at(kPoll, inspect_.empty() && !relisted_ ? next_full_list_ : SteadyTime::min());
}

Result<plugin::PodList> PodEngine::list(const std::vector<std::string>& uids) {
  VKHOST_FAILURE_POINT(BeforeList);
  auto list = parts_.provider->list_pods(uids, call_options(stop_.token()));
  VKHOST_FAILURE_POINT(AfterList);
  const Status status = list.is_ok() ? list->status : list.status();
  if (!status.is_ok() && !stop_.is_cancelled()) {
    parts_.log.warn("the provider could not list its pods", {observe::error_field(status)});
  }
  {
    const MutexLock lock(mutex_);
    if (status.is_ok()) {
      calls_.note_health(parts_.clock->steady_now());
    } else if (status.scope() == Scope::Provider) {
      calls_.note_fault(status, parts_.clock->steady_now(), *parts_.random);
    }
    wake_waiting();
  }
  announce_fault();
  return list;
}

bool PodEngine::is_quiet() const { return parts_.clock->steady_now() < calls_.quiet_until(); }

void PodEngine::reconcile_with_list() {
  std::uint64_t began_at = 0;
  {
    const MutexLock lock(mutex_);
    if (is_quiet()) {
      return;
    }
    relisted_ = false;
    began_at = event_counter_;
  }
  auto listed = list({});
  if (!listed.is_ok()) {
    return;  // 'no answer' changes nothing; the timer asks again
  }
  apply_list(std::move(*listed), {}, began_at);
  settle_orphans();
}

void PodEngine::inspect_waiting() {
  std::vector<std::string> uids;
  std::uint64_t began_at = 0;
  {
    const MutexLock lock(mutex_);
    if (is_quiet()) {
      return;
    }
    uids.assign(inspect_.begin(), inspect_.end());
    inspect_.clear();
    began_at = event_counter_;
  }
  if (uids.empty()) {
    return;
  }
  auto listed = list(uids);
  const Status status = listed.is_ok() ? listed->status : listed.status();
  if (listed.is_ok()) {
    apply_list(std::move(*listed), uids, began_at);
  }
  const MutexLock lock(mutex_);
  for (const std::string& uid : uids) {
    const StatePtr state = find_state(uid);
    if (!state) {
      continue;
    }
    if (state->told_grace && state->backend != Backend::Gone) {
      const auto distance = state->is_let_go() ? std::max<std::chrono::milliseconds>(
                                                     settings_->resync_interval, kAskAgain)
                                               : std::chrono::milliseconds{kAskAgain};
      queue_.add_at(uid, parts_.clock->steady_now() + distance);
      continue;
    }
    const bool asks_for_deadline = state->deadline_question == DeadlineQuestion::Asked;
    if (asks_for_deadline && status.is_ok()) {
      state->deadline_question = DeadlineQuestion::Answered;
    } else if (state->backend == Backend::Unknown || asks_for_deadline) {
      note_failure(*state, status.is_ok()
                               ? unavailable("the provider cannot tell whether this pod exists")
                               : status);
    }
    queue_.add(uid);
  }
}

void PodEngine::apply_list(plugin::PodList list,
                           const std::vector<std::string>& asked,
                           std::uint64_t began_at) {
  std::unordered_set<std::string_view> named;
  std::vector<OrphanBook::Orphan> orphans;
  for (plugin::ListedPod& item : list.pods) {
    named.insert(item.ref.uid);
    const StatusFacts facts = status_facts(item.status_json);  // parses: no lock yet
    const MutexLock lock(mutex_);
    if (pods_.contains(item.ref.uid)) {
      apply_item(item, facts, began_at);
    } else if (item.verdict == plugin::ListVerdict::Present ||
               item.verdict == plugin::ListVerdict::PresentStatusUnknown) {
      orphans.push_back({item.ref, item.marks == plugin::Marks::Ours && !item.ref.uid.empty() &&
                                       !item.ref.name.empty() && !item.ref.pod_namespace.empty()});
    }
  }
  const MutexLock lock(mutex_);
  if (asked.empty() && list.status.is_ok()) {
    orphans_.note_list(orphans);
  }
  if ((!list.complete && !VKHOST_PLANTED(IncompleteListProvesAbsence)) || !list.status.is_ok()) {
    return;
  }
  if (asked.empty()) {
    for (const auto& [uid, state] : pods_) {
      if (!named.contains(uid)) {
        apply_absence(uid, *state, began_at);
      }
    }
    return;
  }
  for (const std::string& uid : asked) {
    const StatePtr state = named.contains(uid) ? nullptr : find_state(uid);
    if (state) {
      apply_absence(uid, *state, began_at);
    }
  }
}

void PodEngine::apply_item(plugin::ListedPod& item,
                           const StatusFacts& facts,
                           std::uint64_t began_at) {
  PodState& state = *pods_.at(item.ref.uid);
  if (state.call != CallKind::None || (item.seq != 0 && item.seq < state.seq)) {
    return;  // overtaken
  }
  switch (item.verdict) {
    case plugin::ListVerdict::Present:
      state.seq = std::max(state.seq, item.seq);
      take_presence(item.ref.uid, state);
      if (!item.status_json.empty()) {
        take_status(item.ref.uid, state, std::move(item.status_json), facts);
      }
      break;
    case plugin::ListVerdict::PresentStatusUnknown:
      take_presence(item.ref.uid, state);
      break;
    case plugin::ListVerdict::Absent:
      apply_absence(item.ref.uid, state, began_at);
      return;
    case plugin::ListVerdict::Unknown:
      return;
  }
  if (state.deadline_question == DeadlineQuestion::Asked) {
    state.deadline_question = DeadlineQuestion::Answered;
  }
  if (state.handle.empty() && !item.ref.handle.empty() && !state.is_ending()) {
    note_handle(item.ref.uid, state, item.ref.handle);
  }
}

void PodEngine::apply_absence(const std::string& uid, PodState& state, std::uint64_t began_at) {
  if (state.call != CallKind::None ||
      (state.create_returned_at > began_at && !VKHOST_PLANTED(ListBeforeCreateCounts))) {
    return;
  }
  // A create that failed is tried again anyway; absence tells nothing new about it.
  const bool was_there = state.backend == Backend::Present || state.backend == Backend::Unknown;
  if (was_there || (state.told_grace && state.backend != Backend::Gone)) {
    take_absence(uid, state);
  }
}

// ---- Orphans

void PodEngine::settle_orphans() {
  std::vector<OrphanBook::Orphan> due;
  {
    const MutexLock lock(mutex_);
    if (listed_) {
      due = orphans_.due(parts_.clock->steady_now(), kMaxOrphanReads);
    }
  }
  std::size_t deletions = 0;
  const SteadyTime until = parts_.clock->steady_now() + kSweepTime;
  for (const OrphanBook::Orphan& orphan : due) {
    if (stop_.is_cancelled() || parts_.clock->steady_now() >= until) {
      return;
    }
    inspect_waiting();  // orphans have time, and each read may take long
    if (deletions >= settings_->max_orphan_deletions) {
      parts_.log.warn("more orphans than one sweep may delete; the next one goes on");
      return;
    }
    if (!settle_orphan(orphan, &deletions)) {
      return;
    }
  }
}

// False when the API server does not answer: the next one would wait as long for nothing.
bool PodEngine::settle_orphan(const OrphanBook::Orphan& orphan, std::size_t* deletions) {
  if (!orphan.is_ours && !VKHOST_PLANTED(LegacyDeleted)) {
    report_orphan(orphan);
    return true;
  }
  VKHOST_FAILURE_POINT(BeforeOrphanRead);
  const auto node = parts_.node == nullptr ? nullptr : parts_.node->node();
  const auto fresh = parts_.api->read_pod(orphan.ref.pod_namespace, orphan.ref.name,
                                          node ? node->name : std::string(), stop_.token());
  VKHOST_FAILURE_POINT(AfterOrphanRead);
  const bool is_gone = fresh.is_ok()
                           ? (*fresh)->uid != orphan.ref.uid && !VKHOST_PLANTED(OrphanUidIgnored)
                           : fresh.status().code() == StatusCode::NotFound;
  if (!is_gone) {
    const MutexLock lock(mutex_);
    // It exists after all, or nobody can tell now.
    const SteadyTime now = parts_.clock->steady_now();
    orphans_.look_again(orphan, fresh.is_ok() ? now + kOrphanLook : now);
    return fresh.is_ok() || is_answer(fresh.status());
  }
  if (settings_->orphans == Orphans::Report) {
    report_orphan(orphan);
    return true;
  }
  {
    const MutexLock lock(mutex_);
    if (stopping_ || pods_.contains(orphan.ref.uid)) {
      return true;
    }
    adopt_orphan(orphan.ref);
    VKHOST_FAILURE_POINT(AfterOrphanAdopted);
    ++*deletions;
  }
  parts_.log.info(
      "deleting a workload whose pod is gone",
      {{"pod", orphan.ref.pod_namespace + "/" + orphan.ref.name}, {"uid", orphan.ref.uid}});
  return true;
}

void PodEngine::report_orphan(const OrphanBook::Orphan& orphan) {
  {
    const MutexLock lock(mutex_);
    orphans_.look_again(orphan, parts_.clock->steady_now() + kOrphanLook);
    if (!orphans_.report(orphan)) {
      return;
    }
  }
  const std::string pod = orphan.ref.pod_namespace + "/" + orphan.ref.name;
  const std::string message =
      orphan.is_ours ? "the provider runs a workload whose pod is gone; set policies.orphans to "
                       "\"delete\" to have such workloads removed"
                     : "the provider runs a workload that cannot be told to be ours; it is left "
                       "alone until it is removed by hand";
  parts_.log.warn(message, {{"pod", pod}, {"uid", orphan.ref.uid}, {"handle", orphan.ref.handle}});
  if (parts_.node_events != nullptr) {
    const std::string text =
        message + ": pod " + pod + ", UID " + orphan.ref.uid + ", handle " + orphan.ref.handle;
    const std::string key = "OrphanedWorkload " + orphan.ref.uid + " " + orphan.ref.handle;
    Happening what{EventType::Warning, "OrphanedWorkload", text};
    what.key = key;  // a restart reports it in the log again, and to users no second time
    parts_.node_events->node_event(what);
  }
}

}  // namespace vkhost::pods
