// Writing statuses: the newest observed status of each pod becomes at most one PATCH at a time, which
// carries pending annotations and a new handle along.
#include "base/failure_point.hpp"
#include "base/planted.hpp"
#include "kube/json_cut.hpp"
#include "pods/engine.hpp"
#include "pods/status_merge.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace vkhost::pods {
namespace {

// A handle alone waits so long for a first status to travel with.
constexpr std::chrono::milliseconds kHandlePatience{200};
// So long a last status that cannot be written holds up the removal of its object: one that is
// refused, and one that finds no answer.
constexpr std::chrono::seconds kPatienceWhenRefused{60};
constexpr std::chrono::minutes kPatienceWhenAway{10};

bool is_end(std::string_view status_json) {
  const auto phase = kube::plain_string(kube::find_member(status_json, "phase"));
  return phase == "Succeeded" || phase == "Failed";
}

// Between these two steps of the API server's own: it marked the pod for a removal without grace, and
// it removes the object. A status written in between makes it remove whatever bears the name by then,
// without a look at the UID: a new pod, it may be.
bool is_about_to_go(const kube::PodRecord& pod) {
  if (!pod.is_deleting() || pod.deletion_grace_seconds != 0) {
    return false;
  }
  kube::JsonElements finalizers(
      kube::find_member(kube::find_member(pod.raw, "metadata"), "finalizers"));
  std::string_view finalizer;
  return !finalizers.next(finalizer);
}

// By each write that carries what is the host's own; an eviction is marked once.
bool is_set_anew(std::string_view annotation) {
  return kube::is_host_annotation(annotation) && annotation != kube::kEvictionAnnotation;
}

}  // namespace

struct PodEngine::Write {
  std::string uid;
  StatePtr state;
  kube::PodPtr pod;
  std::string observed;  // empty: no status to write
  std::vector<HostCondition> conditions;
  bool has_own = false;  // the handle and what the provider was told
  bool marks_eviction = false;
  // What of the pod's state the status has to show.
  std::int64_t generation = 0;
  bool shows_resources = false;
  bool has_resources = false;  // those of its spec
  bool owes_resources = false;
  std::shared_ptr<const ResizeAnswer> resize;
  std::string ephemeral_refusal;
  std::vector<std::string> types;    // of the provider's own conditions
  std::vector<std::string> dropped;  // ... that it reported before
  StatusPatch patch;
  std::optional<SteadyTime> news_at;  // since when the observed status waits
  Status refused;                     // the status is the plugin's mistake
};

void PodEngine::queue_status(const std::string& uid, PodState& state) {
  state.status_dirty = true;
  schedule_write(uid, state);
}

void PodEngine::schedule_write(const std::string& uid, PodState& state) {
  // What a provider pushes from within create_pod waits for its return: then status and handle go
  // in one request. A write under way looks again at its end.
  if (state.call == CallKind::Create || state.status_writing) {
    return;
  }
  if (parts_.clock->steady_now() < state.write_again_at) {
    queue_.add_at(uid, state.write_again_at);
  } else {
    writes_.add(uid, urgency_of_write(state));
  }
}

// What others wait for, a pod's first status and its last, does not wait behind what only puts right
// details of statuses that are there: thousands at a time, when a node was away for a while.
Urgency PodEngine::urgency_of_write(const PodState& state) {
  if (state.pod == nullptr || state.pod->start_time.empty() || state.is_ending()) {
    return Urgency::Urgent;
  }
  return state.observed_final && !state.pod->is_terminal() ? Urgency::Urgent : Urgency::Patient;
}

void PodEngine::note_handle(const std::string& uid, PodState& state, std::string handle) {
  if (handle == state.handle) {
    return;
  }
  state.handle = std::move(handle);
  mark_own_dirty(uid, state);
}

void PodEngine::mark_own_dirty(const std::string& uid, PodState& state) {
  state.handle_dirty = true;
  state.write_handle_at = parts_.clock->steady_now() + kHandlePatience;
  queue_.add_at(uid, state.write_handle_at);
}

bool PodEngine::step_status_writer() {
  auto uid = writes_.try_take();
  if (!uid) {
    return false;
  }
  write_status(*uid);
  writes_.done(*uid);
  return true;
}

