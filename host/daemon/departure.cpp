#include "daemon/departure.hpp"

#include "base/json_text.hpp"
#include "kube/paths.hpp"
#include "kube/pod_calls.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <optional>

namespace vkhost::daemon {
namespace {

using std::chrono::seconds;

constexpr const char* kMark = "vkhost.io/cordoned";
constexpr seconds kStep{5};
constexpr int kTries = 5;

struct NodeState {
  std::string version;
  bool is_unschedulable = false;
  bool is_marked = false;
};

Result<NodeState> read_node(const std::string& json) {
  try {
    Poco::JSON::Parser parser;
    const auto node = parser.parse(json).extract<Poco::JSON::Object::Ptr>();
    const auto metadata = node->getObject("metadata");
    const auto spec = node->getObject("spec");
    const auto annotations =
        metadata.isNull() ? Poco::JSON::Object::Ptr() : metadata->getObject("annotations");
    NodeState state;
    state.version =
        metadata.isNull() ? std::string() : metadata->optValue<std::string>("resourceVersion", "");
    state.is_unschedulable = !spec.isNull() && spec->optValue("unschedulable", false);
    state.is_marked = !annotations.isNull() && annotations->has(kMark);
    return state;
  } catch (const Poco::Exception& error) {
    return unavailable("the node cannot be read: " + error.displayText());
  }
}

// `mark` and `unschedulable` are JSON. Holds for the version that was read, since others cordon too.
std::string cordon_patch(const NodeState& state, const char* mark, const char* unschedulable) {
  return std::string(R"({"metadata":{"resourceVersion":)") + json_string(state.version) +
         R"(,"annotations":{")" + kMark + "\":" + mark + R"(}},"spec":{"unschedulable":)" +
         unschedulable + "}}";
}

// Reads the node and applies what `change` makes of it, again where somebody else was faster.
Status change_node(kube::Client& api,
                   const std::string& node,
                   const kube::CallOptions& options,
                   const std::function<std::optional<std::string>(const NodeState&)>& change) {
  Status written;
  for (int tries = 0; tries < kTries; ++tries) {
    VKHOST_TRY_ASSIGN(const std::string json, api.get(kube::node_path(node), {}, options));
    VKHOST_TRY_ASSIGN(const NodeState state, read_node(json));
    const std::optional<std::string> patch = change(state);
    if (!patch) {
      return Status::ok();
    }
    written = api.patch(kube::node_path(node), kube::PatchType::Merge, *patch, options).status();
    if (written.code() != StatusCode::Aborted) {
      return written;
    }
  }
  return written;
}

std::string eviction(const kube::PodRecord& pod, const char* version) {
  return std::string(R"({"apiVersion":")") + version +
         R"(","kind":"Eviction","metadata":{"name":)" + json_string(pod.name) + R"(,"namespace":)" +
         json_string(pod.pod_namespace) + R"(},"deleteOptions":{"preconditions":{"uid":)" +
         json_string(pod.uid) + "}}}";
}

}  // namespace

Status cordon(kube::Client& api, const std::string& node, const kube::CallOptions& options) {
  return change_node(api, node, options, [](const NodeState& state) {
    return state.is_unschedulable ? std::nullopt
                                  : std::optional(cordon_patch(state, R"("on_stop")", "true"));
  });
}

Status undo_cordon(kube::Client& api, const std::string& node, const kube::CallOptions& options) {
  const Status undone = change_node(api, node, options, [](const NodeState& state) {
    return state.is_marked ? std::optional(cordon_patch(state, "null", "null")) : std::nullopt;
  });
  return undone.code() == StatusCode::NotFound ? Status::ok() : undone;
}

void Departure::leave(const std::vector<DepartingNode>& nodes, const CancelToken& cancel) {
  if (settings_.policy == config::OnStop::Leave || nodes.empty()) {
    return;
  }
  Nodes registered;
  for (const DepartingNode& node : nodes) {
    if (node.is_registered) {
      registered.push_back(&node);
    }
  }
  if (settings_.policy == config::OnStop::Cordon) {
    cordon_all(registered, Deadline::after(*parts_.clock, settings_.stop_timeout / 2), cancel);
  } else if (settings_.policy == config::OnStop::Drain) {
    cordon_and_drain(nodes, registered, cancel);
  }
  call_not_ready(registered);
}

// Whatever else, a call must not outlast what it is for: after that the process ends as it stands.
kube::CallOptions Departure::step_options(Deadline end, const CancelToken& cancel) const {
  kube::CallOptions options;
  options.deadline = Deadline::after(*parts_.clock, kStep).earlier(end);
  options.cancel = cancel;
  return options;
}

