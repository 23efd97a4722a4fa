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
#include "base/executor.hpp"
#include "base/mutex.hpp"
#include "base/timers.hpp"
#include "kube/pod_record.hpp"
#include "observe/log.hpp"
#include "plugin/provider.hpp"
#include "pods/admission.hpp"
#include "pods/call_slots.hpp"
#include "pods/decide.hpp"
#include "pods/engine_metrics.hpp"
#include "pods/fields.hpp"
#include "pods/host_status.hpp"
#include "pods/interfaces.hpp"
#include "pods/live_settings.hpp"
#include "pods/orphans.hpp"
#include "pods/pod_events.hpp"
#include "pods/pod_state.hpp"
#include "pods/settings.hpp"
#include "pods/work_queue.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  NodeEventSink* node_events = nullptr;  // null: the log alone
  NodeSource* node = nullptr;            // null: every pod is admitted
  observe::Metrics* metrics = nullptr;   // null: nothing is counted
};

// What engines of one process share. All outlive the engines that run on them.
struct EngineThreads {
  Executor* calls = nullptr;   // reconcile; each task may wait for a call of a provider
  Executor* writes = nullptr;  // write statuses, so that a slow provider never holds them up
  Timers* timers = nullptr;
};

// What others may know of a pod: a copy.
struct PodView {
  kube::PodPtr pod;
  bool runs_in_backend = false;  // accepted by the provider and not being deleted
  Status last_error;             // of the last call that failed, OK once one succeeded
  std::uint32_t failures = 0;
  std::optional<WallTime> next_try;
  bool is_overdue = false;  // its object was given up; the workload is still being deleted
};

class PodEngine final : public kube::PodListener, public MaterialListener {
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
  // Begins to reconcile, to write statuses and to list. [startup]
  void start(const EngineThreads& threads);
  // Cancels provider calls in flight and waits for them. Pods stay. [may-block]
  void stop();

  // From now on with these, deletions under way apart, which keep their limit. What is fixed at the start
  // stays: workers, status_writers, handle_timeout, annotation_prefixes and host_ip. [no-block]
  void change_settings(Settings settings);
  // The provider took a changed configuration: what it had refused under the old one, or held for the sake
  // of its account, is tried again at once. [no-block]
  void provider_reconfigured();

  // News from the provider; see plugin::ProviderListener. [no-block]
  Status pod_changed(plugin::PodChange change);
  // The provider wants the pod to go; see plugin::ProviderListener. [no-block]
  Status evict(plugin::Eviction eviction);
  // The provider has something to tell about a pod. [no-block]
  Status emit(const plugin::ProviderEvent& event);
  // Returns when the handle is durable. [may-block]
  Status save_handle(const std::string& uid, const std::string& handle);
  // MaterialListener. [no-block]
  void material_changed(const std::string& uid, std::uint64_t changed) override;

  [[nodiscard]] std::vector<PodView> pods() const;
  // Workloads without a pod: those that bear this node's marks, and others.
  struct OrphanCounts {
    std::size_t ours = 0;
    std::size_t legacy = 0;
  };
  [[nodiscard]] OrphanCounts orphans() const;
  [[nodiscard]] std::optional<PodView> find(const std::string& uid) const;
  // What waits, as the metrics show it.
  struct Load {
    std::size_t due = 0;               // pods to look at
    std::size_t unwritten = 0;         // statuses to write
    std::size_t waiting_for_call = 0;  // for the end of another call, or of a hold
    bool is_held = false;              // calls are, as the provider's account is at fault
  };
  [[nodiscard]] Load load();
  // Entries of everything that grows with pods.
  [[nodiscard]] std::size_t footprint();

  // One step each, for callers that drive the engine on a clock of their own instead of start().
  bool step_worker();
  bool step_status_writer();
  bool step_list();
  // Asks list_pods: about everything, or only about the pods that wait for an answer.
  void reconcile_with_list();
  void inspect_waiting();

