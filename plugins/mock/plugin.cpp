// The mock provider: pods that run nowhere, and that fail as its rules say. This is the plugin to
// read first: everything the host asks of a provider is in this file, and nothing else.
#include "backend.hpp"
#include "documents.hpp"
#include "rules.hpp"
#include "scheduler.hpp"
#include "settings.hpp"
#include "timeline.hpp"
#include "tracker.hpp"
#include "translate.hpp"

#include <vkhost/provider.hpp>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::mock {
namespace {

// What all instances share, from init to shutdown. A plain pointer: a process that ends without
// shutdown must not wait for the thread.
Scheduler* scheduler = nullptr;

// The handle tells the attempt, so that a workload that was lost gets new container ids when it is
// made again. What it names is found by UID.
std::string make_handle(int attempt) { return "attempt-" + std::to_string(attempt); }

int attempt_of(std::string_view handle) {
  constexpr std::string_view kPrefix = "attempt-";
  int attempt = 0;
  if (handle.substr(0, kPrefix.size()) == kPrefix) {
    std::from_chars(handle.data() + kPrefix.size(), handle.data() + handle.size(), attempt);
  }
  return std::clamp(attempt, 0, 1'000'000);
}

// How an api_key begins that the account knows no more.
constexpr std::string_view kExpired = "expired";

// A rule's `tries` are used up after so many.
bool still(std::int64_t tries, std::int64_t made) { return tries == 0 || made < tries; }

Settings require_settings(std::string_view json) {
  std::vector<SettingProblem> problems;
  Settings settings = parse_settings(json, problems);
  if (!problems.empty()) {
    throw sdk::Error(sdk::Code::InvalidArgument, "InvalidSettings",
                     problems.front().pointer + ": " + problems.front().text)
        .never_retry();
  }
  return settings;
}

class MockProvider final : public sdk::Provider, public sdk::ReconfigureProvider {
 public:
  MockProvider(sdk::Host host, const sdk::InstanceRequest& request)
      : host_(host),
        settings_(std::make_shared<const Settings>(require_settings(request.config_json))),
        calls_(sdk::Metric::counter(
            host, "vkhost_mock_calls_total", "Calls that were begun, by function.", {"call"})) {}

  static std::string describe() { return describe_mock(); }
  static void init(const sdk::Call&, sdk::Host) { scheduler = new Scheduler(); }
  static void shutdown() { delete std::exchange(scheduler, nullptr); }
  static void check_config(std::string_view config, const sdk::ProblemSink& out);

  std::string capabilities() override { return render_capabilities(*settings()); }
  std::string node(const sdk::Call&, const sdk::NodeRequest& request) override {
    return render_node(*settings(), request.node_name);
  }
  void ping(const sdk::Call& call) override;
  void recover_pods(const sdk::Call& call,
                    const sdk::RecoverBatch& batch,
                    const sdk::RecoverSink& out) override;
  void start(const sdk::Call& call, const sdk::StartRequest& request) override;
  void create_pod(const sdk::Call& call,
                  const sdk::CreatePod& request,
                  const sdk::TextSink& handle) override;
  void update_pod(const sdk::Call& call,
                  const sdk::UpdatePod& request,
                  const sdk::UpdateSink& out) override;
  void delete_pod(const sdk::Call& call, const sdk::DeletePod& request) override;
  void list_pods(const sdk::Call& call,
                 const sdk::ListPods& request,
                 const sdk::ListSink& out) override;
  void reconfigure(const sdk::Call& call, std::string_view config_json) override;
  void stop(const sdk::Call& call) override;

 private:
  // Counts the creates in progress, so that stop can wait for one that ignores its cancel.
  class InProgress;

  // As they are now; whoever needs several of one moment keeps what this gives.
  std::shared_ptr<const Settings> settings() {
    const std::lock_guard lock(mutex_);
    return settings_;
  }
  void note(const char* call, std::string_view uid = {}, sdk::Code outcome = sdk::Code::Ok);
  Workload make_workload(const sdk::CreatePod& request, const Pod& pod, Course course);
  void save_handle(std::string_view uid, std::string_view handle);
  // Throws when nothing was created; returns the fault of a call that fails although it was.
  std::optional<Fault> create_by_fate(const sdk::Call& call, const sdk::CreatePod& request);
  void hang(const sdk::Call& call, const Hang& hang, std::string_view uid);

