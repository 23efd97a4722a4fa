// Conditions carry heartbeats, so a patch is never empty; addresses are replaced as a whole, since a
// merge by type would fold the two families of a dual-stack node into one.
#include "node/node_object.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <array>
#include <set>
#include <sstream>
#include <type_traits>

namespace vkhost::node {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr const char* kOwnedAnnotation = "vkhost.io/owned-node-metadata";

Result<Object::Ptr> parse_object(std::string_view text, const std::string& what) {
  if (text.empty()) {
    return Object::Ptr(new Object);
  }
  try {
    Poco::JSON::Parser parser;
    const Var parsed = parser.parse(std::string(text));
    if (parsed.type() == typeid(Object::Ptr)) {
      return parsed.extract<Object::Ptr>();
    }
    return invalid_argument(what + " is not a JSON object");
  } catch (const Poco::Exception& error) {
    return invalid_argument(what + " is not JSON: " + error.displayText());
  }
}

// The member as an object, an empty one when it is absent or something else.
Object::Ptr object_member(const Object::Ptr& parent, const std::string& name) {
  const Object::Ptr member = parent->getObject(name);
  return member.isNull() ? Object::Ptr(new Object) : member;
}

Array::Ptr array_member(const Object::Ptr& parent, const std::string& name) {
  const Array::Ptr member = parent->getArray(name);
  return member.isNull() ? Array::Ptr(new Array) : member;
}

std::string string_member(const Object::Ptr& object, const std::string& name) {
  const Var value = object->get(name);
  return value.isString() ? value.extract<std::string>() : std::string();
}

std::string text_of(const Object::Ptr& object) {
  std::ostringstream out;
  object->stringify(out);
  return out.str();
}

Object::Ptr as_object(const std::map<std::string, std::string>& values) {
  Object::Ptr object = new Object;
  for (const auto& [name, value] : values) {
    object->set(name, value);
  }
  return object;
}

void overlay(Object::Ptr base, const Object::Ptr& over) {
  for (const auto& [name, value] : *over) {
    base->set(name, value);
  }
}

Object::Ptr wanted_labels(const NodeSources& sources, const Object::Ptr& provider_node) {
  const Settings& settings = sources.settings;
  std::map<std::string, std::string> own = {
      {"type", "virtual-kubelet"},
      {"kubernetes.io/hostname", settings.name},
      {"kubernetes.io/os", settings.operating_system},
      {"kubernetes.io/arch", settings.architecture},
      {"node.kubernetes.io/exclude-from-external-load-balancers", "true"},
  };
  if (!settings.is_node_identity) {
    own["kubernetes.io/role"] = "agent";  // a node may not give itself a role
  }
  Object::Ptr labels = as_object(own);
  overlay(labels, object_member(object_member(provider_node, "metadata"), "labels"));
  overlay(labels, as_object(settings.labels));
  return labels;
}

Object::Ptr wanted_annotations(const NodeSources& sources, const Object::Ptr& provider_node) {
  Object::Ptr annotations = new Object;
  overlay(annotations, object_member(object_member(provider_node, "metadata"), "annotations"));
  overlay(annotations, as_object(sources.settings.annotations));
  return annotations;
}

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

Object::Ptr find_by_type(const Array::Ptr& list, const std::string& type) {
  for (std::size_t i = 0; i < list->size(); ++i) {
    Object::Ptr item = list->getObject(static_cast<unsigned>(i));
    if (!item.isNull() && string_member(item, "type") == type) {
      return item;
    }
  }
  return {};
}

// With its heartbeat, and with the time of its last change.
Object::Ptr stamped(Object::Ptr condition, const Array::Ptr& before, WallTime now) {
  const Object::Ptr old = find_by_type(before, string_member(condition, "type"));
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
  const Array::Ptr given = array_member(provider_status, "conditions");
  for (std::size_t i = 0; i < given->size(); ++i) {
    Object::Ptr item = given->getObject(static_cast<unsigned>(i));
    if (item.isNull() || string_member(item, "type").empty()) {
      continue;
    }
    const bool is_ready = string_member(item, "type") == "Ready";
    if (is_ready && (!sources.readiness.ready || string_member(item, "status") == "True")) {
      continue;
    }
    std::erase_if(wanted, [&](const Object::Ptr& made) {
      return string_member(made, "type") == string_member(item, "type");
    });
    wanted.push_back(item);
  }
  Array::Ptr conditions = new Array;
  for (const Object::Ptr& condition : wanted) {
    conditions->add(stamped(condition, before, sources.now));
  }
  return conditions;
}

Object::Ptr wanted_capacity(const Settings& settings, const Object::Ptr& given) {
  Object::Ptr capacity = new Object;
  overlay(capacity, object_member(given, "capacity"));
  overlay(capacity, as_object(settings.capacity));
  return capacity;
}

Object::Ptr wanted_allocatable(const Settings& settings, const Object::Ptr& given) {
  Object::Ptr allocatable = wanted_capacity(settings, given);
  overlay(allocatable, object_member(given, "allocatable"));
  overlay(allocatable, as_object(settings.capacity));
  overlay(allocatable, as_object(settings.allocatable));
  return allocatable;
}

Object::Ptr wanted_status(const NodeSources& sources,
                          const Object::Ptr& provider_node,
                          const Array::Ptr& conditions_before) {
  const Settings& settings = sources.settings;
  const Object::Ptr given = object_member(provider_node, "status");
  Object::Ptr status = new Object;
  status->set("capacity", wanted_capacity(settings, given));
  status->set("allocatable", wanted_allocatable(settings, given));

  Object::Ptr info = new Object;
  for (const char* required : {"machineID", "systemUUID", "bootID", "kernelVersion", "osImage",
                               "containerRuntimeVersion", "kubeProxyVersion"}) {
    info->set(required, std::string());
  }
  info->set("containerRuntimeVersion", "vkhost://" + settings.provider);
  overlay(info, object_member(given, "nodeInfo"));
  info->set("kubeletVersion", settings.kubelet_version);
  info->set("operatingSystem", settings.operating_system);
  info->set("architecture", settings.architecture);
  status->set("nodeInfo", info);

  Array::Ptr addresses = new Array;
  for (const Address& address : settings.addresses) {
    Object::Ptr item = new Object;
    item->set("type", address.type);
    item->set("address", address.address);
    addresses->add(item);
  }
  if (addresses->size() == 0) {
    addresses = array_member(given, "addresses");
  }
  status->set("addresses", addresses);

  Object::Ptr port = new Object;
  port->set("Port", static_cast<int>(settings.kubelet_port));
  Object::Ptr endpoints = new Object;
  endpoints->set("kubeletEndpoint", port);
  status->set("daemonEndpoints", endpoints);
  status->set("conditions", wanted_conditions(sources, given, conditions_before));
  return status;
}

Array::Ptr wanted_taints(const NodeSources& sources, const Object::Ptr& provider_node) {
  if (!sources.settings.taints) {
    return array_member(object_member(provider_node, "spec"), "taints");
  }
  Array::Ptr taints = new Array;
  for (const Taint& taint : *sources.settings.taints) {
    Object::Ptr item = new Object;
    item->set("key", taint.key);
    if (!taint.value.empty()) {
      item->set("value", taint.value);
    }
    item->set("effect", taint.effect);
    taints->add(item);
  }
  return taints;
}

std::string owned_keys(const Object::Ptr& labels, const Object::Ptr& annotations) {
  Object::Ptr owned = new Object;
  Array::Ptr label_names = new Array;
  Array::Ptr annotation_names = new Array;
  for (const std::string& name : labels->getNames()) {
    label_names->add(name);
  }
  for (const std::string& name : annotations->getNames()) {
    annotation_names->add(name);
  }
  owned->set("labels", label_names);
  owned->set("annotations", annotation_names);
  return text_of(owned);
}

// Null for each name that we wrote once and no longer want.
void remove_unwanted(Object::Ptr wanted, const Array::Ptr& written_before) {
  for (std::size_t i = 0; i < written_before->size(); ++i) {
    const Var name = written_before->get(static_cast<unsigned>(i));
    if (name.isString() && !wanted->has(name.extract<std::string>())) {
      wanted->set(name.extract<std::string>(), Var());
    }
  }
}

// Only what differs, so that a patch without news is small.
Object::Ptr changed_members(const Object::Ptr& wanted, const Object::Ptr& before) {
  Object::Ptr changed = new Object;
  for (const auto& [name, value] : *wanted) {
    const Var old = before->get(name);
    std::ostringstream left;
    std::ostringstream right;
    Poco::JSON::Stringifier::stringify(value, left);
    Poco::JSON::Stringifier::stringify(old, right);
    if (left.str() != right.str()) {
      changed->set(name, value);
    }
  }
  return changed;
}

Result<std::string> make_node(const NodeSources& sources) {
  VKHOST_TRY_ASSIGN(const Object::Ptr provider_node,
                    parse_object(sources.provider_json, "the provider's node"));
  const Object::Ptr labels = wanted_labels(sources, provider_node);
  Object::Ptr annotations = wanted_annotations(sources, provider_node);
  annotations->set(kOwnedAnnotation, owned_keys(labels, annotations));
  Object::Ptr metadata = new Object;
  metadata->set("name", sources.settings.name);
  metadata->set("labels", labels);
  metadata->set("annotations", annotations);
  Object::Ptr spec = new Object;
  const Array::Ptr taints = wanted_taints(sources, provider_node);
  if (taints->size() > 0) {
    spec->set("taints", taints);
  }
  const std::string provider_id =
      sources.settings.provider_id.empty()
          ? string_member(object_member(provider_node, "spec"), "providerID")
          : sources.settings.provider_id;
  if (!provider_id.empty()) {
    spec->set("providerID", provider_id);
  }
  Object::Ptr node = new Object;
  node->set("apiVersion", "v1");
  node->set("kind", "Node");
  node->set("metadata", metadata);
  node->set("spec", spec);
  node->set("status", wanted_status(sources, provider_node, new Array));
  return text_of(node);
}

Result<std::string> make_patch(const NodeSources& sources, std::string_view api_json) {
  VKHOST_TRY_ASSIGN(const Object::Ptr provider_node,
                    parse_object(sources.provider_json, "the provider's node"));
  VKHOST_TRY_ASSIGN(const Object::Ptr api, parse_object(api_json, "the node in the API"));
  const Object::Ptr api_metadata = object_member(api, "metadata");
  const Object::Ptr api_annotations = object_member(api_metadata, "annotations");
  const auto owned = parse_object(string_member(api_annotations, kOwnedAnnotation), "owned names");
  const Object::Ptr owned_before = owned.is_ok() ? *owned : Object::Ptr(new Object);

  const Object::Ptr labels = wanted_labels(sources, provider_node);
  Object::Ptr annotations = wanted_annotations(sources, provider_node);
  annotations->set(kOwnedAnnotation,
                   owned_keys(labels, wanted_annotations(sources, provider_node)));
  remove_unwanted(labels, array_member(owned_before, "labels"));
  remove_unwanted(annotations, array_member(owned_before, "annotations"));

  const Object::Ptr api_status = object_member(api, "status");
  const Object::Ptr wanted =
      wanted_status(sources, provider_node, array_member(api_status, "conditions"));
  Object::Ptr status = changed_members(wanted, api_status);
  if (status->has("addresses")) {
    Array::Ptr replaced = new Array(*status->getArray("addresses"));
    Object::Ptr directive = new Object;
    directive->set("$patch", "replace");
    replaced->add(directive);
    status->set("addresses", replaced);
  }
  Object::Ptr metadata = new Object;
  metadata->set("labels", changed_members(labels, object_member(api_metadata, "labels")));
  metadata->set("annotations", changed_members(annotations, api_annotations));
  Object::Ptr patch = new Object;
  patch->set("metadata", metadata);
  patch->set("status", status);
  return text_of(patch);
}

Object::Ptr owner_reference(const LeaseSources& sources) {
  Object::Ptr owner = new Object;
  owner->set("apiVersion", "v1");
  owner->set("kind", "Node");
  owner->set("name", std::string(sources.node_name));
  owner->set("uid", std::string(sources.node_uid));
  return owner;
}

void fill_lease(Object::Ptr lease, const LeaseSources& sources) {
  Object::Ptr metadata = object_member(lease, "metadata");
  metadata->set("name", std::string(sources.node_name));
  metadata->set("namespace", "kube-node-lease");
  metadata->remove("managedFields");
  Array::Ptr owners = new Array;
  owners->add(owner_reference(sources));
  metadata->set("ownerReferences", owners);
  Object::Ptr spec = object_member(lease, "spec");
  spec->set("holderIdentity", std::string(sources.node_name));
  spec->set("leaseDurationSeconds",
            std::chrono::duration_cast<std::chrono::seconds>(sources.duration).count());
  spec->set("renewTime", format_micro_time(sources.now));
  lease->set("metadata", metadata);
  lease->set("spec", spec);
}

// A document of a form that nobody expects throws deep inside; it is the document's fault.
template <typename Function>
std::invoke_result_t<Function> translated(const std::string& what, Function&& function) {
  try {
    return function();
  } catch (const Poco::Exception& error) {
    return invalid_argument(what + " cannot be used: " + error.displayText());
  }
}

}  // namespace