 private:
  using StatePtr = std::shared_ptr<PodState>;
  // Fired when the lock is released: a plugin's cancel function may call the engine.
  using Cancels = std::vector<std::shared_ptr<CancelSource>>;

  // Told to the user once the lock is released.
  struct Report {
    kube::PodPtr pod;
    EventType type = EventType::Normal;
    std::string reason;
    std::string message;
    std::string detail = {};  // follows the message; see Happening
    std::string field_path = {};
    std::string key = {};
    bool is_alias = false;  // the same once more, by the name that users know
  };
  using Reports = std::vector<Report>;
  using PodEvents = std::vector<PodEvent>;

  // What a worker took on: copies, so that it needs no lock.
  struct Job {
    std::string uid;
    Action action;
    StatePtr state;
    kube::PodPtr pod;
    plugin::PodRef ref;
    std::uint64_t metadata_hash = 0;
    bool had_started = false;  // as far as was known when the job was taken on
    std::shared_ptr<CancelSource> cancel;
    CallSlots::Permit permit;
    std::optional<SteadyTime> event_at;  // of the watch event that asks for it
    std::uint64_t taken_material = 0;    // of changed_material: told by this call
    Reports reports;
  };

  // ---- Desired side (engine.cpp)
  void apply_desired(const kube::PodPtr& pod, bool listed_again, Cancels* cancels)
      VKHOST_REQUIRES(mutex_);
  StatePtr& state_for(const kube::PodPtr& pod) VKHOST_REQUIRES(mutex_);
  void mark_removed(PodState& state, Cancels* cancels) VKHOST_REQUIRES(mutex_);
  static void begin_ending(PodState& state, Cancels* cancels);
  void apply_recovery(PodState& state, plugin::RecoverVerdict verdict) VKHOST_REQUIRES(mutex_);
  [[nodiscard]] StatePtr find_state(const std::string& uid) const VKHOST_REQUIRES(mutex_);
  void unindex(const std::string& uid, const PodState& state) VKHOST_REQUIRES(mutex_);
  void adopt_orphan(const plugin::PodRef& ref) VKHOST_REQUIRES(mutex_);
  void forget(const std::string& uid, const PodState& state) VKHOST_REQUIRES(mutex_);
  [[nodiscard]] bool waits_for_namesake(const std::string& uid, const PodState& state) const
      VKHOST_REQUIRES(mutex_);
  void wake_namesakes(const PodState& state) VKHOST_REQUIRES(mutex_);

  // ---- Workers (worker.cpp)
  void work_on(const std::string& uid);
  void look_at(const std::string& uid, Job* job);
  void give_up_job(const Job& job, std::string_view what);
  Job next_job(const std::string& uid, const StatePtr& state) VKHOST_REQUIRES(mutex_);
  void wait_for_namesake(Job& job) VKHOST_REQUIRES(mutex_);
  bool may_call(Job& job, CallSlots& slots) VKHOST_REQUIRES(mutex_);
  bool is_let_in(Job& job, const CallSlots::Permit& permit) VKHOST_REQUIRES(mutex_);
  void perform(Job& job);
  void offer_write(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);
  void wake_waiting() VKHOST_REQUIRES(mutex_);
  void inspect(const Job& job);

  // ---- Admission (admitting.cpp)
  struct Verdict {
    Seats::Outcome seating;
    std::vector<plugin::Finding> findings;
  };
  bool admit(const Job& job);
  bool judge_later(const Job& job);
  std::optional<Verdict> judge(const kube::PodRecord& pod);  // none: the node cannot be read now
  std::optional<Seats::Outcome> find_seat(const kube::PodRecord& pod);
  std::vector<plugin::Finding> findings_about(const kube::PodRecord& pod);
  void keep_seat(PodState& state, bool spec_changed) VKHOST_REQUIRES(mutex_);

