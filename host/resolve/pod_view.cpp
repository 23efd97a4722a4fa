#include "resolve/pod_view.hpp"

#include "resolve/field_references.hpp"
#include "resolve/json_members.hpp"

#include <array>
#include <set>
#include <utility>

namespace vkhost::resolve {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

Result<std::vector<std::string>> read_strings(const Object& object,
                                              const std::string& key,
                                              const Place& place) {
  std::vector<std::string> strings;
  VKHOST_TRY_ASSIGN(const auto array, read_array(object, key, place));
  for (std::size_t i = 0; !array.isNull() && i < array->size(); ++i) {
    VKHOST_TRY_ASSIGN(auto text, string_at(*array, i, Place(place, key, i)));
    strings.push_back(std::move(text));
  }
  return strings;
}

Result<ResourceTexts> read_quantities(const Object& object,
                                      const std::string& key,
                                      const Place& place) {
  ResourceTexts quantities;
  VKHOST_TRY_ASSIGN(const auto resources, read_object(object, "resources", place));
  if (resources.isNull()) {
    return quantities;
  }
  const Place resources_place(place, "resources");
  VKHOST_TRY_ASSIGN(const auto amounts, read_object(*resources, key, resources_place));
  if (amounts.isNull()) {
    return quantities;
  }
  const Place amounts_place(resources_place, key);
  for (const auto& [name, value] : *amounts) {
    VKHOST_TRY_ASSIGN(auto text, quantity_text(value, Place(amounts_place, name)));
    quantities.emplace(name, std::move(text));
  }
  return quantities;
}

Result<KeyReference> read_key_reference(const Object& from, ObjectKind kind, const Place& place) {
  KeyReference reference;
  reference.kind = kind;
  VKHOST_TRY_ASSIGN(reference.name, read_string(from, "name", place));
  VKHOST_TRY_ASSIGN(reference.key, read_string(from, "key", place));
  VKHOST_TRY_ASSIGN(reference.optional, read_bool(from, "optional", place, false));
  return reference;
}

Status read_source(const Object& from, const Place& place, EnvEntry& entry) {
  // A kind that came after this version was written would otherwise be lost without a word.
  entry.unknown_source = "(nothing)";
  for (const auto& [kind, value] : from) {
    if (value.isEmpty()) {
      continue;
    }
    const Place source_place(place, kind);
    VKHOST_TRY_ASSIGN(const auto source, read_object(from, kind, place));
    if (kind == "configMapKeyRef") {
      VKHOST_TRY_ASSIGN(entry.key,
                        read_key_reference(*source, ObjectKind::ConfigMap, source_place));
    } else if (kind == "secretKeyRef") {
      VKHOST_TRY_ASSIGN(entry.key, read_key_reference(*source, ObjectKind::Secret, source_place));
    } else if (kind == "fieldRef") {
      VKHOST_TRY_ASSIGN(entry.field, read_field_reference(*source, source_place));
    } else if (kind == "resourceFieldRef") {
      VKHOST_TRY_ASSIGN(entry.resource, read_resource_reference(*source, source_place));
    } else {
      entry.unknown_source = kind;
      return Status::ok();
    }
  }
  const int sources = (entry.key ? 1 : 0) + (entry.field ? 1 : 0) + (entry.resource ? 1 : 0);
  if (sources > 1) {
    return invalid_argument(place.text() + " names more than one source");
  }
  if (sources == 1) {
    entry.unknown_source.clear();
  }
  return Status::ok();
}

Status read_env(const Object& container, const Place& place, ContainerView& view) {
  VKHOST_TRY_ASSIGN(const auto env, read_array(container, "env", place));
  for (std::size_t i = 0; !env.isNull() && i < env->size(); ++i) {
    const Place entry_place(place, "env", i);
    VKHOST_TRY_ASSIGN(const auto item, object_at(*env, i, entry_place));
    EnvEntry entry;
    VKHOST_TRY_ASSIGN(entry.name, read_string(*item, "name", entry_place));
    if (entry.name.empty()) {
      return invalid_argument(entry_place.text() + ".name is missing");
    }
    VKHOST_TRY_ASSIGN(entry.value, read_string(*item, "value", entry_place));
    VKHOST_TRY_ASSIGN(const auto from, read_object(*item, "valueFrom", entry_place));
    if (!from.isNull()) {
      VKHOST_TRY(read_source(*from, Place(entry_place, "valueFrom"), entry));
    }
    view.env.push_back(std::move(entry));
  }
  return Status::ok();
}

Status read_env_from(const Object& container, const Place& place, ContainerView& view) {
  VKHOST_TRY_ASSIGN(const auto list, read_array(container, "envFrom", place));
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Place entry_place(place, "envFrom", i);
    VKHOST_TRY_ASSIGN(const auto item, object_at(*list, i, entry_place));
    EnvFrom entry;
    VKHOST_TRY_ASSIGN(entry.prefix, read_string(*item, "prefix", entry_place));
    std::string member = "configMapRef";
    VKHOST_TRY_ASSIGN(auto source, read_object(*item, member, entry_place));
    if (source.isNull()) {
      member = "secretRef";
      entry.kind = ObjectKind::Secret;
      VKHOST_TRY_ASSIGN(source, read_object(*item, member, entry_place));
    }
    if (source.isNull()) {
      return invalid_argument(entry_place.text() + " names neither a configMapRef nor a secretRef");
    }
    const Place source_place(entry_place, member);
    VKHOST_TRY_ASSIGN(entry.name, read_string(*source, "name", source_place));
    VKHOST_TRY_ASSIGN(entry.optional, read_bool(*source, "optional", source_place, false));
    view.env_from.push_back(std::move(entry));
  }
  return Status::ok();
}

