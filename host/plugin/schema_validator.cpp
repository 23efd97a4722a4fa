// The last step of check_settings: does the document fit the schema? The library judges and names
// the places; its sentences do not say what was expected, so they are worded here. This is the only
// file that includes it: it takes seconds to compile.
#include "base/duration.hpp"
#include "base/json_text.hpp"
#include "base/suggest.hpp"
#include "plugin/settings_tree.hpp"

#include <Poco/JSON/Object.h>
#include <valijson/adapters/poco_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::plugin {
namespace {

// The regular expressions of the standard library recurse for each character.
constexpr std::size_t kLongestMatched = 4096;
constexpr std::size_t kLongestShown = 60;

std::string number_text(double value) {
  std::array<char, 40> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string found_text(const JsonObject& schema, const Json& value) {
  if (has_mark(schema, "x-secret") || has_mark(schema, "x-file")) {
    return "another value (not shown)";
  }
  if (value.isEmpty()) {
    return "nothing";
  }
  if (is_object(value)) {
    return "a table";
  }
  if (is_array(value)) {
    return "a list";
  }
  if (is_bool(value)) {
    return value.extract<bool>() ? "true" : "false";
  }
  if (is_number(value)) {
    return (is_integer(value) ? "integer " : "number ") + to_text(value);
  }
  const std::string text = value.toString();
  return text.size() <= kLongestShown ? json_string(text)
                                      : "text of " + std::to_string(text.size()) + " bytes";
}

std::string bound_text(const JsonObject& schema, const char* name) {
  const Json bound = schema.get(name);
  if (!is_number(bound)) {
    return {};
  }
  if (has_mark(schema, "x-duration")) {
    return format_duration(std::chrono::milliseconds{bound.convert<std::int64_t>()});
  }
  return is_integer(bound) ? to_text(bound) : number_text(bound.convert<double>());
}

std::string range_text(const JsonObject& schema) {
  const std::string min = bound_text(schema, "minimum");
  const std::string max = bound_text(schema, "maximum");
  if (!min.empty() && !max.empty()) {
    return ", " + min + " to " + max;
  }
  return !min.empty() ? ", " + min + " or more" : !max.empty() ? ", at most " + max : "";
}

std::string enum_text(const JsonArray& words) {
  std::string text = words.size() == 1 ? "" : "one of ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : ", ") + to_text(words.get(static_cast<unsigned>(i)));
  }
  return text;
}

std::string expected_text(const JsonObject& schema) {
  if (const auto words = schema.getArray("enum")) {
    return enum_text(*words);
  }
  const std::string type = type_of(schema);
  if (has_mark(schema, "x-duration")) {
    return "a duration" + range_text(schema);
  }
  if (type == "object" || type == "array") {
    return type == "object" ? "a table" : "a list";
  }
  if (type == "integer" || type == "number") {
    return (type == "integer" ? "an integer" : "a number") + range_text(schema);
  }
  if (type == "boolean") {
    return "true or false";
  }
  const Json pattern = schema.get("pattern");
  return pattern.isString() ? "text that matches " + pattern.toString() : "text";
}

std::string did_you_mean_one_of(const JsonObject& schema, const std::string& name) {
  const std::vector<std::string> names = property_names(schema);
  return did_you_mean(name, std::vector<std::string_view>(names.begin(), names.end()));
}

bool takes_others(const JsonObject& schema) {
  const Json others = schema.get("additionalProperties");
  return is_object(others) || (is_bool(others) && others.extract<bool>());
}

// What is wrong with the members of an object themselves, not with their values.
bool report_members(const JsonObject& schema,
                    const JsonObject& object,
                    const std::string& pointer,
                    SettingsWork& work) {
  bool reported = false;
  const std::vector<std::string> known = property_names(schema);
  for (const std::string& name : object.getNames()) {
    if (!takes_others(schema) && std::find(known.begin(), known.end(), name) == known.end()) {
      work.error(below(pointer, name), "unknown key" + did_you_mean_one_of(schema, name));
      reported = true;
    }
  }
  const auto required = schema.getArray("required");
  for (std::size_t i = 0; required && i < required->size(); ++i) {
    const auto name = required->getElement<std::string>(static_cast<unsigned>(i));
    if (!object.has(name)) {
      const auto inner = member_schema(schema, name);
      work.error(below(pointer, name),
                 "missing: expected " + (inner ? expected_text(*inner) : std::string("a value")));
      reported = true;
    }
  }
  return reported;
}

// The schema and the value that a pointer leads to; null when it leads nowhere.
std::pair<JsonObject::Ptr, Json> schema_at_pointer(const SettingsWork& work,
                                                   std::string_view pointer) {
  JsonObject::Ptr schema = work.schema;
  Json value = work.document;
  for (const std::string& step : pointer_steps(pointer)) {
    if (is_object(value)) {
      schema = schema ? member_schema(*schema, step) : schema;
      value = as_object(value)->get(step);
    } else if (is_array(value)) {
      std::size_t index = 0;
      std::from_chars(step.data(), step.data() + step.size(), index);
      schema = schema ? item_schema(*schema) : schema;
      value = index < as_array(value)->size() ? as_array(value)->get(static_cast<unsigned>(index))
                                              : Json();
    } else {
      return {nullptr, Json()};
    }
  }
  return {schema, value};
}

// The library's own reading of the subset: members beside `properties` are refused unless the
// schema says otherwise, and a duration is a number of milliseconds by now.
Json strict_schema(const Json& schema) {
  const Json copy = parse_json(to_text(schema));
  const auto adapt = [](const auto& self, JsonObject::Ptr at) -> void {
    if (has_mark(*at, "x-duration")) {
      at->set("type", "integer");
    }
    at->remove("default");
    if (at->has("properties") && !at->has("additionalProperties")) {
      at->set("additionalProperties", false);
    }
    const auto inside = [&](const Json& inner) {
      if (is_object(inner)) {
        self(self, as_object(inner));
      }
    };
    inside(at->get("items"));
    inside(at->get("additionalProperties"));
    for (const std::string& name : property_names(*at)) {
      inside(at->getObject("properties")->get(name));
    }
  };
  adapt(adapt, as_object(copy));
  return copy;
}

// What the library must not see, or would take for something else.
void check_before(SettingsWork& work) {
  walk(*work.schema, work.document, "",
       [&](const JsonObject& schema, Json& value, const std::string& pointer) {
         const std::string type = type_of(schema);
         if (is_bool(value) && (type == "integer" || type == "number")) {
           work.error(pointer,
                      "expected " + expected_text(schema) + ", found " + found_text(schema, value));
         }
         if (value.isString() && schema.has("pattern") &&
             value.toString().size() > kLongestMatched) {
           work.error(pointer, "expected " + expected_text(schema) + ", found text of " +
                                   std::to_string(value.toString().size()) + " bytes");
           value = value.toString().substr(0, kLongestMatched);
         }
       });
}

std::string schema_pointer_of(const std::vector<std::string>& context) {
  std::string pointer;
  // "<root>", then "[name]" or "[0]" for each step.
  for (std::size_t i = 1; i < context.size(); ++i) {
    const std::string& step = context[i];
    pointer = below(pointer, std::string_view(step).substr(1, step.size() - 2));
  }
  return pointer;
}

bool is_around(const std::string& outer, const std::map<std::string, std::string>& places) {
  const auto next = places.upper_bound(outer + '/');
  return next != places.end() && next->first.starts_with(outer + '/');
}

void explain(const std::string& pointer,
             const std::map<std::string, std::string>& places,
             SettingsWork& work) {
  const auto [schema, value] = schema_at_pointer(work, pointer);
  if (!schema) {
    return;  // an unknown member, reported by the object around it
  }
  const bool is_table = is_object(value) && type_of(*schema) == "object";
  if (is_table && report_members(*schema, *as_object(value), pointer, work)) {
    return;
  }
  // An object or list is blamed for what is wrong below it, too.
  if ((is_table || is_array(value)) && is_around(pointer, places)) {
    return;
  }
  std::string text = "expected " + expected_text(*schema) + ", found " + found_text(*schema, value);
  if (const auto words = schema->getArray("enum"); words && value.isString()) {
    std::vector<std::string> names;
    for (const Json& word : *words) {
      names.push_back(word.isString() ? word.toString() : std::string());
    }
    text += did_you_mean(value.toString(), {names.begin(), names.end()});
  }
  work.error(pointer, std::move(text));
}

}  // namespace

void validate(SettingsWork& work) {
  check_before(work);
  valijson::Schema schema;
  const Json strict = strict_schema(work.schema);
  valijson::SchemaParser().populateSchema(valijson::adapters::PocoJsonAdapter(strict), schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(schema, valijson::adapters::PocoJsonAdapter(work.document), &results)) {
    return;
  }
  std::map<std::string, std::string> places;
  for (const auto& error : results) {
    places.try_emplace(schema_pointer_of(error.context), error.description);
  }
  for (const auto& [pointer, description] : places) {
    explain(pointer, places, work);
  }
  // Should the library see a fault that the words above have no place for, its own must do.
  if (work.problems.empty()) {
    work.error(places.begin()->first, places.begin()->second);
  }
}

}  // namespace vkhost::plugin
