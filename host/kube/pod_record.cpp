// The order of work decides what may be trusted: the cut (json_cut) finds the places of metadata,
// spec and status and drops managedFields, half of a typical pod, without looking inside; what is
// left is validated as a whole; only then are fields read and slices hashed.
#include "kube/pod_record.hpp"

#include "kube/json_cut.hpp"
#include "kube/json_reader.hpp"

#include <simdjson.h>

#include <array>
#include <cstring>
#include <functional>
#include <utility>

namespace vkhost::kube {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMaxIdentityBytes = 253;  // of a DNS subdomain, the longest name there is

// Offsets into the JSON as it came.
struct Cut {
  std::string_view metadata;
  std::string_view spec;
  std::string_view status;
  std::string_view labels;
  std::string_view annotations;
  std::size_t dropped_begin = 0;  // managedFields with one comma
  std::size_t dropped_size = 0;
};

Status take_slice(std::string_view& slot, const JsonMember& member, std::string_view path) {
  if (!slot.empty()) {
    return invalid_argument(std::string(path) + std::string(member.key) + " stands twice");
  }
  slot = member.value;
  return Status::ok();
}

// The API server never escapes its own field names; two spellings of one key would let the cut and
// the validated document disagree about what a field is.
Status refuse_escaped_key(const JsonMember& member) {
  if (member.key.find('\\') == std::string_view::npos) {
    return Status::ok();
  }
  return invalid_argument("a field name is written with escapes");
}

Status cut_metadata(std::string_view json, Cut& cut) {
  std::string_view managed;
  std::size_t previous_end = 0;  // of the member before managedFields; 0: it is the first
  bool comma_follows = false;
  JsonMembers members(cut.metadata);
  JsonMember member;
  std::size_t last_end = 0;
  const auto base = static_cast<std::size_t>(cut.metadata.data() - json.data());
  while (members.next(member)) {
    VKHOST_TRY(refuse_escaped_key(member));
    if (!managed.empty() && cut.dropped_size == 0) {
      comma_follows = true;
      cut.dropped_size = base + member.begin - cut.dropped_begin;
    }
    if (member.key == "managedFields") {
      VKHOST_TRY(take_slice(managed, member, "metadata."));
      previous_end = last_end;
      cut.dropped_begin = base + member.begin;
    } else if (member.key == "labels") {
      VKHOST_TRY(take_slice(cut.labels, member, "metadata."));
    } else if (member.key == "annotations") {
      VKHOST_TRY(take_slice(cut.annotations, member, "metadata."));
    }
    last_end = member.end;
  }
  if (!managed.empty() && !comma_follows) {  // last member: the comma before it goes too
    if (previous_end != 0) {
      cut.dropped_begin = base + previous_end;
    }
    cut.dropped_size = base + last_end - cut.dropped_begin;
  }
  return Status::ok();
}

Result<Cut> cut_pod(std::string_view json) {
  Cut cut;
  JsonMembers members(json);
  JsonMember member;
  while (members.next(member)) {
    VKHOST_TRY(refuse_escaped_key(member));
    if (member.key == "metadata") {
      VKHOST_TRY(take_slice(cut.metadata, member, ""));
    } else if (member.key == "spec") {
      VKHOST_TRY(take_slice(cut.spec, member, ""));
    } else if (member.key == "status") {
      VKHOST_TRY(take_slice(cut.status, member, ""));
    }
  }
  if (!members.is_complete()) {
    return invalid_argument("not a complete JSON object");
  }
  if (!cut.metadata.empty() && cut.metadata.front() == '{') {
    VKHOST_TRY(cut_metadata(json, cut));
  }
  return cut;
}

std::uint64_t hash_text(std::string_view text) { return std::hash<std::string_view>{}(text); }

// Member by member, so that an absent map and an empty one are the same.
std::uint64_t hash_map(std::string_view object, std::uint64_t seed) {
  constexpr std::string_view kEnd("\0", 1);
  JsonMembers members(object);
  JsonMember member;
  while (members.next(member)) {
    if (!is_host_annotation(member.key)) {
      seed = stable_hash(kEnd, stable_hash(member.key, seed));
      seed = stable_hash(kEnd, stable_hash(member.value, seed));
    }
  }
  return seed;
}

// Name, namespace and UID end up in paths, log lines and keys.
Status check_identity(const std::string& value, std::string_view field) {
  if (value.empty()) {
    return invalid_argument(std::string(field) + " is missing");
  }
  if (value.size() > kMaxIdentityBytes) {
    return invalid_argument(std::string(field) + " is longer than 253 bytes");
  }
  for (const char c : value) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '/' || c == 0x7f) {
      return invalid_argument(std::string(field) + " holds a character that no name may have");
    }
  }
  return Status::ok();
}