  // ---- The end of pods (endings.cpp)
  void fail_lost(const Job& job);
  void show_lost(const Job& job);
  [[nodiscard]] static std::string loss_message(const PodState& state);
  void conclude(const Job& job);
  bool write_end(const Job& job, const Status& why);
  void give_up_deletion(const Job& job);
  void remove_api(const Job& job);

  // ---- Evictions and deadlines (evictions.cpp)
  void give_order(const std::string& uid, PodState& state, std::shared_ptr<EndOrder> order)
      VKHOST_REQUIRES(mutex_);
  void order_for_deadline(Job& job) VKHOST_REQUIRES(mutex_);
  [[nodiscard]] bool outlived_deadline(const PodState& state, std::string_view status_json) const
      VKHOST_REQUIRES(mutex_);
  void note_ordered_status(PodState& state,
                           const StatusFacts& facts,
                           std::string* status_json) const VKHOST_REQUIRES(mutex_);
  void end_as_ordered(const Job& job);

  // ---- What outcomes mean (outcomes.cpp)
  void note_failure(PodState& state, const Status& status) VKHOST_REQUIRES(mutex_);
  void note_absence(PodState& state) VKHOST_REQUIRES(mutex_);
  static void note_success(PodState& state);
  static void note_accepted(PodState& state, CallKind call);
  void show_trouble(const std::string& uid,
                    PodState& state,
                    const Status& error,
                    std::string_view outlook) VKHOST_REQUIRES(mutex_);
  void show_failure(const std::string& uid, PodState& state, const Status& error)
      VKHOST_REQUIRES(mutex_);
  void show_recovery(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);
  void announce_fault();

  // ---- Who hears of it (telling.cpp)
  void tell(const Reports& reports);
  // Whether it is worth the trouble to put Normal Events together.
  [[nodiscard]] bool tells_normal() const;
  static void add_reports(const kube::PodPtr& pod,
                          PodEvents events,
                          PodState& state,
                          Reports* reports);
  void tell_events(const kube::PodPtr& pod, const StatePtr& state, PodEvents events);
  void tell_scheduled(const Job& job);
  void tell_containers(const kube::PodPtr& pod,
                       const StatePtr& state,
                       std::string_view status_json);
  // When a call that failed is tried again.
  [[nodiscard]] static std::string outlook_of(const PodState& state);

  // ---- Calls of the provider (provider_calls.cpp)
  void create(Job& job);
  bool begin_create(Job& job, bool is_called, const MaterialMarks& marks);
  void finish_create(const Job& job, plugin::CreateOutcome outcome, bool was_called);
  static void note_created(const Job& job);
  static void note_begun(PodState& state, std::uint64_t spec_hash, std::uint64_t metadata_hash);
  // `tried`: the pod as the provider was asked to run it.
  struct Tried {
    std::uint64_t spec_hash = 0;
    std::uint64_t metadata_hash = 0;
  };
  void create_failed(const std::string& uid,
                     PodState& state,
                     const Status& status,
                     const Tried& tried,
                     Reports* reports) VKHOST_REQUIRES(mutex_);
  // Whether that was the end of the pod.
  bool note_rejection(PodState& state, const Status& status, const Tried& tried)
      VKHOST_REQUIRES(mutex_);
  void show_rejection(const std::string& uid, PodState& state, const Status& status, bool is_final)
      VKHOST_REQUIRES(mutex_);
  void remove(Job& job);
  void finish_delete(const Job& job, const Status& status);
  void delete_accepted(std::chrono::milliseconds grace, PodState& state) VKHOST_REQUIRES(mutex_);
  void end_call(const Job& job, const Status& outcome) VKHOST_REQUIRES(mutex_);
  void take_early_news(const std::string& uid, PodState& state, Reports* reports)
      VKHOST_REQUIRES(mutex_);
  void set_wanted(PodState& state) VKHOST_REQUIRES(mutex_);

