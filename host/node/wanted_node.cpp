#include "node/wanted_node.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace vkhost::node {
namespace {

constexpr std::array<std::string_view, 5> kStandardConditions = {
    "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable", "Ready"};

// Names of nodes may be longer than values of labels.
constexpr std::size_t kLongestLabel = 63;

std::string architecture(const Settings& settings, const Object::Ptr& provider_node) {
  if (!settings.architecture.empty()) {
    return settings.architecture;
  }
  const std::string given = string_member(
      object_member(object_member(provider_node, "status"), "nodeInfo"), "architecture");
  return given.empty() ? settings.machine_architecture : given;
}

// ---- Labels and annotations

Object::Ptr all_labels(const NodeSources& sources, const Object::Ptr& provider_node) {
  const Settings& settings = sources.settings;
  const std::string machine = architecture(settings, provider_node);
  Object::Ptr labels = as_object({
      {"type", "virtual-kubelet"},
      {"kubernetes.io/hostname", settings.name},
      {"kubernetes.io/os", settings.operating_system},
      {"kubernetes.io/arch", machine},
      {"beta.kubernetes.io/os", settings.operating_system},
      {"beta.kubernetes.io/arch", machine},
      {"kubernetes.io/role", "agent"},
      // Two spellings of the same: cloud load balancers send nothing to this node.
      {"node.kubernetes.io/exclude-from-external-load-balancers", "true"},
      {"alpha.service-controller.kubernetes.io/exclude-balancer", "true"},
  });
  if (settings.name.size() > kLongestLabel) {
    labels->remove("kubernetes.io/hostname");
  }
  overlay(labels, object_member(object_member(provider_node, "metadata"), "labels"));
  overlay(labels, as_object(settings.labels));
  return labels;
}

bool is_in_domain(std::string_view domain, std::string_view parent) {
  return domain == parent || (domain.size() > parent.size() && domain.ends_with(parent) &&
                              domain[domain.size() - parent.size() - 1] == '.');
}

Object::Ptr wanted_labels(const NodeSources& sources, const Object::Ptr& provider_node) {
  Object::Ptr labels = all_labels(sources, provider_node);
  if (sources.settings.is_node_identity) {
    for (const std::string& name : labels->getNames()) {
      if (is_refused_of_a_node(name)) {
        labels->remove(name);
      }
    }
  }
  return labels;
}

Object::Ptr wanted_annotations(const NodeSources& sources, const Object::Ptr& provider_node) {
  Object::Ptr annotations = new Object;
  overlay(annotations, object_member(object_member(provider_node, "metadata"), "annotations"));
  overlay(annotations, as_object(sources.settings.annotations));
  return annotations;
}

// ---- Conditions

Object::Ptr make_condition(const std::string& type,
                           const std::string& status,
                           const std::string& reason,
                           const std::string& message) {
  Object::Ptr condition = new Object;
  condition->set("type", type);
  condition->set("status", status);
  condition->set("reason", reason);
  condition->set("message", message);
  return condition;
}

// With its heartbeat, and with the time of its last change.
Object::Ptr stamped(Object::Ptr condition, const Array::Ptr& before, WallTime now) {
  const Object::Ptr old = find_in(before, "type", string_member(condition, "type"));
  const bool unchanged =
      !old.isNull() && string_member(old, "status") == string_member(condition, "status");
  condition->set("lastHeartbeatTime", format_time(now));
  condition->set("lastTransitionTime", unchanged && old->has("lastTransitionTime")
                                           ? old->get("lastTransitionTime")
                                           : Var(format_time(now)));
  return condition;
}

Object::Ptr ready_condition(const Readiness& readiness) {
  return make_condition("Ready", readiness.ready ? "True" : "False", readiness.reason,
                        readiness.message);
}

// The provider's conditions win over the host's, Ready excepted: that is the host's to say, unless
// the provider says it is not.
Array::Ptr wanted_conditions(const NodeSources& sources,
                             const Object::Ptr& provider_status,
                             const Array::Ptr& before) {
  std::vector<Object::Ptr> wanted = {
      make_condition("MemoryPressure", "False", "KubeletHasSufficientMemory",
                     "kubelet has sufficient memory available"),
      make_condition("DiskPressure", "False", "KubeletHasNoDiskPressure",
                     "kubelet has no disk pressure"),
      make_condition("PIDPressure", "False", "KubeletHasSufficientPID",
                     "kubelet has sufficient PID available"),
      make_condition("NetworkUnavailable", "False", "RouteCreated",
                     "RouteController created a route"),
      ready_condition(sources.readiness),
  };
  for_each_object(array_member(provider_status, "conditions"), [&](const Object::Ptr& given) {
    const std::string type = string_member(given, "type");
    const bool is_ready = type == "Ready";
    if (type.empty() ||
        (is_ready && (!sources.readiness.ready || string_member(given, "status") == "True"))) {
      return;
    }
    std::erase_if(wanted,
                  [&](const Object::Ptr& made) { return string_member(made, "type") == type; });
    wanted.push_back(given);
  });
  Array::Ptr conditions = new Array;
  for (const Object::Ptr& condition : wanted) {
    conditions->add(stamped(condition, before, sources.now));
  }
  return conditions;
}

// ---- The rest of the status

Object::Ptr wanted_capacity(const Settings& settings, const Object::Ptr& given) {
  Object::Ptr capacity = new Object;
  overlay(capacity, object_member(given, "capacity"));
  overlay(capacity, as_object(settings.capacity));
  return capacity;
}

Object::Ptr wanted_info(const Settings& settings, const Object::Ptr& provider_node) {
  Object::Ptr info = new Object;
  for (const char* required : {"machineID", "systemUUID", "bootID", "kernelVersion", "osImage",
                               "containerRuntimeVersion", "kubeProxyVersion"}) {
    info->set(required, std::string());
  }
  info->set("containerRuntimeVersion", "vkhost://" + settings.provider);
  overlay(info, object_member(object_member(provider_node, "status"), "nodeInfo"));
  info->set("kubeletVersion", settings.kubelet_version);
  info->set("operatingSystem", settings.operating_system);
  info->set("architecture", architecture(settings, provider_node));
  return info;
}

Array::Ptr wanted_addresses(const Settings& settings, const Object::Ptr& given) {
  if (settings.addresses.empty()) {
    return array_member(given, "addresses");
  }
  Array::Ptr addresses = new Array;
  for (const Address& address : settings.addresses) {
    addresses->add(as_object({{"type", address.type}, {"address", address.address}}));
  }
  return addresses;
}

Object::Ptr wanted_status(const NodeSources& sources,
                          const Object::Ptr& provider_node,
                          const Array::Ptr& conditions_before) {
  const Settings& settings = sources.settings;
  const Object::Ptr given = object_member(provider_node, "status");
  Object::Ptr port = new Object;
  port->set("Port", static_cast<int>(settings.kubelet_port));
  Object::Ptr endpoints = new Object;
  endpoints->set("kubeletEndpoint", port);
  Object::Ptr status = new Object;
  status->set("capacity", wanted_capacity(settings, given));
  status->set("allocatable", wanted_allocatable(settings, given));
  status->set("nodeInfo", wanted_info(settings, provider_node));
  status->set("addresses", wanted_addresses(settings, given));
  status->set("daemonEndpoints", endpoints);
  status->set("conditions", wanted_conditions(sources, given, conditions_before));
  return status;
}

// ---- Spec

Array::Ptr as_array(const std::vector<Taint>& taints) {
  Array::Ptr list = new Array;
  for (const Taint& taint : taints) {
    Object::Ptr item = as_object({{"key", taint.key}, {"effect", taint.effect}});
    if (!taint.value.empty()) {
      item->set("value", taint.value);
    }
    list->add(item);
  }
  return list;
}

// The API server takes one taint of a key and an effect.
Array::Ptr wanted_taints(const Settings& settings, const Object::Ptr& provider_node) {
  const Array::Ptr given = settings.taints
                               ? as_array(*settings.taints)
                               : array_member(object_member(provider_node, "spec"), "taints");
  Array::Ptr taints = new Array;
  std::set<std::pair<std::string, std::string>> seen;
  for_each_object(given, [&](const Object::Ptr& taint) {
    if (seen.emplace(string_member(taint, "key"), string_member(taint, "effect")).second) {
      taints->add(taint);
    }
  });
  return taints;
}

Array::Ptr keys_of(const Array::Ptr& taints) {
  std::set<std::string> keys;
  for_each_object(taints,
                  [&](const Object::Ptr& taint) { keys.insert(string_member(taint, "key")); });
  Array::Ptr list = new Array;
  for (const std::string& key : keys) {
    list->add(key);
  }
  return list;
}

void set_if_any(Object::Ptr object, const std::string& name, const Array::Ptr& list) {
  if (list->size() > 0) {
    object->set(name, list);
  }
}

}  // namespace

