#include "pods/container_statuses.hpp"

#include "pods/status_json.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace vkhost::pods {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

bool bool_member(const Object& object, const std::string& name) {
  const Var value = object.get(name);
  return value.isBoolean() && value.extract<bool>();
}
enum class ContainerKind { Regular, Init, Sidecar, Ephemeral };

// Terminated before running before waiting.
void keep_one_state(Object& states) {
  if (states.isObject("terminated")) {
    states.remove("running");
    states.remove("waiting");
  } else if (states.isObject("running")) {
    states.remove("waiting");
  }
}

// Members that v1.ContainerStatus requires or that the API server adds by itself: written as it would,
// so that comparing finds no difference where there is none.
void complete_container(Object& container, ContainerKind kind, const std::string& phase) {
  for (const char* member : {"state", "lastState"}) {
    if (Object::Ptr states = container.getObject(member); !states.isNull()) {
      keep_one_state(*states);
    }
  }
  const Object::Ptr state = container.getObject("state");
  const bool running = !state.isNull() && state->isObject("running");
  Object::Ptr terminated = state.isNull() ? Object::Ptr() : state->getObject("terminated");
  if (!terminated.isNull() && !terminated->has("exitCode")) {
    terminated->set("exitCode", phase == "Succeeded" ? 0 : 137);  // unknown is no success
  }
  const bool done = !terminated.isNull() && text_of(terminated->get("exitCode")) == "0";
  if (!container.has("ready")) {
    container.set("ready",
                  kind == ContainerKind::Init ? done : running && kind != ContainerKind::Ephemeral);
  }
  if (!container.has("started") && kind != ContainerKind::Ephemeral) {
    container.set("started", running);
  }
  for (const char* required : {"image", "imageID"}) {
    if (!container.has(required)) {
      container.set(required, std::string());
    }
  }
  if (!container.has("restartCount")) {
    container.set("restartCount", 0);
  }
  if (!container.isObject("lastState")) {
    container.set("lastState", Object::Ptr(new Object));
  }
}

// The containers of one kind, as the provider reports them and the spec names them.
class ContainerList {
 public:
  static Result<ContainerList> read(const Object& status, const std::string& member) {
    ContainerList list(status.getArray(member), member);
    if (status.has(member) && list.given_.isNull()) {
      return invalid_argument("status." + member + " is not an array");
    }
    return list;
  }
  // The status of that container, completed; null when the provider has none.
  Object::Ptr take(const std::string& name, ContainerKind kind, const std::string& phase) {
    Object::Ptr found = find_named(given_, "name", name);
    if (!found.isNull()) {
      complete_container(*found, kind, phase);
      ++taken_;
      ordered_->add(found);
    }
    return found;
  }
  void add(const Object::Ptr& container) { ordered_->add(container); }
  // In the order of the spec. INVALID_ARGUMENT when the provider names others, or one twice.
  Status write(Object& status) const {
    if (!given_.isNull() && taken_ != given_->size()) {
      return invalid_argument("status." + member_ +
                              " names a container that the pod does not have, or one twice");
    }
    if (ordered_->size() > 0) {
      status.set(member_, ordered_);
    }
    return Status::ok();
  }

 private:
  ContainerList(Array::Ptr given, std::string member)
      : given_(std::move(given)), member_(std::move(member)) {}

  Array::Ptr given_;
  Array::Ptr ordered_ = new Array;
  std::string member_;
  std::size_t taken_ = 0;
};

bool has_succeeded(const Object& container) {
  const Object::Ptr state = container.getObject("state");
  const Object::Ptr ended = state.isNull() ? state : state->getObject("terminated");
  return !ended.isNull() && text_of(ended->get("exitCode")) == "0";
}

}  // namespace

Status complete_regular(Object& status, const kube::PodRecord& pod, ContainerFacts* facts) {
  VKHOST_TRY_ASSIGN(ContainerList list, ContainerList::read(status, "containerStatuses"));
  const std::string phase = string_member(status, "phase");
  for (const std::string& name : pod.containers) {
    const Object::Ptr found = list.take(name, ContainerKind::Regular, phase);
    if (found.isNull() || !bool_member(*found, "ready")) {
      facts->all_ready = false;
      facts->unready.push_back(name);
    }
  }
  return list.write(status);
}

Status complete_init(Object& status,
                     const kube::PodRecord& pod,
                     ContainerFacts* facts,
                     ContainerFacts* init_facts) {
  VKHOST_TRY_ASSIGN(ContainerList list, ContainerList::read(status, "initContainerStatuses"));
  const std::string phase = string_member(status, "phase");
  for (const std::string& name : pod.init_containers) {
    const bool is_sidecar =
        std::find(pod.sidecars.begin(), pod.sidecars.end(), name) != pod.sidecars.end();
    const Object::Ptr found =
        list.take(name, is_sidecar ? ContainerKind::Sidecar : ContainerKind::Init, phase);
    const bool is_done =
        !found.isNull() && (is_sidecar ? bool_member(*found, "started") : has_succeeded(*found));
    if (!is_done) {
      init_facts->all_done = false;
      init_facts->unready.push_back(name);
    }
    if (is_sidecar && (found.isNull() || !bool_member(*found, "ready"))) {
      facts->all_ready = false;
      facts->unready.push_back(name);
    }
  }
  return list.write(status);
}

Status complete_ephemeral(Object& status, const kube::PodRecord& pod, std::string_view refusal) {
  VKHOST_TRY_ASSIGN(ContainerList list, ContainerList::read(status, "ephemeralContainerStatuses"));
  const std::string phase = string_member(status, "phase");
  for (const std::string& name : pod.ephemeral_containers) {
    if (!list.take(name, ContainerKind::Ephemeral, phase).isNull() || pod.is_terminal()) {
      continue;
    }
    Object::Ptr waiting = new Object;
    waiting->set("reason", refusal.empty() ? "ContainerCreating" : "ProviderUpdateRefused");
    if (!refusal.empty()) {
      waiting->set("message", std::string(refusal));
    }
    Object::Ptr state = new Object;
    state->set("waiting", waiting);
    Object::Ptr container = new Object;
    container->set("name", name);
    container->set("state", state);
    complete_container(*container, ContainerKind::Ephemeral, phase);
    list.add(container);
  }
  return list.write(status);
}

}  // namespace vkhost::pods
