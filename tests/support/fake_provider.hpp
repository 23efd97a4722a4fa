// FakeProvider: a provider whose back end is a map, for tests of whoever calls plugin::Provider.
//
// It keeps the contract (idempotent by UID, deleting what is not there is NOT_FOUND, seq grows, push
// only when it says so) and watches the host keep its part: what the host does wrong is collected in
// violations(). Tests script outcomes, and let workloads run, end, vanish. It pushes through the
// listener, or, without the capability `pushes`, only answers list_pods. [any-thread]
#pragma once

#include "base/mutex.hpp"
#include "kube/pod_record.hpp"
#include "plugin/provider.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vkhost::testing {

// v1.PodStatus with every container in one state: "waiting", "running" or "terminated".
std::string pod_status(const std::string& phase,
                       const std::vector<std::string>& containers,
                       const std::string& state,
                       int exit_code = 0);

class FakeProvider final : public plugin::Provider {
 public:
  enum class Kind { Recover, Create, Update, Delete, List };

  // What the host asked for; only the members that fit the kind are set.
  struct Call {
    Kind kind;
    std::string uid;
    std::string handle = {};
    plugin::CreateReason why = plugin::CreateReason::First;
    std::uint64_t changed = 0;
    std::chrono::milliseconds grace{0};
    plugin::DeleteReason reason = plugin::DeleteReason::Deleted;
    bool has_document = false;
    std::vector<std::string> uids = {};  // of a list
  };

  // ---- How it behaves; set before use
  plugin::Capabilities shape;
  bool runs_in_create = false;   // the workload runs, and says so, before create_pod returns
  bool deletes_at_once = false;  // final status and gone come before delete_pod returns
  bool lists_completely = true;
  std::string handle_prefix = "h-";  // empty: no handles

  void listen(plugin::ProviderListener* listener) { listener_ = listener; }

  // ---- Scripted outcomes; the next `times` calls (of that pod, "" is any) fail and do nothing
  void fail_create(const std::string& uid, Status status, int times = 1);
  // ... fail, although the workload was made.
  void fail_create_after_effect(const std::string& uid, Status status);
  void fail_delete(const std::string& uid, Status status, int times = 1);
  void fail_update(const std::string& uid, Status status, int times = 1);
  void fail_list(Status status, int times = 1);
  void fail_recover(Status status, int times = 1);
  void answer_update(plugin::UpdateOutcome outcome, std::string text);
  // ... for some bits only, from now on; the others are answered as above.
  void answer_update_of(std::uint64_t bits, plugin::UpdateOutcome outcome, std::string text);
  void answer_recover(const std::string& uid, plugin::RecoverVerdict verdict);
  void answer_list(const std::string& uid, plugin::ListVerdict verdict);  // until taken back
  void answer_list_honestly(const std::string& uid);
  void answer_explain(std::vector<plugin::Finding> findings);
  void fail_explain(Status status, int times = 1);
  void stop_failing();  // forgets what was scripted
  // Runs once in the next call of that kind, before its effect and without a lock.
  void during_next(Kind kind, std::function<void()> hook);
  // Called when a create is cancelled, as a plugin's own cancel function.
  void on_cancelled_create(std::function<void()> hook);
  // Runs once after the effect, before the return.
  void after_next(Kind kind, std::function<void()> hook);
  // Creates of this pod wait until they are released or cancelled.
  void block_creates(const std::string& uid);
  void release_creates();
  [[nodiscard]] bool is_blocked(const std::string& uid) const;

  // ---- What happens in the back end
  void plant(const plugin::PodRef& ref, plugin::Marks marks = plugin::Marks::Ours);
  void run(const std::string& uid);
  void report(const std::string& uid, const std::string& status_json);
  void report_late(const std::string& uid, const std::string& status_json, std::uint64_t seq);
  void end(const std::string& uid, const std::string& phase, int exit_code);
  // The work accepted last fails; what was made of it is gone unless `keep`.
  void fail_work(const std::string& uid, Status status, bool keep = false);
  void vanish(const std::string& uid);  // nobody notices
  void lose(const std::string& uid);    // and says so
  void finish_delete(const std::string& uid);
  void finish_deletes();
  Status push(plugin::PodChange change);

