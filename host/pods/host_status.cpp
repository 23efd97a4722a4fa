#include "pods/host_status.hpp"

#include "kube/json_cut.hpp"
#include "pods/status_json.hpp"

#include <Poco/Exception.h>

#include <array>
#include <utility>

namespace vkhost::pods {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::array<const char*, 3> kHostContainerLists = {
    "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"};

Object::Ptr with_state(const std::string& name,
                       const std::string& state_name,
                       const Object::Ptr& state) {
  Object::Ptr states = new Object;
  states->set(state_name, state);
  Object::Ptr container = new Object;
  container->set("name", name);
  container->set("state", states);
  return container;
}

// A container that has ended by the word of `list`, or null.
Object::Ptr find_ended(const Array::Ptr& list, const std::string& name) {
  Object::Ptr found = find_named(list, "name", name);
  const Object::Ptr state = found.isNull() ? Object::Ptr() : found->getObject("state");
  return !state.isNull() && state->isObject("terminated") ? found : Object::Ptr();
}

Object::Ptr unknown_end(const std::string& name, const Array::Ptr& before, WallTime now) {
  Object::Ptr terminated = new Object;
  terminated->set("exitCode", 137);
  terminated->set("reason", "ContainerStatusUnknown");
  terminated->set("message", "The container could not be located in the provider");
  terminated->set("finishedAt", format_time(now));
  Object::Ptr container = with_state(name, "terminated", terminated);
  const Object::Ptr item = find_named(before, "name", name);
  if (item.isNull()) {
    return container;
  }
  const Object::Ptr state = item->getObject("state");
  const Object::Ptr running = state.isNull() ? Object::Ptr() : state->getObject("running");
  if (!running.isNull() && running->has("startedAt")) {
    terminated->set("startedAt", running->get("startedAt"));
  }
  for (const char* member : {"image", "imageID", "containerID", "restartCount"}) {
    if (item->has(member)) {
      container->set(member, item->get(member));
    }
  }
  return container;
}

Array::Ptr containers_of(std::string_view status_json) {
  const auto status = parse_object(status_json, "a status");
  return status.is_ok() ? (*status)->getArray("containerStatuses") : Array::Ptr();
}

Array::Ptr lost_containers(const kube::PodRecord& pod, std::string_view observed, WallTime now) {
  const Array::Ptr by_provider = containers_of(observed);
  const Array::Ptr by_api = containers_of(pod.status_json());
  Array::Ptr containers = new Array;
  for (const std::string& name : pod.containers) {
    Object::Ptr ended = find_ended(by_provider, name);
    if (ended.isNull()) {
      ended = find_ended(by_api, name);
    }
    containers->add(ended.isNull() ? unknown_end(name, by_api, now) : ended);
  }
  return containers;
}

bool any_started(std::string_view status_json) {
  // Most statuses of pods that wait do not even have the words.
  if (status_json.find("\"running\"") == std::string_view::npos &&
      status_json.find("\"terminated\"") == std::string_view::npos) {
    return false;
  }
  const auto status = parse_object(status_json, "a status");
  if (!status.is_ok()) {
    return false;
  }
  for (const char* member : kHostContainerLists) {
    const Array::Ptr list = (*status)->getArray(member);
    for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
      const Object::Ptr item = list->getObject(static_cast<unsigned>(i));
      for (const char* which : {"state", "lastState"}) {
        const Object::Ptr state = item.isNull() ? Object::Ptr() : item->getObject(which);
        if (!state.isNull() && (state->isObject("running") || state->isObject("terminated"))) {
          return true;
        }
      }
    }
  }
  return false;
}

}  // namespace

LossReport lost_status(const kube::PodRecord& pod,
                       std::string_view observed_json,
                       const Status& loss,
                       WallTime now) {
  LossReport report;
  report.reason = loss.reason().empty() ? "ProviderLost" : loss.reason();
  report.message = "The workload of this pod was started once and does not exist any more";
  if (!loss.message().empty()) {
    report.message += ": " + loss.message();
  }
  Object status;
  status.set("phase", "Failed");
  status.set("reason", report.reason);
  status.set("message", report.message);
  try {
    status.set("containerStatuses", lost_containers(pod, observed_json, now));
  } catch (const Poco::Exception&) {
    // A member of an unexpected type, deep inside: then the pod fails without details.
    status.remove("containerStatuses");
  }
  report.status_json = text_of(Poco::Dynamic::Var(status));
  return report;
}

std::string rejected_status(const kube::PodRecord& pod,
                            std::string_view reason,
                            std::string_view message,
                            bool is_final) {
  Object status;
  status.set("phase", is_final ? "Failed" : "Pending");
  status.set("reason", std::string(reason));
  status.set("message", std::string(message));
  if (!is_final) {
    Array::Ptr containers = new Array;
    for (const std::string& name : pod.containers) {
      Object::Ptr waiting = new Object;
      waiting->set("reason", std::string(reason));
      waiting->set("message", std::string(message));
      containers->add(with_state(name, "waiting", waiting));
    }
    status.set("containerStatuses", containers);
  }
  return text_of(Poco::Dynamic::Var(status));
}

StatusFacts status_facts(std::string_view status_json) {
  StatusFacts facts;
  if (status_json.empty()) {
    return facts;
  }
  const std::string_view phase = kube::plain_string(kube::find_member(status_json, "phase"));
  facts.final = phase == "Succeeded" || phase == "Failed";
  try {
    facts.started = any_started(status_json);
  } catch (const Poco::Exception&) {
    facts.started = false;  // not a status that shows anything
  }
  return facts;
}

}  // namespace vkhost::pods
