#include "pods/resize.hpp"

#include "kube/json_cut.hpp"
#include "kube/quantity.hpp"
#include "pods/status_json.hpp"

#include <algorithm>
#include <array>

namespace vkhost::pods {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr const char* kPending = "PodResizePending";
constexpr const char* kInProgress = "PodResizeInProgress";

// A list of container statuses and the list of the spec that it is about.
struct Lists {
  const char* statuses;
  const char* spec;
};
constexpr std::array<Lists, 2> kLists = {
    {{"containerStatuses", "containers"}, {"initContainerStatuses", "initContainers"}}};

bool knows_server(const kube::PodRecord& pod, const ResizeView& resize) {
  return resize.is_shown && pod.generation > 0;
}

// The raw list of a pod's containers.
std::string_view spec_list(const kube::PodRecord& pod, const char* name) {
  const std::string_view spec = kube::find_member(pod.raw, "spec");
  return spec.empty() ? spec : kube::find_member(spec, name);
}

// An empty object where a container asks for nothing.
Object::Ptr spec_resources(std::string_view list, const std::string& container) {
  kube::JsonElements elements(list);
  std::string_view element;
  while (elements.next(element)) {
    if (kube::plain_string(kube::find_member(element, "name")) != container) {
      continue;
    }
    const std::string_view resources = kube::find_member(element, "resources");
    const auto parsed = parse_object(resources.empty() ? "{}" : resources, "resources");
    return parsed.is_ok() ? *parsed : Object::Ptr(new Object);
  }
  return new Object;
}

// An amount may be a number in JSON.
std::string amount_text(const Var& amount) {
  return amount.isString() ? amount.extract<std::string>() : text_of(amount);
}

bool is_enough(const Var& has, const Var& asked) {
  const auto there = kube::Quantity::parse(amount_text(has));
  const auto wanted = kube::Quantity::parse(amount_text(asked));
  return there.is_ok() && wanted.is_ok() ? *there >= *wanted
                                         : amount_text(has) == amount_text(asked);
}

// Whether a container has what its spec asks for. It may have more, also after it was shrunk: how much
// a provider rounds up nobody knows, and a resize that never ends gets the pod evicted by autoscalers.
bool has_resources(const Object::Ptr& has, const Object::Ptr& asked) {
  for (const char* member : {"requests", "limits"}) {
    const Object::Ptr wanted = asked->getObject(member);
    const Object::Ptr there = has->getObject(member);
    if (wanted.isNull() || there.isNull()) {
      continue;  // a provider may know of one of them only
    }
    for (const auto& [name, amount] : *wanted) {
      if (there->has(name) && !is_enough(there->get(name), amount)) {
        return false;
      }
    }
  }
  return true;
}

// By the provider's word; of what it says nothing, nothing is in progress.
bool is_in_progress(const kube::PodRecord& pod, const Object& observed) {
  for (const Lists& lists : kLists) {
    const Array::Ptr statuses = observed.getArray(lists.statuses);
    if (statuses.isNull()) {
      continue;
    }
    const std::string_view spec = spec_list(pod, lists.spec);
    for (std::size_t i = 0; i < statuses->size(); ++i) {
      const Object::Ptr status = statuses->getObject(static_cast<unsigned>(i));
      const Object::Ptr has = status.isNull() ? Object::Ptr() : status->getObject("resources");
      if (!has.isNull() &&
          !has_resources(has, spec_resources(spec, string_member(*status, "name")))) {
        return true;
      }
    }
  }
  return false;
}

bool has_condition(const Object::Ptr& api, const char* type) {
  return !find_named(api->getArray("conditions"), "type", type).isNull();
}

void complete_status(Object& status,
                     const Object::Ptr& before,
                     const ResizeView& resize,
                     std::string_view spec) {
  Object::Ptr asked;
  if (resize.is_settled) {
    asked = spec_resources(spec, string_member(status, "name"));
  }
  if (!status.has("resources")) {
    if (!asked.isNull()) {
      status.set("resources", asked);
    } else if (!before.isNull() && before->isObject("resources")) {
      status.set("resources", before->get("resources"));
    }
  }
  if (!status.has("allocatedResources")) {
    if (!asked.isNull()) {
      const Object::Ptr requests = asked->getObject("requests");
      if (!requests.isNull() && requests->size() > 0) {
        status.set("allocatedResources", requests);
      }
    } else if (!before.isNull() && before->isObject("allocatedResources")) {
      status.set("allocatedResources", before->get("allocatedResources"));
    }
  }
}

}  // namespace

