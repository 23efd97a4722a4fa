#include "simulation/host_process.hpp"

#include <charconv>
#include <utility>

namespace vkhost::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

pods::Settings settings_of(const Shape& shape) {
  pods::Settings settings;
  settings.on_lost = shape.is_lost_recreated ? pods::OnLost::Recreate : pods::OnLost::Fail;
  settings.orphans = shape.deletes_orphans ? pods::Orphans::Delete : pods::Orphans::Report;
  settings.resync_interval = seconds{30};
  settings.deletion_slack = seconds{10};
  settings.deletion_limit = seconds{0};  // workloads that outlive their object are unit tested
  settings.backoff = {milliseconds{200}, seconds{5}};
  return settings;
}

plugin::Capabilities capabilities_of(const Shape& shape) {
  plugin::Capabilities capabilities;
  capabilities.pushes = shape.pushes;
  capabilities.poll_interval = seconds{10};
  capabilities.max_parallel_calls = shape.parallel_calls;
  capabilities.updates = plugin::kChangedImage;
  return capabilities;
}

// The number that a back end's status carries as its message.
std::optional<std::uint64_t> number_of(std::string_view message) {
  std::uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(message.data(), message.data() + message.size(), number);
  return error == std::errc() && end == message.data() + message.size() ? std::optional(number)
                                                                        : std::nullopt;
}

Status died() { return cancelled("the process has ended"); }

}  // namespace

