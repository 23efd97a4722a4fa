#include "resolve/volume_view.hpp"

#include "resolve/field_references.hpp"
#include "resolve/json_members.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

namespace vkhost::resolve {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

using Names = std::set<std::string, std::less<>>;

Result<Names> read_mounted(const Object& spec, const Place& place) {
  Names names;
  for (const char* const list : {"initContainers", "containers", "ephemeralContainers"}) {
    VKHOST_TRY_ASSIGN(const auto containers, read_array(spec, list, place));
    for (std::size_t i = 0; !containers.isNull() && i < containers->size(); ++i) {
      const Place container_place(place, list, i);
      VKHOST_TRY_ASSIGN(const auto container, object_at(*containers, i, container_place));
      VKHOST_TRY_ASSIGN(const auto mounts, read_array(*container, "volumeMounts", container_place));
      for (std::size_t m = 0; !mounts.isNull() && m < mounts->size(); ++m) {
        const Place mount_place(container_place, "volumeMounts", m);
        VKHOST_TRY_ASSIGN(const auto mount, object_at(*mounts, m, mount_place));
        VKHOST_TRY_ASSIGN(auto name, read_string(*mount, "name", mount_place));
        names.insert(std::move(name));
      }
    }
  }
  return names;
}

Result<std::vector<KeyToPath>> read_items(const Object& source, const Place& place) {
  std::vector<KeyToPath> items;
  VKHOST_TRY_ASSIGN(const auto list, read_array(source, "items", place));
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Place item_place(place, "items", i);
    VKHOST_TRY_ASSIGN(const auto object, object_at(*list, i, item_place));
    KeyToPath item;
    VKHOST_TRY_ASSIGN(item.key, read_string(*object, "key", item_place));
    VKHOST_TRY_ASSIGN(item.path, read_string(*object, "path", item_place));
    VKHOST_TRY_ASSIGN(item.mode, find_integer(*object, "mode", item_place));
    items.push_back(std::move(item));
  }
  return items;
}

// `name` is the member that names the object: a secret volume has it spelled differently.
Result<ObjectFiles> read_object_files(const Object& source,
                                      ObjectKind kind,
                                      const std::string& name,
                                      const Place& place) {
  ObjectFiles files;
  files.kind = kind;
  VKHOST_TRY_ASSIGN(files.name, read_string(source, name, place));
  VKHOST_TRY_ASSIGN(files.optional, read_bool(source, "optional", place, false));
  VKHOST_TRY_ASSIGN(files.items, read_items(source, place));
  return files;
}

Result<DownwardFile> read_downward_file(const Object& object, const Place& place) {
  DownwardFile file;
  VKHOST_TRY_ASSIGN(file.path, read_string(object, "path", place));
  VKHOST_TRY_ASSIGN(file.mode, find_integer(object, "mode", place));
  VKHOST_TRY_ASSIGN(const auto field, read_object(object, "fieldRef", place));
  if (!field.isNull()) {
    VKHOST_TRY_ASSIGN(file.field, read_field_reference(*field, Place(place, "fieldRef")));
  }
  VKHOST_TRY_ASSIGN(const auto resource, read_object(object, "resourceFieldRef", place));
  if (!resource.isNull()) {
    VKHOST_TRY_ASSIGN(file.resource,
                      read_resource_reference(*resource, Place(place, "resourceFieldRef")));
  }
  if (file.field.has_value() == file.resource.has_value()) {
    return invalid_argument(place.text() + " names not one of fieldRef and resourceFieldRef");
  }
  return file;
}

Result<DownwardFiles> read_downward_files(const Object& source, const Place& place) {
  DownwardFiles files;
  VKHOST_TRY_ASSIGN(const auto list, read_array(source, "items", place));
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Place item_place(place, "items", i);
    VKHOST_TRY_ASSIGN(const auto object, object_at(*list, i, item_place));
    VKHOST_TRY_ASSIGN(auto file, read_downward_file(*object, item_place));
    files.items.push_back(std::move(file));
  }
  return files;
}

