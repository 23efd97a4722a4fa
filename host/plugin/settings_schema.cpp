#include "plugin/settings_schema.hpp"

#include "base/json_text.hpp"
#include "plugin/settings_tree.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <array>
#include <regex>
#include <string>

namespace vkhost::plugin {
namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::size_t kMaxSchemaDepth = 32;
constexpr std::array<std::string_view, 6> kTypes = {"object",  "array",  "string",
                                                    "integer", "number", "boolean"};

Status bad(const std::string& pointer, const std::string& what) {
  return invalid_argument("settings_schema" + (pointer.empty() ? "" : " at " + pointer) + ": " +
                          what);
}

Status check_schema(const Var& value, const std::string& pointer);

Status check_type(const Var& value, const std::string& pointer) {
  const bool known =
      value.isString() && std::find(kTypes.begin(), kTypes.end(), value.toString()) != kTypes.end();
  return known ? Status::ok()
               : bad(pointer, "must be object, array, string, integer, number or boolean");
}

Status check_properties(const Var& value, const std::string& pointer) {
  if (!is_object(value)) {
    return bad(pointer, "must be an object of schemas");
  }
  for (const auto& [name, schema] : *value.extract<Object::Ptr>()) {
    VKHOST_TRY(check_schema(schema, below(pointer, name)));
  }
  return Status::ok();
}

Status check_required(const Var& value, const Object& schema, const std::string& pointer) {
  if (!is_array(value)) {
    return bad(pointer, "must be an array of property names");
  }
  const Object::Ptr properties =
      schema.isObject("properties") ? schema.getObject("properties") : Object::Ptr(new Object);
  for (const Var& name : *value.extract<Array::Ptr>()) {
    if (!name.isString() || !properties->has(name.toString())) {
      return bad(pointer, "names " + name.toString() + ", which is not one of the properties");
    }
  }
  return Status::ok();
}

Status check_pattern(const Var& value, const std::string& pointer) {
  if (!value.isString()) {
    return bad(pointer, "must be a string");
  }
  const std::string pattern = value.toString();
  for (const char* look_around : {"(?=", "(?!", "(?<"}) {
    if (pattern.find(look_around) != std::string::npos) {
      return bad(pointer, "look-around is not supported");
    }
  }
  try {
    static_cast<void>(std::regex(pattern, std::regex::ECMAScript));
    return Status::ok();
  } catch (const std::regex_error& error) {
    return bad(pointer, std::string("not a regular expression: ") + error.what());
  }
}

Status check_keyword(const std::string& keyword,
                     const Var& value,
                     const Object& schema,
                     const std::string& pointer) {
  if (keyword == "type") {
    return check_type(value, pointer);
  }
  if (keyword == "properties") {
    return check_properties(value, pointer);
  }
  if (keyword == "required") {
    return check_required(value, schema, pointer);
  }
  if (keyword == "items") {
    return check_schema(value, pointer);
  }
  if (keyword == "additionalProperties") {
    return is_bool(value) ? Status::ok() : check_schema(value, pointer);
  }
  if (keyword == "enum") {
    return is_array(value) && value.extract<Array::Ptr>()->size() > 0
               ? Status::ok()
               : bad(pointer, "must be an array that is not empty");
  }
  if (keyword == "minimum" || keyword == "maximum") {
    return is_number(value) ? Status::ok() : bad(pointer, "must be a number");
  }
  if (keyword == "pattern") {
    return check_pattern(value, pointer);
  }
  if (keyword == "description") {
    return value.isString() ? Status::ok() : bad(pointer, "must be a string");
  }
  if (keyword == "x-secret" || keyword == "x-file" || keyword == "x-duration" ||
      keyword == "x-reloadable") {
    return is_bool(value) ? Status::ok() : bad(pointer, "must be true or false");
  }
  return keyword == "default"
             ? Status::ok()
             : bad(pointer, "this keyword is not in the subset of JSON Schema that vkhost knows");
}

Status check_schema(const Var& value, const std::string& pointer) {
  if (!is_object(value)) {
    return bad(pointer, "must be a schema (an object)");
  }
  const Object::Ptr& schema = value.extract<Object::Ptr>();
  for (const auto& [keyword, argument] : *schema) {
    VKHOST_TRY(check_keyword(keyword, argument, *schema, below(pointer, keyword)));
  }
  return Status::ok();
}

}  // namespace

Status check_settings_schema(std::string_view schema_json) {
  if (const Status valid = validate_json_object(schema_json, kMaxSchemaDepth); !valid.is_ok()) {
    return bad("", valid.message());
  }
  try {
    const Var schema = Poco::JSON::Parser().parse(std::string(schema_json));
    VKHOST_TRY(check_schema(schema, ""));
    const Object::Ptr& root = schema.extract<Object::Ptr>();
    return root->optValue<std::string>("type", "") == "object"
               ? Status::ok()
               : bad("", "the settings are a table: type must be object");
  } catch (const Poco::Exception& error) {
    return bad("", error.displayText());
  }
}

}  // namespace vkhost::plugin
