#include "plugin/settings.hpp"

#include "base/json_text.hpp"
#include "plugin/settings_tree.hpp"

#include <Poco/Exception.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace vkhost::plugin {

// Friend of CheckedSettings: moves the work's outcome into it.
class SettingsCheck {
 public:
  static CheckedSettings finish(SettingsWork& work) {
    CheckedSettings checked;
    checked.json_ = Secret(to_text(work.document));
    for (auto& [pointer, problem] : work.problems) {
      checked.problems_.push_back(std::move(problem));
    }
    checked.files_ = std::move(work.files);
    checked.flags_ = std::move(work.flags);
    checked.origins_ = std::move(work.origins);
    return checked;
  }
};

namespace {

constexpr std::size_t kMaxSettingsDepth = 64;

JsonObject::Ptr schema_of(const PluginDescription& plugin) {
  const std::string& text = plugin.settings_schema;
  return as_object(parse_json(text.empty() ? R"({"type":"object","properties":{}})" : text));
}

CheckedSettings run_steps(const PluginDescription& plugin, const SettingsInput& input) {
  // The library would read a document of any depth by recursion.
  if (const Status valid = validate_json_object(input.json.reveal(), kMaxSettingsDepth);
      !valid.is_ok()) {
    throw Poco::DataFormatException(valid.message());
  }
  SettingsWork work;
  work.schema = schema_of(plugin);
  work.document = parse_json(input.json.reveal());
  apply_former_names(plugin, work);
  apply_hyphens(work);
  apply_environment(plugin, input, work);
  apply_flags(plugin, input, work);
  read_secrets_and_files(input, work);
  convert_durations(work);
  fill_in_defaults(work);
  validate(work);
  return SettingsCheck::finish(work);
}

// The members of both, each name once.
std::vector<std::string> names_of(const Json& running, const Json& wanted) {
  std::vector<std::string> names = as_object(running)->getNames();
  const std::vector<std::string> more = as_object(wanted)->getNames();
  names.insert(names.end(), more.begin(), more.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// The value that an instance may have now; empty: none.
Json merge_reloadable(const JsonObject& schema,
                      const Json& running,
                      const Json& wanted,
                      const std::string& pointer,
                      SettingsChange& change) {
  if (to_text(running) == to_text(wanted)) {
    return running;
  }
  if (has_mark(schema, "x-reloadable")) {
    change.reloadable.push_back(pointer);
    return wanted;
  }
  if (!is_object(running) || !is_object(wanted)) {
    change.needs_restart.push_back(pointer);
    return running;
  }
  JsonObject::Ptr merged = new JsonObject();
  for (const std::string& name : names_of(running, wanted)) {
    const auto inner = member_schema(schema, name);
    Json value = merge_reloadable(inner ? *inner : JsonObject(), as_object(running)->get(name),
                                  as_object(wanted)->get(name), below(pointer, name), change);
    if (!value.isEmpty()) {
      merged->set(name, value);
    }
  }
  return merged;
}

// The fence around the JSON and schema libraries.
template <typename Work>
auto guarded(const PluginDescription& plugin, Work work) -> Result<decltype(work())> {
  const auto bad = [&](const std::string& what) {
    return invalid_argument("settings of plugin " + plugin.name + " cannot be checked: " + what);
  };
  try {
    return work();
  } catch (const Poco::Exception& error) {
    return bad(error.displayText());
  } catch (const std::exception& error) {
    return bad(error.what());
  }
}

}  // namespace

bool CheckedSettings::has_errors() const {
  return std::any_of(problems_.begin(), problems_.end(),
                     [](const ConfigProblem& problem) { return !problem.is_warning; });
}

SettingOrigin CheckedSettings::origin(std::string_view pointer) const {
  return find_origin(origins_, pointer);
}

Result<CheckedSettings> check_settings(const PluginDescription& plugin,
                                       const SettingsInput& input) {
  return guarded(plugin, [&] { return run_steps(plugin, input); });
}

Result<SettingsChange> settings_change(const PluginDescription& plugin,
                                       const Secret& running,
                                       const Secret& wanted) {
  return guarded(plugin, [&] {
    SettingsChange change;
    change.json = Secret(to_text(merge_reloadable(*schema_of(plugin), parse_json(running.reveal()),
                                                  parse_json(wanted.reveal()), "", change)));
    return change;
  });
}

}  // namespace vkhost::plugin
