// The steps of check_settings that change values: secrets and files are read, durations become
// milliseconds, defaults are filled in.
#include "base/duration.hpp"
#include "plugin/settings_tree.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace vkhost::plugin {
namespace {

constexpr std::size_t kMaxSettingFileBytes = std::size_t{1} * 1024 * 1024;

Result<std::string> read_small_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return unavailable("it is a folder");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return unavailable("it does not exist or may not be read");
  }
  std::string text(kMaxSettingFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMaxSettingFileBytes) {
    return invalid_argument("it is larger than 1 MiB");
  }
  return text;
}

class Reader {
 public:
  Reader(const SettingsInput& input, SettingsWork& work) : input_(input), work_(work) {}

  void visit(const JsonObject& schema, Json& value, const std::string& pointer) {
    const bool is_file = has_mark(schema, "x-file");
    if (is_object(value) && (is_file || has_mark(schema, "x-secret")) &&
        type_of(schema) != "object") {
      read_reference(value, pointer);
    } else if (is_file && value.isString() && !value.toString().empty()) {
      read_file(value, value.toString(), pointer);
    }
  }

 private:
  void read_reference(Json& value, const std::string& pointer) {
    const JsonObject::Ptr reference = as_object(value);
    const Json file = reference->get("file");
    const Json variable = reference->get("env");
    if (reference->size() == 1 && file.isString()) {
      read_file(value, file.toString(), pointer);
    } else if (reference->size() == 1 && variable.isString()) {
      read_variable(value, variable.toString(), pointer);
    } else {
      fail(value, pointer, R"(expected text, { file = "PATH" } or { env = "VARIABLE" })");
    }
  }

  void read_file(Json& value, const std::string& name, const std::string& pointer) {
    const std::filesystem::path path = (input_.folder / name).lexically_normal();
    auto text = input_.read_file ? input_.read_file(path) : read_small_file(path);
    if (!text) {
      fail(value, pointer, "cannot read " + path.string() + ": " + text.status().message());
      return;
    }
    work_.files.push_back(path);
    // Editors end a file with a newline; a key or password never does.
    while (text->ends_with('\n') || text->ends_with('\r')) {
      text->pop_back();
    }
    value = *text;
  }

  void read_variable(Json& value, const std::string& name, const std::string& pointer) {
    const auto text = input_.environment ? input_.environment(name) : std::nullopt;
    if (!text) {
      fail(value, pointer, "the environment variable " + name + " is not set");
      return;
    }
    value = *text;
  }

  void fail(Json& value, const std::string& pointer, std::string text) {
    work_.error(pointer, std::move(text));
    value = std::string();
  }

  const SettingsInput& input_;
  SettingsWork& work_;
};

// Text as milliseconds; what is none stays as it is.
Json in_milliseconds(const Json& value) {
  const auto duration = value.isString() ? parse_duration(value.toString()) : std::nullopt;
  return duration ? Json(std::int64_t{duration->count()}) : value;
}

// A table that was left out stays out, unless it has a default of its own: leaving it out may mean
// something.
void add_defaults(const JsonObject& schema, JsonObject& object) {
  for (const std::string& name : property_names(schema)) {
    const auto inner = schema.getObject("properties")->getObject(name);
    if (object.has(name) || !inner) {
      continue;
    }
    if (inner->has("default")) {
      // A copy: the value may be changed later, the schema is kept.
      const Json value = parse_json("[" + to_text(inner->get("default")) + "]");
      const Json copy = as_array(value)->get(0);
      object.set(name, has_mark(*inner, "x-duration") ? in_milliseconds(copy) : copy);
    }
  }
}

}  // namespace

void read_secrets_and_files(const SettingsInput& input, SettingsWork& work) {
  Reader reader(input, work);
  walk(*work.schema, work.document, "",
       [&](const JsonObject& schema, Json& value, const std::string& pointer) {
         reader.visit(schema, value, pointer);
       });
}

void convert_durations(SettingsWork& work) {
  walk(*work.schema, work.document, "",
       [&](const JsonObject& schema, Json& value, const std::string& pointer) {
         if (!has_mark(schema, "x-duration")) {
           return;
         }
         const Json converted = in_milliseconds(value);
         if (!is_integer(converted) || is_integer(value)) {
           work.error(pointer, "expected a duration such as \"1m30s\"");
         }
         value = is_integer(converted) ? converted : Json(std::int64_t{0});
       });
}

void fill_in_defaults(SettingsWork& work) {
  walk(*work.schema, work.document, "",
       [](const JsonObject& schema, Json& value, const std::string& /*pointer*/) {
         if (is_object(value)) {
           add_defaults(schema, *as_object(value));
         }
       });
}

}  // namespace vkhost::plugin
