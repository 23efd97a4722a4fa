// PodEngine: makes the back end of one node agree with the API, pod by pod.
//
// It hears of desired pods as a kube::PodListener and of observed ones through pod_changed(); both
// only note the news and queue the pod's UID. A worker then takes the UID, decides (decide.hpp) and
// does one thing, with no lock held. Every decision starts from the current state, so news may be
// lost, doubled or reordered; a list of all pods runs on a timer and after every relist.
//
// Life: construct, pods_listed() once, recover() and then start(); stop() ends and joins everything.
// Public functions are [any-thread] unless they say otherwise.
#pragma once

#include "base/backoff.hpp"
#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/mailbox.hpp"
#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "kube/pod_record.hpp"
#include "observe/log.hpp"
#include "plugin/provider.hpp"
#include "pods/decide.hpp"
#include "pods/interfaces.hpp"
#include "pods/pod_state.hpp"
#include "pods/settings.hpp"
#include "pods/work_queue.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace vkhost::pods {

// Collaborators; all outlive the engine.
struct EngineParts {
  plugin::Provider* provider = nullptr;
  PodApi* api = nullptr;
  EventSink* events = nullptr;
  MaterialSource* material = nullptr;
  ProviderFaultSink* faults = nullptr;
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<Random> random;
  observe::Logger log;
};

// What others may know of a pod: a copy.
struct PodView {
  kube::PodPtr pod;
  bool runs_in_backend = false;  // accepted by the provider and not being deleted
  Status last_error;             // of the last call that failed, OK once one succeeded
  std::uint32_t failures = 0;
  std::optional<WallTime> next_try;
};

class PodEngine final : public kube::PodListener {
 public:
  PodEngine(Settings settings, EngineParts parts);
  ~PodEngine() override;

  // kube::PodListener. [no-block]
  void pods_listed(std::vector<kube::PodPtr> pods) override;
  void pod_applied(kube::PodPtr pod) override;
  void pod_removed(const std::string& uid) override;

  // Tells the provider every pod that was listed and takes its verdicts; once, after the first
  // pods_listed and before start(). UNAVAILABLE: call it again. [startup] [may-block]
  Status recover(const CancelToken& cancel);
  // Starts workers, status writers and the list timer. [startup]
  void start();
  // Cancels provider calls in flight, waits for them, joins all threads. Pods stay. [may-block]
  void stop();

  // News from the provider; see plugin::ProviderListener. [no-block]
  Status pod_changed(plugin::PodChange change);
  // Returns when the handle is durable. [may-block]
  Status save_handle(const std::string& uid, const std::string& handle);

  [[nodiscard]] std::vector<PodView> pods() const;
  [[nodiscard]] std::optional<PodView> find(const std::string& uid) const;

  // One step each, for callers that drive the engine on a clock of their own instead of start().
  bool step_worker();
  bool step_status_writer();
  // Asks list_pods: about everything, or only about the pods that wait for an answer.
  void reconcile_with_list();
  void inspect_waiting();

 private:
  using StatePtr = std::shared_ptr<PodState>;

  // Desired side
  void apply_desired(const kube::PodPtr& pod) VKHOST_REQUIRES(mutex_);
  void mark_removed(PodState& state) VKHOST_REQUIRES(mutex_);

  // Workers
  void worker_loop();
  void work_on(const std::string& uid);
  void do_create(const std::string& uid, const Action& action);
  void do_update(const std::string& uid, const Action& action);
  void do_delete(const std::string& uid, const Action& action);
  void do_inspect(const std::string& uid);
  void do_fail_lost(const std::string& uid);
  void do_remove_api(const std::string& uid);
  void forget(const std::string& uid);

  // Outcomes
  void note_failure(PodState& state, const Status& status) VKHOST_REQUIRES(mutex_);
  void note_success(PodState& state) VKHOST_REQUIRES(mutex_);
  void finish_create(const std::string& uid,
                     const kube::PodPtr& pod,
                     plugin::CreateOutcome outcome);
  void reject(const std::string& uid, const Status& status, bool is_final);
  // An account-wide fault holds creates and updates; one call at a time may try.
  [[nodiscard]] bool may_call_provider(SteadyTime now, SteadyTime* until) VKHOST_EXCLUDES(mutex_);
  void note_provider_outcome(const Status& status);

  // Observed side
  void take_status(PodState& state, std::uint64_t seq, std::string status_json)
      VKHOST_REQUIRES(mutex_);
  static void mark_absent(PodState& state);
  void apply_list(const plugin::PodList& list,
                  const std::vector<std::string>& asked,
                  std::uint64_t began_at);
  void apply_verdict(PodState& state, const plugin::ListedPod& item) VKHOST_REQUIRES(mutex_);
  void note_orphan(const plugin::ListedPod& item, std::unordered_set<std::string>* seen)
      VKHOST_REQUIRES(mutex_);
  void settle_orphans();
  void poll_loop();

  // Status writing
  void writer_loop();
  void write_status(const std::string& uid);
  using Annotations = std::map<std::string, std::optional<std::string>>;
  void finish_write(const std::string& uid,
                    const Status& status,
                    std::string resource_version,
                    Annotations annotations);
  void queue_status(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);

  [[nodiscard]] plugin::CallOptions call_options(const CancelToken& cancel) const;
  [[nodiscard]] plugin::PodRef ref_of(const PodState& state) const;
  [[nodiscard]] PodView view_of(const PodState& state) const;

  const Settings settings_;
  const EngineParts parts_;
  WorkQueue queue_;
  Mailbox<std::string, bool> dirty_;  // UIDs whose status has news
  CancelSource stop_;

  mutable Mutex mutex_;
  std::unordered_map<std::string, StatePtr> pods_ VKHOST_GUARDED_BY(mutex_);
  bool listed_ VKHOST_GUARDED_BY(mutex_) = false;
  std::uint64_t event_counter_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::unordered_set<std::string> inspect_ VKHOST_GUARDED_BY(mutex_);
  // Workloads that bear our marks without a pod, by UID: seen once, and due for a decision.
  std::unordered_set<std::string> orphans_seen_ VKHOST_GUARDED_BY(mutex_);
  std::unordered_map<std::string, plugin::PodRef> orphans_due_ VKHOST_GUARDED_BY(mutex_);
  std::unordered_set<std::string> orphans_reported_ VKHOST_GUARDED_BY(mutex_);
  std::optional<SteadyTime> held_until_ VKHOST_GUARDED_BY(mutex_);
  bool probing_ VKHOST_GUARDED_BY(mutex_) = false;
  std::uint32_t provider_failures_ VKHOST_GUARDED_BY(mutex_) = 0;
  bool relisted_ VKHOST_GUARDED_BY(mutex_) = false;
  bool stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  CondVar poll_changed_;

  std::vector<Thread> threads_;
};

}  // namespace vkhost::pods