// As the admission plugin NodeRestriction decides about a node that writes about itself.
bool is_refused_of_a_node(const std::string& label) {
  static const std::set<std::string, std::less<>> kAllowed = {
      "kubernetes.io/hostname",
      "kubernetes.io/os",
      "kubernetes.io/arch",
      "beta.kubernetes.io/os",
      "beta.kubernetes.io/arch",
      "beta.kubernetes.io/instance-type",
      "node.kubernetes.io/instance-type",
      "failure-domain.beta.kubernetes.io/zone",
      "failure-domain.beta.kubernetes.io/region",
      "topology.kubernetes.io/zone",
      "topology.kubernetes.io/region",
  };
  const std::size_t slash = label.find('/');
  if (slash == std::string::npos || kAllowed.contains(label)) {
    return false;
  }
  const std::string_view domain = std::string_view(label).substr(0, slash);
  if (is_in_domain(domain, "kubelet.kubernetes.io") || is_in_domain(domain, "node.kubernetes.io")) {
    return false;
  }
  return is_in_domain(domain, "kubernetes.io") || is_in_domain(domain, "k8s.io");
}

Object::Ptr wanted_allocatable(const Settings& settings, const Object::Ptr& provider_status) {
  Object::Ptr allocatable = wanted_capacity(settings, provider_status);
  overlay(allocatable, object_member(provider_status, "allocatable"));
  overlay(allocatable, as_object(settings.capacity));
  overlay(allocatable, as_object(settings.allocatable));
  return allocatable;
}

