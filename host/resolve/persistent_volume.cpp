#include "resolve/persistent_volume.hpp"

#include "base/json_text.hpp"
#include "kube/json_cut.hpp"
#include "kube/quantity.hpp"
#include "resolve/json_members.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace vkhost::resolve {
namespace {

using Poco::JSON::Object;

constexpr const char* kGidAnnotation = "pv.beta.kubernetes.io/gid";
constexpr std::int64_t kLargestId = 0x7FFFFFFF;
// With what the material puts around it no deeper than a provider has to read.
constexpr std::size_t kMaxSourceDepth = 48;

// All that there will ever be: new kinds of storage come as csi.
constexpr std::array<const char*, 22> kSources = {"awsElasticBlockStore",
                                                  "azureDisk",
                                                  "azureFile",
                                                  "cephfs",
                                                  "cinder",
                                                  "csi",
                                                  "fc",
                                                  "flexVolume",
                                                  "flocker",
                                                  "glusterfs",
                                                  "hostPath",
                                                  "gcePersistentDisk",
                                                  "iscsi",
                                                  "local",
                                                  "nfs",
                                                  "photonPersistentDisk",
                                                  "portworxVolume",
                                                  "quobyte",
                                                  "rbd",
                                                  "scaleIO",
                                                  "storageos",
                                                  "vsphereVolume"};

Result<Object::Ptr> read_member(const Object& object, const char* member, const Place& place) {
  VKHOST_TRY_ASSIGN(auto found, read_object(object, member, place));
  return found.isNull() ? Object::Ptr(new Object) : found;
}

Result<std::vector<std::string>> read_texts(const Object& object,
                                            const char* member,
                                            const Place& place) {
  std::vector<std::string> texts;
  VKHOST_TRY_ASSIGN(const auto list, read_array(object, member, place));
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    VKHOST_TRY_ASSIGN(auto text, string_at(*list, i, Place(place, member, i)));
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<std::string> read_controller(const Object& metadata, const Place& place) {
  VKHOST_TRY_ASSIGN(const auto owners, read_array(metadata, "ownerReferences", place));
  for (std::size_t i = 0; !owners.isNull() && i < owners->size(); ++i) {
    const Place owner_place(place, "ownerReferences", i);
    VKHOST_TRY_ASSIGN(const auto owner, object_at(*owners, i, owner_place));
    VKHOST_TRY_ASSIGN(const bool is_controller,
                      read_bool(*owner, "controller", owner_place, false));
    if (is_controller) {
      return read_string(*owner, "uid", owner_place);
    }
  }
  return std::string();
}

Result<std::optional<std::int64_t>> read_capacity(const Object& spec, const Place& place) {
  VKHOST_TRY_ASSIGN(const auto capacity, read_member(spec, "capacity", place));
  const auto storage = capacity->get("storage");
  if (storage.isEmpty()) {
    return std::optional<std::int64_t>();
  }
  const Place storage_place(place, "capacity");
  VKHOST_TRY_ASSIGN(const std::string text, quantity_text(storage, storage_place));
  VKHOST_TRY_ASSIGN(const kube::Quantity quantity, kube::Quantity::parse(text));
  return std::optional(quantity.ceil());
}

// What is no number of a group counts as none, as with a kubelet.
Result<std::optional<std::int64_t>> read_gid(const Object& metadata, const Place& place) {
  VKHOST_TRY_ASSIGN(const auto annotations, read_member(metadata, "annotations", place));
  VKHOST_TRY_ASSIGN(const std::string text,
                    read_string(*annotations, kGidAnnotation, Place(place, "annotations")));
  std::int64_t gid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), gid);
  const bool is_gid = !text.empty() && error == std::errc() && end == text.data() + text.size() &&
                      gid >= 0 && gid <= kLargestId;
  return is_gid ? std::optional(gid) : std::nullopt;
}

Status read_source(const Object& spec,
                   std::string_view raw_spec,
                   const Place& place,
                   PersistentVolume& volume) {
  const auto found = std::find_if(kSources.begin(), kSources.end(),
                                  [&](const char* kind) { return !spec.get(kind).isEmpty(); });
  if (found == kSources.end()) {
    return Status::ok();
  }
  volume.kind = *found;
  VKHOST_TRY_ASSIGN(const auto source, read_object(spec, volume.kind, place));
  const Place source_place(place, volume.kind);
  VKHOST_TRY_ASSIGN(volume.secrets, read_source_secrets(*source, volume.kind, source_place));
  const std::string_view raw = kube::find_member(raw_spec, volume.kind);
  const Status valid = validate_json_object(raw, kMaxSourceDepth);
  if (!valid.is_ok()) {
    return valid.while_doing("reading " + source_place.text());
  }
  volume.source = raw;
  return Status::ok();
}

}  // namespace

Result<Claim> parse_claim(std::string_view json) {
  VKHOST_TRY_ASSIGN(const auto document, parse_json_object(json, "the PersistentVolumeClaim"));
  const Place place("the claim");
  Claim claim;
  VKHOST_TRY_ASSIGN(const auto metadata, read_member(*document, "metadata", place));
  const Place metadata_place(place, "metadata");
  VKHOST_TRY_ASSIGN(claim.uid, read_string(*metadata, "uid", metadata_place));
  VKHOST_TRY_ASSIGN(claim.owner_uid, read_controller(*metadata, metadata_place));
  VKHOST_TRY_ASSIGN(const std::string deleted,
                    read_string(*metadata, "deletionTimestamp", metadata_place));
  claim.is_being_deleted = !deleted.empty();
  VKHOST_TRY_ASSIGN(const auto spec, read_member(*document, "spec", place));
  VKHOST_TRY_ASSIGN(claim.volume, read_string(*spec, "volumeName", Place(place, "spec")));
  VKHOST_TRY_ASSIGN(const auto status, read_member(*document, "status", place));
  VKHOST_TRY_ASSIGN(const std::string phase, read_string(*status, "phase", Place(place, "status")));
  claim.is_bound = phase == "Bound";
  return claim;
}

Result<PersistentVolume> parse_persistent_volume(std::string_view json) {
  VKHOST_TRY_ASSIGN(const auto document, parse_json_object(json, "the PersistentVolume"));
  const Place root("the volume");
  PersistentVolume volume;
  VKHOST_TRY_ASSIGN(const auto metadata, read_member(*document, "metadata", root));
  VKHOST_TRY_ASSIGN(volume.gid, read_gid(*metadata, Place(root, "metadata")));
  VKHOST_TRY_ASSIGN(const auto spec, read_member(*document, "spec", root));
  const Place place(root, "spec");
  VKHOST_TRY_ASSIGN(const auto claim, read_object(*spec, "claimRef", place));
  if (!claim.isNull()) {
    volume.is_claimed = true;
    VKHOST_TRY_ASSIGN(volume.claim_uid, read_string(*claim, "uid", Place(place, "claimRef")));
  }
  VKHOST_TRY_ASSIGN(const auto mode, find_string(*spec, "volumeMode", place));
  volume.volume_mode = mode.value_or(volume.volume_mode);
  VKHOST_TRY_ASSIGN(volume.access_modes, read_texts(*spec, "accessModes", place));
  VKHOST_TRY_ASSIGN(volume.mount_options, read_texts(*spec, "mountOptions", place));
  VKHOST_TRY_ASSIGN(volume.capacity_bytes, read_capacity(*spec, place));
  VKHOST_TRY(read_source(*spec, kube::find_member(json, "spec"), place, volume));
  return volume;
}

}  // namespace vkhost::resolve