Result<TokenFile> read_token_file(const Object& source, const Place& place) {
  TokenFile file;
  VKHOST_TRY_ASSIGN(file.path, read_string(source, "path", place));
  VKHOST_TRY_ASSIGN(file.audience, read_string(source, "audience", place));
  VKHOST_TRY_ASSIGN(const auto seconds, find_integer(source, "expirationSeconds", place));
  file.expiration_seconds = seconds.value_or(file.expiration_seconds);
  return file;
}

// The one member of `object` out of `kinds` (none: all) that is set; empty when there is none.
Result<std::string> read_kind(const Object& object, const Names& kinds, const Place& place) {
  std::string found;
  for (const auto& [kind, value] : object) {
    if (value.isEmpty() || (!kinds.empty() && !kinds.contains(kind))) {
      continue;
    }
    if (!found.empty()) {
      return invalid_argument(place.text() + " names more than one source");
    }
    found = kind;
  }
  return found;
}

Result<FileSource> read_projected_source(const Object& projection,
                                         const std::string& kind,
                                         const Place& place) {
  const Place source_place(place, kind);
  VKHOST_TRY_ASSIGN(const auto source, read_object(projection, kind, place));
  if (kind == "configMap" || kind == "secret") {
    const ObjectKind object = kind == "secret" ? ObjectKind::Secret : ObjectKind::ConfigMap;
    VKHOST_TRY_ASSIGN(auto files, read_object_files(*source, object, "name", source_place));
    return FileSource(std::move(files));
  }
  if (kind == "downwardAPI") {
    VKHOST_TRY_ASSIGN(auto files, read_downward_files(*source, source_place));
    return FileSource(std::move(files));
  }
  if (kind == "serviceAccountToken") {
    VKHOST_TRY_ASSIGN(auto file, read_token_file(*source, source_place));
    return FileSource(std::move(file));
  }
  if (kind == "clusterTrustBundle") {
    VKHOST_TRY_ASSIGN(auto file, read_trust_bundle_file(*source, source_place));
    return FileSource(std::move(file));
  }
  return FileSource(OtherFiles{kind});
}

Status read_projected(const Object& source, const Place& place, VolumeView& view) {
  view.is_projected = true;
  VKHOST_TRY_ASSIGN(const auto list, read_array(source, "sources", place));
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Place item_place(place, "sources", i);
    VKHOST_TRY_ASSIGN(const auto projection, object_at(*list, i, item_place));
    VKHOST_TRY_ASSIGN(const std::string kind, read_kind(*projection, {}, item_place));
    if (!kind.empty()) {
      VKHOST_TRY_ASSIGN(auto files, read_projected_source(*projection, kind, item_place));
      view.sources.push_back(std::move(files));
    }
  }
  return Status::ok();
}

Status read_volume(const Object& volume,
                   const std::string& kind,
                   const Place& volume_place,
                   VolumeView& view) {
  const Place place(volume_place, kind);
  VKHOST_TRY_ASSIGN(const auto source, read_object(volume, kind, volume_place));
  VKHOST_TRY_ASSIGN(const auto mode, find_integer(*source, "defaultMode", place));
  view.default_mode = mode.value_or(kDefaultFileMode);
  if (kind == "projected") {
    return read_projected(*source, place, view);
  }
  if (kind == "downwardAPI") {
    VKHOST_TRY_ASSIGN(auto files, read_downward_files(*source, place));
    view.sources.emplace_back(std::move(files));
    return Status::ok();
  }
  const bool is_secret = kind == "secret";
  VKHOST_TRY_ASSIGN(
      auto files, read_object_files(*source, is_secret ? ObjectKind::Secret : ObjectKind::ConfigMap,
                                    is_secret ? "secretName" : "name", place));
  view.sources.emplace_back(std::move(files));
  return Status::ok();
}

// A number of a user or group in the securityContext of a pod or container.
Result<std::optional<std::int64_t>> read_id(const Object& holder,
                                            const std::string& key,
                                            const Place& place) {
  VKHOST_TRY_ASSIGN(const auto context, read_object(holder, "securityContext", place));
  if (context.isNull()) {
    return std::optional<std::int64_t>();
  }
  const Place context_place(place, "securityContext");
  VKHOST_TRY_ASSIGN(const auto id, find_integer(*context, key, context_place));
  constexpr std::int64_t kLargestId = 0x7FFFFFFF;
  if (id && (*id < 0 || *id > kLargestId)) {
    return invalid_argument(context_place.text() + "." + key + " is not the number of a " +
                            (key == "fsGroup" ? "group" : "user"));
  }
  return id;
}

