#include "pods/host_status.hpp"

#include "kube/json_cut.hpp"
#include "pods/status_json.hpp"

#include <Poco/Exception.h>

#include <array>
#include <utility>
#include <vector>

namespace vkhost::pods {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::array<const char*, 3> kHostContainerLists = {
    "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"};

constexpr const char* kUnseenEnd = "The container could not be located when the pod was terminated";

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

bool is_running(const Object::Ptr& container) {
  const Object::Ptr state = container.isNull() ? Object::Ptr() : container->getObject("state");
  return !state.isNull() && state->isObject("running");
}

// What the host can say of containers that end without anybody having seen it.
class UnknownEnds {
 public:
  UnknownEnds(const kube::PodRecord& pod,
              std::string_view observed,
              std::string message,
              WallTime now)
      : by_provider_(status_of(observed)),
        by_api_(status_of(pod.status_json())),
        message_(std::move(message)),
        time_(format_time(now)) {}

  // All of them, whether anything is known of them or not.
  [[nodiscard]] Array::Ptr of_containers(const std::vector<std::string>& names) const {
    const Lists lists = lists_of("containerStatuses");
    Array::Ptr containers = new Array;
    for (const std::string& name : names) {
      const Object::Ptr ended = known_end(lists, name);
      containers->add(ended.isNull() ? end_of(name, find_named(lists.api, "name", name)) : ended);
    }
    return containers;
  }

  // Those that are named somewhere; what never began (a later init container) did not end either.
  [[nodiscard]] Array::Ptr of_named(const char* member) const {
    const Lists lists = lists_of(member);
    const Array::Ptr& names = lists.provider.isNull() ? lists.api : lists.provider;
    Array::Ptr containers = new Array;
    for (std::size_t i = 0; !names.isNull() && i < names->size(); ++i) {
      const Object::Ptr item = names->getObject(static_cast<unsigned>(i));
      const std::string name = item.isNull() ? std::string() : string_member(*item, "name");
      if (name.empty()) {
        continue;
      }
      Object::Ptr ended = known_end(lists, name);
      const Object::Ptr before = find_named(lists.api, "name", name);
      if (ended.isNull() && (is_running(item) || is_running(before))) {
        ended = end_of(name, before.isNull() ? item : before);
      }
      containers->add(ended.isNull() ? item : ended);
    }
    return containers;
  }

 private:
  struct Lists {
    Array::Ptr provider;
    Array::Ptr api;
  };

  static Object::Ptr status_of(std::string_view json) {
    const auto status = parse_object(json, "a status");
    return status.is_ok() ? *status : Object::Ptr(new Object);
  }

  [[nodiscard]] Lists lists_of(const char* member) const {
    return {by_provider_->getArray(member), by_api_->getArray(member)};
  }

  static Object::Ptr known_end(const Lists& lists, const std::string& name) {
    const Object::Ptr ended = find_ended(lists.provider, name);
    return ended.isNull() ? find_ended(lists.api, name) : ended;
  }

  [[nodiscard]] Object::Ptr end_of(const std::string& name, const Object::Ptr& before) const {
    Object::Ptr terminated = new Object;
    terminated->set("exitCode", 137);
    terminated->set("reason", "ContainerStatusUnknown");
    terminated->set("message", message_);
    terminated->set("finishedAt", time_);
    Object::Ptr container = with_state(name, "terminated", terminated);
    if (before.isNull()) {
      return container;
    }
    const Object::Ptr state = before->getObject("state");
    const Object::Ptr running = state.isNull() ? Object::Ptr() : state->getObject("running");
    if (!running.isNull() && running->has("startedAt")) {
      terminated->set("startedAt", running->get("startedAt"));
    }
    for (const char* member : {"image", "imageID", "containerID", "restartCount"}) {
      if (before->has(member)) {
        container->set(member, before->get(member));
      }
    }
    return container;
  }

  const Object::Ptr by_provider_;
  const Object::Ptr by_api_;
  const std::string message_;
  const std::string time_;
};

void set_ends(const kube::PodRecord& pod, const UnknownEnds& ends, Object* status) {
  try {
    status->set("containerStatuses", ends.of_containers(pod.containers));
    for (const char* member : {"initContainerStatuses", "ephemeralContainerStatuses"}) {
      if (const Array::Ptr list = ends.of_named(member); list->size() > 0) {
        status->set(member, list);
      }
    }
  } catch (const Poco::Exception&) {
    // A member of an unexpected type, deep inside: then the pod ends without details.
    for (const char* member : kHostContainerLists) {
      status->remove(member);
    }
  }
}

bool all_succeeded(const Object& status) {
  const Array::Ptr list = status.getArray("containerStatuses");
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Object::Ptr ended =
        list->getObject(static_cast<unsigned>(i))->getObject("state")->getObject("terminated");
    if (text_of(ended->get("exitCode")) != "0") {
      return false;
    }
  }
  return !list.isNull() && list->size() > 0;
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
  report.message =
      pod.ever_started || status_facts(observed_json).started
          ? "The workload of this pod was started once and does not exist any more"
          : "The provider had taken on this pod and has nothing of it any more; it may "
            "have run, which it must not do twice";
  if (!loss.message().empty()) {
    report.message += ": " + loss.message();
  }
  Object status;
  status.set("phase", "Failed");
  status.set("reason", report.reason);
  status.set("message", report.message);
  set_ends(
      pod,
      UnknownEnds(pod, observed_json, "The container could not be located in the provider", now),
      &status);
  report.status_json = text_of(Poco::Dynamic::Var(status));
  return report;
}

std::string ordered_status(const kube::PodRecord& pod,
                           std::string_view observed_json,
                           const std::string& reason,
                           const std::string& message,
                           WallTime now) {
  Object status;
  set_ends(pod, UnknownEnds(pod, observed_json, kUnseenEnd, now), &status);
  status.set("phase", "Failed");
  status.set("reason", reason);
  status.set("message", message);
  return text_of(Poco::Dynamic::Var(status));
}

std::string concluded_status(const kube::PodRecord& pod,
                             std::string_view observed_json,
                             const Status& why,
                             WallTime now) {
  Object status;
  set_ends(pod, UnknownEnds(pod, observed_json, kUnseenEnd, now), &status);
  status.set("phase", all_succeeded(status) ? "Succeeded" : "Failed");
  if (!why.is_ok()) {
    status.set("reason", why.reason());
    status.set("message", why.message());
  }
  return text_of(Poco::Dynamic::Var(status));
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
    // As while init containers run: the others wait for the first one.
    const bool has_init = !pod.init_containers.empty();
    Object::Ptr waiting = new Object;
    waiting->set("reason", std::string(reason));
    waiting->set("message", std::string(message));
    Object::Ptr initializing = new Object;
    initializing->set("reason", "PodInitializing");
    Array::Ptr init_containers = new Array;
    for (const std::string& name : pod.init_containers) {
      const bool is_first = init_containers->size() == 0;
      init_containers->add(with_state(name, "waiting", is_first ? waiting : initializing));
    }
    Array::Ptr containers = new Array;
    for (const std::string& name : pod.containers) {
      containers->add(with_state(name, "waiting", has_init ? initializing : waiting));
    }
    if (has_init) {
      status.set("initContainerStatuses", init_containers);
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