Status read_sub_paths(const Object& container, const Place& place, ContainerView& view) {
  VKHOST_TRY_ASSIGN(const auto mounts, read_array(container, "volumeMounts", place));
  for (std::size_t i = 0; !mounts.isNull() && i < mounts->size(); ++i) {
    const Place mount_place(place, "volumeMounts", i);
    VKHOST_TRY_ASSIGN(const auto item, object_at(*mounts, i, mount_place));
    SubPathMount mount;
    VKHOST_TRY_ASSIGN(mount.expression, read_string(*item, "subPathExpr", mount_place));
    VKHOST_TRY_ASSIGN(mount.mount_path, read_string(*item, "mountPath", mount_place));
    if (!mount.expression.empty()) {
      view.sub_paths.push_back(std::move(mount));
    }
  }
  return Status::ok();
}

Result<ContainerView> read_container(const Object& container, const Place& place) {
  ContainerView view;
  VKHOST_TRY_ASSIGN(view.name, read_string(container, "name", place));
  VKHOST_TRY(read_env_from(container, place, view));
  VKHOST_TRY(read_env(container, place, view));
  VKHOST_TRY_ASSIGN(view.command, read_strings(container, "command", place));
  VKHOST_TRY_ASSIGN(view.args, read_strings(container, "args", place));
  VKHOST_TRY(read_sub_paths(container, place, view));
  VKHOST_TRY_ASSIGN(view.limits, read_quantities(container, "limits", place));
  VKHOST_TRY_ASSIGN(view.requests, read_quantities(container, "requests", place));
  return view;
}

bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The first character of the value behind a key whose closing quote stands before `at`.
char first_of_value(std::string_view text, std::size_t at) {
  bool colon = false;
  for (; at < text.size(); ++at) {
    if (text[at] == ':' && !colon) {
      colon = true;
    } else if (!is_json_space(text[at])) {
      return colon ? text[at] : '\0';
    }
  }
  return '\0';
}

}  // namespace

Result<PodView> read_pod_view(std::string_view spec_text) {
  VKHOST_TRY_ASSIGN(const auto spec, parse_json_object(spec_text, "the pod's spec"));
  const Place place("spec");
  PodView view;
  std::set<std::string> names;
  for (const char* const list : {"initContainers", "containers", "ephemeralContainers"}) {
    VKHOST_TRY_ASSIGN(const auto containers, read_array(*spec, list, place));
    for (std::size_t i = 0; !containers.isNull() && i < containers->size(); ++i) {
      const Place container_place(place, list, i);
      VKHOST_TRY_ASSIGN(const auto item, object_at(*containers, i, container_place));
      VKHOST_TRY_ASSIGN(auto container, read_container(*item, container_place));
      if (container.name.empty() || !names.insert(container.name).second) {
        return invalid_argument(container_place.text() +
                                ".name is missing or not unique in this pod");
      }
      view.containers.push_back(std::move(container));
    }
  }
  VKHOST_TRY_ASSIGN(view.service_links, read_bool(*spec, "enableServiceLinks", place, true));
  VKHOST_TRY_ASSIGN(view.service_account, read_string(*spec, "serviceAccountName", place));
  if (view.service_account.empty()) {
    VKHOST_TRY_ASSIGN(view.service_account, read_string(*spec, "serviceAccount", place));
  }
  VKHOST_TRY_ASSIGN(view.pod_limits, read_quantities(*spec, "limits", place));
  return view;
}

bool refers_to_nothing(std::string_view spec) {
  constexpr std::array<std::string_view, 6> kTelling = {
      "env\"", "envFrom\"", "command\"", "args\"", "subPathExpr\"", "ephemeralContainers\""};
  constexpr std::string_view kLinks = "enableServiceLinks\"";
  for (std::size_t at = spec.find('"'); at != std::string_view::npos; at = spec.find('"', at + 1)) {
    const std::string_view rest = spec.substr(at + 1);
    for (const std::string_view telling : kTelling) {
      if (rest.starts_with(telling)) {
        return false;
      }
    }
    if (rest.starts_with(kLinks) && first_of_value(rest, kLinks.size()) != 't') {
      return false;
    }
  }
  // A key may be written with escapes: "\u0065nv" is env too. API servers do not write such.
  return spec.find("\\u") == std::string_view::npos;
}

}  // namespace vkhost::resolve
