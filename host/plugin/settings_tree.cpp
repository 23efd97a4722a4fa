#include "plugin/settings_tree.hpp"

#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Stringifier.h>

#include <sstream>
#include <utility>

namespace vkhost::plugin {

bool is_object(const Json& value) { return value.type() == typeid(JsonObject::Ptr); }
bool is_array(const Json& value) { return value.type() == typeid(JsonArray::Ptr); }
bool is_bool(const Json& value) { return value.type() == typeid(bool); }

bool is_number(const Json& value) {
  return !value.isEmpty() && value.isNumeric() && !is_bool(value);
}
bool is_integer(const Json& value) { return is_number(value) && value.isInteger(); }

JsonObject::Ptr as_object(const Json& value) { return value.extract<JsonObject::Ptr>(); }
JsonArray::Ptr as_array(const Json& value) { return value.extract<JsonArray::Ptr>(); }

Json parse_json(std::string_view text) { return Poco::JSON::Parser().parse(std::string(text)); }

std::string to_text(const Json& value) {
  std::ostringstream out;
  Poco::JSON::Stringifier::stringify(value, out, 0, -1, Poco::JSON_WRAP_STRINGS);
  return out.str();
}

std::string below(const std::string& pointer, std::string_view name) {
  std::string out = pointer + '/';
  for (const char c : name) {
    out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return out;
}

std::string below(const std::string& pointer, std::size_t index) {
  return pointer + '/' + std::to_string(index);
}

std::vector<std::string> pointer_steps(std::string_view pointer) {
  std::vector<std::string> steps;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::string_view step = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(step.size());
    std::string& name = steps.emplace_back();
    for (std::size_t i = 0; i < step.size(); ++i) {
      const bool escape = step[i] == '~' && i + 1 < step.size();
      name += escape ? (step[++i] == '1' ? '/' : '~') : step[i];
    }
  }
  return steps;
}

bool has_mark(const JsonObject& schema, const char* mark) {
  const Json value = schema.get(mark);
  return is_bool(value) && value.extract<bool>();
}

std::string type_of(const JsonObject& schema) {
  const Json type = schema.get("type");
  return type.isString() ? type.toString() : std::string();
}

JsonObject::Ptr member_schema(const JsonObject& schema, const std::string& name) {
  const JsonObject::Ptr properties = schema.getObject("properties");
  if (properties && properties->has(name)) {
    return properties->getObject(name);
  }
  const Json others = schema.get("additionalProperties");
  return is_object(others) ? as_object(others) : JsonObject::Ptr();
}

JsonObject::Ptr item_schema(const JsonObject& schema) {
  const Json items = schema.get("items");
  return is_object(items) ? as_object(items) : JsonObject::Ptr();
}

std::vector<std::string> property_names(const JsonObject& schema) {
  const JsonObject::Ptr properties = schema.getObject("properties");
  return properties ? properties->getNames() : std::vector<std::string>();
}

void walk(const JsonObject& schema, Json& value, const std::string& pointer, const Visit& visit) {
  visit(schema, value, pointer);
  if (is_object(value)) {
    JsonObject::Ptr object = as_object(value);
    for (const std::string& name : object->getNames()) {
      if (const auto inner = member_schema(schema, name)) {
        Json member = object->get(name);
        walk(*inner, member, below(pointer, name), visit);
        object->set(name, member);
      }
    }
  } else if (is_array(value)) {
    const auto inner = item_schema(schema);
    JsonArray::Ptr array = as_array(value);
    for (std::size_t i = 0; inner && i < array->size(); ++i) {
      Json element = array->get(static_cast<unsigned>(i));
      walk(*inner, element, below(pointer, i), visit);
      array->set(static_cast<unsigned>(i), element);
    }
  }
}

SettingOrigin find_origin(const SettingOrigins& origins, std::string_view pointer) {
  std::string_view around = pointer;
  while (true) {
    if (const auto found = origins.find(around); found != origins.end()) {
      SettingOrigin origin = found->second;
      if (origin.kind == SettingOrigin::Kind::Document) {
        origin.name += pointer.substr(around.size());
      }
      return origin;
    }
    const auto slash = around.rfind('/');
    if (slash == std::string_view::npos) {
      return {SettingOrigin::Kind::Document, std::string(pointer)};
    }
    around = around.substr(0, slash);
  }
}

void SettingsWork::error(const std::string& pointer, std::string text) {
  problems.try_emplace(pointer, ConfigProblem{false, pointer, std::move(text)});
}

}  // namespace vkhost::plugin
