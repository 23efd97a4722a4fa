// How requests add up: containers and sidecars together, or the largest of the init containers with
// the sidecars before it, whichever is more; what the pod asks for as a whole replaces that; overhead
// comes on top.
#include "kube/pod_demand.hpp"

#include "kube/json_reader.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace vkhost::kube {
namespace {

namespace dom = simdjson::dom;

constexpr std::string_view kOsLabel = "kubernetes.io/os";

// Calls `each(object)` for every element of a list that may be absent.
template <typename Function>
Status for_each_object(const OptionalElement& member, std::string_view list, Function&& each) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::array elements, as_array(*member, list));
  for (const dom::element element : elements) {
    VKHOST_TRY_ASSIGN(const dom::object object, as_object(element, list));
    VKHOST_TRY(each(object));
  }
  return Status::ok();
}

template <std::size_t Count>
Status find_in(const OptionalElement& member,
               std::string_view field,
               const std::array<std::string_view, Count>& keys,
               std::array<OptionalElement, Count>& found) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object object, as_object(*member, field));
  return find_members<Count>(object, std::string(field) + ".", keys, found);
}

// ---- Where it wants to run

Status read_requirements(const OptionalElement& member,
                         std::string_view field,
                         std::vector<NodeRequirement>& out) {
  return for_each_object(member, field, [&](dom::object object) -> Status {
    std::array<OptionalElement, 3> found;
    VKHOST_TRY(
        find_members<3>(object, std::string(field) + "[].", {"key", "operator", "values"}, found));
    NodeRequirement& made = out.emplace_back();
    VKHOST_TRY(read_string(found[0], std::string(field) + "[].key", made.key));
    VKHOST_TRY(read_string(found[1], std::string(field) + "[].operator", made.op));
    if (found[2]) {
      const std::string place = std::string(field) + "[].values";
      VKHOST_TRY_ASSIGN(const dom::array values, as_array(*found[2], place));
      for (const dom::element value : values) {
        VKHOST_TRY_ASSIGN(const std::string_view text, as_string(value, place));
        made.values.emplace_back(text);
      }
    }
    return Status::ok();
  });
}

Status read_affinity(const OptionalElement& member, PodDemand& demand) {
  std::array<OptionalElement, 1> affinity;
  VKHOST_TRY(find_in<1>(member, "spec.affinity", {"nodeAffinity"}, affinity));
  std::array<OptionalElement, 1> required;
  VKHOST_TRY(find_in<1>(affinity[0], "spec.affinity.nodeAffinity",
                        {"requiredDuringSchedulingIgnoredDuringExecution"}, required));
  if (!required[0]) {
    return Status::ok();
  }
  std::array<OptionalElement, 1> terms;
  VKHOST_TRY(find_in<1>(required[0], "the required node affinity", {"nodeSelectorTerms"}, terms));
  demand.affinity.emplace();
  return for_each_object(terms[0], "nodeSelectorTerms", [&](dom::object object) -> Status {
    std::array<OptionalElement, 2> found;
    VKHOST_TRY(find_members<2>(object, "nodeSelectorTerms[].", {"matchExpressions", "matchFields"},
                               found));
    NodeSelectorTerm& term = demand.affinity->emplace_back();
    VKHOST_TRY(read_requirements(found[0], "matchExpressions", term.labels));
    return read_requirements(found[1], "matchFields", term.fields);
  });
}

Status read_selector(const OptionalElement& member, PodDemand& demand) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object selector, as_object(*member, "spec.nodeSelector"));
  for (const auto label : selector) {
    VKHOST_TRY_ASSIGN(const std::string_view value, as_string(label.value, "spec.nodeSelector[]"));
    demand.node_selector.insert_or_assign(std::string(label.key), std::string(value));
  }
  return Status::ok();
}

Status read_tolerations(const OptionalElement& member, PodDemand& demand) {
  return for_each_object(member, "spec.tolerations", [&](dom::object object) -> Status {
    std::array<OptionalElement, 4> found;
    VKHOST_TRY(find_members<4>(object, "spec.tolerations[].",
                               {"key", "operator", "value", "effect"}, found));
    Toleration& made = demand.tolerations.emplace_back();
    VKHOST_TRY(read_string(found[0], "spec.tolerations[].key", made.key));
    VKHOST_TRY(read_string(found[1], "spec.tolerations[].operator", made.op));
    VKHOST_TRY(read_string(found[2], "spec.tolerations[].value", made.value));
    return read_string(found[3], "spec.tolerations[].effect", made.effect);
  });
}

