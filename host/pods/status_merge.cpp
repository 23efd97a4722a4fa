// The rules of merging, in the order in which they are applied:
//
//  1. What the provider says wins, member by member; conditions merge by type.
//  2. The host adds what is absent: conditions from the container statuses, startTime, hostIP, the
//     second form of podIP and podIPs, observedGeneration, fields that v1.ContainerStatus requires.
//  3. startTime is written once. lastTransitionTime changes only when the status of a condition does.
//  4. After Succeeded or Failed only more detail of terminated containers is taken.
//  5. Conditions of the host's own (vkhost.io/Provider, PodResize…) win, until the pod has ended.
//  6. A container has one state: terminated before running before waiting.
//  7. Only members that differ from what the API server has are sent. What the host adds and an older
//     server drops (hostIPs, resources of containers, observedGeneration) is sent along, but is no
//     reason to write; resources are one until they were sent once, as nobody can resize a pod
//     without them. Conditions of others are never touched, as a merge by type leaves alone what the
//     patch does not name; those that the provider no longer reports are removed while the pod lives.
#include "pods/status_merge.hpp"

#include "base/joined.hpp"
#include "kube/json_cut.hpp"
#include "pods/container_statuses.hpp"
#include "pods/status_difference.hpp"
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

// One without a type or a status says nothing; written, it would differ from what is there for ever.
void drop_empty_conditions(Object& observed) {
  const Array::Ptr given = observed.getArray("conditions");
  if (given.isNull()) {
    return;
  }
  Array::Ptr kept = new Array;
  for (const Var& item : *given) {
    if (item.type() == typeid(Object::Ptr) &&
        !string_member(*item.extract<Object::Ptr>(), "type").empty() &&
        !string_member(*item.extract<Object::Ptr>(), "status").empty()) {
      kept->add(item);
    }
  }
  observed.set("conditions", kept);
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
  const bool initialized = phase == "Running" || phase == "Succeeded" || init_facts.all_done;

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

// Conditions that have to go, each as a directive of the patch.
void add_removals(const std::vector<std::string>& types,
                  const Object::Ptr& api,
                  const std::vector<Object::Ptr>& wanted,
                  Array::Ptr changed) {
  for (const std::string& type : types) {
    const bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [&](const Object::Ptr& item) {
      return string_member(*item, "type") == type;
    });
    if (!is_wanted && !find_condition(api, type).isNull()) {
      Object::Ptr removal = new Object;
      removal->set("$patch", "delete");
      removal->set("type", type);
      changed->add(removal);
    }
  }
}

bool is_same_generation(const Object& wanted, const Object& before) {
  return !wanted.has("observedGeneration") || !before.has("observedGeneration") ||
         text_of(wanted.get("observedGeneration")) == text_of(before.get("observedGeneration"));
}