// One at a time for each pod, which is what [pod-serial] promises a plugin.
class HostProcess::Call {
 public:
  Call(HostProcess& host,
       const char* what,
       const plugin::PodRef& ref,
       const plugin::CallOptions& options)
      : host_(host), uid_(ref.uid) {
    host_.world_.note("host: ", what, " ", uid_, " (", ref.name, ") ", ref.handle);
    if (!host_.busy_.insert(uid_).second) {
      host_.world_.violate("two calls at a time for " + uid_);
    }
    if (options.deadline.is_never()) {
      host_.world_.violate("a call without a deadline for " + uid_);
    }
  }
  ~Call() { host_.busy_.erase(uid_); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  HostProcess& host_;
  const std::string uid_;
};

HostProcess::HostProcess(World& world)
    : world_(world),
      shape_(capabilities_of(world.shape)),
      engine_(settings_of(world.shape),
              pods::EngineParts{this, this, this, this, this, world.clock,
                                std::make_shared<SeededRandom>(world.dice.next()),
                                observe::Logger()}) {}

void HostProcess::recover() {
  if (!ready_ && alive_ && !std::exchange(recovering_, true)) {
    ready_ = engine_.recover({}).is_ok() && alive_;
    recovering_ = false;
  }
}

void HostProcess::die() {
  alive_ = false;
  ready_ = false;
}

// ---- What the plugin says

void HostProcess::push(plugin::PodChange change) {
  if (!world_.shape.pushes || !ready_) {
    return;  // a list brings it
  }
  if (!world_.is_quiet && world_.dice.percent(world_.shape.late)) {
    late_.push_back(std::move(change));
  } else {
    deliver(std::move(change));
  }
}

bool HostProcess::deliver_late(bool in_order) {
  if (late_.empty() || !ready_) {
    return false;
  }
  const auto which = in_order ? 0 : world_.dice.roll(static_cast<unsigned>(late_.size()));
  plugin::PodChange change = std::move(late_[which]);
  late_.erase(late_.begin() + static_cast<std::ptrdiff_t>(which));
  // What is gone is said once create_pod has returned.
  if (change.gone && is_called(change.uid) && !world_.is_quiet) {
    late_.push_back(std::move(change));
    return false;
  }
  deliver(std::move(change));
  return true;
}

void HostProcess::deliver(plugin::PodChange change) {
  world_.note("plugin: pushes ", change.uid, " seq ", change.seq,
              change.status_json ? " " + *change.status_json : std::string(),
              change.gone ? " gone" : "", change.error ? " " + change.error->to_string() : "");
  const std::string uid = change.uid;
  const bool has_started =
      change.status_json && change.status_json->find("startedAt") != std::string::npos;
  const bool is_taken = engine_.pod_changed(std::move(change)).is_ok();
  if (has_started && is_taken) {
    started_.insert(uid);
  }
}

// ---- kube::PodListener

bool HostProcess::is_marked(const ModelApi::Object& object) {
  return object.annotations.contains(std::string(kube::kEvictionAnnotation));
}

void HostProcess::note_object(const kube::PodRecord& pod) {
  known_.insert(pod.uid);
  if (pod.is_deleting()) {
    ending_.insert(pod.uid);
  }
}

void HostProcess::pods_listed(std::vector<kube::PodPtr> pods) {
  std::set<std::string> present;
  for (const kube::PodPtr& pod : pods) {
    note_object(*pod);
    present.insert(pod->uid);
  }
  for (const std::string& uid : known_) {
    if (!present.contains(uid)) {
      ending_.insert(uid);
    }
  }
  world_.note("watch: lists ", pods.size(), " pods");
  engine_.pods_listed(std::move(pods));
}

void HostProcess::pod_applied(kube::PodPtr pod) {
  note_object(*pod);
  world_.note("watch: ", pod->uid, " version ", pod->resource_version,
              pod->is_deleting() ? " deleting" : "", " ", pod->phase);
  engine_.pod_applied(std::move(pod));
}

void HostProcess::pod_removed(const std::string& uid) {
  ending_.insert(uid);
  world_.note("watch: ", uid, " is gone");
  engine_.pod_removed(uid);
}

// ---- pods::PodApi

Result<std::string> HostProcess::patch_status(const kube::PodRecord& pod,
                                              const pods::StatusPatch& patch,
                                              const CancelToken& cancel) {
  if (alive_ && !writing_.insert(pod.uid).second) {
    world_.violate("two writes at a time for " + pod.uid);
  }
  const auto attempt = [&]() -> Result<std::string> {
    world_.interleave();
    if (!alive_ || cancel.is_cancelled()) {
      return died();
    }
    const auto fault = world_.api_fault();
    const bool takes_effect = !fault || world_.dice.percent(40);
    Result<std::string> version = died();
    if (fault) {
      version = *fault;
    }
    if (takes_effect) {
      const ModelApi::Object* object = world_.api.find(pod.uid);
      const bool was_terminal = object != nullptr && object->is_terminal();
      auto written = world_.api.patch(pod.uid, patch);
      world_.note(
          "host: writes ", pod.uid, " ", patch.status_json, " and ", patch.annotations.size(),
          " annotations",
          written.is_ok() ? " as version " + *written : ": " + written.status().to_string());
      if (written.is_ok()) {
        check_written(*world_.api.find(pod.uid), was_terminal);
      }
      if (!fault) {
        version = std::move(written);
      }
    }
    if (fault) {
      world_.note("host: the write of ", pod.uid, " fails: ", fault->to_string());
    }
    world_.interleave();
    return alive_ ? std::move(version) : Result<std::string>(died());
  };
  auto result = attempt();
  writing_.erase(pod.uid);
  return result;
}

void HostProcess::check_written(const ModelApi::Object& object, bool was_terminal) {
  if (was_terminal && !object.is_terminal()) {
    world_.violate("a pod that had ended has another phase: " + object.uid);
  }
  const Workload* workload = world_.back_end.find(object.uid);
  if (!was_terminal && object.status.string_member("reason") == "ProviderLost" &&
      workload != nullptr && !workload->is_deleting) {
    world_.violate("a workload that lives was called lost: " + object.uid);
  }
  std::uint64_t& newest = world_.back_end.history[object.uid].written_seq;
  if (const auto number = number_of(object.status.string_member("message"))) {
    if (*number < newest) {
      world_.violate("an older status replaced a newer one: " + object.uid);
    }
    newest = *number;
  }
}

Status HostProcess::remove_pod(const kube::PodRecord& pod, const CancelToken& cancel) {
  world_.interleave();
  if (!alive_ || cancel.is_cancelled()) {
    return died();
  }
  auto fault = world_.api_fault();
  Status outcome = fault.value_or(Status::ok());
  if (!fault || world_.dice.percent(40)) {
    const ModelApi::Object* object = world_.api.find(pod.uid);
    world_.note("host: removes the object of ", pod.uid);
    if (object == nullptr) {
      outcome = fault ? *fault : not_found("no such pod");
    } else if (!object->deletion) {
      world_.violate("the object of a pod that nobody deleted was removed: " + pod.uid);
    } else if (world_.back_end.find(pod.uid) != nullptr) {
      world_.violate("the object was removed before its workload: " + pod.uid);
    }
    world_.api.remove(pod.uid, seconds{0});
  }
  world_.interleave();
  return alive_ ? outcome : died();
}

Result<kube::PodPtr> HostProcess::read_pod(const std::string&,
                                           const std::string& name,
                                           const std::string&,
                                           const CancelToken& cancel) {
  world_.interleave();
  if (!alive_ || cancel.is_cancelled()) {
    return died();
  }
  if (auto fault = world_.api_fault()) {
    return *fault;
  }
  auto pod = world_.api.read(name);
  world_.interleave();
  return alive_ ? std::move(pod) : Result<kube::PodPtr>(died());
}

// ---- Events, material, faults

void HostProcess::pod_event(const kube::PodRecord& pod, const pods::Happening& what) {
  world_.note("event: ", pod.uid, " ", what.reason, ": ", what.message, what.detail);
}

void HostProcess::node_event(std::string_view node_name, const pods::Happening& what) {
  world_.note("event: node ", node_name, " ", what.reason, ": ", what.message);
}

Result<std::string> HostProcess::material(const kube::PodRecord& pod,
                                          std::optional<std::uint64_t> /*changed*/,
                                          const CancelToken&) {
  world_.interleave();
  if (!alive_) {
    return died();
  }
  if (!world_.is_quiet && world_.dice.percent(world_.shape.faults / 3)) {
    if (world_.dice.percent(50)) {
      engine_.material_changed(pod.uid, 0);  // it has come at the very moment
    }
    return failed_precondition("a Secret is missing").with_reason("CreateContainerConfigError");
  }
  return std::string("{}");
}

void HostProcess::provider_fault(const Status& status) {
  world_.note("node: provider fault ", status.to_string());
  fault_ = status;
}

// ---- plugin::Provider

Result<std::string> HostProcess::node(std::string_view, const plugin::CallOptions&) {
  return std::string("{}");
}

Status HostProcess::ping(const plugin::CallOptions&) { return Status::ok(); }

Status HostProcess::start(const plugin::StartNode&, const plugin::CallOptions&) {
  return Status::ok();
}

Status HostProcess::stop(const plugin::CallOptions&) { return Status::ok(); }

Result<std::vector<plugin::RecoverVerdict>> HostProcess::recover_pods(
    const std::vector<plugin::RecoverPod>& pods, bool, const plugin::CallOptions&) {
  using Verdict = plugin::RecoverVerdict;
  world_.interleave();
  if (!alive_) {
    return died();
  }
  if (auto fault = world_.provider_fault()) {
    return *fault;
  }
  std::vector<Verdict> verdicts;
  for (const plugin::RecoverPod& pod : pods) {
    named_.insert(pod.ref.uid);
    const bool ran = pod.pod_json.find("startedAt") != std::string_view::npos;
    const bool lives = world_.back_end.find(pod.ref.uid) != nullptr;
    Verdict verdict = Verdict::Unknown;
    if (world_.shape.recovers_by_truth) {
      verdict = lives ? Verdict::Attached : (ran ? Verdict::Absent : Verdict::Create);
    } else if (!pod.ref.handle.empty()) {
      verdict = Verdict::Attached;
    } else if (!ran && world_.shape.handles != Handles::None) {
      verdict = Verdict::Create;
    }
    world_.note("plugin: recovers ", pod.ref.uid, " handle '", pod.ref.handle, "' verdict ",
                static_cast<int>(verdict));
    verdicts.push_back(verdict);
  }
  return verdicts;
}

void HostProcess::check_create(const std::string& uid, const std::string& name) {
  if (ending_.contains(uid)) {
    world_.violate("create_pod of a pod that is being deleted: " + uid);
  }
  if (const auto* object = world_.api.find(uid); object != nullptr && is_marked(*object)) {
    world_.violate("create_pod of a pod that is evicted: " + uid);
  }
  for (const auto& [other, workload] : world_.back_end.workloads) {
    if (other != uid && workload.ref.name == name && known_.contains(other)) {
      world_.violate("create_pod of " + uid +
                     " while the old pod of its name still lives: " + other);
    }
  }
}

plugin::CreateOutcome HostProcess::create_pod(const plugin::CreatePod& request,
                                              const plugin::CallOptions& options) {
  if (!alive_) {
    return {died(), std::nullopt};
  }
  const Call call(*this, "create_pod", request.ref, options);
  named_.insert(request.ref.uid);
  check_create(request.ref.uid, request.ref.name);
  plugin::CreateOutcome outcome = make(request, options);
  world_.note("plugin: create_pod of ", request.ref.uid, " returns ", outcome.status.to_string());
  return outcome;
}

plugin::CreateOutcome HostProcess::make(const plugin::CreatePod& request,
                                        const plugin::CallOptions& options) {
  const std::string& uid = request.ref.uid;
  BackEnd& back_end = world_.back_end;
  plugin::CreateOutcome outcome;
  const ModelApi::Object* object = world_.api.find(uid);
  // Whether the host knows that a container of it has run.
  const bool has_run =
      started_.contains(uid) || (object != nullptr && object->record->ever_started);
  const bool may_run_once =
      request.pod_json.find(R"("restartPolicy":"Never")") != std::string_view::npos;
  const bool was_there = back_end.find(uid) != nullptr;
  world_.interleave();
  if (!alive_ || (options.cancel.is_cancelled() && !world_.shape.ignores_cancel)) {
    outcome.status = died().with_effect(Effect::None);
    return outcome;
  }
  if (auto fault = world_.provider_fault()) {
    outcome.status = *fault;
    return outcome;
  }
  if (world_.shape.handles == Handles::Saved && back_end.find(uid) == nullptr) {
    outcome.status = save(request.ref, "h-" + uid);
    if (!outcome.status.is_ok()) {
      return outcome;
    }
  }
  Workload* workload = back_end.find(uid);
  if (workload == nullptr && was_there) {
    outcome.status = unavailable("what was in hand is lost");
    return outcome;
  }
  if (workload != nullptr && workload->is_deleting) {
    outcome.status = Status(StatusCode::Aborted, "the workload is being deleted");
    return outcome;
  }
  if (workload == nullptr) {
    if (has_run && may_run_once) {
      world_.violate("a pod that may run once is run again: " + uid);
    }
    workload = &back_end.make(request.ref);
    workload->image = image_in(request.pod_json);  // of work in hand nothing changes
    // That something is gone is said of what the newest create_pod made only.
    std::erase_if(
        late_, [&](const plugin::PodChange& change) { return change.gone && change.uid == uid; });
    world_.note("back end: makes ", uid, " instance ", workload->instance);
  }
  if (world_.shape.handles != Handles::None) {
    workload->ref.handle = "h-" + uid;
    outcome.handle = workload->ref.handle;
  }
  world_.interleave();
  if (!alive_) {
    outcome.status = died();
  } else if (auto fault = world_.provider_fault()) {
    outcome.status = *fault;
    if (world_.dice.percent(50)) {
      outcome.handle.reset();
    }
  }
  return outcome;
}

// A write of this pod that stands below on the stack would never end.
Status HostProcess::save(const plugin::PodRef& ref, const std::string& handle) {
  if (writing_.contains(ref.uid)) {
    return unavailable("cannot wait here for another write");
  }
  Status status = engine_.save_handle(ref.uid, handle);
  return alive_ ? status : died();
}

Result<std::vector<plugin::UpdateAnswer>> HostProcess::update_pod(
    const plugin::UpdatePod& request, const plugin::CallOptions& options) {
  if (!alive_) {
    return died();
  }
  const Call call(*this, "update_pod", request.ref, options);
  if (!named_.contains(request.ref.uid)) {
    world_.violate("update_pod of a pod that was never named: " + request.ref.uid);
  }
  world_.interleave();
  if (!alive_) {
    return died();
  }
  if (auto fault = world_.provider_fault()) {
    return *fault;
  }
  Workload* workload = world_.back_end.find(request.ref.uid);
  if (workload == nullptr) {
    return not_found("no such workload");
  }
  plugin::UpdateAnswer answer{request.changed, plugin::UpdateOutcome::Applied, ""};
  if (!world_.is_quiet && world_.dice.percent(world_.shape.faults)) {
    answer.outcome = plugin::UpdateOutcome::Deferred;
  } else {
    workload->image = image_in(request.pod_json);
  }
  world_.interleave();
  if (!alive_) {
    return died();
  }
  if (auto fault = world_.provider_fault()) {
    return *fault;
  }
  return std::vector<plugin::UpdateAnswer>{answer};
}

Status HostProcess::delete_pod(const plugin::DeletePod& request,
                               const plugin::CallOptions& options) {
  if (!alive_) {
    return died();
  }
  const std::string& uid = request.ref.uid;
  const Call call(*this, "delete_pod", request.ref, options);
  const ModelApi::Object* object = world_.api.find(uid);
  const bool is_finished = object != nullptr && object->is_terminal() &&
                           request.reason == plugin::DeleteReason::Finished;
  const bool is_evicted =
      object != nullptr && is_marked(*object) && request.reason == plugin::DeleteReason::Evicted;
  if (object != nullptr && !object->deletion && !is_finished && !is_evicted) {
    world_.violate("delete_pod of a pod that is wanted: " + uid);
  }
  world_.interleave();
  if (!alive_) {
    return died();
  }
  if (auto fault = world_.provider_fault()) {
    return *fault;
  }
  Workload* workload = world_.back_end.find(uid);
  if (workload == nullptr) {
    return not_found("nothing of it is left");
  }
  if (workload->marks == plugin::Marks::Legacy) {
    world_.violate("delete_pod of a workload that is not ours: " + uid);
  }
  workload->is_deleting = true;
  if (world_.shape.ends_at_once) {
    world_.end_deletion(uid);
  }
  world_.interleave();
  if (!alive_) {
    return died();
  }
  return world_.provider_fault().value_or(Status::ok());
}

Result<plugin::PodList> HostProcess::list_pods(const std::vector<std::string>& uids,
                                               const plugin::CallOptions&) {
  if (!alive_) {
    return died();
  }
  world_.note("host: list_pods of ", uids.empty() ? "everything" : uids.front());
  if (++lists_ > 1) {
    world_.violate("two lists at a time");
  }
  plugin::PodList list;
  world_.interleave();
  if (alive_) {
    list_some(uids, &list);
    world_.interleave();
  }
  --lists_;
  if (!alive_) {
    return died();
  }
  return list;
}

void HostProcess::list_some(const std::vector<std::string>& uids, plugin::PodList* list) {
  const std::set<std::string> asked(uids.begin(), uids.end());
  list->complete = true;
  if (auto fault = world_.provider_fault()) {
    list->status = *fault;
    list->complete = false;
  } else if (!world_.is_quiet && world_.dice.percent(world_.shape.faults)) {
    list->complete = false;
  }
  for (const auto& [uid, workload] : world_.back_end.workloads) {
    if (!uids.empty() && !asked.contains(uid)) {
      continue;
    }
    if (!list->complete && world_.dice.percent(50)) {
      continue;
    }
    plugin::ListedPod item;
    item.ref = workload.ref;
    item.seq = ++world_.back_end.seq;
    item.marks = workload.marks;
    item.verdict = plugin::ListVerdict::Present;
    item.status_json = workload.status_json();
    if (!world_.is_quiet && world_.dice.percent(world_.shape.faults / 2)) {
      item.verdict = world_.dice.percent(50) ? plugin::ListVerdict::Unknown
                                             : plugin::ListVerdict::PresentStatusUnknown;
      item.status_json.clear();
    }
    list->pods.push_back(std::move(item));
  }
  // What is absent may be named as well.
  for (const std::string& uid : uids) {
    if (world_.back_end.find(uid) == nullptr && world_.dice.percent(50)) {
      plugin::ListedPod item;
      item.ref.uid = uid;
      item.seq = ++world_.back_end.seq;
      item.verdict = plugin::ListVerdict::Absent;
      list->pods.push_back(std::move(item));
    }
  }
}

}  // namespace vkhost::simulation
