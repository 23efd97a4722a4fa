#include "resolve/volume_storage.hpp"

#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "resolve/config_error.hpp"

#include <string_view>

namespace vkhost::resolve {
namespace {

constexpr std::size_t kItemBytes = 64;    // an item's members without what is in them
constexpr std::size_t kVolumeBytes = 16;  // a volume's

void append_texts(std::string& json, const char* member, const std::vector<std::string>& texts) {
  if (texts.empty()) {
    return;
  }
  json += std::string(",\"") + member + "\":[";
  for (const std::string& text : texts) {
    json += json.back() == '[' ? "" : ",";
    append_json_string(json, text);
  }
  json += ']';
}

void append_claim(std::string& json, const std::string& name, const BoundClaim& bound) {
  const PersistentVolume& volume = bound.volume;
  json += R"("claim":{"name":)";
  append_json_string(json, name);
  json += R"(,"volume_name":)";
  append_json_string(json, bound.claim.volume);
  json += R"(,"volume_mode":)";
  append_json_string(json, volume.volume_mode);
  append_texts(json, "access_modes", volume.access_modes);
  append_texts(json, "mount_options", volume.mount_options);
  if (volume.capacity_bytes) {
    json += R"(,"capacity_bytes":)" + std::to_string(*volume.capacity_bytes);
  }
  json += volume.gid ? R"(,"gid":)" + std::to_string(*volume.gid) : "";
  json += R"(,"source":{")" + volume.kind + "\":" + volume.source + "}}";
}

void append_empty_folder(std::string& json, const EmptyFolder& folder) {
  json += R"("empty_dir":{"medium":)";
  append_json_string(json, folder.medium);
  json += folder.limit_bytes ? R"(,"size_limit_bytes":)" + std::to_string(*folder.limit_bytes) : "";
  json += '}';
}

// The volume itself comes from a claim that somebody else may have made.
Status check_use(const StorageVolume& volume, const std::string& mode) {
  const std::string words =
      "volume " + volume.name + " has volumeMode " + mode + ", but is specified in ";
  if (volume.is_mounted && mode != "Filesystem") {
    return config_error(words + "volumeMounts");
  }
  if (volume.is_a_device && mode != "Block") {
    return config_error(words + "volumeDevices");
  }
  return Status::ok();
}

}  // namespace

Result<std::string> VolumeStorage::json(const PodStorage& storage) {
  std::string json = "{";
  for (const StorageVolume& volume : storage.volumes) {
    VKHOST_TRY_ASSIGN(const std::string text, volume_json(volume));
    json += json.size() == 1 ? "" : ",";
    append_json_string(json, volume.name);
    json += ":" + text;
  }
  return json + "}";
}

Result<std::string> VolumeStorage::volume_json(const StorageVolume& volume) {
  std::string json = "{";
  std::vector<SourceSecret> secrets = volume.secrets;
  if (volume.empty_folder) {
    append_empty_folder(json, *volume.empty_folder);
  }
  if (volume.claim) {
    const std::string name =
        volume.claim->is_ephemeral ? parts_.pod.name + "-" + volume.name : volume.claim->name;
    // A kubelet sorts out the volumes first, and then says which of them it could not mount.
    const auto claim = bound(volume, name);
    if (!claim) {
      return failed("Unable to attach or mount volumes: unmounted volumes=[" + volume.name +
                        "], unattached volumes=[], failed to process volumes=[" + volume.name + "]",
                    claim.status());
    }
    append_claim(json, name, **claim);
    secrets = (*claim)->volume.secrets;
  }
  Status status = parts_.spend(kVolumeBytes + volume.name.size() + json.size());
  if (status.is_ok()) {
    status = add_secrets(secrets, json);
  }
  if (!status.is_ok()) {
    return failed("MountVolume.SetUp failed for volume \"" + volume.name + "\" ", status);
  }
  return json + "}";
}

Result<BoundClaimPtr> VolumeStorage::bound(const StorageVolume& volume, const std::string& name) {
  const std::string words = "error processing PVC " + parts_.pod.pod_namespace + "/" + name;
  if (parts_.claims == nullptr) {
    return spec_error(words + ": there is no API server to have claims");
  }
  auto found = parts_.claims->bound(parts_.pod.pod_namespace, name, parts_.cancel);
  if (!found) {
    return found.status().while_doing(words);
  }
  const Claim& claim = (*found)->claim;
  if (claim.is_being_deleted && !parts_.is_held) {
    return config_error(words + ": PVC is being deleted");
  }
  // Else a pod would get what somebody else has stored, by the choice of its name.
  if (volume.claim->is_ephemeral && claim.owner_uid != parts_.pod.uid) {
    return config_error("PVC " + parts_.pod.pod_namespace + "/" + name +
                        " was not created for pod " + parts_.pod.pod_namespace + "/" +
                        parts_.pod.name + " (pod is not owner)");
  }
  VKHOST_TRY(check_use(volume, (*found)->volume.volume_mode));
  return found;
}

Status VolumeStorage::add_secrets(const std::vector<SourceSecret>& secrets, std::string& json) {
  std::string members;
  for (const SourceSecret& secret : secrets) {
    const std::string& space =
        secret.secret_namespace.empty() ? parts_.pod.pod_namespace : secret.secret_namespace;
    const auto object = parts_.read(space, secret.name);
    if (!object) {
      const std::string words =
          "fetching " + secret.member + " " + space + "/" + secret.name + " failed";
      return object.status().code() == StatusCode::NotFound
                 ? config_error(words + ": secrets \"" + secret.name + "\" not found")
                 : read_error(object.status(), words);
    }
    members += members.empty() ? "\"" : ",\"";
    members += secret.member + "\":{";
    for (const auto& [key, data] : (*object)->items) {
      VKHOST_TRY(parts_.spend(kItemBytes + key.size() + data.reveal().size() / 3 * 4));
      members += members.back() == '{' ? "" : ",";
      append_json_string(members, key);
      members += R"(:{"data":")" + base64_encode(data.reveal()) + R"(","secret":true})";
    }
    members += '}';
  }
  if (!members.empty()) {
    json += json.back() == '{' ? "" : ",";
    json += R"("secrets":{)" + members + "}";
  }
  return Status::ok();
}

Status VolumeStorage::failed(const std::string& words, const Status& status) {
  if (status.code() != StatusCode::Cancelled) {
    parts_.events.warning(parts_.pod, "FailedMount", words + ": " + status.message());
  }
  return status.while_doing(words).with_reason(kMountErrorReason);
}

}  // namespace vkhost::resolve