// Replaces the observed conditions by those that have to be written: the provider's, completed by the
// host's, without the ones that the API server has already.
Array::Ptr changed_conditions(const StatusSources& sources,
                              const Object::Ptr& observed,
                              const Object::Ptr& api,
                              std::vector<Object::Ptr> wanted) {
  const std::int64_t generation = sources.generation.value_or(sources.pod.generation);
  const auto set_generation = [](Object& item, std::int64_t value) {
    if (value > 0) {
      item.set("observedGeneration", value);
    }
  };
  for (Object::Ptr& made : wanted) {
    set_generation(*made, generation);
  }
  const Array::Ptr given = observed->getArray("conditions");
  for (std::size_t i = 0; !given.isNull() && i < given->size(); ++i) {
    Object::Ptr item = given->getObject(static_cast<unsigned>(i));
    std::erase_if(wanted, [&](const Object::Ptr& made) {
      return string_member(*made, "type") == string_member(*item, "type");
    });
    wanted.push_back(item);
  }
  for (const HostCondition& own : sources.conditions) {
    std::erase_if(
        wanted, [&](const Object::Ptr& made) { return string_member(*made, "type") == own.type; });
    wanted.push_back(condition(own.type, own.is_true, own.reason, own.message));
    set_generation(*wanted.back(), own.generation > 0 ? own.generation : generation);
  }
  const ResizeConditions resize = resize_conditions(sources.pod, sources.resize, api, *observed);
  std::vector<std::string> dropped = sources.dropped;
  dropped.insert(dropped.end(), resize.unwanted.begin(), resize.unwanted.end());
  if (!resize.wanted.empty()) {
    wanted.push_back(condition(resize.wanted, true, resize.reason, resize.message));
    set_generation(*wanted.back(), resize.generation);
  }
  Array::Ptr changed = new Array;
  for (Object::Ptr& item : wanted) {
    const Object::Ptr before = find_condition(api, string_member(*item, "type"));
    const bool same_status =
        !before.isNull() && string_member(*before, "status") == string_member(*item, "status");
    if (same_status && string_member(*before, "reason") == string_member(*item, "reason") &&
        string_member(*before, "message") == string_member(*item, "message") &&
        is_same_generation(*item, *before)) {
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
  add_removals(dropped, api, wanted, changed);
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
  return status_difference(wanted, api);
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
  return status_difference(wanted, api);
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
  drop_empty_conditions(*observed);
  ContainerFacts facts;
  ContainerFacts init_facts;
  VKHOST_TRY(complete_regular(*observed, sources.pod, &facts));
  VKHOST_TRY(complete_init(*observed, sources.pod, &facts, &init_facts));
  VKHOST_TRY(complete_ephemeral(*observed, sources.pod, sources.ephemeral_refusal));
  if (sources.pod.is_terminal()) {
    complete_resources(sources.pod, sources.resize, api, *observed);
    return more_detail(observed, api);
  }
  complete_addresses(*observed, sources.host_ip);
  const std::string start_time = string_member(*api, "startTime");
  if (!start_time.empty()) {
    observed->set("startTime", start_time);
  } else if (!observed->has("startTime")) {
    observed->set("startTime", format_time(sources.now));
  }
  observed->remove("observedGeneration");  // the host's word
  if (const auto generation = sources.generation.value_or(sources.pod.generation); generation > 0) {
    observed->set("observedGeneration", generation);
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
  complete_resources(sources.pod, sources.resize, api, *observed);
  return status_difference(observed, api, sources.resize.is_due);
}

bool is_standard(std::string_view type) {
  return type == "PodScheduled" || type == "Initialized" || type == "ContainersReady" ||
         type == "Ready";
}

}  // namespace

std::vector<std::string> provider_conditions(std::string_view status_json) {
  std::vector<std::string> types;
  kube::JsonElements elements(status_json.empty() ? status_json
                                                  : kube::find_member(status_json, "conditions"));
  std::string_view element;
  while (elements.next(element)) {
    const std::string_view type = kube::plain_string(kube::find_member(element, "type"));
    if (!type.empty() && !is_standard(type)) {
      types.emplace_back(type);
    }
  }
  return types;
}

std::vector<std::string> provider_conditions(std::string_view status_json,
                                             const std::vector<std::string>& prefixes) {
  if (prefixes.empty()) {
    return {};
  }
  std::vector<std::string> types = provider_conditions(status_json);
  std::erase_if(types, [&](const std::string& type) {
    return type.starts_with("vkhost.io/") ||
           std::none_of(prefixes.begin(), prefixes.end(),
                        [&](const std::string& prefix) { return type.starts_with(prefix); });
  });
  return types;
}

Result<std::string> merge_status(const StatusSources& sources) {
  try {
    return merge(sources);
  } catch (const Poco::Exception& error) {
    // A member of an unexpected type, deep inside the provider's document.
    return invalid_argument("the provider's status cannot be used: " + error.displayText());
  }
}

}  // namespace vkhost::pods