  // ---- Records
  [[nodiscard]] std::vector<Call> calls(Kind kind) const;
  [[nodiscard]] std::vector<Call> calls(Kind kind, const std::string& uid) const;
  [[nodiscard]] std::size_t count(Kind kind) const;
  [[nodiscard]] bool has(const std::string& uid) const;
  [[nodiscard]] bool is_deleting(const std::string& uid) const;
  [[nodiscard]] std::vector<std::string> uids() const;
  [[nodiscard]] int made(const std::string& uid) const;  // workloads ever made for it
  [[nodiscard]] std::uint64_t last_seq() const;
  [[nodiscard]] std::vector<std::string> violations() const;

  // ---- plugin::Provider
  [[nodiscard]] const plugin::Capabilities& capabilities() const override { return shape; }
  Result<std::string> node(std::string_view node_name, const plugin::CallOptions& options) override;
  Status ping(const plugin::CallOptions& options) override;
  Result<std::vector<plugin::RecoverVerdict>> recover_pods(
      const std::vector<plugin::RecoverPod>& pods,
      bool last,
      const plugin::CallOptions& options) override;
  Status start(const plugin::StartNode& node, const plugin::CallOptions& options) override;
  plugin::CreateOutcome create_pod(const plugin::CreatePod& request,
                                   const plugin::CallOptions& options) override;
  Result<std::vector<plugin::UpdateAnswer>> update_pod(const plugin::UpdatePod& request,
                                                       const plugin::CallOptions& options) override;
  Status delete_pod(const plugin::DeletePod& request, const plugin::CallOptions& options) override;
  Result<plugin::PodList> list_pods(const std::vector<std::string>& uids,
                                    const plugin::CallOptions& options) override;
  Result<std::vector<plugin::Finding>> explain(std::string_view pod_json,
                                               const plugin::CallOptions& options) override;
  Status stop(const plugin::CallOptions& options) override;

 private:
  struct Workload {
    plugin::PodRef ref;
    std::vector<std::string> containers;
    std::string status_json;
    std::uint64_t seq = 0;
    plugin::Marks marks = plugin::Marks::Ours;
    bool deleting = false;
  };
  using Script = std::map<std::string, std::deque<Status>>;

  // Marks a pod as being worked on for the time of a call, and complains when it is already.
  class Turn;

  std::optional<Status> scripted(Script& script, const std::string& uid) VKHOST_REQUIRES(mutex_);
  void wait_while_blocked(const std::string& uid, const plugin::CallOptions& options);
  void set_status(const std::string& uid, const std::string& status_json);
  void tell(plugin::PodChange change);
  void complain(const std::string& what) VKHOST_REQUIRES(mutex_);

  plugin::ProviderListener* listener_ = nullptr;

  mutable Mutex mutex_;
  std::map<std::string, Workload> workloads_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, int> made_ VKHOST_GUARDED_BY(mutex_);
  std::set<std::string> named_ VKHOST_GUARDED_BY(mutex_);
  std::set<std::string> busy_ VKHOST_GUARDED_BY(mutex_);
  int lists_running_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::uint64_t seq_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::vector<Call> calls_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> violations_ VKHOST_GUARDED_BY(mutex_);
  Script create_script_ VKHOST_GUARDED_BY(mutex_);
  Script effect_script_ VKHOST_GUARDED_BY(mutex_);
  Script delete_script_ VKHOST_GUARDED_BY(mutex_);
  Script update_script_ VKHOST_GUARDED_BY(mutex_);
  Script list_script_ VKHOST_GUARDED_BY(mutex_);
  Script recover_script_ VKHOST_GUARDED_BY(mutex_);
  Script explain_script_ VKHOST_GUARDED_BY(mutex_);
  std::vector<plugin::Finding> findings_ VKHOST_GUARDED_BY(mutex_);
  plugin::UpdateAnswer update_answer_ VKHOST_GUARDED_BY(mutex_){0, plugin::UpdateOutcome::Applied,
                                                                ""};
  std::vector<plugin::UpdateAnswer> update_answers_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, plugin::RecoverVerdict> recover_answers_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, plugin::ListVerdict> list_answers_ VKHOST_GUARDED_BY(mutex_);
  std::map<Kind, std::function<void()>> before_ VKHOST_GUARDED_BY(mutex_);
  std::map<Kind, std::function<void()>> after_ VKHOST_GUARDED_BY(mutex_);
  std::function<void()> on_cancel_ VKHOST_GUARDED_BY(mutex_);
  std::set<std::string> blocked_ VKHOST_GUARDED_BY(mutex_);
  std::set<std::string> waiting_ VKHOST_GUARDED_BY(mutex_);
  CondVar unblocked_;
};

}  // namespace vkhost::testing
