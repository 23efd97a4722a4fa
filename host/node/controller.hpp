// NodeController: keeps one virtual node registered, its lease fresh and its status true.
//
// Three chores, none of which waits for another: renew the lease, write the node, and ask the
// provider (ping and node). A provider that does not answer makes the node NotReady with its reason;
// the lease goes on, since the host is alive, so that the control plane does not also call the node
// unreachable. A deleted Node is made again as soon as somebody says so (node_deleted) or a write
// finds it missing. Before pods_ready() the node says what its start waits for.
//
// Without an API client (standalone) nothing is written; view() shows the same node.
// Public functions are [any-thread] [no-block] unless they say otherwise.
#pragma once

#include "base/backoff.hpp"
#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/executor.hpp"
#include "base/mutex.hpp"
#include "base/timers.hpp"
#include "kube/client.hpp"
#include "node/capacity_file.hpp"
#include "node/chores.hpp"
#include "node/health.hpp"
#include "node/node_object.hpp"
#include "node/node_writer.hpp"
#include "node/settings.hpp"
#include "observe/log.hpp"
#include "plugin/provider.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::node {

// Collaborators; all outlive the controller.
struct Parts {
  plugin::Provider* provider = nullptr;
  kube::Client* api = nullptr;  // null: standalone
  // Whether the daemon answers at the address that the node advertises; empty: not checked.
  // [may-block]
  std::function<Status(const CancelToken&)> self_check;
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<Random> random;
  observe::Logger log;
};

// What the nodes of one process share. Three executors, so that neither providers that hang nor
// writes that an API server is slow with ever hold up leases. All outlive the controllers that run on
// them.
struct NodeThreads {
  Executor* leases = nullptr;
  Executor* writes = nullptr;  // nodes, to the API server
  Executor* probes = nullptr;  // ping and node, into providers
  Timers* timers = nullptr;
};

struct NodeView {
  std::string name;
  std::string uid;  // empty: not registered
  Readiness readiness;
  std::string node_json;  // as it would be created now
};

class NodeController {
 public:
  NodeController(Settings settings, Parts parts);
  ~NodeController();
  NodeController(const NodeController&) = delete;
  NodeController& operator=(const NodeController&) = delete;

  // The daemon's credentials are those of this node: it may not say everything about itself. Best
  // before prepare(). [startup]
  void use_node_identity();
  // What the workloads of this node are marked with; its object keeps that from now on.
  void use_cluster_uid(const std::string& uid);
  // Asks the provider for its node; fixes the name when the provider names it. Once it has succeeded
  // not again. [startup] [may-block]
  Status prepare(const CancelToken& cancel);
  // As soon as the name is certain, if need be before prepare() has succeeded: until then a node that
  // exists is kept alive and called NotReady, and none is made. Once.
  void start(const NodeThreads& threads);
  void stop();  // [may-block]; the node stays as it is

  // A step of the node's start failed and is repeated; OK: it has succeeded.
  void start_failed(const Status& why);
  void start_refused(const Status& why);     // the provider ends the start for good
  void pods_ready();                         // provider started, pod engine has what exists
  void shut_down();                          // the daemon leaves: NotReady from now on
  void provider_changed();                   // ask the provider for its node again
  void provider_fault(const Status& fault);  // OK: it is over
  void node_deleted();                       // the Node object is gone
  // The Node object as it is now: what others overwrote is put right.
  void object_changed(std::string_view json);

  // Until the API server has what the node says of itself now; false when that takes longer.
  // [may-block]
  [[nodiscard]] bool wait_until_written(Deadline deadline);

  [[nodiscard]] std::string name() const;
  [[nodiscard]] NodeView view() const;
  // Grows whenever view() shows another node, heartbeats and readiness apart.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // status.allocatable as it stands.
  [[nodiscard]] std::optional<std::string> allocatable(const std::string& resource) const;

 private:
  struct Facts {
    Health health;
    std::optional<std::string> provider_json;  // absent: the provider has not told it yet
    std::string node_uid;
  };

  // ---- Chores
  void probe();
  void write_node();
  void renew_lease();

  void read_capacity_file();
  void ping();
  void check_self();
  void refresh_provider_node();
  void warn_of_labels_left_out() VKHOST_REQUIRES(mutex_);
  void note_failed_lease(const Status& why, std::chrono::milliseconds lease_duration);
  Result<Written> write_node_once();
  void registered_as(const std::string& uid);
  void want_write() VKHOST_REQUIRES(mutex_);
  // Runs `change` and has the node written when that made a difference.
  void note(const std::function<void(Health&)>& change);
  // The time until the next repair of what others wrote, be it planned already.
  std::chrono::milliseconds take_repair() VKHOST_REQUIRES(mutex_);
  [[nodiscard]] plugin::CallOptions provider_options(std::chrono::milliseconds timeout) const;

  const Settings configured_;
  const Parts parts_;
  CancelSource stop_;
  NodeWriter writer_;

  // Only touched by the chore that they belong to.
  std::uint32_t write_failures_ = 0;
  std::uint32_t lease_failures_ = 0;  // in a row
  SteadyTime next_lease_warning_{};
  CapacityFile capacity_file_;
  SteadyTime next_self_check_{};

  std::atomic<std::uint64_t> version_ = 1;
  mutable Mutex mutex_;
  std::shared_ptr<const Settings> settings_ VKHOST_GUARDED_BY(mutex_);  // newer than configured_
  Facts facts_ VKHOST_GUARDED_BY(mutex_);
  std::optional<SteadyTime> began_ VKHOST_GUARDED_BY(mutex_);
  std::optional<Readiness> written_ VKHOST_GUARDED_BY(mutex_);  // as the API server has it
  CondVar written_changed_;
  std::vector<std::string> labels_left_out_ VKHOST_GUARDED_BY(mutex_);
  bool refresh_wanted_ VKHOST_GUARDED_BY(mutex_) = false;
  std::uint32_t refresh_failures_ VKHOST_GUARDED_BY(mutex_) = 0;
  SteadyTime next_refresh_ VKHOST_GUARDED_BY(mutex_){};
  std::uint32_t repairs_ VKHOST_GUARDED_BY(mutex_) = 0;  // lately
  SteadyTime last_repair_ VKHOST_GUARDED_BY(mutex_){};   // may lie ahead

  // Last: its work uses all of the above.
  Chores chores_;
  const Chores::Id lease_chore_;
  const Chores::Id write_chore_;
  const Chores::Id probe_chore_;
};

}  // namespace vkhost::node
