#include "daemon/departure.hpp"

#include "base/json_text.hpp"
#include "kube/paths.hpp"
#include "kube/pod_calls.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <iterator>
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

kube::CallOptions step_options(const Clock& clock, const CancelToken& cancel, kube::Lane lane) {
  kube::CallOptions options;
  options.deadline = Deadline::after(clock, kStep);
  options.cancel = cancel;
  options.lane = lane;
  return options;
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
  std::vector<DepartingNode> registered;
  std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(registered),
               [](const DepartingNode& node) { return node.is_registered; });
  if (settings_.policy != config::OnStop::NotReady) {
    // One deadline for all: the rest of the stop needs its time too.
    const auto options = step_options(*parts_.clock, cancel, kube::Lane::Node);
    for (const DepartingNode& node : registered) {
      const Status cordoned = cordon(*parts_.api, node.name, options);
      if (!cordoned.is_ok()) {
        parts_.log.warn("the node could not be made unschedulable",
                        {{"node", node.name}, observe::error_field(cordoned)});
      }
    }
  }
  if (settings_.policy == config::OnStop::Drain) {
    drain(nodes, cancel);
  }
  for (const DepartingNode& node : registered) {
    node.begin_not_ready();
  }
  const Deadline written = Deadline::after(*parts_.clock, kStep);
  for (const DepartingNode& node : registered) {
    if (!node.end_not_ready(written)) {
      parts_.log.warn("the node could not be called NotReady in time", {{"node", node.name}});
    }
  }
}

void Departure::drain(const std::vector<DepartingNode>& nodes, const CancelToken& cancel) {
  const Deadline end = Deadline::after(*parts_.clock, settings_.drain_timeout);
  parts_.log.info("the nodes are drained",
                  {{"stop.drain_timeout_ms", std::to_string(settings_.drain_timeout.count())}});
  for (;;) {
    std::size_t left = 0;
    for (const DepartingNode& node : nodes) {
      left += evict_all(node, cancel);
    }
    if (left == 0) {
      parts_.log.info("the nodes are empty");
      return;
    }
    const auto remaining = end.remaining(parts_.clock->steady_now());
    if (remaining.count() <= 0 || cancel.wait_for(std::min(settings_.pause, remaining))) {
      parts_.log.warn("the drain is over before its end; the pods that are left stay",
                      {{"left", std::to_string(left)}});
      return;
    }
  }
}

std::size_t Departure::evict_all(const DepartingNode& node, const CancelToken& cancel) {
  std::size_t left = 0;
  for (const kube::PodPtr& pod : node.pods()) {
    // A DaemonSet makes its pods again at once; a mirror pod is not the API server's to end; what is
    // finished runs nowhere.
    if (pod == nullptr || pod->is_daemon_set_pod || pod->is_mirror_pod || pod->is_terminal()) {
      continue;
    }
    ++left;
    if (pod->is_deleting() || asked_.contains(pod->uid) || cancel.is_cancelled()) {
      continue;
    }
    const Status evicted = evict(*pod, cancel);
    if (evicted.is_ok() || evicted.code() == StatusCode::NotFound || kube::is_wrong_uid(evicted)) {
      asked_.insert(pod->uid);
    } else if (refusals_.insert(pod->uid + evicted.reason()).second) {
      parts_.log.warn("a pod is not evicted yet, it is tried again",
                      {{"pod", pod->display_name()}, observe::error_field(evicted)});
    }
  }
  return left;
}

// API servers before 1.22 know the older one only.
Status Departure::evict(const kube::PodRecord& pod, const CancelToken& cancel) {
  if (!knows_old_evictions_only_) {
    Status evicted = evict_as(pod, "policy/v1", cancel);
    if (evicted.code() != StatusCode::InvalidArgument) {
      return evicted;
    }
  }
  const Status evicted = evict_as(pod, "policy/v1beta1", cancel);
  knows_old_evictions_only_ = knows_old_evictions_only_ || evicted.is_ok();
  return evicted;
}

// A budget that allows no disruption answers 429: that must hold up nothing but events.
Status Departure::evict_as(const kube::PodRecord& pod,
                           const char* version,
                           const CancelToken& cancel) {
  kube::CallOptions options = step_options(*parts_.clock, cancel, kube::Lane::Events);
  options.repeatable = true;
  return parts_.api
      ->create(kube::pod_eviction_path(pod.pod_namespace, pod.name), eviction(pod, version),
               options)
      .status();
}

}  // namespace vkhost::daemon