// ---- What it needs there

Status read_amounts(const OptionalElement& member, std::string_view field, ResourceAmounts& out) {
  if (!member) {
    return Status::ok();
  }
  VKHOST_TRY_ASSIGN(const dom::object amounts, as_object(*member, field));
  for (const auto entry : amounts) {
    const std::string place = std::string(field) + "[" + std::string(entry.key) + "]";
    std::string text;
    if (entry.value.is<std::int64_t>()) {  // a quantity may be written as a number
      text = std::to_string(entry.value.get<std::int64_t>().value_unsafe());
    } else {
      VKHOST_TRY_ASSIGN(text, as_string(entry.value, place));
    }
    const auto amount = resource_amount(entry.key, text);
    if (!amount.is_ok()) {
      return amount.status().while_doing("reading " + place);
    }
    out.insert_or_assign(std::string(entry.key), *amount);
  }
  return Status::ok();
}

// requests; limits stand in where there are none, as the API server writes it.
Status read_resources(const OptionalElement& member, std::string_view field, ResourceAmounts& out) {
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_in<2>(member, field, {"requests", "limits"}, found));
  VKHOST_TRY(read_amounts(found[0], std::string(field) + ".requests", out));
  ResourceAmounts limits;
  VKHOST_TRY(read_amounts(found[1], std::string(field) + ".limits", limits));
  out.merge(limits);
  return Status::ok();
}

Status read_init_containers(const OptionalElement& member, ResourceAmounts& sum) {
  ResourceAmounts sidecars;
  ResourceAmounts peak;
  const auto add = [&](dom::object object) -> Status {
    std::array<OptionalElement, 2> found;
    VKHOST_TRY(
        find_members<2>(object, "spec.initContainers[].", {"resources", "restartPolicy"}, found));
    ResourceAmounts amounts;
    VKHOST_TRY(read_resources(found[0], "spec.initContainers[].resources", amounts));
    std::string restart_policy;
    VKHOST_TRY(read_string(found[1], "spec.initContainers[].restartPolicy", restart_policy));
    if (restart_policy == "Always") {
      add_amounts(sidecars, amounts);
      raise_amounts(peak, sidecars);
    } else {
      add_amounts(amounts, sidecars);
      raise_amounts(peak, amounts);
    }
    return Status::ok();
  };
  VKHOST_TRY(for_each_object(member, "spec.initContainers", add));
  add_amounts(sum, sidecars);
  raise_amounts(sum, peak);
  return Status::ok();
}

struct ResourceMembers {
  OptionalElement containers;
  OptionalElement init_containers;
  OptionalElement of_the_pod;
  OptionalElement overhead;
};

Status read_requests(const ResourceMembers& members, ResourceAmounts& sum) {
  const auto add = [&](dom::object object) -> Status {
    std::array<OptionalElement, 1> found;
    VKHOST_TRY(find_members<1>(object, "spec.containers[].", {"resources"}, found));
    ResourceAmounts amounts;
    VKHOST_TRY(read_resources(found[0], "spec.containers[].resources", amounts));
    add_amounts(sum, amounts);
    return Status::ok();
  };
  VKHOST_TRY(for_each_object(members.containers, "spec.containers", add));
  VKHOST_TRY(read_init_containers(members.init_containers, sum));
  ResourceAmounts whole;
  VKHOST_TRY(read_resources(members.of_the_pod, "spec.resources", whole));
  for (const auto& [resource, amount] : whole) {
    if (resource == "cpu" || resource == "memory" || resource.starts_with("hugepages-")) {
      sum.insert_or_assign(resource, amount);
    }
  }
  ResourceAmounts overhead;
  VKHOST_TRY(read_amounts(members.overhead, "spec.overhead", overhead));
  add_amounts(sum, overhead);
  std::erase_if(sum, [](const auto& entry) { return entry.second == 0; });
  return Status::ok();
}

Status read_os_label(const OptionalElement& member, PodDemand& demand) {
  std::array<OptionalElement, 1> labels;
  VKHOST_TRY(find_in<1>(member, "metadata", {"labels"}, labels));
  std::array<OptionalElement, 1> label;
  VKHOST_TRY(find_in<1>(labels[0], "metadata.labels", {kOsLabel}, label));
  return read_string(label[0], "metadata.labels[kubernetes.io/os]", demand.os_label);
}