Status read_owners(const OptionalElement& member, PodRecord& pod) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::array owners, as_array(*member, "metadata.ownerReferences"));
  for (const dom::element element : owners) {
    VKHOST_TRY_ASSIGN(const dom::object owner, as_object(element, "metadata.ownerReferences[]"));
    std::array<OptionalElement, 2> found;
    VKHOST_TRY(
        find_members<2>(owner, "metadata.ownerReferences[].", {"kind", "controller"}, found));
    std::string kind;
    bool controller = false;
    VKHOST_TRY(read_string(found[0], "metadata.ownerReferences[].kind", kind));
    VKHOST_TRY(read_bool(found[1], "metadata.ownerReferences[].controller", controller));
    pod.is_daemon_set_pod = pod.is_daemon_set_pod || (controller && kind == "DaemonSet");
  }
  return Status::ok();
}

Status read_annotations(const OptionalElement& member, PodRecord& pod) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object annotations, as_object(*member, "metadata.annotations"));
  std::array<OptionalElement, 3> found;
  VKHOST_TRY(find_members<3>(
      annotations, "metadata.annotations.",
      {kHandleAnnotation, kHandleUidAnnotation, "kubernetes.io/config.mirror"}, found));
  std::string handle;
  std::string handle_uid;
  VKHOST_TRY(read_string(found[0], "metadata.annotations[vkhost.io/handle]", handle));
  VKHOST_TRY(read_string(found[1], "metadata.annotations[vkhost.io/handle-uid]", handle_uid));
  if (handle_uid == pod.uid) {  // users copy manifests, annotations and all
    pod.handle = std::move(handle);
  }
  pod.is_mirror_pod = found[2].has_value();
  return Status::ok();
}

Status read_metadata(dom::element element, PodRecord& pod) {
  VKHOST_TRY_ASSIGN(const dom::object metadata, as_object(element, "metadata"));
  std::array<OptionalElement, 10> found;
  VKHOST_TRY(find_members<10>(
      metadata, "metadata.",
      {"name", "namespace", "uid", "resourceVersion", "deletionTimestamp",
       "deletionGracePeriodSeconds", "generation", "ownerReferences", "annotations", "labels"},
      found));
  VKHOST_TRY(read_string(found[0], "metadata.name", pod.name));
  VKHOST_TRY(read_string(found[1], "metadata.namespace", pod.pod_namespace));
  VKHOST_TRY(read_string(found[2], "metadata.uid", pod.uid));
  VKHOST_TRY(check_identity(pod.name, "metadata.name"));
  VKHOST_TRY(check_identity(pod.pod_namespace, "metadata.namespace"));
  VKHOST_TRY(check_identity(pod.uid, "metadata.uid"));
  VKHOST_TRY(read_string(found[3], "metadata.resourceVersion", pod.resource_version));
  VKHOST_TRY(read_string(found[4], "metadata.deletionTimestamp", pod.deletion_timestamp));
  VKHOST_TRY(read_int(found[5], "metadata.deletionGracePeriodSeconds", pod.deletion_grace_seconds));
  VKHOST_TRY(read_int(found[6], "metadata.generation", pod.generation));
  VKHOST_TRY(read_owners(found[7], pod));
  if (found[9]) {
    VKHOST_TRY(as_object(*found[9], "metadata.labels").status());
  }
  return read_annotations(found[8], pod);
}

// One string out of each object of a list: names of containers, types of readiness gates.
Status read_strings(const OptionalElement& member,
                    std::string_view list,
                    std::string_view key,
                    std::vector<std::string>& out) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::array elements, as_array(*member, list));
  const std::string path = std::string(list) + "[]";
  out.reserve(elements.size());
  for (const dom::element element : elements) {
    VKHOST_TRY_ASSIGN(const dom::object object, as_object(element, path));
    std::array<OptionalElement, 1> found;
    VKHOST_TRY(find_members<1>(object, path + ".", {key}, found));
    if (!found[0]) {
      return invalid_argument(path + "." + std::string(key) + " is missing");
    }
    VKHOST_TRY_ASSIGN(const std::string_view name,
                      as_string(*found[0], path + "." + std::string(key)));
    out.emplace_back(name);
  }
  return Status::ok();
}

Status read_sidecars(const OptionalElement& member, PodRecord& pod) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::array elements, as_array(*member, "spec.initContainers"));
  std::size_t index = 0;
  for (const dom::element element : elements) {
    VKHOST_TRY_ASSIGN(const dom::object object, as_object(element, "spec.initContainers[]"));
    std::array<OptionalElement, 1> found;
    VKHOST_TRY(find_members<1>(object, "spec.initContainers[].", {"restartPolicy"}, found));
    std::string policy;
    VKHOST_TRY(read_string(found[0], "spec.initContainers[].restartPolicy", policy));
    if (policy == "Always") {
      pod.sidecars.push_back(pod.init_containers[index]);
    }
    ++index;
  }
  return Status::ok();
}

