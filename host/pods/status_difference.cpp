#include "pods/status_difference.hpp"

#include "pods/resize.hpp"
#include "pods/status_json.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>

#include <algorithm>

namespace vkhost::pods {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

// Lists that a strategic merge joins by `ip`: what is no longer true has to be replaced as a whole.
bool is_merged_by_ip(const std::string& member) {
  return member == "podIPs" || member == "hostIPs";
}

Var as_replacement(const Array::Ptr& list) {
  Array::Ptr replaced = new Array(*list);
  Object::Ptr directive = new Object;
  directive->set("$patch", "replace");
  replaced->add(directive);
  return replaced;
}

// What the API server leaves out of its answers: comparing would find a difference for ever.
bool is_left_out(const Var& value) {
  if (value.type() == typeid(Array::Ptr)) {
    return value.extract<Array::Ptr>()->size() == 0;
  }
  return value.isEmpty() || (value.isString() && value.extract<std::string>().empty()) ||
         (value.isNumeric() && text_of(value) == "0");
}

bool is_container_list(const std::string& member) {
  return std::find(kContainerLists.begin(), kContainerLists.end(), member) != kContainerLists.end();
}

// Rule 7: an older server drops it, and would be sent it for ever.
bool is_optional(const std::string& member) {
  return member == "hostIPs" || member == "observedGeneration";
}

bool is_optional_of_container(const std::string& member) {
  return member == "resources" || member == "allocatedResources";
}

bool is_same(const Var& wanted, const Var& api);

bool is_same_list(const Var& wanted, const Var& api, bool (*is_same_item)(const Var&, const Var&)) {
  const Array::Ptr& ours = wanted.extract<Array::Ptr>();
  const Array::Ptr& theirs = api.extract<Array::Ptr>();
  return ours->size() == theirs->size() &&
         std::equal(ours->begin(), ours->end(), theirs->begin(), is_same_item);
}

bool are_objects(const Var& one, const Var& other) {
  return one.type() == typeid(Object::Ptr) && other.type() == typeid(Object::Ptr);
}

bool are_lists(const Var& one, const Var& other) {
  return one.type() == typeid(Array::Ptr) && other.type() == typeid(Array::Ptr);
}

// Whether the API server has what is wanted.
bool is_same(const Var& wanted, const Var& api) {
  if (are_objects(wanted, api)) {
    const Object::Ptr& ours = wanted.extract<Object::Ptr>();
    const Object::Ptr& theirs = api.extract<Object::Ptr>();
    const auto is_met = [](const Object::Ptr& some, const Object::Ptr& other) {
      return std::all_of(some->begin(), some->end(), [&](const auto& member) {
        const Var found = other->get(member.first);
        return (is_left_out(member.second) && is_left_out(found)) || is_same(member.second, found);
      });
    };
    return is_met(ours, theirs) && is_met(theirs, ours);
  }
  if (wanted.type() == typeid(std::string) && api.type() == typeid(std::string)) {
    return wanted.extract<std::string>() == api.extract<std::string>();
  }
  return are_lists(wanted, api) ? is_same_list(wanted, api, is_same)
                                : text_of(wanted) == text_of(api);
}

bool is_same_container(const Var& wanted, const Var& api) {
  if (!are_objects(wanted, api)) {
    return is_same(wanted, api);
  }
  const Object::Ptr& ours = wanted.extract<Object::Ptr>();
  const Object::Ptr& theirs = api.extract<Object::Ptr>();
  Object::Ptr compared = new Object;
  for (const auto& [member, value] : *ours) {
    if (!is_optional_of_container(member)) {
      compared->set(member, value);
    } else if (theirs->has(member)) {
      const Var before = theirs->get(member);
      compared->set(member, is_same_resources(value, before) ? before : value);
    }
  }
  return is_same(compared, api);
}

bool lacks_resources(const Var& wanted, const Var& api) {
  return are_objects(wanted, api) && wanted.extract<Object::Ptr>()->has("resources") &&
         !api.extract<Object::Ptr>()->has("resources");
}

bool is_same_container_with_resources(const Var& wanted, const Var& api) {
  return !lacks_resources(wanted, api) && is_same_container(wanted, api);
}

// Objects merge member by member: what is no longer there has to be removed by name.
Var as_update(const Object::Ptr& wanted, const Object::Ptr& api) {
  Object::Ptr update = new Object;
  for (const auto& [member, value] : *wanted) {
    const Object::Ptr before = api->getObject(member);
    const bool merges = value.type() == typeid(Object::Ptr) && !before.isNull();
    update->set(member, merges ? as_update(value.extract<Object::Ptr>(), before) : value);
  }
  for (const std::string& member : api->getNames()) {
    if (!wanted->has(member)) {
      update->set(member, Var());
    }
  }
  return update;
}

}  // namespace

std::string status_difference(const Object::Ptr& wanted,
                              const Object::Ptr& api,
                              bool resources_are_due) {
  const auto is_same_status =
      resources_are_due ? is_same_container_with_resources : is_same_container;
  Object patch;
  bool has_reason = false;
  for (const auto& [member, value] : *wanted) {
    if (value.isEmpty() || (is_left_out(value) && member != "conditions")) {
      // The provider's null, or a member that is no longer true: removed where the API has it.
      if (api->has(member)) {
        patch.set(member, Var());
        has_reason = true;
      }
      continue;
    }
    if (member == "conditions") {
      if (value.extract<Array::Ptr>()->size() > 0) {
        patch.set(member, value);
        has_reason = true;
      }
      continue;
    }
    const Var before = api->get(member);
    const bool are_containers = is_container_list(member) && are_lists(value, before);
    if (!before.isEmpty() &&
        (are_containers ? is_same_list(value, before, is_same_status) : is_same(value, before))) {
      continue;
    }
    has_reason = has_reason || !before.isEmpty() || !is_optional(member);
    const bool replace =
        is_merged_by_ip(member) && !before.isEmpty() && value.type() == typeid(Array::Ptr);
    const bool update = value.type() == typeid(Object::Ptr) && before.type() == typeid(Object::Ptr);
    patch.set(member, replace ? as_replacement(value.extract<Array::Ptr>())
                      : update
                          ? as_update(value.extract<Object::Ptr>(), before.extract<Object::Ptr>())
                          : value);
  }
  return has_reason ? text_of(Var(patch)) : std::string();
}

}  // namespace vkhost::pods