Status read_spec(const OptionalElement& member, PodDemand& demand) {
  std::array<OptionalElement, 8> found;
  VKHOST_TRY(find_in<8>(member, "spec",
                        {"os", "nodeSelector", "affinity", "tolerations", "containers",
                         "initContainers", "resources", "overhead"},
                        found));
  std::array<OptionalElement, 1> os;
  VKHOST_TRY(find_in<1>(found[0], "spec.os", {"name"}, os));
  VKHOST_TRY(read_string(os[0], "spec.os.name", demand.os_name));
  VKHOST_TRY(read_selector(found[1], demand));
  VKHOST_TRY(read_affinity(found[2], demand));
  VKHOST_TRY(read_tolerations(found[3], demand));
  return read_requests({found[4], found[5], found[6], found[7]}, demand.requests);
}

// ---- Matching

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty()
             ? std::optional(number)
             : std::nullopt;
}

bool holds(const NodeRequirement& wanted, const std::string* value) {
  const auto& values = wanted.values;
  const bool is_named =
      value != nullptr && std::find(values.begin(), values.end(), *value) != values.end();
  if (wanted.op == "In") {
    return is_named;
  }
  if (wanted.op == "NotIn") {
    return !values.empty() && !is_named;
  }
  if (wanted.op == "Exists") {
    return value != nullptr;
  }
  if (wanted.op == "DoesNotExist") {
    return value == nullptr;
  }
  if ((wanted.op == "Gt" || wanted.op == "Lt") && value != nullptr && values.size() == 1) {
    const auto has = whole_number(*value);
    const auto limit = whole_number(values.front());
    return has && limit && (wanted.op == "Gt" ? *has > *limit : *has < *limit);
  }
  return false;
}

bool holds(const NodeSelectorTerm& term, const NodeFacts& node) {
  const auto label_holds = [&](const NodeRequirement& wanted) {
    const auto label = node.labels.find(wanted.key);
    return holds(wanted, label == node.labels.end() ? nullptr : &label->second);
  };
  const auto field_holds = [&](const NodeRequirement& wanted) {
    return wanted.key == "metadata.name" && wanted.values.size() == 1 &&
           (wanted.op == "In" || wanted.op == "NotIn") && holds(wanted, &node.name);
  };
  return !(term.labels.empty() && term.fields.empty()) &&
         std::all_of(term.labels.begin(), term.labels.end(), label_holds) &&
         std::all_of(term.fields.begin(), term.fields.end(), field_holds);
}

bool tolerates(const Toleration& toleration, const NodeTaint& taint) {
  if ((!toleration.effect.empty() && toleration.effect != taint.effect) ||
      (!toleration.key.empty() && toleration.key != taint.key)) {
    return false;
  }
  if (toleration.op.empty() || toleration.op == "Equal") {
    return toleration.value == taint.value;
  }
  if (toleration.op == "Lt" || toleration.op == "Gt") {
    const auto has = whole_number(taint.value);
    const auto limit = whole_number(toleration.value);
    return has && limit && (toleration.op == "Gt" ? *has > *limit : *has < *limit);
  }
  return toleration.op == "Exists";
}

}  // namespace

Result<PodDemand> parse_pod_demand(std::string_view pod_json) {
  VKHOST_TRY_ASSIGN(const dom::element root, read_json(pod_json));
  VKHOST_TRY_ASSIGN(const dom::object pod, as_object(root, "the document"));
  std::array<OptionalElement, 2> found;
  VKHOST_TRY(find_members<2>(pod, "", {"metadata", "spec"}, found));
  PodDemand demand;
  VKHOST_TRY(read_os_label(found[0], demand));
  VKHOST_TRY(read_spec(found[1], demand));
  return demand;
}

bool selects(const PodDemand& pod, const NodeFacts& node) {
  const bool selector_holds =
      std::all_of(pod.node_selector.begin(), pod.node_selector.end(), [&](const auto& wanted) {
        const auto label = node.labels.find(wanted.first);
        return label != node.labels.end() && label->second == wanted.second;
      });
  return selector_holds && (!pod.affinity || std::any_of(pod.affinity->begin(), pod.affinity->end(),
                                                         [&](const NodeSelectorTerm& term) {
                                                           return holds(term, node);
                                                         }));
}

bool tolerates(const PodDemand& pod, const NodeTaint& taint) {
  return std::any_of(pod.tolerations.begin(), pod.tolerations.end(),
                     [&](const Toleration& toleration) { return tolerates(toleration, taint); });
}

}  // namespace vkhost::kube