Result<std::string> name_from_provider(std::string_view provider_json) {
  return translated("the provider's node", [&]() -> Result<std::string> {
    VKHOST_TRY_ASSIGN(const Object::Ptr node, parse_object(provider_json, "the provider's node"));
    return string_member(object_member(node, "metadata"), "name");
  });
}

Result<std::string> new_node(const NodeSources& sources) {
  return translated("the provider's node", [&] { return make_node(sources); });
}

Result<std::string> node_patch(const NodeSources& sources, std::string_view api_json) {
  return translated("the provider's node or that of the API",
                    [&] { return make_patch(sources, api_json); });
}

Result<std::string> readiness_patch(const NodeSources& sources, std::string_view api_json) {
  return translated("the node in the API", [&]() -> Result<std::string> {
    VKHOST_TRY_ASSIGN(const Object::Ptr api, parse_object(api_json, "the node in the API"));
    Array::Ptr conditions = new Array;
    conditions->add(stamped(ready_condition(sources.readiness),
                            array_member(object_member(api, "status"), "conditions"), sources.now));
    Object::Ptr status = new Object;
    status->set("conditions", conditions);
    Object::Ptr patch = new Object;
    patch->set("status", status);
    return text_of(patch);
  });
}

Result<std::optional<std::string>> allocatable_of(const NodeSources& sources,
                                                  const std::string& resource) {
  return translated("the provider's node", [&]() -> Result<std::optional<std::string>> {
    VKHOST_TRY_ASSIGN(const Object::Ptr provider_node,
                      parse_object(sources.provider_json, "the provider's node"));
    const Var quantity =
        wanted_allocatable(sources.settings, object_member(provider_node, "status"))->get(resource);
    return quantity.isEmpty() ? std::optional<std::string>() : quantity.toString();
  });
}

std::string new_lease(const LeaseSources& sources) {
  Object::Ptr lease = new Object;
  lease->set("apiVersion", "coordination.k8s.io/v1");
  lease->set("kind", "Lease");
  fill_lease(lease, sources);
  return text_of(lease);
}

Result<std::string> renewed_lease(const LeaseSources& sources, std::string_view present_json) {
  return translated("the lease in the API", [&]() -> Result<std::string> {
    VKHOST_TRY_ASSIGN(const Object::Ptr lease, parse_object(present_json, "the lease in the API"));
    fill_lease(lease, sources);
    return text_of(lease);
  });
}

Result<std::string> uid_of(std::string_view object_json) {
  return translated("the object", [&]() -> Result<std::string> {
    VKHOST_TRY_ASSIGN(const Object::Ptr object, parse_object(object_json, "the object"));
    return string_member(object_member(object, "metadata"), "uid");
  });
}

}  // namespace vkhost::node