  // ---- Getting ready for a call (readiness.cpp)
  bool may_prepare(Job& job) VKHOST_REQUIRES(mutex_);
  bool take_slot(Job& job) VKHOST_REQUIRES(mutex_);
  void note_unready(PodState& state, const Status& status, std::uint64_t parts)
      VKHOST_REQUIRES(mutex_);
  void create_not_ready(const std::string& uid,
                        PodState& state,
                        const Status& status,
                        const Tried& tried,
                        Reports* reports) VKHOST_REQUIRES(mutex_);
  bool begin_update(Job& job, const MaterialMarks& marks);
  void update_not_ready(const Job& job, const Status& status);
  static void note_new_files(const kube::PodRecord& before,
                             std::uint64_t metadata_before,
                             PodState& state);

  // ---- Updates (updates.cpp)
  void restore_told(const kube::PodRecord& pod, PodState& state) VKHOST_REQUIRES(mutex_);
  [[nodiscard]] SteadyTime tokens_wanted_from() const;
  static void note_wanted(const kube::PodRecord* before, PodState& state);
  void refuse_unsupported(const std::string& uid, PodState& state, Reports* reports)
      VKHOST_REQUIRES(mutex_);
  static void note_refused_parts(PodState& state,
                                 std::uint64_t parts,
                                 std::int64_t generation,
                                 const std::string& resize_text,
                                 const std::string& ephemeral_text);
  void update(Job& job);
  void finish_update(const Job& job,
                     const Status& status,
                     const MaterialMarks& marks,
                     const std::vector<plugin::UpdateAnswer>& answers);
  void take_answers(const Job& job,
                    const MaterialMarks& marks,
                    const std::vector<plugin::UpdateAnswer>& answers,
                    Reports* reports) VKHOST_REQUIRES(mutex_);
  void note_deferred(PodState& state, std::uint64_t deferred, const std::string& why)
      VKHOST_REQUIRES(mutex_);
  void update_broke_off(const Job& job, const Status& status, Reports* reports)
      VKHOST_REQUIRES(mutex_);
  void update_failed(const std::string& uid,
                     PodState& state,
                     const Status& status,
                     std::uint64_t parts,
                     Reports* reports) VKHOST_REQUIRES(mutex_);
  void update_work_failed(const std::string& uid,
                          PodState& state,
                          const Status& error,
                          Reports* reports) VKHOST_REQUIRES(mutex_);
  void note_told(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);
  std::int64_t generation_to_show(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);

  // ---- What the provider pushes (observed.cpp)
  void take_status(const std::string& uid,
                   PodState& state,
                   std::string status_json,
                   const StatusFacts& facts) VKHOST_REQUIRES(mutex_);
  void take_error(const std::string& uid, PodState& state, const Status& error, Reports* reports)
      VKHOST_REQUIRES(mutex_);
  void take_old_start(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);
  void take_absence(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);
  void take_presence(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);

  // ---- What the provider lists (listing.cpp)
  void poll();
  Result<plugin::PodList> list(const std::vector<std::string>& uids);
  void apply_list(plugin::PodList list,
                  const std::vector<std::string>& asked,
                  std::uint64_t began_at);
  void apply_item(plugin::ListedPod& item, const StatusFacts& facts, std::uint64_t began_at)
      VKHOST_REQUIRES(mutex_);
  void apply_absence(const std::string& uid, PodState& state, std::uint64_t began_at)
      VKHOST_REQUIRES(mutex_);
  void settle_orphans();
  bool settle_orphan(const OrphanBook::Orphan& orphan, std::size_t* deletions);
  void report_orphan(const OrphanBook::Orphan& orphan);

  // ---- Measuring (measuring.cpp)
  void note_event(PodState& state) const VKHOST_REQUIRES(mutex_);
  void note_call(const Job& job, CallKind call) const;
  void note_retry(const Status& failure) const;
  void note_news(PodState& state) const VKHOST_REQUIRES(mutex_);
  void note_written(PodState& state, std::optional<SteadyTime> news_at) const
      VKHOST_REQUIRES(mutex_);

