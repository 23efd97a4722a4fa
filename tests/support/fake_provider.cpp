#include "support/fake_provider.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::testing {

std::string pod_status(const std::string& phase,
                       const std::vector<std::string>& containers,
                       const std::string& state,
                       int exit_code) {
  std::string detail = R"({"reason":"ContainerCreating"})";
  if (state == "running") {
    detail = R"({"startedAt":"2026-01-02T03:04:05Z"})";
  } else if (state == "terminated") {
    detail = R"({"exitCode":)" + std::to_string(exit_code) +
             R"(,"startedAt":"2026-01-02T03:04:05Z","finishedAt":"2026-01-02T03:04:35Z"})";
  }
  std::string list;
  for (const std::string& name : containers) {
    list += (list.empty() ? "" : ",") + (R"({"name":")" + name + R"(","state":{")" + state) +
            R"(":)" + detail + "}}";
  }
  return R"({"phase":")" + phase + R"(","containerStatuses":[)" + list + "]}";
}

// ---- Scripted outcomes

namespace {

void add(std::map<std::string, std::deque<Status>>& script,
         const std::string& uid,
         const Status& status,
         int times) {
  for (int i = 0; i < times; ++i) {
    script[uid].push_back(status);
  }
}

}  // namespace

void FakeProvider::fail_create(const std::string& uid, Status status, int times) {
  MutexLock lock(mutex_);
  add(create_script_, uid, status, times);
}

void FakeProvider::fail_create_after_effect(const std::string& uid, Status status) {
  MutexLock lock(mutex_);
  add(effect_script_, uid, status, 1);
}

void FakeProvider::fail_delete(const std::string& uid, Status status, int times) {
  MutexLock lock(mutex_);
  add(delete_script_, uid, status, times);
}

void FakeProvider::fail_update(const std::string& uid, Status status, int times) {
  MutexLock lock(mutex_);
  add(update_script_, uid, status, times);
}

void FakeProvider::fail_list(Status status, int times) {
  MutexLock lock(mutex_);
  add(list_script_, "", status, times);
}

void FakeProvider::fail_recover(Status status, int times) {
  MutexLock lock(mutex_);
  add(recover_script_, "", status, times);
}

void FakeProvider::answer_explain(std::vector<plugin::Finding> findings) {
  MutexLock lock(mutex_);
  findings_ = std::move(findings);
}

void FakeProvider::fail_explain(Status status, int times) {
  MutexLock lock(mutex_);
  add(explain_script_, "", status, times);
}

void FakeProvider::answer_update(plugin::UpdateOutcome outcome, std::string text) {
  MutexLock lock(mutex_);
  update_answer_ = {0, outcome, std::move(text)};
}

void FakeProvider::answer_update_of(std::uint64_t bits,
                                    plugin::UpdateOutcome outcome,
                                    std::string text) {
  MutexLock lock(mutex_);
  update_answers_.push_back({bits, outcome, std::move(text)});
}

void FakeProvider::answer_recover(const std::string& uid, plugin::RecoverVerdict verdict) {
  MutexLock lock(mutex_);
  recover_answers_[uid] = verdict;
}

void FakeProvider::answer_list(const std::string& uid, plugin::ListVerdict verdict) {
  MutexLock lock(mutex_);
  list_answers_[uid] = verdict;
}

void FakeProvider::answer_list_honestly(const std::string& uid) {
  MutexLock lock(mutex_);
  list_answers_.erase(uid);
}

void FakeProvider::stop_failing() {
  MutexLock lock(mutex_);
  for (Script* script : {&create_script_, &effect_script_, &delete_script_, &update_script_,
                         &list_script_, &recover_script_, &explain_script_}) {
    script->clear();
  }
  recover_answers_.clear();
  list_answers_.clear();
}

void FakeProvider::during_next(Kind kind, std::function<void()> hook) {
  MutexLock lock(mutex_);
  before_[kind] = std::move(hook);
}

void FakeProvider::after_next(Kind kind, std::function<void()> hook) {
  MutexLock lock(mutex_);
  after_[kind] = std::move(hook);
}

