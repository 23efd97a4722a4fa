#include "kube/node_facts.hpp"

#include "kube/json_reader.hpp"

#include <simdjson.h>

#include <array>
#include <limits>
#include <utility>

namespace vkhost::kube {
namespace {

namespace dom = simdjson::dom;

Status read_labels(const OptionalElement& member, NodeFacts& facts) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object labels, as_object(*member, "metadata.labels"));
  for (const auto label : labels) {
    VKHOST_TRY_ASSIGN(const std::string_view value, as_string(label.value, "metadata.labels[]"));
    facts.labels.insert_or_assign(std::string(label.key), std::string(value));
  }
  return Status::ok();
}

Status read_metadata(const OptionalElement& member, NodeFacts& facts) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object metadata, as_object(*member, "metadata"));
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_members<2>(metadata, "metadata.", {"name", "labels"}, found));
  VKHOST_TRY(read_string(found[0], "metadata.name", facts.name));
  return read_labels(found[1], facts);
}

Status read_taints(const OptionalElement& member, NodeFacts& facts) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object spec, as_object(*member, "spec"));
  std::array<OptionalElement, 1> found;
  VKHOST_TRY(find_members<1>(spec, "spec.", {"taints"}, found));
  if (!found[0]) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::array taints, as_array(*found[0], "spec.taints"));
  for (const dom::element element : taints) {
    VKHOST_TRY_ASSIGN(const dom::object taint, as_object(element, "spec.taints[]"));
    std::array<OptionalElement, 3> members;
    VKHOST_TRY(find_members<3>(taint, "spec.taints[].", {"key", "value", "effect"}, members));
    NodeTaint& made = facts.taints.emplace_back();
    VKHOST_TRY(read_string(members[0], "spec.taints[].key", made.key));
    VKHOST_TRY(read_string(members[1], "spec.taints[].value", made.value));
    VKHOST_TRY(read_string(members[2], "spec.taints[].effect", made.effect));
  }
  return Status::ok();
}

Status read_allocatable(const OptionalElement& member, NodeFacts& facts) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object amounts, as_object(*member, "status.allocatable"));
  for (const auto entry : amounts) {
    std::string_view text;
    const auto amount = entry.value.get(text) == simdjson::SUCCESS
                            ? resource_amount(entry.key, text)
                            : invalid_argument("not a text");
    facts.allocatable.insert_or_assign(
        std::string(entry.key),
        amount.is_ok() ? *amount : std::numeric_limits<std::int64_t>::max());
  }
  return Status::ok();
}

Status read_status(const OptionalElement& member, NodeFacts& facts) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object status, as_object(*member, "status"));
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_members<2>(status, "status.", {"allocatable", "nodeInfo"}, found));
  if (found[1]) {
    VKHOST_TRY_ASSIGN(const dom::object info, as_object(*found[1], "status.nodeInfo"));
    std::array<OptionalElement, 1> system;
    VKHOST_TRY(find_members<1>(info, "status.nodeInfo.", {"operatingSystem"}, system));
    VKHOST_TRY(read_string(system[0], "status.nodeInfo.operatingSystem", facts.operating_system));
  }
  return read_allocatable(found[0], facts);
}

}  // namespace

Result<NodeFacts> parse_node_facts(std::string_view node_json) {
  VKHOST_TRY_ASSIGN(const dom::element root, read_json(node_json));
  VKHOST_TRY_ASSIGN(const dom::object node, as_object(root, "the document"));
  std::array<OptionalElement, 3> found;
  VKHOST_TRY(find_members<3>(node, "", {"metadata", "spec", "status"}, found));
  NodeFacts facts;
  VKHOST_TRY(read_metadata(found[0], facts));
  VKHOST_TRY(read_taints(found[1], facts));
  VKHOST_TRY(read_status(found[2], facts));
  if (facts.operating_system.empty()) {
    facts.operating_system = "linux";
  }
  return facts;
}

NodeFacts joined_facts(NodeFacts own, const NodeFacts& in_api) {
  own.labels.insert(in_api.labels.begin(), in_api.labels.end());
  own.allocatable.insert(in_api.allocatable.begin(), in_api.allocatable.end());
  own.taints = in_api.taints;
  return own;
}

}  // namespace vkhost::kube