bool PodEngine::begin_write(const std::string& uid, Write* write) {
  const MutexLock lock(mutex_);
  write->uid = uid;
  write->state = find_state(uid);
  if (!write->state || !write->state->status_dirty) {
    return false;
  }
  PodState& state = *write->state;
  if (state.status_writing || state.call == CallKind::Create) {
    return false;  // whoever is at it queues the pod again
  }
  state.status_dirty = false;
  if (state.removed_from_api || !state.pod) {
    return false;
  }
  if (is_about_to_go(*state.pod)) {
    queue_.add(uid);  // the removal of the object may have waited for this
    return false;
  }
  state.status_writing = true;
  state.echo.write_begins(state.pod->resource_version);
  write->pod = state.pod;
  write->news_at = std::exchange(state.news_at, std::nullopt);
  if (std::hash<std::string>()(state.observed_status) != state.refused_status) {
    write->observed = state.observed_status;
    state.end_sent = state.end_sent || is_end(write->observed);
  }
  write->conditions = host_conditions(state);
  write->patch.annotations = std::exchange(state.pending_annotations, {});
  write->marks_eviction = write->patch.annotations.contains(std::string(kube::kEvictionAnnotation));
  gather_facts(uid, state, write);
  if (std::exchange(state.handle_dirty, false)) {
    write->has_own = true;
    set_own(state.handle, uid, state, &write->patch);
  }
  return true;
}

void PodEngine::gather_facts(const std::string& uid, PodState& state, Write* write) {
  const PodParts parts = state.parts();
  write->generation = generation_to_show(uid, state);
  write->shows_resources =
      (parts_.provider->capabilities().updates & plugin::kChangedResources) != 0;
  write->has_resources =
      state.backend == Backend::Present && (state.told.known() & plugin::kChangedResources) != 0 &&
      ((state.told.changed(parts) | state.told.refused(parts)) & plugin::kChangedResources) == 0;
  // Once: a server that drops them would be sent them for ever. Older ones give no generation.
  write->owes_resources = write->shows_resources && write->has_resources && !state.resources_sent &&
                          state.pod->generation > 0;
  write->resize = state.resize;
  if (state.ephemeral_refusal) {
    write->ephemeral_refusal = *state.ephemeral_refusal;
  } else if ((state.told.refused(parts) & plugin::kChangedEphemeralContainers) != 0) {
    write->ephemeral_refusal = refusal_of_parts(plugin::kChangedEphemeralContainers);
  }
  write->types = provider_conditions(write->observed);
  if (write->observed.empty() || is_end(write->observed)) {
    return;  // in the host's words, it may be, which say nothing of these
  }
  for (const std::string& type : state.written_conditions) {
    if (std::find(write->types.begin(), write->types.end(), type) == write->types.end()) {
      write->dropped.push_back(type);
    }
  }
}

std::vector<HostCondition> PodEngine::host_conditions(const PodState& state) {
  std::vector<HostCondition> conditions;
  for (const auto& own : {state.trouble, state.fields}) {
    if (own) {
      conditions.push_back(*own);
    }
  }
  if (state.order && state.order->why == EndOrder::Why::Eviction) {
    conditions.push_back({"DisruptionTarget", true, "TerminationByKubelet", state.order->message});
  }
  if (state.shows_loss) {
    for (const char* type : {"ContainersReady", "Ready"}) {
      conditions.push_back({type, false, "ProviderLost", loss_message(state)});
    }
  }
  return conditions;
}

void PodEngine::write_status(const std::string& uid) {
  Write write;
  if (!begin_write(uid, &write)) {
    return;
  }
  try {
    send_write(write);
  } catch (const std::exception& error) {
    parts_.log.error("writing a status failed, it is tried again",
                     {{"uid", uid}, {"error", std::string(error.what())}});
    finish_write(write, internal_error(error.what()));
  }
}

void PodEngine::send_write(Write& write) {
  if (!write.observed.empty() || !write.conditions.empty()) {
    auto merged = merge_status(
        {*write.pod,
         write.observed,
         settings_->host_ip,
         parts_.clock->wall_now(),
         std::move(write.conditions),
         write.generation,
         {write.shows_resources, write.has_resources, write.resize.get(), write.owes_resources},
         write.ephemeral_refusal,
         write.dropped});
    if (merged.is_ok()) {
      write.patch.status_json = std::move(*merged);
    } else {
      write.refused = merged.status();
    }
  }
  const Result<std::string> written = send_patch(write);
  finish_write(write, written);
  if (written.is_ok() && !write.observed.empty()) {
    tell_containers(write.pod, write.state, write.observed);
  }
  if (!write.refused.is_ok()) {
    tell({{write.pod, EventType::Warning, "ProviderStatusInvalid", write.refused.message()}});
  }
}

