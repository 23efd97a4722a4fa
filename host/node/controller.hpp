// NodeController: keeps one virtual node registered, its lease fresh and its status true.
//
// One thread does everything in turn: ping the provider, renew the lease, write the status. A failed
// ping makes the node NotReady at once with the provider's reason; the lease goes on, since the host
// is alive, so that the control plane does not also call the node unreachable. A deleted Node is made
// again as soon as somebody says so (node_deleted) or a write finds it missing.
//
// Without an API client (standalone) nothing is written; view() shows the same node.
// Public functions are [any-thread] [no-block] unless they say otherwise.
#pragma once

#include "base/backoff.hpp"
#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "kube/client.hpp"
#include "node/node_object.hpp"
#include "node/settings.hpp"
#include "observe/log.hpp"
#include "plugin/provider.hpp"

#include <functional>
#include <memory>
#include <string>

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

  // Asks the provider for its node; fixes the name when the provider names it. Before start, once.
  // [startup] [may-block]
  Status prepare(const CancelToken& cancel);
  void start();
  void stop();  // [may-block]; the node stays as it is

  void pods_ready();                         // the pod engine has adopted what exists
  void provider_changed();                   // ask the provider for its node again
  void provider_fault(const Status& fault);  // OK: it is over
  void node_deleted();                       // the Node object is gone

  [[nodiscard]] const std::string& name() const { return settings_.name; }
  [[nodiscard]] NodeView view() const;

 private:
  struct Facts {
    bool pods_ready = false;
    bool pinged = false;
    Status ping;
    Status self_check;
    Status fault;
    std::string provider_json;
    std::string node_uid;
  };

  void loop();
  void ping();
  Status check_self();
  void refresh_provider_node();
  Status renew_lease();
  Status renew_lease_once();
  Status write_status();
  Status create_node(const NodeSources& sources);
  [[nodiscard]] Readiness readiness() const VKHOST_REQUIRES(mutex_);
  [[nodiscard]] kube::CallOptions api_options() const;
  [[nodiscard]] plugin::CallOptions provider_options(std::chrono::milliseconds timeout) const;

  Settings settings_;  // constant after prepare()
  const Parts parts_;
  CancelSource stop_;

  // Only touched by the loop.
  std::string lease_json_;
  std::uint32_t write_failures_ = 0;
  SteadyTime next_self_check_{};

  mutable Mutex mutex_;
  CondVar changed_;
  Facts facts_ VKHOST_GUARDED_BY(mutex_);
  bool stopping_ VKHOST_GUARDED_BY(mutex_) = false;
  bool status_wanted_ VKHOST_GUARDED_BY(mutex_) = false;
  bool refresh_wanted_ VKHOST_GUARDED_BY(mutex_) = false;

  Thread thread_;
};

}  // namespace vkhost::node