Status read_spec(const OptionalElement& element, PodRecord& pod) {
  pod.restart_policy = "Always";
  if (!element) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object spec, as_object(*element, "spec"));
  std::array<OptionalElement, 7> found;
  VKHOST_TRY(find_members<7>(spec, "spec.",
                             {"nodeName", "restartPolicy", "containers", "initContainers",
                              "readinessGates", "ephemeralContainers", "activeDeadlineSeconds"},
                             found));
  if (found[6]) {
    VKHOST_TRY(
        read_int(found[6], "spec.activeDeadlineSeconds", pod.active_deadline_seconds.emplace()));
  }
  VKHOST_TRY(read_string(found[0], "spec.nodeName", pod.node_name));
  VKHOST_TRY(read_string(found[1], "spec.restartPolicy", pod.restart_policy));
  VKHOST_TRY(read_strings(found[2], "spec.containers", "name", pod.containers));
  VKHOST_TRY(read_strings(found[3], "spec.initContainers", "name", pod.init_containers));
  VKHOST_TRY(read_sidecars(found[3], pod));
  VKHOST_TRY(read_strings(found[5], "spec.ephemeralContainers", "name", pod.ephemeral_containers));
  return read_strings(found[4], "spec.readinessGates", "conditionType", pod.readiness_gates);
}

Status read_run(const OptionalElement& state, std::string_view field, bool& ran) {
  if (!state) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object object, as_object(*state, field));
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_members<2>(object, field, {"running", "terminated"}, found));
  ran = ran || found[0] || found[1];
  return Status::ok();
}

Status read_runs(const OptionalElement& member, std::string_view list, bool& ran) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::array statuses, as_array(*member, list));
  const std::string path = std::string(list) + "[]";
  for (const dom::element element : statuses) {
    VKHOST_TRY_ASSIGN(const dom::object status, as_object(element, path));
    std::array<OptionalElement, 3> found;
    VKHOST_TRY(find_members<3>(status, path + ".", {"state", "lastState", "restartCount"}, found));
    VKHOST_TRY(read_run(found[0], path + ".state", ran));
    VKHOST_TRY(read_run(found[1], path + ".lastState", ran));
    std::int64_t restarts = 0;
    VKHOST_TRY(read_int(found[2], path + ".restartCount", restarts));
    ran = ran || restarts > 0;
  }
  return Status::ok();
}

Status read_status(const OptionalElement& element, PodRecord& pod) {
  if (!element) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object status, as_object(*element, "status"));
  std::array<OptionalElement, 4> found;
  VKHOST_TRY(find_members<4>(status, "status.",
                             {"phase", "startTime", "containerStatuses", "initContainerStatuses"},
                             found));
  VKHOST_TRY(read_string(found[0], "status.phase", pod.phase));
  VKHOST_TRY(read_string(found[1], "status.startTime", pod.start_time));
  VKHOST_TRY(read_runs(found[2], "status.containerStatuses", pod.ever_started));
  return read_runs(found[3], "status.initContainerStatuses", pod.ever_started);
}

Status read_fields(dom::element root, PodRecord& pod) {
  VKHOST_TRY_ASSIGN(const dom::object object, as_object(root, "the document"));
  std::array<OptionalElement, 3> found;
  VKHOST_TRY(find_members<3>(object, "", {"metadata", "spec", "status"}, found));
  if (!found[0]) {
    return invalid_argument("metadata is missing");
  }
  VKHOST_TRY(read_metadata(*found[0], pod));
  VKHOST_TRY(read_spec(found[1], pod));
  return read_status(found[2], pod);
}

// `json` without managedFields, followed by the padding that the parser wants to read.
std::string_view copy_kept(std::string_view json, const Cut& cut, std::string& scratch) {
  const std::size_t size = json.size() - cut.dropped_size;
  const std::size_t tail = cut.dropped_begin + cut.dropped_size;
  scratch.resize(size + simdjson::SIMDJSON_PADDING);
  std::memcpy(scratch.data(), json.data(), cut.dropped_begin);
  std::memcpy(scratch.data() + cut.dropped_begin, json.data() + tail, json.size() - tail);
  return std::string_view(scratch).substr(0, size);
}

}  // namespace

Result<PodPtr> parse_pod(std::string_view json) {
  constexpr std::size_t kKeptScratch = std::size_t{256} * 1024;
  thread_local std::string scratch;
  json = trim_json(json);
  VKHOST_TRY_ASSIGN(const Cut cut, cut_pod(json));
  const std::string_view kept = copy_kept(json, cut, scratch);
  VKHOST_TRY_ASSIGN(const dom::element root, read_padded_json(kept));

  auto pod = std::make_shared<PodRecord>();
  VKHOST_TRY(read_fields(root, *pod));
  pod->raw = std::string(kept);
  if (!cut.status.empty() && cut.status.front() == '{') {
    const auto offset = static_cast<std::size_t>(cut.status.data() - json.data());
    pod->status_offset = offset - (offset > cut.dropped_begin ? cut.dropped_size : 0);
    pod->status_size = cut.status.size();
  }
  pod->spec_hash = hash_text(cut.spec);
  pod->metadata_hash =
      hash_map(cut.annotations, stable_hash("annotations", hash_map(cut.labels, kHashSeed)));
  pod->parts = hash_spec_parts(cut.spec);
  pod->status_hash = hash_text(pod->status_json());
  if (scratch.capacity() > kKeptScratch) {
    std::string().swap(scratch);
  }
  return PodPtr(std::move(pod));
}

}  // namespace vkhost::kube