// A refusal does not say whether it is about the status or about the annotations: each is tried alone,
// and what is in order gets written.
Result<std::string> PodEngine::send_patch(Write& write) {
  const StatusPatch& patch = write.patch;
  const bool has_status = !patch.status_json.empty();
  if (!has_status && patch.annotations.empty()) {
    return std::string();
  }
  VKHOST_FAILURE_POINT_IF(write.marks_eviction, BeforeEvictionMark);
  VKHOST_FAILURE_POINT_IF(is_end(write.observed), BeforeLastStatus);
  VKHOST_FAILURE_POINT(BeforeStatusWrite);
  Result<std::string> written = parts_.api->patch_status(*write.pod, patch, stop_.token());
  VKHOST_FAILURE_POINT_IF(write.marks_eviction, AfterEvictionMark);
  VKHOST_FAILURE_POINT_IF(is_end(write.observed), AfterLastStatus);
  VKHOST_FAILURE_POINT(AfterStatusWrite);
  if (written.status().code() != StatusCode::InvalidArgument || !has_status) {
    return written;
  }
  if (patch.annotations.empty()) {
    write.refused = written.status();
    return written;
  }
  written = parts_.api->patch_status(*write.pod, {patch.status_json, {}}, stop_.token());
  if (written.status().code() == StatusCode::InvalidArgument) {
    write.refused = written.status();
  } else if (!written.is_ok()) {
    return written;
  }
  return parts_.api->patch_status(*write.pod, {{}, patch.annotations}, stop_.token());
}

void PodEngine::finish_write(Write& write, const Result<std::string>& written) {
  const Status status = written.status();
  const MutexLock lock(mutex_);
  PodState& state = *write.state;
  state.status_writing = false;
  write_done_.notify_all();
  const bool compare = state.echo.write_ends(written.is_ok() ? *written : std::string(),
                                             state.pod->resource_version);
  if (find_state(write.uid) != write.state || state.removed_from_api) {
    return;
  }
  if (!write.refused.is_ok()) {
    // Final: the same status again would be as wrong.
    state.last_error = write.refused;
    if (!write.observed.empty()) {
      state.refused_status = std::hash<std::string>()(write.observed);
    }
  }
  if (!write.refused.is_ok() || (!status.is_ok() && is_answer(status))) {
    if (std::exchange(state.end_sent, false)) {
      queue_.add(write.uid);
    }
  }
  if (status.is_ok()) {
    state.write_failures = 0;
    state.write_patience_ends.reset();
    if (!write.observed.empty() && write.refused.is_ok()) {
      state.written_conditions = std::move(write.types);
      state.resources_sent = state.resources_sent || write.owes_resources;
      if (!write.patch.status_json.empty()) {
        note_written(state, write.news_at);
      }
    }
    state.status_dirty = state.status_dirty || (compare && state.has_news_to_compare());
  } else if (status.code() == StatusCode::NotFound || stop_.is_cancelled() ||
             VKHOST_PLANTED(StatusWriteLostOnFailure)) {
    state.status_dirty = false;  // the object is gone; its removal arrives by the watch
  } else {
    keep_unwritten(write);
    // A refused status without anything else is not sent again.
    if (write.refused.is_ok() || !write.patch.annotations.empty()) {
      write_again_later(state, status);
    }
  }
  if (state.status_dirty) {
    schedule_write(write.uid, state);
  }
  if (write.marks_eviction && state.order && (status.is_ok() || !write.refused.is_ok())) {
    state.order->is_marked = true;
  }
  if (state.is_ending() || state.order) {
    queue_.add(
        write.uid);  // the removal of the object, or of the workload, may have waited for this
  }
}

void PodEngine::write_again_later(PodState& state, const Status& failure) const {
  if (metrics_) {
    metrics_->write_retried(failure.code());
  }
  state.status_dirty = true;
  ++state.write_failures;
  const SteadyTime now = parts_.clock->steady_now();
  const SteadyTime patience_ends =
      now + (is_answer(failure) ? std::chrono::milliseconds{kPatienceWhenRefused}
                                : std::chrono::milliseconds{kPatienceWhenAway});
  state.write_patience_ends =
      std::min(state.write_patience_ends.value_or(patience_ends), patience_ends);
  state.write_again_at =
      now + (failure.retry() == Retry::After
                 ? failure.retry_after()
                 : backoff_delay(settings_->backoff, state.write_failures, *parts_.random));
}

