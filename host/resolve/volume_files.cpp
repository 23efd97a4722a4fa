#include "resolve/volume_files.hpp"

#include "base/base64.hpp"
#include "base/clock.hpp"
#include "base/json_text.hpp"
#include "kube/token_request.hpp"
#include "resolve/config_error.hpp"
#include "resolve/resource_fields.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace vkhost::resolve {
namespace {

constexpr std::int64_t kLargestMode = 0777;
constexpr std::int64_t kGroupMayRead = 0440;  // what a kubelet adds for an fsGroup
constexpr std::int64_t kOwnersMode = 0600;    // of a token that is meant for one user or group
constexpr std::size_t kFileBytes = 160;       // a file's members without path, data and audience

std::string object_words(const ObjectFiles& source) {
  return (source.kind == ObjectKind::Secret ? "secret \"" : "configmap \"") + source.name + "\"";
}

// As a kubelet says it.
std::string missing_key(const ObjectFiles& source, const std::string& key) {
  return (source.kind == ObjectKind::Secret ? "references non-existent secret key: "
                                            : "configmap references non-existent config key: ") +
         key;
}

// Keys of data and binaryData are never the same, the API server sees to that.
const Secret* find_item(const ReferencedObject& object, const std::string& key) {
  for (const auto* items : {&object.items, &object.binary_items}) {
    if (const auto found = items->find(key); found != items->end()) {
      return &found->second;
    }
  }
  return nullptr;
}

// What an API server takes for a key of a ConfigMap or Secret.
bool is_key(std::string_view key) {
  constexpr std::size_t kLongest = 253;
  return !key.empty() && key.size() <= kLongest && key != "." && !key.starts_with("..") &&
         std::all_of(key.begin(), key.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

// Fewer than variables can refer to: what these files hold can be brought up to date.
bool is_volume_field(std::string_view path) {
  constexpr std::array<std::string_view, 5> kFields = {"metadata.annotations", "metadata.labels",
                                                       "metadata.name", "metadata.namespace",
                                                       "metadata.uid"};
  return std::find(kFields.begin(), kFields.end(), path) != kFields.end() ||
         path.starts_with("metadata.annotations['") || path.starts_with("metadata.labels['");
}

Result<std::int64_t> checked_mode(std::int64_t mode) {
  if (mode < 0 || mode > kLargestMode) {
    return spec_error("a mode must be a number between 0 and 0777 (octal)");
  }
  return mode;
}

void append_file(std::string& json,
                 const std::string& path,
                 const VolumeFile& file,
                 std::optional<std::int64_t> group) {
  json += json.back() == '[' ? R"({"path":)" : R"(,{"path":)";
  append_json_string(json, path);
  json += R"(,"data":")" + base64_encode(file.data.reveal()) + R"(","mode":)";
  json += std::to_string(file.mode);
  json += file.uid ? R"(,"uid":)" + std::to_string(*file.uid) : "";
  json += group ? R"(,"gid":)" + std::to_string(*group) : "";
  json += file.secret ? R"(,"secret":true)" : "";
  if (file.token) {
    json += R"(,"audience":)";
    append_json_string(json, file.token->audience);
    json += R"(,"expires":)";
    append_json_string(json, format_time(file.token->expires));
  }
  json += '}';
}

}  // namespace

Result<std::string> volume_path(const std::string& path) {
  constexpr std::size_t kLongestPath = 4096;
  constexpr std::size_t kLongestName = 255;
  const auto refused = [](const char* why) {
    return spec_error(std::string("the path of a file in a volume ") + why);
  };
  if (path.size() > kLongestPath) {
    return refused("must not be longer than 4096 characters");
  }
  if (path.starts_with('/')) {
    return refused("must be relative");
  }
  if (path.find('\0') != std::string::npos) {
    return refused("must not hold a NUL byte");
  }
  std::string clean;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (part == "..") {
      return refused("must not contain \"..\"");
    }
    if (part.size() > kLongestName) {
      return refused("must not have names of more than 255 characters");
    }
    if (!part.empty() && part != ".") {
      clean += clean.empty() ? "" : "/";
      clean += part;
    }
  }
  if (clean.empty()) {
    return refused("must name a file");
  }
  if (clean.starts_with("..")) {
    return refused("must not begin with \"..\"");
  }
  return clean;
}

bool VolumeFiles::PathOrder::operator()(std::string_view a, std::string_view b) const {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

Result<std::string> VolumeFiles::json(const PodVolumes& volumes) {
  std::string json = "{";
  for (const VolumeView& volume : volumes.volumes) {
    if (!parts_.makes_files && !has_token(volume)) {
      continue;
    }
    auto text = volume_json(volume, volumes);
    if (!text) {
      return mount_failed(volume.name, text.status());
    }
    json += json.size() == 1 ? "" : ",";
    append_json_string(json, volume.name);
    json += ":" + *text;
  }
  return json + "}";
}

Result<std::string> VolumeFiles::volume_json(const VolumeView& volume, const PodVolumes& all) {
  Content content{volume, all, {}, {}};
  VKHOST_TRY_ASSIGN([[maybe_unused]] const auto mode, checked_mode(volume.default_mode));
  for (const FileSource& source : volume.sources) {
    const bool is_token = std::holds_alternative<TokenFile>(source);
    if (!(is_token ? parts_.makes_tokens : parts_.makes_files)) {
      continue;
    }
    VKHOST_TRY(std::visit([&](const auto& known) { return add(known, content); }, source));
  }
  std::string json = R"({"files":[)";
  const std::string* before = nullptr;
  for (const auto& [path, file] : content.files) {
    if (before != nullptr && path.starts_with(*before + "/")) {
      return config_error("\"" + *before + "\" would be a file and the folder of \"" + path + "\"");
    }
    before = &path;
    append_file(json, path, file, all.fs_group);
  }
  return json + "]}";
}

Status VolumeFiles::add(const ObjectFiles& source, Content& content) {
  const auto object = parts_.read(source.kind, source.name);
  if (!object) {
    const std::string words = object_words(source);
    if (object.status().code() != StatusCode::NotFound) {
      // Not to be left out, however optional: nobody said that it does not exist.
      return read_error(object.status(), "failed to read " + words);
    }
    return source.optional ? Status::ok() : not_found(words + " not found");
  }
  if (source.items.empty()) {
    return add_all(source, **object, content);
  }
  const bool is_secret = source.kind == ObjectKind::Secret;
  for (const KeyToPath& item : source.items) {
    const Secret* data = find_item(**object, item.key);
    if (data == nullptr && !source.optional) {
      return not_found(missing_key(source, item.key));
    }
    if (data != nullptr) {
      VKHOST_TRY(add_named(item.path, item.mode, {*data, 0, is_secret}, content));
    }
  }
  return Status::ok();
}

Status VolumeFiles::add_all(const ObjectFiles& source,
                            const ReferencedObject& object,
                            Content& content) {
  for (const auto* items : {&object.items, &object.binary_items}) {
    for (const auto& [key, data] : *items) {
      if (!is_key(key)) {
        return config_error("key \"" + key + "\" of " + object_words(source) +
                            " cannot be the name of a file");
      }
      VKHOST_TRY(add_file(key, {}, {data, 0, source.kind == ObjectKind::Secret}, content));
    }
  }
  return Status::ok();
}

Status VolumeFiles::add(const DownwardFiles& source, Content& content) {
  for (const DownwardFile& file : source.items) {
    VKHOST_TRY_ASSIGN(std::string value, downward_value(file));
    VKHOST_TRY(add_named(file.path, file.mode, {Secret(std::move(value))}, content));
  }
  return Status::ok();
}

Status VolumeFiles::add(const TokenFile& source, Content& content) {
  if (source.expiration_seconds < kube::kShortestTokenLifetime.count()) {
    return spec_error("a serviceAccountToken may not specify a duration less than 10 minutes");
  }
  if (source.expiration_seconds > kube::kLongestTokenLifetime.count()) {
    return spec_error("a serviceAccountToken may not specify a duration larger than 2^32 seconds");
  }
  if (!parts_.token) {
    return spec_error("there is no API server to issue a serviceAccountToken");
  }
  const auto token = parts_.token(source);
  if (!token) {
    return read_error(token.status(), "failed to fetch token");
  }
  return add_owned(source.path, {(*token)->token, 0, true, {}, *token}, content);
}

// An empty file where nothing is selected and may be.
Status VolumeFiles::add(const TrustBundleFile& source, Content& content) {
  const auto bundles = source.selection.empty()
                           ? Result<ObjectPtr>(not_found("nothing is selected without a selector"))
                           : parts_.read(ObjectKind::TrustBundles, source.selection);
  if (!bundles && bundles.status().code() != StatusCode::NotFound) {
    return read_error(bundles.status(), "failed to read ClusterTrustBundles");
  }
  if (!bundles && !source.optional) {
    return config_error(source.missing + ": " + bundles.status().message());
  }
  const Secret* anchors = bundles ? find_item(**bundles, std::string(kTrustAnchors)) : nullptr;
  return add_owned(source.path, {anchors == nullptr ? Secret() : *anchors}, content);
}

Status VolumeFiles::add_owned(const std::string& path, VolumeFile file, Content& content) {
  file.uid = content.all.fs_user;
  const bool is_owned = file.uid.has_value() || content.all.fs_group.has_value();
  return add_named(path, is_owned ? std::optional(kOwnersMode) : std::nullopt, std::move(file),
                   content);
}

Status VolumeFiles::add(const OtherFiles& source, Content& /*content*/) {
  return spec_error("a projected " + source.kind + " is not supported");
}

Result<std::string> VolumeFiles::downward_value(const DownwardFile& file) {
  if (file.field) {
    if (!is_volume_field(file.field->path)) {
      return spec_error("unsupported fieldPath: " + file.field->path);
    }
    VKHOST_TRY_ASSIGN(FieldValue value, parts_.fields.read(*file.field));
    return std::move(value.text);
  }
  if (file.resource->container.empty()) {
    return spec_error("the resourceFieldRef of file \"" + file.path + "\" names no container");
  }
  return read_resource_field(*file.resource, parts_.view, ContainerView(), parts_.node);
}

Status VolumeFiles::add_named(const std::string& path,
                              std::optional<std::int64_t> mode,
                              VolumeFile file,
                              Content& content) {
  VKHOST_TRY_ASSIGN(const std::string clean, volume_path(path));
  // In other volumes the API server lets a path be given again, and the last one counts.
  if (!content.named.insert(clean).second && content.volume.is_projected) {
    return spec_error("conflicting duplicate paths: \"" + clean + "\"");
  }
  return add_file(clean, mode, std::move(file), content);
}

Status VolumeFiles::add_file(const std::string& path,
                             std::optional<std::int64_t> mode,
                             VolumeFile file,
                             Content& content) {
  VKHOST_TRY_ASSIGN(file.mode, checked_mode(mode.value_or(content.volume.default_mode)));
  file.mode |= content.all.fs_group ? kGroupMayRead : 0;
  const std::size_t audience = file.token ? file.token->audience.size() : 0;
  VKHOST_TRY(parts_.spend(kFileBytes + path.size() + file.data.reveal().size() / 3 * 4 + audience));
  content.files.insert_or_assign(path, std::move(file));
  return Status::ok();
}

Status VolumeFiles::mount_failed(const std::string& volume, const Status& status) {
  const std::string what = "MountVolume.SetUp failed for volume \"" + volume + "\" ";
  const std::string words = what + ": " + status.message();
  if (status.code() != StatusCode::Cancelled) {
    parts_.events.warning(parts_.pod, "FailedMount", words);
  }
  switch (status.code()) {
    case StatusCode::NotFound:
      return config_error(words + " in namespace " + parts_.pod.pod_namespace +
                          ": add it, or mark the reference optional")
          .with_reason(kMountErrorReason);
    case StatusCode::InvalidArgument:  // of the pod's own labels, say, in a manifest
      return spec_error(words).with_reason(kMountErrorReason);
    default:
      return status.while_doing(what).with_reason(kMountErrorReason);
  }
}

}  // namespace vkhost::resolve