  sdk::Host host_;
  std::shared_ptr<const Settings> settings_;  // guarded by mutex_
  const sdk::Metric calls_;
  std::vector<std::string> recovered_;  // UIDs that recover_pods took for there
  std::unique_ptr<Backend> backend_;    // from start on
  std::atomic<Millis> started_at_ = 0;
  std::unique_ptr<Tracker> tracker_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_progress_ = 0;
  bool stopping_ = false;
};

// ---- Before start ----

void MockProvider::check_config(std::string_view config, const sdk::ProblemSink& out) {
  std::vector<SettingProblem> problems;
  static_cast<void>(parse_settings(config, problems));
  for (const SettingProblem& problem : problems) {
    out.error(problem.pointer, problem.text);
  }
}

// The back end is known once start has told the owner key. Until then: whoever has a handle was
// accepted; who has none may have been, and create_pod finds out.
void MockProvider::recover_pods(const sdk::Call&,
                                const sdk::RecoverBatch& batch,
                                const sdk::RecoverSink& out) {
  if (batch.first) {
    recovered_.clear();
  }
  for (const sdk::RecoverPod& pod : batch.pods) {
    if (!pod.ref.handle.empty()) {
      recovered_.emplace_back(pod.ref.uid);
      out.put(pod.ref.uid, sdk::Recovered::Attached);
    } else {
      // Once a container has started, list_pods says whether it is still there.
      const bool started = pod.pod_json.find("\"startedAt\"") != std::string_view::npos;
      out.put(pod.ref.uid, started ? sdk::Recovered::Unknown : sdk::Recovered::Create);
    }
  }
}

void MockProvider::start(const sdk::Call&, const sdk::StartRequest& request) {
  const auto settings = this->settings();
  std::string folder;
  if (!settings->state_dir.empty()) {
    folder = settings->state_dir + '/' + std::string(request.owner_key);
  }
  tracker_.reset();  // of a start that failed
  backend_.reset();
  backend_ = std::make_unique<Backend>(
      folder, settings->pod_range, std::hash<std::string_view>()(request.owner_key),
      [this](const std::string& warning) { host_.log(sdk::LogLevel::Warn, warning); },
      settings->keep_material);
  tracker_ = std::make_unique<Tracker>(host_, *backend_);
  backend_->on_due([this](Millis due) { scheduler->wake(*tracker_, due); });
  started_at_ = now_millis();
  note("start");
  const sdk::Error lost(sdk::Code::NotFound, "WorkloadLost",
                        "the mock's back end holds nothing of this pod");
  for (const std::string& uid : recovered_) {
    if (backend_->find(uid) == nullptr) {
      sdk::PodChange change;
      change.uid = uid;
      change.error = &lost;
      change.gone = true;
      host_.pod_changed(change);
    }
  }
  recovered_.clear();
  // Everything is due: the host hears what has happened meanwhile.
  scheduler->add(*tracker_, 0);
}

// ---- Pods ----

class MockProvider::InProgress {
 public:
  explicit InProgress(MockProvider& provider) : provider_(provider) {
    const std::lock_guard lock(provider_.mutex_);
    ++provider_.in_progress_;
  }
  ~InProgress() {
    const std::lock_guard lock(provider_.mutex_);
    --provider_.in_progress_;
    provider_.changed_.notify_all();
  }
  InProgress(const InProgress&) = delete;
  InProgress& operator=(const InProgress&) = delete;

