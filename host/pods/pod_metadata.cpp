#include "pods/pod_metadata.hpp"

#include "kube/json_cut.hpp"

#include <algorithm>
#include <string_view>

namespace vkhost::pods {
namespace {

// It is kept in an annotation: the same in every process and build.
std::uint64_t combine(std::uint64_t seed, std::string_view text) {
  return kube::stable_hash(std::string_view("\0", 1), kube::stable_hash(text, seed));
}

bool is_own(std::string_view key, const std::vector<std::string>& prefixes) {
  return kube::is_host_annotation(key) ||
         std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return key.starts_with(prefix); });
}

}  // namespace

std::uint64_t user_metadata_hash(const kube::PodRecord& pod,
                                 const std::vector<std::string>& own_prefixes) {
  if (own_prefixes.empty()) {
    return pod.metadata_hash;
  }
  const std::string_view metadata = kube::find_member(pod.raw, "metadata");
  std::uint64_t hash = 1;
  for (const std::string_view map : {"labels", "annotations"}) {
    hash = combine(hash, map);
    const std::string_view object = kube::find_member(metadata, map);
    if (object.empty()) {
      continue;
    }
    kube::JsonMembers members(object);
    kube::JsonMember member;
    while (members.next(member)) {
      if (map == "labels" || !is_own(member.key, own_prefixes)) {
        hash = combine(combine(hash, member.key), member.value);
      }
    }
  }
  return hash;
}

LossPolicy own_loss_policy(const kube::PodRecord& pod) {
  LossPolicy policy;
  if (pod.raw.find(kOnLostAnnotation) == std::string::npos) {
    return policy;  // as for nearly every pod
  }
  const std::string_view metadata = kube::find_member(pod.raw, "metadata");
  const std::string_view annotations = kube::find_member(metadata, "annotations");
  const std::string_view value =
      annotations.empty() ? annotations : kube::find_member(annotations, kOnLostAnnotation);
  if (value.empty()) {
    return policy;
  }
  const std::string_view word = kube::plain_string(value);
  if (word == "fail") {
    policy.on_lost = OnLost::Fail;
  } else if (word == "recreate") {
    policy.on_lost = OnLost::Recreate;
  } else if (word == "wait") {
    policy.on_lost = OnLost::Wait;
  } else {
    policy.problem =
        "annotation " + std::string(kOnLostAnnotation) +
        R"( is neither "fail" nor "recreate" nor "wait": the policy of the node holds)";
  }
  return policy;
}

}  // namespace vkhost::pods