bool is_same_resources(const Var& one, const Var& other) {
  if (one.type() == typeid(Object::Ptr) && other.type() == typeid(Object::Ptr)) {
    const Object::Ptr& ours = one.extract<Object::Ptr>();
    const Object::Ptr& theirs = other.extract<Object::Ptr>();
    return ours->size() == theirs->size() &&
           std::all_of(ours->begin(), ours->end(), [&](const auto& member) {
             return theirs->has(member.first) &&
                    is_same_resources(member.second, theirs->get(member.first));
           });
  }
  if (!one.isString() || !other.isString()) {
    return text_of(one) == text_of(other);
  }
  const std::string& ours = one.extract<std::string>();
  const std::string& theirs = other.extract<std::string>();
  const auto first = kube::Quantity::parse(ours);
  const auto second = kube::Quantity::parse(theirs);
  return first.is_ok() && second.is_ok() ? *first == *second : ours == theirs;
}

void complete_resources(const kube::PodRecord& pod,
                        const ResizeView& resize,
                        const Object::Ptr& api,
                        Object& observed) {
  if (!knows_server(pod, resize)) {
    return;
  }
  for (const Lists& lists : kLists) {
    const Array::Ptr statuses = observed.getArray(lists.statuses);
    if (statuses.isNull()) {
      continue;
    }
    const Array::Ptr before = api->getArray(lists.statuses);
    const std::string_view spec = spec_list(pod, lists.spec);
    for (std::size_t i = 0; i < statuses->size(); ++i) {
      Object::Ptr status = statuses->getObject(static_cast<unsigned>(i));
      if (!status.isNull()) {
        complete_status(*status, find_named(before, "name", string_member(*status, "name")), resize,
                        spec);
      }
    }
  }
}

ResizeConditions resize_conditions(const kube::PodRecord& pod,
                                   const ResizeView& resize,
                                   const Object::Ptr& api,
                                   const Object& observed) {
  ResizeConditions conditions;
  if (pod.generation == 0 || (resize.answer == nullptr && !resize.is_settled)) {
    return conditions;  // not known, or not asked yet
  }
  const auto want = [&](const char* type, const char* reason, const char* unwanted) {
    conditions.wanted = type;
    conditions.reason = reason;
    conditions.unwanted = {unwanted};
    if (resize.answer != nullptr) {
      conditions.message = resize.answer->message;
      conditions.generation = resize.answer->generation;
    }
    return conditions;
  };
  const ResizeOutcome outcome =
      resize.answer == nullptr ? ResizeOutcome::Accepted : resize.answer->outcome;
  switch (outcome) {
    case ResizeOutcome::Deferred:
      return want(kPending, "Deferred", kInProgress);
    case ResizeOutcome::Infeasible:
      return want(kPending, "Infeasible", kInProgress);
    case ResizeOutcome::Failed:
      return want(kInProgress, "Error", kPending);
    case ResizeOutcome::Accepted:
      break;
  }
  // A provider may round what it gives: only a resize can be in progress, not a pod's first size.
  const bool was_resized = resize.answer != nullptr || has_condition(api, kInProgress);
  if (was_resized && is_in_progress(pod, observed)) {
    return want(kInProgress, "", kPending);
  }
  conditions.unwanted = {kPending, kInProgress};
  return conditions;
}

}  // namespace vkhost::pods