// Nothing is lost: what newer news did not replace is written by the next try.
void PodEngine::keep_unwritten(Write& write) {
  PodState& state = *write.state;
  state.news_at = write.news_at ? write.news_at : state.news_at;
  for (auto& [name, value] : write.patch.annotations) {
    if (!is_set_anew(name)) {
      state.pending_annotations.try_emplace(name, value);
    }
  }
  state.handle_dirty =
      state.handle_dirty || (write.has_own && !VKHOST_PLANTED(HandleWriteForgotten));
}

void PodEngine::set_own(const std::string& handle,
                        const std::string& uid,
                        PodState& state,
                        StatusPatch* patch) {
  const std::string told =
      state.told.text(parts_.provider->capabilities().updates, state.observed_generation);
  const auto text_or_none = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  patch->annotations[std::string(kube::kHandleAnnotation)] = text_or_none(handle);
  patch->annotations[std::string(kube::kHandleUidAnnotation)] =
      handle.empty() && told.empty() ? std::nullopt : std::optional(uid);
  if (!told.empty() || state.written_told != 0) {
    patch->annotations[std::string(kube::kToldAnnotation)] = text_or_none(told);
  }
  state.written_told = told.empty() ? 0 : std::hash<std::string>()(told);
}

bool PodEngine::is_answer(const Status& status) {
  return status.code() != StatusCode::Unavailable &&
         status.code() != StatusCode::DeadlineExceeded &&
         status.code() != StatusCode::ResourceExhausted && status.code() != StatusCode::Cancelled;
}

Status PodEngine::save_handle(const std::string& uid, const std::string& handle) {
  CancelToken call;
  Timers* timers = nullptr;
  {
    const MutexLock lock(mutex_);
    const StatePtr state = find_state(uid);
    call = state && state->call_cancel ? state->call_cancel->token() : stop_.token();
    timers = timers_;
  }
  CancelSource ended(call);
  const CancelCallback wake(ended.token(), [this] {
    const MutexLock lock(mutex_);
    write_done_.notify_all();
  });
  std::optional<Timer> limit;
  if (timers != nullptr) {
    limit.emplace(*timers, [&ended] { ended.cancel(); });
    limit->set(SystemClock().steady_now() + settings_->handle_timeout);
  }
  const Status saved = write_handle(uid, handle, ended.token());
  if (!saved.is_ok() && ended.is_cancelled() && !call.is_cancelled()) {
    return unavailable("the handle could not be saved in time; try again");
  }
  return saved;
}

Status PodEngine::write_handle(const std::string& uid,
                               const std::string& handle,
                               const CancelToken& cancel) {
  Write write;
  std::size_t told_before = 0;
  {
    const MutexLock lock(mutex_);
    write.state = find_state(uid);
    if (!write.state || !write.state->pod || write.state->removed_from_api) {
      return not_found("no pod with UID " + uid + " belongs to this node");
    }
    PodState& state = *write.state;
    // One write at a time: an older handle on its way must not land after this one.
    while (state.status_writing && !stopping_ && !cancel.is_cancelled()) {
      write_done_.wait(mutex_);
    }
    if (stopping_ || cancel.is_cancelled()) {
      return cancelled(stopping_ ? "the host is stopping" : "the handle was not saved");
    }
    if (state.handle == handle && state.pod->handle == handle) {
      return Status::ok();
    }
    state.status_writing = true;
    state.echo.write_begins(state.pod->resource_version);
    write.uid = uid;
    write.pod = state.pod;
    write.patch.annotations = {};
    told_before = state.written_told;
    set_own(handle, uid, state, &write.patch);
  }
  VKHOST_FAILURE_POINT(BeforeHandleSaved);
  const auto written = parts_.api->patch_status(*write.pod, write.patch, cancel);
  VKHOST_FAILURE_POINT(AfterHandleSaved);
  const MutexLock lock(mutex_);
  PodState& state = *write.state;
  state.status_writing = false;
  write_done_.notify_all();
  const bool compare = state.echo.write_ends(written.is_ok() ? *written : std::string(),
                                             state.pod->resource_version);
  if (written.is_ok()) {
    state.handle = handle;
    state.handle_dirty = false;
  } else {
    state.written_told = told_before;
  }
  note_told(uid, state);  // it may have changed meanwhile, or was not written
  if (state.status_dirty || (compare && state.has_news_to_compare())) {
    queue_status(uid, state);
  }
  if (state.is_ending()) {
    queue_.add(uid);
  }
  return written.is_ok() ? Status::ok()
                         : written.status().while_doing("saving the handle of pod " +
                                                        write.pod->display_name());
}

}  // namespace vkhost::pods
