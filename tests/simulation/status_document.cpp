#include "simulation/status_document.hpp"

#include "kube/json_cut.hpp"

#include <algorithm>

namespace vkhost::simulation {
namespace {

template <typename List>
auto find_key(List& list, std::string_view key) {
  return std::find_if(list.begin(), list.end(),
                      [&](const auto& item) { return item.first == key; });
}

template <typename List>
bool set_key(List& list, std::string_view key, std::string_view value) {
  const auto found = find_key(list, key);
  if (value == "null") {
    if (found == list.end()) {
      return false;
    }
    list.erase(found);
    return true;
  }
  if (found == list.end()) {
    list.emplace_back(key, value);
    return true;
  }
  if (found->second == value) {
    return false;
  }
  found->second = value;
  return true;
}

std::string render(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string text = "{";
  for (const auto& [name, value] : members) {
    text += (text.size() > 1 ? ",\"" : "\"") + name + "\":" + value;
  }
  return text + "}";
}

}  // namespace

bool StatusDocument::merge_members(std::string_view patch, Members* members) {
  bool changed = false;
  kube::JsonMembers given(patch);
  kube::JsonMember member;
  while (given.next(member)) {
    changed = set_key(*members, member.key, member.value) || changed;
  }
  return changed;
}

bool StatusDocument::merge_conditions(std::string_view patch) {
  bool changed = false;
  kube::JsonElements given(patch);
  std::string_view element;
  while (given.next(element)) {
    const std::string_view type = kube::plain_string(kube::find_member(element, "type"));
    auto found = find_key(conditions_, type);
    if (kube::plain_string(kube::find_member(element, "$patch")) == "delete") {
      if (found != conditions_.end()) {
        conditions_.erase(found);
        changed = true;
      }
      continue;
    }
    if (found == conditions_.end()) {
      found = conditions_.emplace(conditions_.end(), type, Members{});
    }
    changed = merge_members(element, &found->second) || changed;
  }
  return changed;
}

bool StatusDocument::merge_addresses(std::string_view name, std::string_view patch) {
  std::vector<std::string> all;
  const bool replace = patch.find("\"$patch\"") != std::string_view::npos;
  for (const std::string_view list : {replace ? std::string_view("[]") : member(name), patch}) {
    kube::JsonElements given(list);
    std::string_view element;
    while (given.next(element)) {
      if (element.find("\"$patch\"") == std::string_view::npos &&
          std::find(all.begin(), all.end(), element) == all.end()) {
        all.emplace_back(element);
      }
    }
  }
  std::string text = "[";
  for (const std::string& element : all) {
    text += (text.size() > 1 ? "," : "") + element;
  }
  return set_key(members_, name, text + "]");
}

bool StatusDocument::merge(std::string_view patch) {
  bool changed = false;
  kube::JsonMembers given(patch);
  kube::JsonMember member;
  while (given.next(member)) {
    if (member.key == "conditions") {
      changed = merge_conditions(member.value) || changed;
    } else if ((member.key == "podIPs" || member.key == "hostIPs") && member.value != "null") {
      changed = merge_addresses(member.key, member.value) || changed;
    } else {
      changed = set_key(members_, member.key, member.value) || changed;
    }
  }
  return changed;
}

std::string StatusDocument::text() const {
  Members all = members_;
  std::string conditions = "[";
  for (const auto& [type, members] : conditions_) {
    conditions += (conditions.size() > 1 ? "," : "") + render(members);
  }
  all.emplace_back("conditions", conditions + "]");
  return render(all);
}

std::string_view StatusDocument::member(std::string_view name) const {
  const auto found = find_key(members_, name);
  return found == members_.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view StatusDocument::string_member(std::string_view name) const {
  return kube::plain_string(member(name));
}

std::string_view StatusDocument::condition(std::string_view type) const {
  const auto found = find_key(conditions_, type);
  if (found == conditions_.end()) {
    return {};
  }
  const auto status = find_key(found->second, "status");
  return status == found->second.end() ? std::string_view() : kube::plain_string(status->second);
}

}  // namespace vkhost::simulation