 private:
  MockProvider& provider_;
};

void MockProvider::create_pod(const sdk::Call& call,
                              const sdk::CreatePod& request,
                              const sdk::TextSink& handle) {
  calls_.record(1, {"create_pod"});
  const InProgress in_progress(*this);
  if (const WorkloadPtr known = backend_->find(request.ref.uid)) {
    if (known->stop_at) {
      note("create_pod", request.ref.uid, sdk::Code::Aborted);
      throw sdk::Error(sdk::Code::Aborted, "BeingDeleted", "this pod is being deleted")
          .with_effect(sdk::Effect::None);
    }
    note("create_pod", request.ref.uid);
    handle.put(make_handle(known->attempt));
    return;
  }
  std::optional<Fault> happened;
  try {
    happened = create_by_fate(call, request);
  } catch (const sdk::Error& error) {
    Record record;
    record.call = "create_pod";
    record.uid = request.ref.uid;
    record.outcome = code_name(static_cast<std::int32_t>(error.code()));
    record.tries = backend_->tries(request.ref.uid) + 1;
    backend_->apply(record, now_millis());
    throw;
  }
  // From here on it is there, or has been: it may have vanished already.
  handle.put(make_handle(attempt_of(request.ref.handle) + 1));
  if (happened) {
    throw make_error(*happened);
  }
}

std::optional<Fault> MockProvider::create_by_fate(const sdk::Call& call,
                                                  const sdk::CreatePod& request) {
  const auto settings = this->settings();
  if (settings->api_key.substr(0, kExpired.size()) == kExpired) {
    throw sdk::Error(sdk::Code::Unauthenticated, "KeyExpired",
                     "the key of the account has expired: put another one into api_key")
        .with_scope(sdk::Scope::Provider)
        .with_effect(sdk::Effect::None)
        .never_retry();
  }
  const Pod pod = parse_pod(request.pod_json);
  Fate fate = decide_fate(settings->rules, settings->seed, pod);
  const std::int64_t tries = backend_->tries(request.ref.uid);
  if (fate.hang && still(fate.hang->tries, tries)) {
    hang(call, *fate.hang, request.ref.uid);
  }
  if (fate.course.start_fault && !still(fate.course.start_fault->tries, tries)) {
    fate.course.start_fault.reset();
  }
  const bool fails = fate.fail && still(fate.fail->tries, tries);
  if (fails && fate.fail->effect != VKP_EFFECT_HAPPENED) {
    throw make_error(*fate.fail);
  }
  if (settings->save_handle) {
    save_handle(request.ref.uid, make_handle(attempt_of(request.ref.handle) + 1));
  }
  Record record;
  record.call = "create_pod";
  record.uid = request.ref.uid;
  record.outcome = fails ? code_name(fate.fail->code) : "ok";
  record.workload = make_workload(request, pod, std::move(fate.course));
  record.material = request.material_json;
  const Millis now = record.workload->accepted;
  try {
    backend_->apply(record, now, now);
  } catch (...) {
    backend_->release_address(record.workload->ip);
    throw;
  }
  return fails ? fate.fail : std::nullopt;
}

// As a provider does whose back end cannot be asked for a UID.
void MockProvider::save_handle(std::string_view uid, std::string_view handle) {
  if (const sdk::Code saved = host_.save_handle(uid, handle); saved != sdk::Code::Ok) {
    throw sdk::Error(saved, "HandleNotSaved", "the host could not save the handle")
        .with_effect(sdk::Effect::None);
  }
}

Workload MockProvider::make_workload(const sdk::CreatePod& request, const Pod& pod, Course course) {
  Workload workload;
  workload.uid = request.ref.uid;
  workload.pod_namespace = request.ref.pod_namespace;
  workload.name = request.ref.name;
  workload.attempt = attempt_of(request.ref.handle) + 1;
  workload.restart_policy = pod.restart_policy;
  workload.containers = pod.containers;
  workload.course = std::move(course);
  workload.ip = pod.host_network ? "" : backend_->take_address();
  workload.accepted = now_millis();
  return workload;
}

void MockProvider::hang(const sdk::Call& call, const Hang& hang, std::string_view uid) {
  bool cancelled = false;
  const sdk::OnCancel registration(call, [&] {
    const std::lock_guard lock(mutex_);
    cancelled = true;
    changed_.notify_all();
  });
  host_.log(sdk::LogLevel::Info, "create_pod hangs, as a rule says", uid);
  std::unique_lock lock(mutex_);
  const auto over = [&] { return stopping_ || (cancelled && !hang.ignore_cancel); };
  if (hang.length == 0) {
    changed_.wait(lock, over);
  } else if (!changed_.wait_for(lock, std::chrono::milliseconds(hang.length), over)) {
    return;  // late, but it goes on
  }
  throw sdk::Error(sdk::Code::Cancelled, "Hung", "create_pod hung until it was cancelled")
      .with_effect(sdk::Effect::None);
}

void MockProvider::update_pod(const sdk::Call&,
                              const sdk::UpdatePod& request,
                              const sdk::UpdateSink& out) {
  calls_.record(1, {"update_pod"});
  const WorkloadPtr known = backend_->find(request.ref.uid);
  if (known == nullptr) {
    note("update_pod", request.ref.uid, sdk::Code::NotFound);
    throw sdk::Error(sdk::Code::NotFound, "PodNotFound", "the mock has no such pod");
  }
  const Millis now = now_millis();
  const Pod pod = parse_pod(request.pod_json);
  const auto settings = this->settings();
  const UpdateFate fate = decide_fate(settings->rules, settings->seed, pod).update;
  std::uint64_t applied = request.changed;
  for (const auto& [bit, outcome] :
       {std::pair(VKP_CHANGED_IMAGE, fate.image), std::pair(VKP_CHANGED_RESOURCES, fate.resources),
        std::pair(VKP_CHANGED_EPHEMERAL_CONTAINERS, fate.ephemeral_containers)}) {
    if ((request.changed & bit) != 0 && outcome != VKP_UPDATE_APPLIED) {
      applied &= ~bit;
      out.put(bit, static_cast<sdk::UpdateOutcome>(outcome), fate.message);
    }
  }
  Record record;
  record.call = "update_pod";
  record.uid = known->uid;
  record.outcome = applied == request.changed ? "ok" : "not_applied";
  record.changed = request.changed;
  record.material = request.material_json;
  record.workload = *known;
  const bool restarted = apply_update(*record.workload, pod, applied, now);
  backend_->apply(record, now, now);
  if (applied != 0) {
    out.put(applied, sdk::UpdateOutcome::Applied);
  }
  if (restarted) {
    out.put(VKP_CHANGED_IMAGE, sdk::UpdateOutcome::AppliedByRestart);
  }
}

void MockProvider::delete_pod(const sdk::Call&, const sdk::DeletePod& request) {
  calls_.record(1, {"delete_pod"});
  const WorkloadPtr known = backend_->find(request.ref.uid);
  if (known == nullptr) {
    Record record;
    record.call = "delete_pod";
    record.uid = request.ref.uid;
    record.outcome = code_name(VKP_NOT_FOUND);
    record.removed = true;  // its failed tries are forgotten
    backend_->apply(record, now_millis());
    throw sdk::Error(sdk::Code::NotFound, "PodNotFound", "the mock has no such pod");
  }
  const Millis now = now_millis();
  const Millis grace = std::max<Millis>(request.grace.count(), 0);
  Record record;
  record.call = "delete_pod";
  record.uid = known->uid;
  record.outcome = "ok";
  record.workload = *known;
  const Phase phase = observe(*known, now).phase;
  const Millis needed = phase == Phase::Running ? known->course.stop_delay : 0;
  const Millis end = now + std::min(needed, grace);
  // A second delete can only shorten what the first began.
  if (!known->stop_at || end < *known->stop_at) {
    record.workload->killed = grace < needed;
    record.workload->stop_at = end;
  }
  backend_->apply(record, now, *record.workload->stop_at);
}

void MockProvider::list_pods(const sdk::Call& call,
                             const sdk::ListPods& request,
                             const sdk::ListSink& out) {
  calls_.record(1, {"list_pods"});
  const std::uint64_t seq = tracker_->next_seq();
  const Millis now = now_millis();
  note("list_pods");
  std::vector<WorkloadPtr> workloads;
  if (request.uids.empty()) {
    workloads = backend_->all();
  }
  sdk::ListedPod item;
  item.seq = seq;
  for (const std::string_view uid : request.uids) {
    if (WorkloadPtr workload = backend_->find(uid)) {
      workloads.push_back(std::move(workload));
    } else {
      item.ref.uid = uid;
      item.verdict = sdk::Listed::Absent;
      out.put(item);
    }
  }
  for (const WorkloadPtr& workload : workloads) {
    call.throw_if_cancelled(sdk::Effect::None);
    const std::string handle = make_handle(workload->attempt);
    const std::optional<std::string> status = Tracker::status_of(*workload, now);
    item.ref.pod_namespace = workload->pod_namespace;
    item.ref.name = workload->name;
    item.ref.uid = workload->uid;
    item.ref.handle = handle;
    item.status_json = status ? std::string_view(*status) : std::string_view();
    item.verdict = status ? sdk::Listed::Present : sdk::Listed::Absent;
    out.put(item);
  }
  out.complete();
}

// ---- Life ----

void MockProvider::ping(const sdk::Call&) {
  const Millis passed = now_millis() - started_at_;
  const auto settings = this->settings();
  const auto& ping = settings->ping;
  if (ping && passed >= ping->after && (ping->length == 0 || passed < ping->after + ping->length)) {
    note("ping", {}, static_cast<sdk::Code>(ping->fault.code));
    throw make_error(ping->fault);
  }
  note("ping");
}

void MockProvider::reconfigure(const sdk::Call&, std::string_view config_json) {
  const auto wanted = std::make_shared<const Settings>(require_settings(config_json));
  if (const std::string_view fixed = fixed_difference(*settings(), *wanted); !fixed.empty()) {
    throw sdk::Error(sdk::Code::FailedPrecondition, "NeedsRestart",
                     std::string(fixed) + " cannot change while the mock runs");
  }
  {
    const std::lock_guard lock(mutex_);
    settings_ = wanted;
  }
  host_.node_changed();  // what it offers may be something else
}

void MockProvider::stop(const sdk::Call&) {
  if (tracker_ == nullptr) {
    return;
  }
  scheduler->remove(*tracker_);
  std::unique_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return in_progress_ == 0; });
  lock.unlock();
  note("stop");
  tracker_.reset();
  backend_.reset();
}

void MockProvider::note(const char* call, std::string_view uid, sdk::Code outcome) {
  if (backend_ != nullptr) {
    Record record;
    record.call = call;
    record.uid = uid;
    record.outcome = code_name(static_cast<std::int32_t>(outcome));
    backend_->apply(record, now_millis());
  }
}

}  // namespace
}  // namespace vkhost::mock

VKHOST_EXPORT_PROVIDER(vkhost::mock::MockProvider)
