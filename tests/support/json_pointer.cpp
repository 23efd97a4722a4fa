#include "support/json_pointer.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSON/Stringifier.h>

#include <charconv>
#include <sstream>

namespace vkhost::testing {
namespace {

using Poco::Dynamic::Var;
using ObjectPtr = Poco::JSON::Object::Ptr;
using ArrayPtr = Poco::JSON::Array::Ptr;

// "~1" is a slash and "~0" a tilde.
std::string unescape(std::string_view token) {
  std::string result;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size()) {
      result += token[++i] == '1' ? '/' : '~';
    } else {
      result += token[i];
    }
  }
  return result;
}

Var child_of(const Var& value, const std::string& token) {
  if (value.type() == typeid(ObjectPtr)) {
    return value.extract<ObjectPtr>()->get(token);
  }
  unsigned index = 0;
  const auto parsed = std::from_chars(token.data(), token.data() + token.size(), index);
  if (value.type() == typeid(ArrayPtr) && parsed.ec == std::errc{}) {
    return value.extract<ArrayPtr>()->get(index);
  }
  return {};
}

Var find(std::string_view json, std::string_view pointer) {
  if (json.empty()) {
    return {};
  }
  Poco::JSON::Parser parser;
  Var value = parser.parse(std::string(json));
  while (!pointer.empty() && !value.isEmpty()) {
    pointer.remove_prefix(1);
    const std::size_t end = pointer.find('/');
    value = child_of(value, unescape(pointer.substr(0, end)));
    pointer = end == std::string_view::npos ? std::string_view() : pointer.substr(end);
  }
  return value;
}

}  // namespace

std::string json_at(std::string_view json, std::string_view pointer) {
  const Var value = find(json, pointer);
  if (value.isEmpty()) {
    return {};
  }
  if (value.type() == typeid(ObjectPtr) || value.type() == typeid(ArrayPtr)) {
    std::ostringstream text;
    Poco::JSON::Stringifier::stringify(value, text);
    return text.str();
  }
  return value.convert<std::string>();
}

std::size_t json_size(std::string_view json, std::string_view pointer) {
  const Var value = find(json, pointer);
  if (value.type() == typeid(ObjectPtr)) {
    return value.extract<ObjectPtr>()->size();
  }
  return value.type() == typeid(ArrayPtr) ? value.extract<ArrayPtr>()->size() : 0;
}

std::string condition_of(std::string_view object, std::string_view type) {
  const Var conditions = find(object, "/status/conditions");
  if (conditions.type() != typeid(ArrayPtr)) {
    return {};
  }
  for (const auto& each : *conditions.extract<ArrayPtr>()) {
    const auto& condition = each.extract<ObjectPtr>();
    if (condition->optValue<std::string>("type", "") == type) {
      return condition->optValue<std::string>("status", "");
    }
  }
  return {};
}

}  // namespace vkhost::testing
