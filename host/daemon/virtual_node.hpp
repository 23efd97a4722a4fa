// VirtualNode: one node of the daemon and everything that belongs to it: provider instance, pod engine,
// node controller and the source of its pods.
//
// start() returns at once; the node comes up step by step on threads that all nodes share, and repeats
// what fails, so that one whose back end is away does not hold up the others. Functions are
// [any-thread] unless they say otherwise.
#pragma once

#include "base/backoff.hpp"
#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/gate.hpp"
#include "base/mutex.hpp"
#include "base/secret.hpp"
#include "daemon/known_node.hpp"
#include "daemon/pod_source.hpp"
#include "daemon/step_sequence.hpp"
#include "kube/client.hpp"
#include "kube/object_watch.hpp"
#include "node/controller.hpp"
#include "observe/log.hpp"
#include "plugin/provider.hpp"
#include "pods/engine.hpp"
#include "pods/interfaces.hpp"
#include "pods/live_settings.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vkhost::daemon {

struct VirtualNodeSettings {
  node::Settings node;
  pods::Settings pods;
  // Pods of DaemonSets are left alone: one that is refused is made again for ever.
  bool ignore_daemonset_pods = true;
};

// status.allocatable of the node as it stands, by resource. [any-thread]
using Allocatable = std::function<std::optional<std::string>(std::string_view resource)>;

// Collaborators; all outlive the node.
struct VirtualNodeParts {
  std::function<Result<std::unique_ptr<plugin::Provider>>(plugin::ProviderListener& listener)>
      make_provider;
  std::unique_ptr<PodSource> source;
  // The root of the node's ownership marks. [may-block]
  std::function<Result<std::string>(const CancelToken& cancel)> cluster_uid;
  // The node whose credentials the daemon has, or an empty text; see Surroundings. [may-block]
  std::function<Result<std::string>(const CancelToken& cancel)> node_identity;
  // Made once the provider's capabilities are known.
  std::function<std::unique_ptr<pods::MaterialSource>(const plugin::Capabilities& capabilities,
                                                      Allocatable allocatable)>
      make_material;
  pods::PodApi* pod_api = nullptr;
  pods::EventSink* events = nullptr;
  Executor* starts = nullptr;  // where nodes come up
  pods::EngineThreads threads;
  node::NodeThreads node_threads;
  kube::Client* api = nullptr;         // null: standalone
  kube::WatchLoop* watches = nullptr;  // as well
  std::function<Status(const CancelToken&)> self_check;
  std::function<void()> pods_changed;   // told of every change that is seen; or empty [no-block]
  observe::Metrics* metrics = nullptr;  // null: nothing is counted
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<Random> random;
  observe::Logger log;
};