void FakeProvider::on_cancelled_create(std::function<void()> hook) {
  MutexLock lock(mutex_);
  on_cancel_ = std::move(hook);
}

void FakeProvider::block_creates(const std::string& uid) {
  MutexLock lock(mutex_);
  blocked_.insert(uid);
}

void FakeProvider::release_creates() {
  MutexLock lock(mutex_);
  blocked_.clear();
  unblocked_.notify_all();
}

bool FakeProvider::is_blocked(const std::string& uid) const {
  MutexLock lock(mutex_);
  return waiting_.contains(uid);
}

void FakeProvider::wait_while_blocked(const std::string& uid, const plugin::CallOptions& options) {
  const CancelCallback wake(options.cancel, [this] {
    MutexLock lock(mutex_);
    unblocked_.notify_all();
  });
  MutexLock lock(mutex_);
  waiting_.insert(uid);
  while (blocked_.contains(uid) && !options.cancel.is_cancelled()) {
    unblocked_.wait(mutex_);
  }
  waiting_.erase(uid);
}

std::optional<Status> FakeProvider::scripted(Script& script, const std::string& uid) {
  for (const std::string& key : {uid, std::string()}) {
    const auto found = script.find(key);
    if (found != script.end() && !found->second.empty()) {
      Status status = found->second.front();
      found->second.pop_front();
      return status;
    }
  }
  return std::nullopt;
}

// ---- What happens in the back end

void FakeProvider::plant(const plugin::PodRef& ref, plugin::Marks marks) {
  MutexLock lock(mutex_);
  Workload& workload = workloads_[ref.uid];
  workload.ref = ref;
  workload.marks = marks;
  workload.containers = {"main"};
  workload.status_json = pod_status("Running", workload.containers, "running");
  workload.seq = ++seq_;
}

void FakeProvider::set_status(const std::string& uid, const std::string& status_json) {
  plugin::PodChange change;
  {
    MutexLock lock(mutex_);
    const auto found = workloads_.find(uid);
    if (found == workloads_.end()) {
      return;
    }
    found->second.status_json = status_json;
    found->second.seq = ++seq_;
    change.uid = uid;
    change.seq = seq_;
    change.status_json = status_json;
  }
  tell(std::move(change));
}

void FakeProvider::run(const std::string& uid) {
  std::vector<std::string> containers;
  {
    MutexLock lock(mutex_);
    containers = workloads_[uid].containers;
  }
  set_status(uid, pod_status("Running", containers, "running"));
}

void FakeProvider::report(const std::string& uid, const std::string& status_json) {
  set_status(uid, status_json);
}

void FakeProvider::report_late(const std::string& uid,
                               const std::string& status_json,
                               std::uint64_t seq) {
  plugin::PodChange change;
  change.uid = uid;
  change.seq = seq;
  change.status_json = status_json;
  tell(std::move(change));
}

void FakeProvider::end(const std::string& uid, const std::string& phase, int exit_code) {
  std::vector<std::string> containers;
  {
    MutexLock lock(mutex_);
    containers = workloads_[uid].containers;
  }
  set_status(uid, pod_status(phase, containers, "terminated", exit_code));
}

void FakeProvider::fail_work(const std::string& uid, Status status, bool keep) {
  plugin::PodChange change;
  {
    MutexLock lock(mutex_);
    if (!keep) {
      workloads_.erase(uid);
    }
    change.uid = uid;
    change.seq = ++seq_;
    change.error = std::move(status);
  }
  tell(std::move(change));
}

void FakeProvider::vanish(const std::string& uid) {
  MutexLock lock(mutex_);
  workloads_.erase(uid);
}

void FakeProvider::lose(const std::string& uid) {
  plugin::PodChange change;
  {
    MutexLock lock(mutex_);
    workloads_.erase(uid);
    change.uid = uid;
    change.seq = ++seq_;
    change.gone = true;
  }
  tell(std::move(change));
}

