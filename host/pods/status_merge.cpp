// The rules of merging, in the order in which they are applied:
//
//  1. What the provider says wins, member by member; conditions merge by type.
//  2. The host adds what is absent: conditions from the container statuses, startTime, hostIP, the
//     second form of podIP and podIPs, observedGeneration, fields that v1.ContainerStatus requires.
//  3. startTime is written once. lastTransitionTime changes only when the status of a condition does.
//  4. After Succeeded or Failed only more detail of terminated containers is taken.
//  5. Conditions of the host's own (vkhost.io/Provider) win, until the pod has ended.
//  6. Only members that differ from what the API server has are sent. Conditions of others are never
//     touched, as a merge by type leaves alone what the patch does not name.
#include "pods/status_merge.hpp"

#include "base/joined.hpp"
#include "pods/status_json.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <algorithm>
#include <array>
#include <vector>

namespace vkhost::pods {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

bool bool_member(const Object& object, const std::string& name) {
  const Var value = object.get(name);
  return value.isBoolean() && value.extract<bool>();
}

// metav1.Time has whole seconds; the API server would cut the rest, and every comparison would then
// find a difference.
void cut_times(Object& object) {
  static const std::array<std::string, 5> names = {"startTime", "startedAt", "finishedAt",
                                                   "lastTransitionTime", "lastProbeTime"};
  for (const auto& [name, value] : object) {
    if (value.type() == typeid(Object::Ptr)) {
      Object::Ptr child = value.extract<Object::Ptr>();
      cut_times(*child);
    } else if (value.type() == typeid(Array::Ptr)) {
      for (const Var& item : *value.extract<Array::Ptr>()) {
        if (item.type() == typeid(Object::Ptr)) {
          Object::Ptr child = item.extract<Object::Ptr>();
          cut_times(*child);
        }
      }
    }
  }
  for (const std::string& name : names) {
    const std::string text = string_member(object, name);
    if (text.find('.') == std::string::npos) {
      continue;
    }
    if (const auto time = parse_time(text)) {
      object.set(name, format_time(*time));
    }
  }
}

struct ContainerFacts {
  bool all_ready = true;
  bool all_terminated = true;
  std::vector<std::string> unready;
};

// Members that v1.ContainerStatus requires or that the API server adds by itself: written as it would,
// so that comparing finds no difference where there is none.
void complete_container(Object& container, bool is_init, const std::string& phase) {
  const Object::Ptr state = container.getObject("state");
  const bool running = !state.isNull() && state->isObject("running");
  Object::Ptr terminated = state.isNull() ? Object::Ptr() : state->getObject("terminated");
  if (!terminated.isNull() && !terminated->has("exitCode")) {
    terminated->set("exitCode", phase == "Succeeded" ? 0 : 137);  // unknown is no success
  }
  const bool done = !terminated.isNull() && text_of(terminated->get("exitCode")) == "0";
  if (!container.has("ready")) {
    container.set("ready", is_init ? done : running);
  }
  if (!container.has("started")) {
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

Status complete_containers(Object& status,
                           const std::string& member,
                           const std::vector<std::string>& names,
                           ContainerFacts* facts) {
  const Array::Ptr list = status.getArray(member);
  if (status.has(member) && list.isNull()) {
    return invalid_argument("status." + member + " is not an array");
  }
  Array::Ptr ordered = new Array;
  for (const std::string& name : names) {
    Object::Ptr found = find_named(list, "name", name);
    if (found.isNull()) {
      facts->all_ready = false;
      facts->all_terminated = false;
      facts->unready.push_back(name);
      continue;
    }
    complete_container(*found, member == "initContainerStatuses", string_member(status, "phase"));
    if (!bool_member(*found, "ready")) {
      facts->all_ready = false;
      facts->unready.push_back(name);
    }
    const Object::Ptr state = found->getObject("state");
    facts->all_terminated =
        facts->all_terminated && !state.isNull() && state->isObject("terminated");
    ordered->add(found);
  }
  if (!list.isNull() && ordered->size() != list->size()) {
    return invalid_argument("status." + member +
                            " names a container that the pod does not have, or one twice");
  }
  if (ordered->size() > 0) {
    status.set(member, ordered);
  }
  return Status::ok();
}

Object::Ptr condition(const std::string& type,
                      bool is_true,
                      const std::string& reason,
                      const std::string& message) {
  Object::Ptr made = new Object;
  made->set("type", type);
  made->set("status", is_true ? "True" : "False");
  if (!reason.empty()) {
    made->set("reason", reason);
  }
  if (!message.empty()) {
    made->set("message", message);
  }
  return made;
}

Object::Ptr find_condition(const Object::Ptr& status, const std::string& type) {
  return find_named(status->getArray("conditions"), "type", type);
}

// What the host says of a pod by its containers, as the kubelet words it.
std::vector<Object::Ptr> host_conditions(const StatusSources& sources,
                                         const Object::Ptr& observed,
                                         const Object::Ptr& api,
                                         const ContainerFacts& facts,
                                         const ContainerFacts& init_facts) {
  const std::string phase = string_member(*observed, "phase");
  const bool finished = phase == "Succeeded" || phase == "Failed";
  const std::string unready = facts.unready.empty() ? std::string()
                                                    : "containers with unready status: [" +
                                                          joined(facts.unready, " ") + "]";
  const std::string reason = phase == "Succeeded"
                                 ? "PodCompleted"
                                 : (phase == "Failed" ? "PodFailed" : "ContainersNotReady");
  const Object::Ptr given = find_condition(observed, "ContainersReady");
  const bool containers_ready = given.isNull() ? phase == "Running" && facts.all_ready
                                               : string_member(*given, "status") == "True";
  const bool initialized = phase == "Running" || phase == "Succeeded" ||
                           sources.pod.init_containers.empty() || init_facts.all_terminated;

  std::vector<std::string> closed_gates;
  for (const std::string& gate : sources.pod.readiness_gates) {
    const Object::Ptr found = find_condition(observed, gate).isNull()
                                  ? find_condition(api, gate)
                                  : find_condition(observed, gate);
    if (found.isNull() || string_member(*found, "status") != "True") {
      closed_gates.push_back(gate);
    }
  }
  std::vector<Object::Ptr> made;
  made.push_back(condition("PodScheduled", true, "", ""));
  made.push_back(initialized ? condition("Initialized", true, "", "")
                             : condition("Initialized", false, "ContainersNotInitialized",
                                         "containers with incomplete status: [" +
                                             joined(init_facts.unready, " ") + "]"));
  made.push_back(containers_ready
                     ? condition("ContainersReady", true, "", "")
                     : condition("ContainersReady", false, reason, finished ? "" : unready));
  if (containers_ready && !closed_gates.empty()) {
    made.push_back(condition("Ready", false, "ReadinessGatesNotReady",
                             "corresponding condition of pod readiness gate \"" +
                                 closed_gates.front() + "\" does not exist or is not \"True\""));
  } else {
    made.push_back(containers_ready ? condition("Ready", true, "", "")
                                    : condition("Ready", false, reason, finished ? "" : unready));
  }
  return made;
}

// Replaces the observed conditions by those that have to be written: the provider's, completed by the
// host's, without the ones that the API server has already.
Array::Ptr changed_conditions(const StatusSources& sources,
                              const Object::Ptr& observed,
                              const Object::Ptr& api,
                              std::vector<Object::Ptr> wanted) {
  const Array::Ptr given = observed->getArray("conditions");
  for (std::size_t i = 0; !given.isNull() && i < given->size(); ++i) {
    Object::Ptr item = given->getObject(static_cast<unsigned>(i));
    if (item.isNull() || string_member(*item, "type").empty()) {
      continue;
    }
    std::erase_if(wanted, [&](const Object::Ptr& made) {
      return string_member(*made, "type") == string_member(*item, "type");
    });
    wanted.push_back(item);
  }
  for (const HostCondition& own : sources.conditions) {
    std::erase_if(
        wanted, [&](const Object::Ptr& made) { return string_member(*made, "type") == own.type; });
    wanted.push_back(condition(own.type, own.is_true, own.reason, own.message));
  }
  Array::Ptr changed = new Array;
  for (Object::Ptr& item : wanted) {
    const Object::Ptr before = find_condition(api, string_member(*item, "type"));
    const bool same_status =
        !before.isNull() && string_member(*before, "status") == string_member(*item, "status");
    if (same_status && string_member(*before, "reason") == string_member(*item, "reason") &&
        string_member(*before, "message") == string_member(*item, "message")) {
      continue;
    }
    if (same_status && before->has("lastTransitionTime")) {
      item->set("lastTransitionTime", before->get("lastTransitionTime"));
    } else if (!item->has("lastTransitionTime")) {
      item->set("lastTransitionTime", format_time(sources.now));
    }
    // A reason that went away has to be removed: a merge keeps what the patch does not name.
    for (const char* member : {"reason", "message"}) {
      if (!before.isNull() && before->has(member) && !item->has(member)) {
        item->set(member, Var());
      }
    }
    changed->add(item);
  }
  return changed;
}

Array::Ptr one_address(const std::string& ip) {
  Array::Ptr list = new Array;
  Object::Ptr entry = new Object;
  entry->set("ip", ip);
  list->add(entry);
  return list;
}

// The API server takes one address once, and the one that stands alone as the first of all.
void put_in_order(Object& observed, const std::string& alone, const std::string& all) {
  const Array::Ptr given = observed.getArray(all);
  if (given.isNull() || given->size() == 0) {
    return;
  }
  const std::string first = string_member(observed, alone);
  Array::Ptr ordered = first.empty() ? Array::Ptr(new Array) : one_address(first);
  for (const Var& item : *given) {
    const bool is_object = item.type() == typeid(Object::Ptr);
    const std::string ip = is_object ? string_member(*item.extract<Object::Ptr>(), "ip") : "";
    if (ip.empty() || find_named(ordered, "ip", ip).isNull()) {
      ordered->add(item);
    }
  }
  observed.set(all, ordered);
}

void complete_addresses(Object& observed, std::string_view host_ip) {
  put_in_order(observed, "podIP", "podIPs");
  put_in_order(observed, "hostIP", "hostIPs");
  const std::string pod_ip = string_member(observed, "podIP");
  const Array::Ptr pod_ips = observed.getArray("podIPs");
  if (!pod_ip.empty() && pod_ips.isNull()) {
    observed.set("podIPs", one_address(pod_ip));
  } else if (pod_ip.empty() && !pod_ips.isNull() && pod_ips->size() > 0) {
    const Object::Ptr first = pod_ips->getObject(0);
    if (!first.isNull()) {
      observed.set("podIP", string_member(*first, "ip"));
    }
  }
  if (!observed.has("hostIP") && !host_ip.empty()) {
    observed.set("hostIP", std::string(host_ip));
  }
  const std::string host = string_member(observed, "hostIP");
  if (!host.empty() && !observed.has("hostIPs")) {
    observed.set("hostIPs", one_address(host));
  }
}

// Lists that a strategic merge joins by `ip`: what is no longer true has to be replaced as a whole.
bool is_merged_by_ip(const std::string& member) {
  return member == "podIPs" || member == "hostIPs";
}

Var as_replacement(const Array::Ptr& list) {
  Array::Ptr replaced = new Array(*list);
  Object::Ptr directive = new Object;
  directive->set("$patch", "replace");
  replaced->add(directive);
  return replaced;
}

// What the API server leaves out of its answers: comparing would find a difference for ever.
bool is_left_out(const Var& value) {
  if (value.type() == typeid(Array::Ptr)) {
    return value.extract<Array::Ptr>()->size() == 0;
  }
  return value.isEmpty() || (value.isString() && value.extract<std::string>().empty()) ||
         (value.isNumeric() && text_of(value) == "0");
}

// Whether the API server has what is wanted.
bool is_same(const Var& wanted, const Var& api) {
  if (wanted.type() == typeid(Object::Ptr) && api.type() == typeid(Object::Ptr)) {
    const Object::Ptr& ours = wanted.extract<Object::Ptr>();
    const Object::Ptr& theirs = api.extract<Object::Ptr>();
    const auto is_met = [](const Object::Ptr& some, const Object::Ptr& other) {
      return std::all_of(some->begin(), some->end(), [&](const auto& member) {
        const Var found = other->get(member.first);
        return (is_left_out(member.second) && is_left_out(found)) || is_same(member.second, found);
      });
    };
    return is_met(ours, theirs) && is_met(theirs, ours);
  }
  if (wanted.type() == typeid(Array::Ptr) && api.type() == typeid(Array::Ptr)) {
    const Array::Ptr& ours = wanted.extract<Array::Ptr>();
    const Array::Ptr& theirs = api.extract<Array::Ptr>();
    return ours->size() == theirs->size() &&
           std::equal(ours->begin(), ours->end(), theirs->begin(), is_same);
  }
  return text_of(wanted) == text_of(api);
}

// Objects merge member by member: what is no longer there has to be removed by name.
Var as_update(const Object::Ptr& wanted, const Object::Ptr& api) {
  Object::Ptr update = new Object;
  for (const auto& [member, value] : *wanted) {
    const Object::Ptr before = api->getObject(member);
    const bool merges = value.type() == typeid(Object::Ptr) && !before.isNull();
    update->set(member, merges ? as_update(value.extract<Object::Ptr>(), before) : value);
  }
  for (const std::string& member : api->getNames()) {
    if (!wanted->has(member)) {
      update->set(member, Var());
    }
  }
  return update;
}

std::string difference(const Object::Ptr& wanted, const Object::Ptr& api) {
  Object patch;
  for (const auto& [member, value] : *wanted) {
    if (value.isEmpty() || (is_left_out(value) && member != "conditions")) {
      // The provider's null, or a member that is no longer true: removed where the API has it.
      if (api->has(member)) {
        patch.set(member, Var());
      }
      continue;
    }
    if (member == "conditions") {
      if (value.extract<Array::Ptr>()->size() > 0) {
        patch.set(member, value);
      }
      continue;
    }
    const Var before = api->get(member);
    if (!before.isEmpty() && is_same(value, before)) {
      continue;
    }
    const bool replace =
        is_merged_by_ip(member) && !before.isEmpty() && value.type() == typeid(Array::Ptr);
    const bool update = value.type() == typeid(Object::Ptr) && before.type() == typeid(Object::Ptr);
    patch.set(member, replace ? as_replacement(value.extract<Array::Ptr>())
                      : update
                          ? as_update(value.extract<Object::Ptr>(), before.extract<Object::Ptr>())
                          : value);
  }
  if (patch.size() == 0) {
    return {};
  }
  return text_of(Var(patch));
}

constexpr std::array<const char*, 3> kContainerLists = {
    "containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"};

// Rule 4: the pod has ended, by the API server's word.
std::string more_detail(const Object::Ptr& observed, const Object::Ptr& api) {
  Object::Ptr wanted = new Object;
  for (const char* member : kContainerLists) {
    const Array::Ptr list = observed->getArray(member);
    if (list.isNull() || list->size() == 0) {
      continue;
    }
    const bool all_terminated = std::all_of(list->begin(), list->end(), [](const Var& item) {
      const Object::Ptr& container = item.extract<Object::Ptr>();
      const Object::Ptr state = container->getObject("state");
      return !state.isNull() && state->isObject("terminated");
    });
    if (all_terminated) {
      wanted->set(member, list);
    }
  }
  return difference(wanted, api);
}

// The provider has said nothing yet that could be used.
Result<std::string> merge_conditions(const StatusSources& sources) {
  if (sources.pod.is_terminal()) {
    return std::string();
  }
  VKHOST_TRY_ASSIGN(const Object::Ptr api,
                    parse_object(sources.pod.status_json(), "the status in the API"));
  Object::Ptr wanted = new Object;
  wanted->set("conditions", changed_conditions(sources, wanted, api, {}));
  return difference(wanted, api);
}

Result<std::string> merge(const StatusSources& sources) {
  if (sources.observed_json.empty() && !sources.conditions.empty()) {
    return merge_conditions(sources);
  }
  VKHOST_TRY_ASSIGN(Object::Ptr observed,
                    parse_object(sources.observed_json, "the provider's status"));
  VKHOST_TRY_ASSIGN(const Object::Ptr api,
                    parse_object(sources.pod.status_json(), "the status in the API"));
  VKHOST_TRY(refuse_unwritable(*observed));
  static const std::array<std::string, 5> phases = {"Pending", "Running", "Succeeded", "Failed",
                                                    "Unknown"};
  const std::string phase = string_member(*observed, "phase");
  if (std::find(phases.begin(), phases.end(), phase) == phases.end()) {
    return invalid_argument("status.phase is \"" + phase +
                            "\"; expected Pending, Running, Succeeded, Failed or Unknown");
  }
  cut_times(*observed);
  ContainerFacts facts;
  ContainerFacts init_facts;
  VKHOST_TRY(complete_containers(*observed, "containerStatuses", sources.pod.containers, &facts));
  VKHOST_TRY(complete_containers(*observed, "initContainerStatuses", sources.pod.init_containers,
                                 &init_facts));
  if (sources.pod.is_terminal()) {
    return more_detail(observed, api);
  }
  complete_addresses(*observed, sources.host_ip);
  const std::string start_time = string_member(*api, "startTime");
  if (!start_time.empty()) {
    observed->set("startTime", start_time);
  } else if (!observed->has("startTime")) {
    observed->set("startTime", format_time(sources.now));
  }
  if (sources.pod.generation > 0) {
    observed->set("observedGeneration", sources.pod.generation);
  }
  for (const char* member : {"reason", "message"}) {
    if (!observed->has(member)) {
      observed->set(member, Var());
    }
  }
  observed->remove("qosClass");  // the API server's own, and immutable
  observed->set("conditions",
                changed_conditions(sources, observed, api,
                                   host_conditions(sources, observed, api, facts, init_facts)));
  return difference(observed, api);
}

}  // namespace

Result<std::string> merge_status(const StatusSources& sources) {
  try {
    return merge(sources);
  } catch (const Poco::Exception& error) {
    // A member of an unexpected type, deep inside the provider's document.
    return invalid_argument("the provider's status cannot be used: " + error.displayText());
  }
}

}  // namespace vkhost::pods
