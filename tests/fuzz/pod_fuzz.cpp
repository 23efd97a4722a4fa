// A pod of any shape is refused or read, and what was read holds together. A provider's status of any
// shape is refused or becomes a patch after which nothing is left to write: else the daemon would
// write for ever.
// Input: the pod, a line "---", the provider's status.
#include "base/json_text.hpp"
#include "fuzz_input.hpp"
#include "kube/json_cut.hpp"
#include "kube/json_reader.hpp"
#include "kube/pod_record.hpp"
#include "pods/status_json.hpp"
#include "pods/status_merge.hpp"
#include "support/strategic_merge.hpp"

#include <vkhost/provider.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

namespace kube = vkhost::kube;
namespace pods = vkhost::pods;
using vkhost::fuzz::require;

bool is_same(const kube::PodRecord& one, const kube::PodRecord& other) {
  return one.raw == other.raw && one.uid == other.uid && one.name == other.name &&
         one.pod_namespace == other.pod_namespace && one.phase == other.phase &&
         one.containers == other.containers && one.init_containers == other.init_containers &&
         one.status_json() == other.status_json() && one.spec_hash == other.spec_hash &&
         one.metadata_hash == other.metadata_hash && one.status_hash == other.status_hash &&
         one.ever_started == other.ever_started && one.handle == other.handle;
}

void check_record(const kube::PodRecord& pod) {
  require(!pod.name.empty() && !pod.pod_namespace.empty() && !pod.uid.empty());
  require(kube::read_json(pod.raw).is_ok());
  require(kube::find_member(kube::find_member(pod.raw, "metadata"), "managedFields").empty());
  const auto status = kube::read_json(pod.status_json());
  require(status.is_ok() && status->is_object());
  // What was kept reads as what came.
  const auto again = kube::parse_pod(pod.raw);
  require(again.is_ok() && is_same(pod, **again));
}

// As the API server's types do it.
void leave_out_what_is_empty(Poco::JSON::Object::Ptr object) {
  for (const std::string& name : object->getNames()) {
    const Poco::Dynamic::Var value = object->get(name);
    const auto list = object->getArray(name);
    if (value.isEmpty() || (!list.isNull() && list->size() == 0) ||
        (value.isString() && value.extract<std::string>().empty())) {
      object->remove(name);
    } else if (const auto inner = object->getObject(name); !inner.isNull()) {
      leave_out_what_is_empty(inner);
    }
    for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
      if (const auto item = list->getObject(static_cast<unsigned>(i)); !item.isNull()) {
        leave_out_what_is_empty(item);
      }
    }
  }
}

// The pod as it is after the patch; null where the API server would refuse what came of it.
kube::PodPtr patched(const kube::PodRecord& pod, const std::string& patch) {
  const auto object = vkhost::testing::parse_object(pod.raw);
  const auto status = vkhost::testing::object_member(object, "status");
  vkhost::testing::strategic_merge(status, vkhost::testing::parse_object(patch));
  leave_out_what_is_empty(status);
  const auto parsed = kube::parse_pod(vkhost::testing::text_of(object));
  return parsed.is_ok() ? *parsed : nullptr;
}

void check_merge(const kube::PodRecord& pod,
                 const std::string& observed,
                 std::vector<pods::HostCondition> conditions) {
  const vkhost::WallTime now{std::chrono::seconds{1'767'323'045}};
  const auto patch = pods::merge_status({pod, observed, "10.0.0.7", now, conditions});
  if (!patch.is_ok() || patch->empty()) {
    require(patch.is_ok() || !patch.status().message().empty());
    return;
  }
  require(vkhost::validate_json_object(*patch, 128).is_ok());
  const kube::PodPtr after = patched(pod, *patch);
  if (after == nullptr) {
    return;
  }
  const auto more = pods::merge_status(
      {*after, observed, "10.0.0.7", now + std::chrono::minutes{1}, std::move(conditions)});
  require(!more.is_ok() || more->empty());
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto sections = vkhost::fuzz::sections_of(std::string(data, data + size));
  const auto pod = kube::parse_pod(sections[0]);
  if (!pod.is_ok()) {
    require(!pod.status().message().empty());
    return 0;
  }
  check_record(**pod);
  const std::string observed = sections.size() > 1 ? sections[1] : std::string();
  // As the host does before anybody merges; Poco reads a status in the API only of that depth, too.
  if (!vkhost::validate_json_object((*pod)->raw, kube::kMaxJsonDepth).is_ok() ||
      !vkhost::validate_json_object(observed.empty() ? "{}" : observed, VKP_MAX_JSON_DEPTH)
           .is_ok()) {
    return 0;
  }
  const auto status = vkhost::testing::parse_object(std::string((*pod)->status_json()));
  if (!pods::refuse_unwritable(*status).is_ok()) {
    return 0;  // the API server keeps no orders
  }
  check_merge(**pod, observed, {});
  check_merge(**pod, observed,
              {{"vkhost.io/Provider", false, "QuotaExceeded", "no instance left"}});
  return 0;
}