void FakeProvider::finish_delete(const std::string& uid) {
  plugin::PodChange change;
  {
    MutexLock lock(mutex_);
    const auto found = workloads_.find(uid);
    if (found == workloads_.end() || !found->second.deleting) {
      return;
    }
    change.uid = uid;
    change.status_json = pod_status("Failed", found->second.containers, "terminated", 143);
    change.seq = ++seq_;
    change.gone = true;
    workloads_.erase(found);
  }
  tell(std::move(change));
}

void FakeProvider::finish_deletes() {
  for (const std::string& uid : uids()) {
    finish_delete(uid);
  }
}

void FakeProvider::tell(plugin::PodChange change) {
  if (shape.pushes) {
    static_cast<void>(push(std::move(change)));
  }
}

Status FakeProvider::push(plugin::PodChange change) {
  return listener_->pod_changed(std::move(change));
}

// ---- Records

std::vector<FakeProvider::Call> FakeProvider::calls(Kind kind) const {
  MutexLock lock(mutex_);
  std::vector<Call> some;
  std::copy_if(calls_.begin(), calls_.end(), std::back_inserter(some),
               [&](const Call& call) { return call.kind == kind; });
  return some;
}

std::vector<FakeProvider::Call> FakeProvider::calls(Kind kind, const std::string& uid) const {
  std::vector<Call> some = calls(kind);
  std::erase_if(some, [&](const Call& call) { return call.uid != uid; });
  return some;
}

std::size_t FakeProvider::count(Kind kind) const {
  MutexLock lock(mutex_);
  return static_cast<std::size_t>(std::count_if(
      calls_.begin(), calls_.end(), [&](const Call& call) { return call.kind == kind; }));
}

bool FakeProvider::has(const std::string& uid) const {
  MutexLock lock(mutex_);
  return workloads_.contains(uid);
}

bool FakeProvider::is_deleting(const std::string& uid) const {
  MutexLock lock(mutex_);
  const auto found = workloads_.find(uid);
  return found != workloads_.end() && found->second.deleting;
}

std::vector<std::string> FakeProvider::uids() const {
  MutexLock lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [uid, workload] : workloads_) {
    all.push_back(uid);
  }
  return all;
}

int FakeProvider::made(const std::string& uid) const {
  MutexLock lock(mutex_);
  const auto found = made_.find(uid);
  return found == made_.end() ? 0 : found->second;
}

std::uint64_t FakeProvider::last_seq() const {
  MutexLock lock(mutex_);
  return seq_;
}

std::vector<std::string> FakeProvider::violations() const {
  MutexLock lock(mutex_);
  return violations_;
}

void FakeProvider::complain(const std::string& what) { violations_.push_back(what); }

// ---- plugin::Provider