// Of ephemeral containers a kubelet asks nothing.
Result<std::optional<std::int64_t>> read_fs_user(const Object& spec, const Place& place) {
  VKHOST_TRY_ASSIGN(const auto of_pod, read_id(spec, "runAsUser", place));
  std::optional<std::int64_t> common;
  bool differs = false;
  for (const char* const list : {"initContainers", "containers"}) {
    VKHOST_TRY_ASSIGN(const auto containers, read_array(spec, list, place));
    for (std::size_t i = 0; !containers.isNull() && i < containers->size(); ++i) {
      const Place container_place(place, list, i);
      VKHOST_TRY_ASSIGN(const auto container, object_at(*containers, i, container_place));
      VKHOST_TRY_ASSIGN(const auto own, read_id(*container, "runAsUser", container_place));
      const auto user = own ? own : of_pod;
      differs = differs || !user || (common && common != user);
      common = user;
    }
  }
  return differs ? std::optional<std::int64_t>() : common;
}

// Of these files a kubelet makes the user of the containers the owner.
bool has_owned_file(const VolumeView& volume) {
  return has_token(volume) ||
         std::any_of(volume.sources.begin(), volume.sources.end(), [](const FileSource& source) {
           return std::holds_alternative<TrustBundleFile>(source);
         });
}

}  // namespace

Result<PodVolumes> read_pod_volumes(std::string_view spec_text) {
  const Names kinds = {"configMap", "downwardAPI", "projected", "secret"};
  VKHOST_TRY_ASSIGN(const auto spec, parse_json_object(spec_text, "the pod's spec"));
  const Place place("spec");
  PodVolumes result;
  VKHOST_TRY_ASSIGN(const Names mounted, read_mounted(*spec, place));
  VKHOST_TRY_ASSIGN(const auto volumes, read_array(*spec, "volumes", place));
  Names names;
  for (std::size_t i = 0; !volumes.isNull() && i < volumes->size(); ++i) {
    const Place volume_place(place, "volumes", i);
    VKHOST_TRY_ASSIGN(const auto volume, object_at(*volumes, i, volume_place));
    VolumeView view;
    VKHOST_TRY_ASSIGN(view.name, read_string(*volume, "name", volume_place));
    if (view.name.empty() || !names.insert(view.name).second) {
      return invalid_argument(volume_place.text() + ".name is missing or not unique in this pod");
    }
    VKHOST_TRY_ASSIGN(const std::string kind, read_kind(*volume, kinds, volume_place));
    if (!kind.empty() && mounted.contains(view.name)) {
      VKHOST_TRY(read_volume(*volume, kind, volume_place, view));
      result.volumes.push_back(std::move(view));
    }
  }
  VKHOST_TRY_ASSIGN(result.fs_group, read_id(*spec, "fsGroup", place));
  if (std::any_of(result.volumes.begin(), result.volumes.end(), has_owned_file)) {
    VKHOST_TRY_ASSIGN(result.fs_user, read_fs_user(*spec, place));
  }
  return result;
}

bool has_token(const VolumeView& volume) {
  return std::any_of(volume.sources.begin(), volume.sources.end(), [](const FileSource& source) {
    return std::holds_alternative<TokenFile>(source);
  });
}

bool mounts_no_files(std::string_view spec) {
  constexpr std::array<std::string_view, 4> kTelling = {"\"configMap\"", "\"downwardAPI\"",
                                                        "\"projected\"", "\"secret\""};
  // A key may be written with escapes; API servers do not write such.
  return spec.find("\\u") == std::string_view::npos &&
         std::none_of(kTelling.begin(), kTelling.end(), [&](std::string_view telling) {
           return spec.find(telling) != std::string_view::npos;
         });
}

}  // namespace vkhost::resolve
