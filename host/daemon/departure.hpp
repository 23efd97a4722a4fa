// Departure: what nodes do for their pods and for the scheduler before their daemon leaves
// (policies.on_stop), and what they take back when it is here again.
//
// One thread at a time. Nothing in here is certain: a step that fails is logged and the stop goes on.
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "config/config.hpp"
#include "kube/client.hpp"
#include "kube/pod_record.hpp"
#include "observe/log.hpp"
#include "pods/engine.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::daemon {

// One node as a Departure sees it.
struct DepartingNode {
  std::string name;
  bool is_registered = true;  // else there is no object to write to, but pods there may be
  bool is_up = true;          // else nobody ends its pods, and they stay
  std::function<std::vector<pods::PodView>()> pods;
  std::function<void()> begin_not_ready;        // [no-block]
  std::function<bool(Deadline)> end_not_ready;  // false: not written in time [may-block]
};

struct DepartureSettings {
  config::OnStop policy = config::OnStop::Leave;
  std::chrono::milliseconds drain_timeout{std::chrono::minutes{5}};
  // For all else; a policy without a drain may take half of it for its cordons.
  std::chrono::milliseconds stop_timeout{std::chrono::seconds{25}};
  // Between two looks at what is left of a drain.
  std::chrono::milliseconds pause{std::chrono::seconds{1}};
};

class Departure {
 public:
  struct Parts {
    kube::Client* api = nullptr;
    std::shared_ptr<const Clock> clock;
    observe::Logger log;
  };
  Departure(DepartureSettings settings, Parts parts)
      : settings_(settings), parts_(std::move(parts)) {}

  // Returns when everything is done, or its time over. [may-block]
  void leave(const std::vector<DepartingNode>& nodes, const CancelToken& cancel);

 private:
  using Nodes = std::vector<const DepartingNode*>;

  // Those of `nodes` that the scheduler may still fill.
  Nodes cordon_all(const Nodes& nodes, Deadline end, const CancelToken& cancel);
  void cordon_and_drain(const std::vector<DepartingNode>& nodes,
                        const Nodes& registered,
                        const CancelToken& cancel);
  // Whether they are empty.
  bool drain(const Nodes& nodes, Deadline end, const CancelToken& cancel);
  // Asks for what has not been asked for yet, until `end`; how many pods are left.
  std::size_t evict_all(const DepartingNode& node, Deadline end, const CancelToken& cancel);
  Status evict(const kube::PodRecord& pod, const kube::CallOptions& options);
  [[nodiscard]] kube::CallOptions step_options(Deadline end, const CancelToken& cancel) const;
  void call_not_ready(const Nodes& registered);

  const DepartureSettings settings_;
  const Parts parts_;
  bool knows_old_evictions_only_ = false;
  std::set<std::string> asked_;  // UIDs whose eviction was accepted
  // What was logged, so that it is not logged with each look.
  std::set<std::string> refusals_;
};

// Makes the node unschedulable and marks it, unless somebody else has already. [may-block]
Status cordon(kube::Client& api, const std::string& node, const kube::CallOptions& options);
// Takes that back, and only that. [may-block]
Status undo_cordon(kube::Client& api, const std::string& node, const kube::CallOptions& options);

}  // namespace vkhost::daemon