Object::Ptr wanted_ready(const NodeSources& sources, const Array::Ptr& before) {
  return stamped(ready_condition(sources.readiness), before, sources.now);
}

WantedNode wanted_node(const NodeSources& sources,
                       const Object::Ptr& provider_node,
                       const Array::Ptr& before) {
  WantedNode wanted;
  wanted.labels = wanted_labels(sources, provider_node);
  wanted.annotations = wanted_annotations(sources, provider_node);
  wanted.taints = wanted_taints(sources.settings, provider_node);
  wanted.startup_taints = as_array(sources.settings.startup_taints);
  wanted.provider_id = sources.settings.provider_id.empty()
                           ? string_member(object_member(provider_node, "spec"), "providerID")
                           : sources.settings.provider_id;
  wanted.status = wanted_status(sources, provider_node, before);
  return wanted;
}

std::string owned_names(const WantedNode& wanted) {
  Object::Ptr resources = new Object;
  overlay(resources, object_member(wanted.status, "capacity"));
  overlay(resources, object_member(wanted.status, "allocatable"));
  Array::Ptr conditions = new Array;
  for_each_object(array_member(wanted.status, "conditions"), [&](const Object::Ptr& condition) {
    const std::string type = string_member(condition, "type");
    if (std::find(kStandardConditions.begin(), kStandardConditions.end(), type) ==
        kStandardConditions.end()) {
      conditions->add(type);
    }
  });
  Object::Ptr owned = new Object;
  owned->set("labels", names_of(wanted.labels));
  owned->set("annotations", names_of(wanted.annotations));
  set_if_any(owned, "resources", names_of(resources));
  set_if_any(owned, "conditions", conditions);
  set_if_any(owned, "taints", keys_of(wanted.taints));
  return text_of(owned);
}

std::vector<std::string> refused_labels(const NodeSources& sources,
                                        const Object::Ptr& provider_node) {
  std::vector<std::string> refused;
  if (sources.settings.is_node_identity) {
    Object::Ptr asked = new Object;  // the host's own are left out without a word
    overlay(asked, object_member(object_member(provider_node, "metadata"), "labels"));
    overlay(asked, as_object(sources.settings.labels));
    for (const std::string& name : asked->getNames()) {
      if (is_refused_of_a_node(name)) {
        refused.push_back(name);
      }
    }
  }
  return refused;
}

}  // namespace vkhost::node
