#include "conformance/bench.hpp"

#include "base/json_text.hpp"
#include "observe/catalogue.hpp"

#include <vkhost/provider.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

namespace vkhost::conformance {
namespace {

constexpr std::chrono::seconds kDeadline{10};
constexpr const char* kInfo =
    R"({"cluster_uid":"cluster-1","node_name":"node-1","address":"127.0.0.1","kubelet_port":10250,)"
    R"("cluster_domain":"cluster.local","mode":"standalone","host_version":"0.0.0"})";

std::vector<plugin::RecoverPod> batch_of(const std::vector<Pod>& pods) {
  std::vector<plugin::RecoverPod> batch;
  batch.reserve(pods.size());
  for (const Pod& pod : pods) {
    batch.push_back({pod.ref, pod.json});
  }
  return batch;
}

}  // namespace

Bench::Bench(Subject subject, std::filesystem::path state)
    : subject_(std::move(subject)), state_(std::move(state)) {}

Bench::~Bench() {
  stop();
  destroy();
}

// ---- The report ----

bool Bench::expect(bool holds, const std::string& sentence) {
  if (!holds) {
    problems_.push_back(sentence);
  }
  return holds;
}

bool Bench::expect_ok(const Status& status, const std::string& what) {
  return expect(status.is_ok(), what + ": " + status.to_string());
}

bool Bench::expect_advice(const Status& status, const std::string& what) {
  return expect(status.code() != StatusCode::Unknown && !status.message().empty(),
                what + ": the failure names no code of its own or no message: " +
                    status.to_string()) &&
         expect(!status.reason().empty() && status.reason() != "PluginThrew" &&
                    status.reason() != "PluginHung",
                what + ": the failure has no reason of its own: " + status.to_string());
}

// ---- Life ----

std::string Bench::settings() const {
  std::string settings = subject_.settings_json;
  for (std::size_t at = settings.find("{state}"); at != std::string::npos;
       at = settings.find("{state}")) {
    settings.replace(at, 7, state_.string());
  }
  return settings;
}

bool Bench::load() {
  metrics_ = std::make_shared<observe::Metrics>();
  observe::add_catalogue(*metrics_);
  loader_.emplace(plugin::LoaderSettings{}, clock_, observe::Logger(log_), metrics_);
  const auto file = files_.copy(subject_.library, subject_.name + std::to_string(++copies_));
  const Result<plugin::Library*> loaded = loader_->load({file, "", plugin::Trust::AnyPath});
  if (!expect_ok(loaded.status(), "loading the library")) {
    return false;
  }
  library_ = *loaded;
  return true;
}

std::unique_ptr<plugin::Provider> Bench::make_instance() {
  auto made = library_->create({settings(), kInfo}, listener_, {});
  return expect_ok(made.status(), "create") ? *std::move(made) : nullptr;
}

bool Bench::create(const std::string& owner) {
  owner_ = owner;
  provider_ = make_instance();
  if (provider_ == nullptr) {
    return false;
  }
  expect_ok(provider_->node("node-1", {}).status(), "node");
  return true;
}

bool Bench::recover(const std::vector<Pod>& pods) {
  return expect_ok(provider_->recover_pods(batch_of(pods), true, {}).status(), "recover_pods");
}

bool Bench::start() { return expect_ok(provider_->start({"node-1", owner_}, {}), "start"); }

void Bench::stop() {
  if (provider_) {
    expect_ok(provider_->stop({}), "stop");
  }
}

void Bench::destroy() { provider_.reset(); }

bool Bench::restart(const std::vector<Pod>& pods, bool new_process) {
  stop();
  destroy();
  if (new_process && !load()) {
    return false;
  }
  return create(owner_) && recover_and_start(pods);
}

bool Bench::recover_and_start(const std::vector<Pod>& pods) {
  const auto verdicts = provider_->recover_pods(batch_of(pods), true, {});
  if (!expect_ok(verdicts.status(), "recover_pods") || !start()) {
    return false;
  }
  for (std::size_t at = 0; at < pods.size(); ++at) {
    if ((*verdicts)[at] == plugin::RecoverVerdict::Create) {
      Pod again = pods[at];
      expect_ok(create_pod(again, plugin::CreateReason::Retry),
                "create_pod, asked for by recover_pods");
    }
  }
  return true;
}

void Bench::Doomed::leave(Ending ending) const {
  const std::map<std::string, std::string> handles = bench.listener_.handles();
  const auto saved = handles.find(uid);
  if (saved != handles.end() && ::write(handle_to, saved->second.data(), saved->second.size()) !=
                                    static_cast<ssize_t>(saved->second.size())) {
    _exit(static_cast<int>(Ending::Failed));
  }
  _exit(static_cast<int>(ending));
}

void Bench::note_step() {
  if (Doomed* const doomed = doomed_; doomed != nullptr && doomed->steps_left-- == 0) {
    doomed->leave(Ending::Crashed);
  }
}

void Bench::create_and_die(Pod pod, int step, int handle_to) {
  Doomed doomed{*this, pod.ref.uid, handle_to, step};
  if (begin()) {
    doomed_ = &doomed;
    expect_ok(create_pod(pod), "create_pod");
    doomed_ = nullptr;
  }
  for (const std::string& problem : problems_) {
    static_cast<void>(std::fprintf(stderr, "%s\n", problem.c_str()));
  }
  doomed.leave(problems_.empty() ? Ending::Returned : Ending::Failed);
}

bool Bench::crash_in_create(Pod& pod, int step) {
  std::array<int, 2> handle{};
  if (!expect(::pipe2(handle.data(), O_CLOEXEC) == 0, "no pipe can be made")) {
    return false;
  }
  const pid_t child = ::fork();
  if (child == 0) {
    create_and_die(pod, step, handle[1]);
  }
  ++copies_;  // of the library: the child loads one
  ::close(handle[1]);
  std::array<char, VKP_MAX_HANDLE_BYTES> saved{};
  ssize_t length = 0;
  while ((length = ::read(handle[0], saved.data(), saved.size())) > 0) {
    pod.ref.handle.append(saved.data(), static_cast<std::size_t>(length));
  }
  ::close(handle[0]);
  int end = 0;
  const bool has_ended = child > 0 && ::waitpid(child, &end, 0) == child && WIFEXITED(end);
  const Ending ending = has_ended ? static_cast<Ending>(WEXITSTATUS(end)) : Ending::Failed;
  expect(ending != Ending::Failed, "create_pod in a process of its own failed");
  return ending == Ending::Crashed;
}

std::unique_ptr<plugin::Provider> Bench::another(const std::string& owner) {
  std::unique_ptr<plugin::Provider> other = make_instance();
  if (other == nullptr || !expect_ok(other->node("node-2", {}).status(), "node") ||
      !expect_ok(other->recover_pods({}, true, {}).status(), "recover_pods") ||
      !expect_ok(other->start({"node-2", owner}, {}), "start")) {
    return nullptr;
  }
  return other;
}

// ---- Pods ----

Pod Bench::pod(const std::string& name) {
  return pod("default", name,
             "0a1b2c3d-0000-4000-8000-" + std::to_string(100'000'000'000 + ++pods_));
}

Pod Bench::pod(const std::string& pod_namespace, const std::string& name, const std::string& uid) {
  const std::string metadata = R"({"name":)" + json_string(name) + R"(,"namespace":)" +
                               json_string(pod_namespace) + R"(,"uid":)" + json_string(uid) +
                               R"(,"creationTimestamp":"2026-01-02T03:04:05Z"})";
  return {
      {pod_namespace, name, uid, ""},
      R"({"apiVersion":"v1","kind":"Pod","metadata":)" + metadata +
          R"(,"spec":{"nodeName":"node-1","restartPolicy":"Always","containers":[{"name":"main",)"
          R"("image":"registry.example.com/app:1.2","resources":{"requests":{"cpu":"100m"}}}]},)"
          R"("status":{"phase":"Pending"}})",
      R"({"containers":{"main":{"env":[{"name":"MODE","value":"plain"}]}}})"};
}

Status Bench::create_pod(Pod& pod, plugin::CreateReason why) {
  plugin::CreateOutcome outcome =
      provider_->create_pod({pod.ref, pod.json, pod.material, why}, within(kDeadline));
  const std::map<std::string, std::string> handles = listener_.handles();
  if (outcome.handle) {
    pod.ref.handle = *std::move(outcome.handle);
  } else if (const auto saved = handles.find(pod.ref.uid); saved != handles.end()) {
    pod.ref.handle = saved->second;
  }
  return outcome.status;
}

Status Bench::delete_pod(const Pod& pod, std::chrono::milliseconds grace) {
  const Status status = provider_->delete_pod(
      {pod.ref, pod.json, grace, plugin::DeleteReason::Deleted}, within(kDeadline));
  return status.code() == StatusCode::NotFound ? Status::ok() : status;
}

// ---- What the provider says of pods ----

std::optional<plugin::PodList> Bench::list(const std::vector<std::string>& uids) {
  Result<plugin::PodList> list = provider_->list_pods(uids, within(kDeadline));
  if (!expect_ok(list.status(), "list_pods") ||
      !expect(list->complete, "list_pods never said that it was complete")) {
    return std::nullopt;
  }
  return *std::move(list);
}

std::vector<plugin::ListedPod> Bench::listed(const Pod& pod) {
  std::optional<plugin::PodList> all = list();
  std::vector<plugin::ListedPod> found;
  if (all) {
    std::copy_if(all->pods.begin(), all->pods.end(), std::back_inserter(found),
                 [&](const plugin::ListedPod& item) { return item.ref.uid == pod.ref.uid; });
  }
  return found;
}

bool Bench::eventually(const std::function<bool()>& holds) {
  const auto until = clock_.steady_now() + subject_.patience;
  while (!holds()) {
    if (clock_.steady_now() >= until) {
      return false;
    }
    // Polling providers bring no news: ask again soon.
    listener_.wait_for_news(std::chrono::milliseconds(20));
  }
  return true;
}

bool Bench::expect_present(const Pod& pod, const std::string& when) {
  const bool is_present = eventually([&] {
    const auto items = listed(pod);
    return items.size() == 1 && items[0].marks == plugin::Marks::Ours &&
           (items[0].verdict == plugin::ListVerdict::Present ||
            items[0].verdict == plugin::ListVerdict::PresentStatusUnknown);
  });
  return expect(is_present, when + ": pod " + pod.ref.name +
                                " is not in the list once, present and marked as ours");
}

bool Bench::expect_gone(const Pod& pod, const std::string& when) {
  const bool is_gone = eventually([&] {
    const auto changes = listener_.changes(pod.ref.uid);
    if (std::any_of(changes.begin(), changes.end(), [](const auto& it) { return it.gone; })) {
      return true;
    }
    const auto items = listed(pod);
    return std::all_of(items.begin(), items.end(), [](const auto& item) {
      return item.verdict == plugin::ListVerdict::Absent;
    });
  });
  return expect(is_gone, when + ": pod " + pod.ref.name + " is not gone after " +
                             std::to_string(subject_.patience.count()) + " ms");
}

std::string Bench::status_of(const Pod& pod) {
  std::string newest;
  std::uint64_t seq = 0;
  for (const plugin::PodChange& change : listener_.changes(pod.ref.uid)) {
    if (change.status_json && change.seq >= seq) {
      newest = *change.status_json;
      seq = change.seq;
    }
  }
  for (const plugin::ListedPod& item : listed(pod)) {
    if (item.verdict == plugin::ListVerdict::Present && item.seq >= seq) {
      newest = item.status_json;
    }
  }
  return newest;
}

plugin::CallOptions Bench::within(std::chrono::milliseconds time) const {
  plugin::CallOptions options;
  options.deadline = Deadline::after(clock_, time);
  return options;
}

}  // namespace vkhost::conformance
