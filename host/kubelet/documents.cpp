#include "kubelet/documents.hpp"

#include "base/json_text.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <string_view>
#include <utility>

namespace vkhost::kubelet {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::string_view kPodListHead =
    R"({"kind":"PodList","apiVersion":"v1","metadata":{},"items":[)";

// One object, member by member, without a document model.
class ObjectText {
 public:
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) {
      begin(name);
      append_json_string(out_, value);
    }
  }
  void raw(std::string_view name, std::string_view json) {
    begin(name);
    out_ += json;
  }
  [[nodiscard]] std::string take() { return out_ + "}"; }

 private:
  void begin(std::string_view name) {
    out_ += out_.size() > 1 ? "," : "";
    append_json_string(out_, name);
    out_ += ':';
  }
  std::string out_ = "{";
};

std::string string_member(const Object::Ptr& object, const std::string& name) {
  const Var value = object->get(name);
  return value.isString() ? value.extract<std::string>() : std::string();
}

struct StatusFacts {
  std::string reason;
  std::string pod_ip;
  std::int64_t ready = 0;
  std::int64_t restarts = 0;
};

// The reason a person looks for first: that of a container that waits or failed, else of the pod.
std::string container_reason(const Object::Ptr& container) {
  const Object::Ptr state = container->getObject("state");
  for (const char* kind : {"waiting", "terminated"}) {
    const Object::Ptr found = state.isNull() ? Object::Ptr() : state->getObject(kind);
    if (!found.isNull() && !string_member(found, "reason").empty()) {
      return string_member(found, "reason");
    }
  }
  return {};
}

StatusFacts read_status(const kube::PodRecord& pod) {
  StatusFacts facts;
  try {
    Poco::JSON::Parser parser;
    const Object::Ptr status = parser.parse(std::string(pod.status_json())).extract<Object::Ptr>();
    facts.reason = string_member(status, "reason");
    facts.pod_ip = string_member(status, "podIP");
    const Array::Ptr containers = status->getArray("containerStatuses");
    for (std::size_t i = 0; !containers.isNull() && i < containers->size(); ++i) {
      const Object::Ptr container = containers->getObject(static_cast<unsigned>(i));
      if (container.isNull()) {
        continue;
      }
      facts.ready += container->optValue<bool>("ready", false) ? 1 : 0;
      facts.restarts += container->optValue<std::int64_t>("restartCount", 0);
      if (const std::string reason = container_reason(container); !reason.empty()) {
        facts.reason = reason;
      }
    }
  } catch (const Poco::Exception&) {
    return facts;  // a status that others have broken shows as little as can be read
  }
  return facts;
}

std::string container_list(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const std::string& name : names) {
    ObjectText container;
    container.text("name", name);
    out += (out.size() > 1 ? "," : "") + container.take();
  }
  return out + "]";
}

}  // namespace

std::string pod_list(const std::vector<PodState>& pods) {
  std::string out(kPodListHead);
  bool first = true;
  for (const PodState& state : pods) {
    out += std::exchange(first, false) ? "" : ",";
    out += state.pod->raw;
  }
  return out + "]}";
}

std::string running_pod_list(const std::vector<PodState>& pods) {
  std::string out(kPodListHead);
  bool first = true;
  for (const PodState& state : pods) {
    if (!state.runs_in_backend) {
      continue;
    }
    ObjectText metadata;
    metadata.text("name", state.pod->name);
    metadata.text("namespace", state.pod->pod_namespace);
    metadata.text("uid", state.pod->uid);
    ObjectText spec;
    spec.raw("containers", container_list(state.pod->containers));
    ObjectText pod;
    pod.raw("metadata", metadata.take());
    pod.raw("spec", spec.take());
    out += (std::exchange(first, false) ? "" : ",") + pod.take();
  }
  return out + "]}";
}

std::string pod_states(const std::string& node_name, const std::vector<PodState>& pods) {
  std::string out = R"({"pods":[)";
  bool first = true;
  for (const PodState& state : pods) {
    const StatusFacts facts = read_status(*state.pod);
    ObjectText pod;
    pod.text("namespace", state.pod->pod_namespace);
    pod.text("name", state.pod->name);
    pod.text("uid", state.pod->uid);
    pod.text("node", node_name);
    pod.text("phase", state.pod->is_deleting() ? "Terminating" : state.pod->phase);
    pod.text("reason", facts.reason);
    pod.raw("ready_containers", std::to_string(facts.ready));
    pod.raw("containers", std::to_string(state.pod->containers.size()));
    pod.raw("restarts", std::to_string(facts.restarts));
    pod.text("pod_ip", facts.pod_ip);
    pod.text("started", state.pod->start_time);
    pod.text("last_error", state.last_error);
    if (state.next_try) {
      pod.text("next_try", format_time(*state.next_try));
    }
    out += (std::exchange(first, false) ? "" : ",") + pod.take();
  }
  return out + "]}";
}

std::string node_states(const NodeState& node) {
  ObjectText object;
  object.text("name", node.name);
  object.text("provider", node.provider);
  object.raw("ready", node.ready ? "true" : "false");
  object.text("reason", node.reason);
  object.text("message", node.message);
  object.raw("pods", std::to_string(node.pods));
  return R"({"nodes":[)" + object.take() + "]}";
}

std::string failure_status(int code, std::string_view message) {
  std::string_view reason = code >= 400 && code < 500 ? "BadRequest" : "InternalError";
  switch (code) {
    case 400:
      reason = "BadRequest";
      break;
    case 401:
      reason = "Unauthorized";
      break;
    case 403:
      reason = "Forbidden";
      break;
    case 404:
      reason = "NotFound";
      break;
    case 405:
      reason = "MethodNotAllowed";
      break;
    case 408:
      reason = "Timeout";
      break;
    case 413:
      reason = "RequestEntityTooLarge";
      break;
    case 429:
      reason = "TooManyRequests";
      break;
    case 503:
      reason = "ServiceUnavailable";
      break;
    default:
      break;
  }
  ObjectText status;
  status.text("kind", "Status");
  status.text("apiVersion", "v1");
  status.raw("metadata", "{}");
  status.text("status", "Failure");
  status.text("message", message);
  status.text("reason", reason);
  status.raw("code", std::to_string(code));
  return status.take();
}

}  // namespace vkhost::kubelet