class VirtualNode final : public plugin::ProviderListener,
                          public pods::ProviderFaultSink,
                          public pods::NodeEventSink,
                          private kube::PodListener,
                          private kube::ObjectListener {
 public:
  // Makes the provider instance; fails with what the plugin says of its settings.
  static Result<std::unique_ptr<VirtualNode>> create(VirtualNodeSettings settings,
                                                     VirtualNodeParts parts);
  ~VirtualNode() override;
  VirtualNode(const VirtualNode&) = delete;
  VirtualNode& operator=(const VirtualNode&) = delete;

  // The configured name, or that of the provider once it has been asked.
  [[nodiscard]] std::string name() const;
  void start();
  // A node that is not up stays as it is from now on; part of stop(). [may-block]
  void stop_starting();
  void stop();  // pods stay [may-block]

  // A changed configuration; see PodEngine::change_settings. DaemonSets' pods that were left alone come to
  // the engine when they no longer are; those that it has it keeps.
  void change_settings(pods::Settings pods, bool ignore_daemonset_pods);
  // Hands changed settings to the provider. OK: what it had refused is tried again. UNIMPLEMENTED or
  // FAILED_PRECONDITION: that takes a restart. One at a time. [may-block]
  Status reconfigure(const Secret& config_json);

  // For policies.on_stop, of a node that is_registered(): NotReady from now on, and whether the API
  // server knows.
  [[nodiscard]] bool is_registered() const { return !view().uid.empty(); }
  void shut_down() { node_->shut_down(); }
  [[nodiscard]] bool wait_until_written(Deadline deadline) {  // [may-block]
    return node_->wait_until_written(deadline);
  }

  [[nodiscard]] std::vector<pods::PodView> pods() const;
  [[nodiscard]] pods::PodEngine::OrphanCounts orphans() const { return engine_->orphans(); }
  [[nodiscard]] pods::PodEngine::Load load() const { return engine_->load(); }
  [[nodiscard]] node::NodeView view() const;
  [[nodiscard]] bool is_up() const { return is_up_; }

  // plugin::ProviderListener
  Status pod_changed(plugin::PodChange change) override;
  Status node_changed() override;
  Status save_handle(const std::string& uid, const std::string& handle) override;
  Status evict(plugin::Eviction eviction) override;
  Status emit(plugin::ProviderEvent event) override;
  // pods::ProviderFaultSink
  void provider_fault(const Status& status) override;
  // pods::NodeEventSink
  void node_event(const pods::Happening& what) override;

 private:
  VirtualNode(VirtualNodeSettings settings, VirtualNodeParts parts);

  // kube::PodListener: on to the engine, and the first list wakes the start.
  void pods_listed(std::vector<kube::PodPtr> pods) override;
  void pod_applied(kube::PodPtr pod) override;
  void pod_removed(const std::string& uid) override;

  // kube::ObjectListener: the Node object itself, so that its deletion is noticed at once.
  void object_changed(std::string json) override;
  void object_gone() override;

  [[nodiscard]] bool leaves_alone(const kube::PodPtr& pod) VKHOST_REQUIRES(daemon_sets_mutex_);
  void tell_of_change() const;
  void show_node();
  [[nodiscard]] std::vector<SequenceStep> start_steps();
  // While a step fails the node says what.
  void report_step(const SequenceStep& step, const Status& status, bool is_final);
  Status learn_identity();
  Status confirm_identity();
  Status learn_name();
  std::optional<Status> wait_for_list();
  Status confirm_cluster();
  Status start_provider();
  Status undo_last_stop();
  [[nodiscard]] plugin::CallOptions call_options() const;
  [[nodiscard]] kube::CallOptions node_options() const;

  const node::Settings node_settings_;
  pods::LiveSettings pods_settings_;
  VirtualNodeParts parts_;
  CancelSource stop_;
  Gate reconfiguring_;

  std::unique_ptr<plugin::Provider> provider_;
  std::unique_ptr<pods::MaterialSource> material_;
  std::unique_ptr<KnownNode> known_node_;
  std::unique_ptr<pods::PodEngine> engine_;
  std::unique_ptr<node::NodeController> node_;
  std::unique_ptr<kube::ObjectWatch> node_watch_;  // null: standalone, or not up yet
  std::atomic<bool> wired_ = false;                // engine_ and node_ are there
  bool provider_started_ = false;                  // only the start, then stop()
  std::string identity_;                           // only the start
  bool knows_identity_ = false;                    // as well
  std::string cluster_uid_;                        // as well

  // Held while the engine is told of a list, or of pods that were left alone until now: the list does not
  // have these, and the engine would take them for removed. No function that a plugin may call takes it.
  Mutex daemon_sets_mutex_;
  bool ignores_daemon_sets_ VKHOST_GUARDED_BY(daemon_sets_mutex_);
  std::unordered_map<std::string, kube::PodPtr> ignored_ VKHOST_GUARDED_BY(daemon_sets_mutex_);

  mutable Mutex mutex_;
  bool listed_ VKHOST_GUARDED_BY(mutex_) = false;
  std::string name_ VKHOST_GUARDED_BY(mutex_);
  std::atomic<bool> is_up_ = false;

  std::unique_ptr<StepSequence> start_;  // last: its steps use all of the above
};

}  // namespace vkhost::daemon