Departure::Nodes Departure::cordon_all(const Nodes& nodes,
                                       Deadline end,
                                       const CancelToken& cancel) {
  Nodes open;
  for (const DepartingNode* node : nodes) {
    kube::CallOptions options = step_options(end, cancel);
    options.lane = kube::Lane::Node;
    const Status cordoned = end.is_past(parts_.clock->steady_now())
                                ? deadline_exceeded("the time for it is over")
                                : cordon(*parts_.api, node->name, options);
    // Nothing is scheduled to a node that is not there.
    if (!cordoned.is_ok() && cordoned.code() != StatusCode::NotFound) {
      parts_.log.warn("the node could not be made unschedulable",
                      {{"node", node->name}, observe::error_field(cordoned)});
      open.push_back(node);
    }
  }
  return open;
}

// Nodes that the scheduler may still fill come last, or they would get what the others lose.
void Departure::cordon_and_drain(const std::vector<DepartingNode>& nodes,
                                 const Nodes& registered,
                                 const CancelToken& cancel) {
  const Deadline end = Deadline::after(*parts_.clock, settings_.drain_timeout);
  parts_.log.info("the nodes are drained",
                  {{"stop.drain_timeout_ms", std::to_string(settings_.drain_timeout.count())}});
  const Nodes open =
      cordon_all(registered, Deadline::after(*parts_.clock, settings_.drain_timeout / 2), cancel);
  Nodes closed;
  for (const DepartingNode& node : nodes) {
    if (std::find(open.begin(), open.end(), &node) == open.end()) {
      closed.push_back(&node);
    }
  }
  bool are_empty = drain(closed, end, cancel);
  if (are_empty && !open.empty()) {
    cordon_all(open, end, cancel);  // once more, it may have been a bad moment
    are_empty = drain(open, end, cancel);
  }
  if (are_empty) {
    parts_.log.info("the nodes are empty");
  }
}

bool Departure::drain(const Nodes& nodes, Deadline end, const CancelToken& cancel) {
  for (;;) {
    std::size_t left = 0;
    for (const DepartingNode* node : nodes) {
      left += node->is_up ? evict_all(*node, end, cancel) : 0;
    }
    if (left == 0) {
      return true;
    }
    const auto remaining = end.remaining(parts_.clock->steady_now());
    if (remaining.count() <= 0 || cancel.wait_for(std::min(settings_.pause, remaining))) {
      parts_.log.warn("the drain is over before its end; the pods that are left stay",
                      {{"left", std::to_string(left)}});
      return false;
    }
  }
}

std::size_t Departure::evict_all(const DepartingNode& node,
                                 Deadline end,
                                 const CancelToken& cancel) {
  std::size_t left = 0;
  for (const pods::PodView& view : node.pods()) {
    const kube::PodPtr& pod = view.pod;
    // A DaemonSet makes its pods again at once; a mirror pod is not the API server's to end; what is
    // finished runs nowhere; and what is overdue has no object any more.
    if (pod == nullptr || view.is_overdue || pod->is_daemon_set_pod || pod->is_mirror_pod ||
        pod->is_terminal()) {
      continue;
    }
    ++left;
    if (pod->is_deleting() || asked_.contains(pod->uid) || cancel.is_cancelled() ||
        end.is_past(parts_.clock->steady_now())) {
      continue;
    }
    const Status evicted = evict(*pod, step_options(end, cancel));
    if (evicted.is_ok() || evicted.code() == StatusCode::NotFound || kube::is_wrong_uid(evicted)) {
      asked_.insert(pod->uid);
    } else if (refusals_.insert(pod->uid).second) {
      parts_.log.warn("a pod is not evicted yet, it is tried again",
                      {{"pod", pod->display_name()}, observe::error_field(evicted)});
    }
  }
  return left;
}

// A budget that allows no disruption answers 429, which is no word about any other request; the next
// look is the repetition.
Status Departure::evict(const kube::PodRecord& pod, const kube::CallOptions& options) {
  kube::CallOptions once = options;
  once.once = true;
  once.repeatable = true;
  const auto evict_as = [&](const char* version) {
    return parts_.api
        ->create(kube::pod_eviction_path(pod.pod_namespace, pod.name), eviction(pod, version), once)
        .status();
  };
  if (!knows_old_evictions_only_) {
    Status evicted = evict_as("policy/v1");
    if (evicted.code() != StatusCode::InvalidArgument) {
      return evicted;
    }
  }
  // API servers before 1.22 know the older one only.
  const Status evicted = evict_as("policy/v1beta1");
  knows_old_evictions_only_ = knows_old_evictions_only_ || evicted.is_ok();
  return evicted;
}

void Departure::call_not_ready(const Nodes& registered) {
  for (const DepartingNode* node : registered) {
    node->begin_not_ready();
  }
  const Deadline written = Deadline::after(*parts_.clock, kStep);
  for (const DepartingNode* node : registered) {
    if (!node->end_not_ready(written)) {
      parts_.log.warn("the node could not be called NotReady in time", {{"node", node->name}});
    }
  }
}

}  // namespace vkhost::daemon
