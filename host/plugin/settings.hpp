// The settings of one provider, from what the user wrote to what the plugin gets: former names,
// environment variables and flags applied as `describe` says, secrets and files read, durations in
// milliseconds, defaults filled in, and all of it checked by the plugin's schema.
//
// Pure apart from reading the files that settings name. Called for check-config, at start and at
// reload. Problems name the place by JSON pointer; origin() leads back to what the user wrote.
// Values of secrets never reach a problem. [any-thread] [may-block] on those files
#pragma once

#include "base/secret.hpp"
#include "base/status.hpp"
#include "plugin/documents.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::plugin {

struct SettingsInput {
  Secret json{std::string("{}")};  // the object as written
  std::filesystem::path folder;    // relative names of files start here
  // Flags that the host does not know, with their values: {"--sce-project-name", "web"}.
  std::map<std::string, std::string> flags;
  // Null reads nothing.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  // Null opens the file, 1 MiB at most.
  std::function<Result<std::string>(const std::filesystem::path&)> read_file;
};

// Where a setting was given.
struct SettingOrigin {
  enum class Kind { Document, Environment, Flag };
  Kind kind = Kind::Document;
  std::string name;  // JSON pointer into the document as written; the variable; the flag
};

class CheckedSettings {
 public:
  [[nodiscard]] bool has_errors() const;
  // For the plugin; only when there are no errors.
  [[nodiscard]] const Secret& json() const { return json_; }
  // Pointers into json(), each at most once, in the order of the pointers.
  [[nodiscard]] const std::vector<ConfigProblem>& problems() const { return problems_; }
  // Files that settings came from, to be watched.
  [[nodiscard]] const std::vector<std::filesystem::path>& files() const { return files_; }
  // Flags of the input that belong to this plugin.
  [[nodiscard]] const std::vector<std::string>& flags() const { return flags_; }
  // Of the setting at that pointer, or of the closest one around it.
  [[nodiscard]] SettingOrigin origin(std::string_view pointer) const;

 private:
  friend class SettingsCheck;
  Secret json_;
  std::vector<ConfigProblem> problems_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::string> flags_;
  std::map<std::string, SettingOrigin, std::less<>> origins_;
};

// INVALID_ARGUMENT only when the schema or the document cannot be read at all.
Result<CheckedSettings> check_settings(const PluginDescription& plugin, const SettingsInput& input);

// What a change of settings is to an instance that runs.
struct SettingsChange {
  Secret json;  // those that it has, with what may change
  // Pointers of what differs, by whether the schema marks it as x-reloadable.
  std::vector<std::string> reloadable;
  std::vector<std::string> needs_restart;
};
// Both documents as check_settings made them. Where something takes a restart the json is neither of them,
// and was not checked as a whole.
Result<SettingsChange> settings_change(const PluginDescription& plugin,
                                       const Secret& running,
                                       const Secret& wanted);

}  // namespace vkhost::plugin