  // The provider asked to be left alone.
  [[nodiscard]] bool is_quiet() const VKHOST_REQUIRES(mutex_);

  // ---- Status writing (status_writer.cpp)
  struct Write;
  // The API server has heard it and said no, in contrast to one that is away or busy.
  [[nodiscard]] static bool is_answer(const Status& status);
  void write_status(const std::string& uid);
  bool begin_write(const std::string& uid, Write* write);
  void send_write(Write& write);
  Result<std::string> send_patch(Write& write);
  void finish_write(Write& write, const Result<std::string>& written);
  void keep_unwritten(Write& write) VKHOST_REQUIRES(mutex_);
  void write_again_later(PodState& state, const Status& failure) const VKHOST_REQUIRES(mutex_);
  Status write_handle(const std::string& uid, const std::string& handle, const CancelToken& cancel);
  [[nodiscard]] static std::vector<HostCondition> host_conditions(const PodState& state);
  void set_own(const std::string& handle,
               const std::string& uid,
               PodState& state,
               StatusPatch* patch) VKHOST_REQUIRES(mutex_);
  void queue_status(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);
  void schedule_write(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);
  [[nodiscard]] static Urgency urgency_of_write(const PodState& state);
  void note_handle(const std::string& uid, PodState& state, std::string handle)
      VKHOST_REQUIRES(mutex_);
  void mark_own_dirty(const std::string& uid, PodState& state) VKHOST_REQUIRES(mutex_);
  void gather_facts(const std::string& uid, PodState& state, Write* write) VKHOST_REQUIRES(mutex_);

  [[nodiscard]] plugin::CallOptions call_options(const CancelToken& cancel) const;
  [[nodiscard]] static plugin::PodRef ref_of(const PodState& state);
  [[nodiscard]] static PodView view_of(const PodState& state);

  LiveSettings settings_;
  const EngineParts parts_;
  const std::size_t parallel_calls_;
  CancelSource stop_;
  const FieldRules field_rules_;
  const std::unique_ptr<EngineMetrics> metrics_;  // or null
  Seats seats_;                                   // before the states, which give theirs back

  mutable Mutex mutex_;
  std::unordered_map<std::string, StatePtr> pods_ VKHOST_GUARDED_BY(mutex_);
  // namespace/name to UIDs: more than one while an old pod of that name is still on its way out.
  std::unordered_multimap<std::string, std::string> names_ VKHOST_GUARDED_BY(mutex_);
  bool listed_ VKHOST_GUARDED_BY(mutex_) = false;
  std::uint64_t event_counter_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::unordered_set<std::string> inspect_ VKHOST_GUARDED_BY(mutex_);
  OrphanBook orphans_ VKHOST_GUARDED_BY(mutex_);
  CallSlots calls_ VKHOST_GUARDED_BY(mutex_);    // creates and updates
  CallSlots deletes_ VKHOST_GUARDED_BY(mutex_);  // held only while is_quiet()
  std::string announced_ VKHOST_GUARDED_BY(mutex_);
  bool announcing_ VKHOST_GUARDED_BY(mutex_) = false;
  bool relisted_ VKHOST_GUARDED_BY(mutex_) = false;
  bool stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  Timers* timers_ VKHOST_GUARDED_BY(mutex_) = nullptr;  // from start() on
  SteadyTime next_full_list_ VKHOST_GUARDED_BY(mutex_) = SteadyTime::min();
  CondVar write_done_;

  // Last: what they run uses all of the above.
  WorkQueue queue_;   // UIDs to look at
  WorkQueue writes_;  // UIDs whose status has news
  WorkQueue polls_;   // only kPoll: list_pods is to be asked
  inline static const std::string kPoll = "list_pods";
};

}  // namespace vkhost::pods
