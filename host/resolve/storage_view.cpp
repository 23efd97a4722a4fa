#include "resolve/storage_view.hpp"

#include "kube/quantity.hpp"
#include "resolve/json_members.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

namespace vkhost::resolve {
namespace {

using Poco::JSON::Object;

using Names = std::set<std::string, std::less<>>;

struct UsedVolumes {
  Names mounted;
  Names devices;
};

Status read_uses(const Object& container,
                 const char* member,
                 const Place& container_place,
                 Names& names) {
  VKHOST_TRY_ASSIGN(const auto list, read_array(container, member, container_place));
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Place place(container_place, member, i);
    VKHOST_TRY_ASSIGN(const auto use, object_at(*list, i, place));
    VKHOST_TRY_ASSIGN(auto name, read_string(*use, "name", place));
    names.insert(std::move(name));
  }
  return Status::ok();
}

Result<UsedVolumes> read_used(const Object& spec, const Place& place) {
  UsedVolumes used;
  for (const char* const list : {"initContainers", "containers", "ephemeralContainers"}) {
    VKHOST_TRY_ASSIGN(const auto containers, read_array(spec, list, place));
    for (std::size_t i = 0; !containers.isNull() && i < containers->size(); ++i) {
      const Place container_place(place, list, i);
      VKHOST_TRY_ASSIGN(const auto container, object_at(*containers, i, container_place));
      VKHOST_TRY(read_uses(*container, "volumeMounts", container_place, used.mounted));
      VKHOST_TRY(read_uses(*container, "volumeDevices", container_place, used.devices));
    }
  }
  return used;
}

// The member beside the name. Empty when there is none, which is an emptyDir to a kubelet and to
// nobody else: an API server fills that in.
Result<std::string> read_kind(const Object& volume, const Place& place) {
  std::string found;
  for (const auto& [member, value] : volume) {
    if (member == "name" || value.isEmpty()) {
      continue;
    }
    if (!found.empty()) {
      return invalid_argument(place.text() + " names more than one source");
    }
    found = member;
  }
  return found;
}

Result<EmptyFolder> read_empty_folder(const Object& source, const Place& place) {
  EmptyFolder folder;
  VKHOST_TRY_ASSIGN(folder.medium, read_string(source, "medium", place));
  if (const auto limit = source.get("sizeLimit"); !limit.isEmpty()) {
    const Place limit_place(place, "sizeLimit");
    VKHOST_TRY_ASSIGN(const std::string text, quantity_text(limit, limit_place));
    const auto quantity = kube::Quantity::parse(text);
    if (!quantity) {
      return limit_place.wrong_type("a quantity");
    }
    folder.limit_bytes = quantity->ceil();
  }
  return folder;
}

// False: it is of no kind that matters here.
Result<bool> read_source(const Object& volume, const Place& volume_place, StorageVolume& view) {
  const Place place(volume_place, view.kind);
  if (view.kind == "ephemeral") {
    view.claim = ClaimReference{{}, true};
    return true;
  }
  if (view.kind == "image" || view.kind.empty()) {
    return false;
  }
  VKHOST_TRY_ASSIGN(const auto source, read_object(volume, view.kind, volume_place));
  if (view.kind == "persistentVolumeClaim") {
    view.claim.emplace();
    VKHOST_TRY_ASSIGN(view.claim->name, read_string(*source, "claimName", place));
    return true;
  }
  if (view.kind == "emptyDir") {
    VKHOST_TRY_ASSIGN(view.empty_folder, read_empty_folder(*source, place));
    return true;
  }
  VKHOST_TRY_ASSIGN(view.secrets, read_source_secrets(*source, view.kind, place));
  for (SourceSecret& secret : view.secrets) {
    // A pod reads nothing of other namespaces, whatever a manifest says.
    secret.secret_namespace.clear();
  }
  return !view.secrets.empty();
}

}  // namespace

Result<PodStorage> read_pod_storage(std::string_view spec_text) {
  VKHOST_TRY_ASSIGN(const auto spec, parse_json_object(spec_text, "the pod's spec"));
  const Place place("spec");
  PodStorage result;
  VKHOST_TRY_ASSIGN(const UsedVolumes used, read_used(*spec, place));
  VKHOST_TRY_ASSIGN(const auto volumes, read_array(*spec, "volumes", place));
  Names names;
  for (std::size_t i = 0; !volumes.isNull() && i < volumes->size(); ++i) {
    const Place volume_place(place, "volumes", i);
    VKHOST_TRY_ASSIGN(const auto volume, object_at(*volumes, i, volume_place));
    StorageVolume view;
    VKHOST_TRY_ASSIGN(view.name, read_string(*volume, "name", volume_place));
    if (view.name.empty() || !names.insert(view.name).second) {
      return invalid_argument(volume_place.text() + ".name is missing or not unique in this pod");
    }
    VKHOST_TRY_ASSIGN(view.kind, read_kind(*volume, volume_place));
    view.is_mounted = used.mounted.contains(view.name);
    view.is_a_device = used.devices.contains(view.name);
    if (!view.is_mounted && !view.is_a_device) {
      continue;
    }
    VKHOST_TRY_ASSIGN(const bool is_storage, read_source(*volume, volume_place, view));
    if (is_storage) {
      result.volumes.push_back(std::move(view));
    }
  }
  return result;
}

bool uses_no_storage(std::string_view spec) {
  constexpr std::array<std::string_view, 6> kTelling = {"\"persistentVolumeClaim\"",
                                                        "\"ephemeral\"",
                                                        "\"emptyDir\"",
                                                        "\"csi\"",
                                                        "\"azureFile\"",
                                                        "\"secretRef\""};
  // A key may be written with escapes; API servers do not write such.
  return spec.find("\\u") == std::string_view::npos &&
         std::none_of(kTelling.begin(), kTelling.end(), [&](std::string_view telling) {
           return spec.find(telling) != std::string_view::npos;
         });
}

}  // namespace vkhost::resolve
