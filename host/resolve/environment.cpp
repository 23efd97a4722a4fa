#include "resolve/environment.hpp"

#include "base/json_text.hpp"

#include <algorithm>

namespace vkhost::resolve {

void Environment::add(Variable variable) {
  const auto place = places_.find(variable.name);
  if (place == places_.end()) {
    places_.emplace(variable.name, variables_.size());
  } else {
    variables_[place->second].superseded = true;
    place->second = variables_.size();
  }
  variables_.push_back(std::move(variable));
}

void Environment::add_services(const ServiceVariables& services) {
  for (const std::string& name : services.names) {
    if (find(name) == nullptr) {
      add({name, services.values.find(name)->second, {}, true, false});
    }
  }
}

const Variable* Environment::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : &variables_[place->second];
}

const Value* Environment::value_of(std::string_view name) const {
  const Variable* variable = find(name);
  return variable == nullptr || !variable->late_field.empty() ? nullptr : &variable->value;
}

std::string Environment::json() const {
  std::string json = "[";
  for (const Variable& variable : variables_) {
    if (variable.superseded) {
      continue;
    }
    json += json.size() == 1 ? R"({"name":)" : R"(,{"name":)";
    append_json_string(json, variable.name);
    if (variable.late_field.empty()) {
      json += R"(,"value":)";
      append_json_string(json, variable.value.text);
    } else {
      json += R"(,"field_ref":)";
      append_json_string(json, variable.late_field);
    }
    json += variable.value.secret ? R"(,"secret":true)" : "";
    json += variable.service ? R"(,"service":true)" : "";
    json += "}";
  }
  return json + "]";
}

bool is_env_name(std::string_view name, EnvNames names) {
  if (name.empty()) {
    return false;
  }
  if (names == EnvNames::Printable) {
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return c >= ' ' && c <= '~' && c != '='; });
  }
  const auto is_inner = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return std::all_of(name.begin(), name.end(), is_inner) && !(name[0] >= '0' && name[0] <= '9') &&
         name != "." && !name.starts_with("..");
}

}  // namespace vkhost::resolve