class FakeProvider::Turn {
 public:
  Turn(FakeProvider& provider, Call call, const plugin::CallOptions& options)
      : provider_(provider), kind_(call.kind), uid_(call.uid) {
    {
      MutexLock lock(provider_.mutex_);
      if (!uid_.empty() && !provider_.busy_.insert(uid_).second) {
        provider_.complain("two calls at once for " + uid_);
      }
      if (options.deadline.is_never()) {
        provider_.complain("a call without a deadline for " + uid_);
      }
      provider_.calls_.push_back(std::move(call));
    }
    run_hook(&FakeProvider::before_);
  }
  ~Turn() {
    MutexLock lock(provider_.mutex_);
    provider_.busy_.erase(uid_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void took_effect() { run_hook(&FakeProvider::after_); }

 private:
  void run_hook(std::map<Kind, std::function<void()>> FakeProvider::* hooks) {
    std::function<void()> hook;
    {
      MutexLock lock(provider_.mutex_);
      hook = std::exchange((provider_.*hooks)[kind_], nullptr);
    }
    if (hook) {
      hook();
    }
  }

  FakeProvider& provider_;
  const Kind kind_;
  const std::string uid_;
};

Result<std::string> FakeProvider::node(std::string_view, const plugin::CallOptions&) {
  return std::string("{}");
}

Status FakeProvider::ping(const plugin::CallOptions&) { return Status::ok(); }

Status FakeProvider::start(const plugin::StartNode&, const plugin::CallOptions&) {
  return Status::ok();
}

Result<std::vector<plugin::Finding>> FakeProvider::explain(std::string_view /*pod_json*/,
                                                           const plugin::CallOptions& /*options*/) {
  MutexLock lock(mutex_);
  if (auto refused = scripted(explain_script_, "")) {
    return *refused;
  }
  return findings_;
}

Status FakeProvider::stop(const plugin::CallOptions&) { return Status::ok(); }

Result<std::vector<plugin::RecoverVerdict>> FakeProvider::recover_pods(
    const std::vector<plugin::RecoverPod>& pods, bool, const plugin::CallOptions& options) {
  Turn turn(*this, {.kind = Kind::Recover, .uid = ""}, options);
  MutexLock lock(mutex_);
  if (auto refused = scripted(recover_script_, "")) {
    return *refused;
  }
  std::vector<plugin::RecoverVerdict> verdicts;
  for (const plugin::RecoverPod& pod : pods) {
    calls_.push_back({.kind = Kind::Recover, .uid = pod.ref.uid, .handle = pod.ref.handle});
    named_.insert(pod.ref.uid);
    const auto scripted_verdict = recover_answers_.find(pod.ref.uid);
    const bool ran = pod.pod_json.find("\"running\"") != std::string_view::npos ||
                     pod.pod_json.find("\"terminated\"") != std::string_view::npos;
    if (scripted_verdict != recover_answers_.end()) {
      verdicts.push_back(scripted_verdict->second);
    } else if (workloads_.contains(pod.ref.uid)) {
      verdicts.push_back(plugin::RecoverVerdict::Attached);
    } else {
      verdicts.push_back(ran ? plugin::RecoverVerdict::Absent : plugin::RecoverVerdict::Create);
    }
  }
  return verdicts;
}

plugin::CreateOutcome FakeProvider::create_pod(const plugin::CreatePod& request,
                                               const plugin::CallOptions& options) {
  const std::string uid = request.ref.uid;
  std::function<void()> on_cancel;
  {
    MutexLock lock(mutex_);
    named_.insert(uid);
    on_cancel = on_cancel_;
  }
  const CancelCallback cancel_function(options.cancel, [&] {
    if (on_cancel) {
      on_cancel();
    }
  });
  Turn turn(*this,
            {.kind = Kind::Create,
             .uid = uid,
             .handle = request.ref.handle,
             .why = request.why,
             .has_document = !request.pod_json.empty()},
            options);
  wait_while_blocked(uid, options);
  plugin::CreateOutcome outcome;
  {
    MutexLock lock(mutex_);
    if (options.cancel.is_cancelled()) {
      outcome.status = cancelled("create_pod was cancelled").with_effect(Effect::None);
      return outcome;
    }
    if (auto refused = scripted(create_script_, uid)) {
      outcome.status = *refused;
      return outcome;
    }
    const auto found = workloads_.find(uid);
    if (found != workloads_.end() && found->second.deleting) {
      outcome.status = Status(StatusCode::Aborted, "the workload is being deleted");
      return outcome;
    }
    if (found == workloads_.end()) {
      const auto pod = kube::parse_pod(request.pod_json);
      if (!pod.is_ok() || (*pod)->uid != uid) {
        complain("create_pod with a document that is not that of " + uid);
        outcome.status = invalid_argument("not a pod document");
        return outcome;
      }
      Workload& workload = workloads_[uid];
      workload.ref = request.ref;
      workload.containers = (*pod)->containers;
      workload.status_json = pod_status("Pending", workload.containers, "waiting");
      workload.seq = ++seq_;
      ++made_[uid];
    }
    if (!handle_prefix.empty()) {
      outcome.handle = handle_prefix + uid;
    }
  }
  if (runs_in_create) {
    run(uid);
  }
  turn.took_effect();
  MutexLock lock(mutex_);
  if (auto refused = scripted(effect_script_, uid)) {
    outcome.status = *refused;
  }
  return outcome;
}

Result<std::vector<plugin::UpdateAnswer>> FakeProvider::update_pod(
    const plugin::UpdatePod& request, const plugin::CallOptions& options) {
  const std::string uid = request.ref.uid;
  Turn turn(*this,
            {.kind = Kind::Update,
             .uid = uid,
             .handle = request.ref.handle,
             .changed = request.changed,
             .has_document = !request.pod_json.empty()},
            options);
  MutexLock lock(mutex_);
  if (!named_.contains(uid)) {
    complain("update_pod of a pod that was never named: " + uid);
  }
  if (auto refused = scripted(update_script_, uid)) {
    return *refused;
  }
  if (!workloads_.contains(uid)) {
    return not_found("no such workload");
  }
  std::vector<plugin::UpdateAnswer> answers{update_answer_};
  answers[0].changed = request.changed;
  for (plugin::UpdateAnswer answer : update_answers_) {
    answer.changed &= request.changed;
    if (answer.changed != 0) {
      answers.push_back(std::move(answer));
    }
  }
  return answers;
}

Status FakeProvider::delete_pod(const plugin::DeletePod& request,
                                const plugin::CallOptions& options) {
  const std::string uid = request.ref.uid;
  Turn turn(*this,
            {.kind = Kind::Delete,
             .uid = uid,
             .handle = request.ref.handle,
             .grace = request.grace,
             .reason = request.reason,
             .has_document = !request.pod_json.empty()},
            options);
  {
    MutexLock lock(mutex_);
    if (options.cancel.is_cancelled()) {
      return cancelled("delete_pod was cancelled");
    }
    if (auto refused = scripted(delete_script_, uid)) {
      return *refused;
    }
    const auto found = workloads_.find(uid);
    if (found == workloads_.end()) {
      return not_found("no such workload");
    }
    found->second.deleting = true;
  }
  if (deletes_at_once) {
    finish_delete(uid);
  }
  turn.took_effect();
  return Status::ok();
}

Result<plugin::PodList> FakeProvider::list_pods(const std::vector<std::string>& uids,
                                                const plugin::CallOptions& options) {
  {
    MutexLock lock(mutex_);
    if (++lists_running_ > 1) {
      complain("two list_pods at once");
    }
  }
  Turn turn(*this, {.kind = Kind::List, .uid = "", .uids = uids}, options);
  plugin::PodList list;
  std::optional<Status> refused;
  {
    MutexLock lock(mutex_);
    refused = options.cancel.is_cancelled() ? cancelled("list_pods was cancelled")
                                            : scripted(list_script_, "");
    for (const std::string& uid : uids) {
      if (!named_.contains(uid)) {
        complain("list_pods asks about a pod that was never named: " + uid);
      }
      if (list_answers_.contains(uid) && !workloads_.contains(uid)) {
        list.pods.push_back({.ref = {"", "", uid, ""},
                             .seq = ++seq_,
                             .status_json = "",
                             .marks = plugin::Marks::Ours,
                             .verdict = list_answers_.at(uid)});
      }
    }
    for (const auto& [uid, workload] : workloads_) {
      if (!uids.empty() && std::find(uids.begin(), uids.end(), uid) == uids.end()) {
        continue;
      }
      plugin::ListedPod item{.ref = workload.ref,
                             .seq = ++seq_,
                             .status_json = workload.status_json,
                             .marks = workload.marks,
                             .verdict = plugin::ListVerdict::Present};
      const auto scripted_verdict = list_answers_.find(uid);
      if (scripted_verdict != list_answers_.end()) {
        item.verdict = scripted_verdict->second;
        item.status_json.clear();
      }
      list.pods.push_back(std::move(item));
    }
    list.complete = lists_completely;
  }
  turn.took_effect();
  MutexLock lock(mutex_);
  --lists_running_;
  if (refused) {
    return *refused;
  }
  return list;
}

}  // namespace vkhost::testing
