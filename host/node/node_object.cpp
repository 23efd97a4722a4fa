// Conditions carry heartbeats, so a patch of the status is never empty. Addresses are replaced as a
// whole, since a merge by type would fold the two families of a dual-stack node into one. Taints are
// one list for everybody, so their patch holds only for the version that was read.
#include "node/node_object.hpp"

#include "kube/quantity.hpp"
#include "node/node_json.hpp"
#include "node/wanted_node.hpp"

#include <cmath>
#include <utility>

namespace vkhost::node {
namespace {

constexpr const char* kOwnedAnnotation = "vkhost.io/owned-node-metadata";

// The node in the API, and what of it this daemon wrote.
struct PresentNode {
  Object::Ptr metadata;
  Object::Ptr annotations;
  Object::Ptr spec;
  Object::Ptr status;
  Array::Ptr conditions;
  Object::Ptr owned;
};

Result<PresentNode> read_present(std::string_view api_json) {
  VKHOST_TRY_ASSIGN(const Object::Ptr api, parse_object(api_json, "the node in the API"));
  PresentNode present;
  present.metadata = object_member(api, "metadata");
  present.annotations = object_member(present.metadata, "annotations");
  present.spec = object_member(api, "spec");
  present.status = object_member(api, "status");
  present.conditions = array_member(present.status, "conditions");
  const auto owned =
      parse_object(string_member(present.annotations, kOwnedAnnotation), "owned names");
  present.owned = owned.is_ok() ? *owned : Object::Ptr(new Object);
  return present;
}

// What is not read as it was written would be written again and again.
bool is_writable(double number) {
  return std::isfinite(number) && !(number == 0 && std::signbit(number));
}

// A null says nothing, and would be written again and again. A name that begins with '$' is an order
// once it stands in a patch.
Status clean(Object::Ptr object) {
  for (const std::string& name : object->getNames()) {
    if (name.starts_with('$')) {
      return invalid_argument("the provider's node: a node has no member \"" + name + "\"");
    }
    const Var value = object->get(name);
    if (value.type() == typeid(double) && !is_writable(value.extract<double>())) {
      return invalid_argument("the provider's node: the number \"" + name +
                              "\" cannot be written as it is");
    }
    if (value.isEmpty()) {
      object->remove(name);
    } else if (value.type() == typeid(Object::Ptr)) {
      VKHOST_TRY(clean(value.extract<Object::Ptr>()));
    } else if (value.type() == typeid(Array::Ptr)) {
      for (const Var& item : *value.extract<Array::Ptr>()) {
        if (item.type() == typeid(Object::Ptr)) {
          VKHOST_TRY(clean(item.extract<Object::Ptr>()));
        }
      }
    }
  }
  return Status::ok();
}

Result<Object::Ptr> read_provider(const NodeSources& sources) {
  VKHOST_TRY_ASSIGN(Object::Ptr node, parse_object(sources.provider_json, "the provider's node"));
  VKHOST_TRY(clean(node));
  return node;
}

// ---- The difference

// Null for each name that we wrote once and no longer want.
Object::Ptr with_removals(const Object::Ptr& wanted, const Array::Ptr& written_before) {
  Object::Ptr all = new Object;
  overlay(all, wanted);
  for (std::size_t i = 0; i < written_before->size(); ++i) {
    const Var name = written_before->get(static_cast<unsigned>(i));
    if (name.isString() && !wanted->has(name.extract<std::string>())) {
      all->set(name.extract<std::string>(), Var());
    }
  }
  return all;
}

bool same_text(const Var& left, const Var& right) { return text_of(left) == text_of(right); }

// The API server writes quantities its own way: 1k for 1000.
bool same_quantity(const Var& left, const Var& right) {
  if (left.isEmpty() || right.isEmpty()) {
    return left.isEmpty() && right.isEmpty();
  }
  const auto one = kube::Quantity::parse(left.toString());
  const auto other = kube::Quantity::parse(right.toString());
  return one.is_ok() && other.is_ok() ? *one == *other : same_text(left, right);
}

// Only what differs, so that a patch without news is small.
template <typename Same>
Object::Ptr changed_members(const Object::Ptr& wanted, const Object::Ptr& before, Same&& same) {
  Object::Ptr changed = new Object;
  for (const auto& [name, value] : *wanted) {
    if (!same(value, before->get(name))) {
      changed->set(name, value);
    }
  }
  return changed;
}

void replace_resources(Object::Ptr patch,
                       const char* member,
                       const Object::Ptr& wanted,
                       const PresentNode& present) {
  const Object::Ptr changed = changed_members(
      with_removals(object_member(wanted, member), array_member(present.owned, "resources")),
      object_member(present.status, member), same_quantity);
  patch->remove(member);
  if (changed->size() > 0) {
    patch->set(member, changed);
  }
}

Object::Ptr as_update(const Object::Ptr& wanted, const Object::Ptr& before) {
  Object::Ptr update = new Object;
  for (const auto& [name, value] : *wanted) {
    const Object::Ptr old = before->getObject(name);
    if (value.type() == typeid(Object::Ptr) && !old.isNull()) {
      update->set(name, as_update(value.extract<Object::Ptr>(), old));
    } else {
      update->set(name, value);
    }
  }
  for (const std::string& name : before->getNames()) {
    if (!wanted->has(name)) {
      update->set(name, Var());
    }
  }
  return update;
}

// The list as it is, and an order to drop each of ours that is no longer wanted.
Array::Ptr patched_conditions(const Array::Ptr& wanted, const PresentNode& present) {
  Array::Ptr conditions = new Array(*wanted);
  const Array::Ptr owned = array_member(present.owned, "conditions");
  for_each_object(present.conditions, [&](const Object::Ptr& old) {
    const std::string type = string_member(old, "type");
    if (holds_text(owned, type) && find_in(wanted, "type", type).isNull()) {
      conditions->add(as_object({{"$patch", "delete"}, {"type", type}}));
    }
  });
  return conditions;
}

Object::Ptr status_patch(const WantedNode& wanted, const PresentNode& present) {
  Object::Ptr patch = changed_members(wanted.status, present.status, same_text);
  // Objects merge member by member: what is no longer there has to be removed by name.
  for (const char* member : {"nodeInfo", "daemonEndpoints"}) {
    if (patch->has(member)) {
      patch->set(member, as_update(object_member(wanted.status, member),
                                   object_member(present.status, member)));
    }
  }
  replace_resources(patch, "capacity", wanted.status, present);
  replace_resources(patch, "allocatable", wanted.status, present);
  if (patch->has("addresses")) {
    Array::Ptr replaced = new Array(*patch->getArray("addresses"));
    replaced->add(as_object({{"$patch", "replace"}}));
    patch->set("addresses", replaced);
  }
  patch->set("conditions", patched_conditions(array_member(wanted.status, "conditions"), present));
  return patch;
}

// What the host remembers on its node; not among what may be removed later.
void add_memory(Object::Ptr annotations, const NodeSources& sources, const WantedNode& wanted) {
  annotations->set(kOwnedAnnotation, owned_names(wanted));
  if (!sources.settings.cluster_uid.empty()) {
    annotations->set(kClusterUidAnnotation, sources.settings.cluster_uid);
  }
}

Object::Ptr metadata_patch(const NodeSources& sources,
                           const WantedNode& wanted,
                           const PresentNode& present) {
  Object::Ptr annotations =
      with_removals(wanted.annotations, array_member(present.owned, "annotations"));
  add_memory(annotations, sources, wanted);
  Object::Ptr labels = with_removals(wanted.labels, array_member(present.owned, "labels"));
  if (sources.settings.is_node_identity) {
    // Written under other credentials once: one refused removal would refuse all of the patch.
    for (const std::string& name : labels->getNames()) {
      if (is_refused_of_a_node(name)) {
        labels->remove(name);
      }
    }
  }
  Object::Ptr metadata = new Object;
  metadata->set("labels",
                changed_members(labels, object_member(present.metadata, "labels"), same_text));
  metadata->set("annotations", changed_members(annotations, present.annotations, same_text));
  return metadata;
}

bool says_otherwise(const Array::Ptr& patch, const Array::Ptr& before) {
  bool found = false;
  for_each_object(patch, [&](const Object::Ptr& item) {
    const Object::Ptr old = find_in(before, "type", string_member(item, "type"));
    if (item->has("$patch") || old.isNull()) {
      found = true;
      return;
    }
    for (const char* member : {"status", "reason", "message"}) {
      found = found || string_member(old, member) != string_member(item, member);
    }
  });
  return found;
}

// ---- Spec

bool is_same_taint(const Object::Ptr& left, const Object::Ptr& right) {
  return string_member(left, "key") == string_member(right, "key") &&
         string_member(left, "value") == string_member(right, "value") &&
         string_member(left, "effect") == string_member(right, "effect");
}

bool holds_taint(const Array::Ptr& list, const Object::Ptr& taint) {
  bool found = false;
  for_each_object(list,
                  [&](const Object::Ptr& item) { found = found || is_same_taint(item, taint); });
  return found;
}

bool holds_key_and_effect(const Array::Ptr& list, const Object::Ptr& taint) {
  bool found = false;
  for_each_object(list, [&](const Object::Ptr& item) {
    found = found || (string_member(item, "key") == string_member(taint, "key") &&
                      string_member(item, "effect") == string_member(taint, "effect"));
  });
  return found;
}

// Controllers of the control plane take these away and put them back as they see fit.
bool is_of_the_control_plane(const std::string& key) {
  return key.starts_with("node.kubernetes.io/") ||
         key.starts_with("node.cloudprovider.kubernetes.io/");
}

// Taints of others stay; ours are known by their keys, those of now and those of before. Null when
// nothing changes.
Array::Ptr merged_taints(const Array::Ptr& wanted, const PresentNode& present) {
  const Array::Ptr before = array_member(present.spec, "taints");
  const Array::Ptr owned = array_member(present.owned, "taints");
  Array::Ptr merged = new Array;
  for_each_object(before, [&](const Object::Ptr& taint) {
    const std::string key = string_member(taint, "key");
    const bool is_ours = !is_of_the_control_plane(key) &&
                         (holds_text(owned, key) || !find_in(wanted, "key", key).isNull());
    if (!is_ours || holds_taint(wanted, taint)) {
      merged->add(taint);
    }
  });
  bool changed = merged->size() != before->size();
  for_each_object(wanted, [&](const Object::Ptr& taint) {
    if (!holds_taint(merged, taint) && !is_of_the_control_plane(string_member(taint, "key"))) {
      merged->add(taint);
      changed = true;
    }
  });
  return changed ? merged : Array::Ptr();
}

SpecPatch make_spec_patch(const NodeSources& sources,
                          const WantedNode& wanted,
                          const PresentNode& present) {
  SpecPatch made;
  Object::Ptr spec = new Object;
  const std::string provider_id = string_member(present.spec, "providerID");
  if (!wanted.provider_id.empty() && provider_id != wanted.provider_id) {
    if (provider_id.empty()) {
      spec->set("providerID", wanted.provider_id);
    } else {
      made.foreign_provider_id = provider_id;
    }
  }
  // A node may give itself taints when it registers, and never again.
  const Array::Ptr taints =
      sources.settings.is_node_identity ? Array::Ptr() : merged_taints(wanted.taints, present);
  if (!taints.isNull()) {
    spec->set("taints", taints);
  }
  if (spec->size() == 0) {
    return made;
  }
  Object::Ptr metadata = new Object;
  metadata->set("resourceVersion", present.metadata->get("resourceVersion"));
  Object::Ptr patch = new Object;
  patch->set("metadata", metadata);
  patch->set("spec", spec);
  made.json = text_of(patch);
  return made;
}

Result<std::string> make_node(const NodeSources& sources) {
  VKHOST_TRY_ASSIGN(const Object::Ptr provider_node, read_provider(sources));
  const WantedNode wanted = wanted_node(sources, provider_node, new Array);
  Object::Ptr annotations = new Object;
  overlay(annotations, wanted.annotations);
  add_memory(annotations, sources, wanted);
  Object::Ptr metadata = new Object;
  metadata->set("name", sources.settings.name);
  metadata->set("labels", wanted.labels);
  metadata->set("annotations", annotations);
  Array::Ptr taints = new Array(*wanted.taints);
  for_each_object(wanted.startup_taints, [&](const Object::Ptr& taint) {
    if (!holds_key_and_effect(taints, taint)) {
      taints->add(taint);
    }
  });
  Object::Ptr spec = new Object;
  if (taints->size() > 0) {
    spec->set("taints", taints);
  }
  if (!wanted.provider_id.empty()) {
    spec->set("providerID", wanted.provider_id);
  }
  Object::Ptr node = new Object;
  node->set("apiVersion", "v1");
  node->set("kind", "Node");
  node->set("metadata", metadata);
  node->set("spec", spec);
  node->set("status", wanted.status);
  return text_of(node);
}

// Calls `use` with what is wanted and what there is.
template <typename Function>
auto compared(const NodeSources& sources, std::string_view api_json, Function&& use)
    -> decltype(use(std::declval<const WantedNode&>(), std::declval<const PresentNode&>())) {
  return translated("the provider's node or that of the API",
                    [&]() -> decltype(use(std::declval<const WantedNode&>(),
                                          std::declval<const PresentNode&>())) {
                      VKHOST_TRY_ASSIGN(const Object::Ptr provider_node, read_provider(sources));
                      VKHOST_TRY_ASSIGN(const PresentNode present, read_present(api_json));
                      return use(wanted_node(sources, provider_node, present.conditions), present);
                    });
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
  return compared(sources, api_json,
                  [&](const WantedNode& wanted, const PresentNode& present) -> Result<std::string> {
                    Object::Ptr patch = new Object;
                    patch->set("metadata", metadata_patch(sources, wanted, present));
                    patch->set("status", status_patch(wanted, present));
                    return text_of(patch);
                  });
}

Result<std::string> readiness_patch(const NodeSources& sources, std::string_view api_json) {
  return translated("the node in the API", [&]() -> Result<std::string> {
    VKHOST_TRY_ASSIGN(const PresentNode present, read_present(api_json));
    Array::Ptr conditions = new Array;
    conditions->add(wanted_ready(sources, present.conditions));
    Object::Ptr status = new Object;
    status->set("conditions", conditions);
    Object::Ptr patch = new Object;
    patch->set("status", status);
    return text_of(patch);
  });
}

Result<SpecPatch> spec_patch(const NodeSources& sources, std::string_view api_json) {
  return compared(sources, api_json,
                  [&](const WantedNode& wanted, const PresentNode& present) -> Result<SpecPatch> {
                    return make_spec_patch(sources, wanted, present);
                  });
}

Result<bool> differs(const NodeSources& sources, std::string_view api_json) {
  return compared(sources, api_json,
                  [&](const WantedNode& wanted, const PresentNode& present) -> Result<bool> {
                    const Object::Ptr metadata = metadata_patch(sources, wanted, present);
                    const Object::Ptr status = status_patch(wanted, present);
                    return object_member(metadata, "labels")->size() > 0 ||
                           object_member(metadata, "annotations")->size() > 0 ||
                           status->size() > 1 ||  // the conditions are always there
                           says_otherwise(array_member(status, "conditions"), present.conditions) ||
                           !make_spec_patch(sources, wanted, present).json.empty();
                  });
}

Result<std::vector<std::string>> labels_left_out(const NodeSources& sources) {
  return translated("the provider's node", [&]() -> Result<std::vector<std::string>> {
    VKHOST_TRY_ASSIGN(const Object::Ptr provider_node, read_provider(sources));
    return refused_labels(sources, provider_node);
  });
}

Result<std::optional<std::string>> allocatable_of(const NodeSources& sources,
                                                  const std::string& resource) {
  return translated("the provider's node", [&]() -> Result<std::optional<std::string>> {
    VKHOST_TRY_ASSIGN(const Object::Ptr provider_node, read_provider(sources));
    const Var quantity =
        wanted_allocatable(sources.settings, object_member(provider_node, "status"))->get(resource);
    return quantity.isEmpty() ? std::optional<std::string>() : quantity.toString();
  });
}

Result<std::string> kept_cluster_uid(std::string_view api_json) {
  return translated("the node in the API", [&]() -> Result<std::string> {
    VKHOST_TRY_ASSIGN(const PresentNode present, read_present(api_json));
    return string_member(present.annotations, kClusterUidAnnotation);
  });
}

Result<std::string> uid_of(std::string_view object_json) {
  return translated("the object", [&]() -> Result<std::string> {
    VKHOST_TRY_ASSIGN(const Object::Ptr object, parse_object(object_json, "the object"));
    return string_member(object_member(object, "metadata"), "uid");
  });
}

}  // namespace vkhost::node
