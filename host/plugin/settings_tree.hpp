// What the steps of check_settings share: the document and the schema as trees of the JSON library,
// pointers, and the list of problems. Only for settings*.cpp and schema_validator.cpp; the functions
// throw what the library throws, check_settings is the fence. [any-thread]
#pragma once

#include "plugin/documents.hpp"
#include "plugin/settings.hpp"

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::plugin {

using Json = Poco::Dynamic::Var;
using JsonObject = Poco::JSON::Object;
using JsonArray = Poco::JSON::Array;

[[nodiscard]] bool is_object(const Json& value);
[[nodiscard]] bool is_array(const Json& value);
[[nodiscard]] bool is_bool(const Json& value);
// A number without a fraction; the library takes true for one.
[[nodiscard]] bool is_integer(const Json& value);
[[nodiscard]] bool is_number(const Json& value);
[[nodiscard]] JsonObject::Ptr as_object(const Json& value);
[[nodiscard]] JsonArray::Ptr as_array(const Json& value);
[[nodiscard]] Json parse_json(std::string_view text);
[[nodiscard]] std::string to_text(const Json& value);

// One step further down a JSON pointer (RFC 6901).
[[nodiscard]] std::string below(const std::string& pointer, std::string_view name);
[[nodiscard]] std::string below(const std::string& pointer, std::size_t index);
// "/regions/0" → "regions", "0", unescaped.
[[nodiscard]] std::vector<std::string> pointer_steps(std::string_view pointer);

// What a schema says about itself.
[[nodiscard]] bool has_mark(const JsonObject& schema, const char* mark);  // "x-secret"
[[nodiscard]] std::string type_of(const JsonObject& schema);              // or empty
// The schema of a member: from properties, else from additionalProperties; null when there is none.
[[nodiscard]] JsonObject::Ptr member_schema(const JsonObject& schema, const std::string& name);
[[nodiscard]] JsonObject::Ptr item_schema(const JsonObject& schema);
[[nodiscard]] std::vector<std::string> property_names(const JsonObject& schema);

// Calls `visit` for a value and everything below it that has a schema. `visit` gets a value that it
// may replace; the walk goes on in what it leaves there.
using Visit =
    std::function<void(const JsonObject& schema, Json& value, const std::string& pointer)>;
void walk(const JsonObject& schema, Json& value, const std::string& pointer, const Visit& visit);

using SettingOrigins = std::map<std::string, SettingOrigin, std::less<>>;
// Of the closest setting around the pointer; by default it stands in the document as it is named.
[[nodiscard]] SettingOrigin find_origin(const SettingOrigins& origins, std::string_view pointer);

struct SettingsWork {
  JsonObject::Ptr schema;
  Json document;                                  // always an object
  std::map<std::string, ConfigProblem> problems;  // by pointer: the first about a place counts
  SettingOrigins origins;
  std::vector<std::filesystem::path> files;
  std::vector<std::string> flags;

  void error(const std::string& pointer, std::string text);
};

// Steps in their order; each changes `work` only.
void apply_former_names(const PluginDescription& plugin, SettingsWork& work);
void apply_hyphens(SettingsWork& work);
void apply_environment(const PluginDescription& plugin,
                       const SettingsInput& input,
                       SettingsWork& work);
void apply_flags(const PluginDescription& plugin, const SettingsInput& input, SettingsWork& work);
void read_secrets_and_files(const SettingsInput& input, SettingsWork& work);
void convert_durations(SettingsWork& work);
void fill_in_defaults(SettingsWork& work);
void validate(SettingsWork& work);

}  // namespace vkhost::plugin
