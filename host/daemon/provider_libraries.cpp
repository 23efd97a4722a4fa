#include "daemon/provider_libraries.hpp"

#include "config/problem.hpp"
#include "plugin/library_search.hpp"
#include "plugin/settings.hpp"

#include <cstdlib>
#include <optional>
#include <utility>

namespace vkhost::daemon {
namespace {

// Problems of settings at the places where the user wrote them.
void add_problems(const config::ProviderConfig& provider,
                  const plugin::CheckedSettings& checked,
                  const std::vector<plugin::ConfigProblem>& found,
                  config::Problems* problems) {
  for (const plugin::ConfigProblem& problem : found) {
    const plugin::SettingOrigin origin = checked.origin(problem.pointer);
    const auto severity = problem.is_warning ? config::Severity::Warning : config::Severity::Error;
    const std::string key = "settings." + config::SettingsDocument::key(problem.pointer);
    if (origin.kind == plugin::SettingOrigin::Kind::Document) {
      problems->add({provider.settings.locate(origin.name), key, problem.text, severity});
    } else {
      problems->add({{}, key, problem.text + " (from " + origin.name + ")", severity});
    }
  }
}

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): never written
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// The settings as the plugin gets them: by its schema, then by what it says itself.
Result<std::string> checked_settings(plugin::Library& library,
                                     const config::ProviderConfig& provider,
                                     const observe::Logger& log) {
  plugin::SettingsInput input;
  input.json = provider.settings.json();
  input.folder = provider.settings.folder();
  input.environment = environment_variable;
  VKHOST_TRY_ASSIGN(const plugin::CheckedSettings checked,
                    plugin::check_settings(library.description(), input));
  config::Problems problems;
  add_problems(provider, checked, checked.problems(), &problems);
  if (!checked.has_errors()) {
    VKHOST_TRY_ASSIGN(const std::vector<plugin::ConfigProblem> found,
                      library.check_config(checked.json().reveal(), {}));
    add_problems(provider, checked, found, &problems);
  }
  problems.sort();
  if (problems.has_errors()) {
    return invalid_argument(problems.to_string());
  }
  for (const config::Problem& problem : problems.list()) {
    log.warn(problem.to_string());
  }
  return checked.json().reveal();
}

}  // namespace

std::vector<std::filesystem::path> plugin_folders(const config::Config& config,
                                                  const std::filesystem::path& executable) {
  if (!config.paths.plugins.empty()) {
    return {config.paths.plugins.begin(), config.paths.plugins.end()};
  }
  // <prefix>/bin/vkhost and <prefix>/lib/vkhost/plugins; a build tree looks the same.
  return {executable.parent_path().parent_path() / "lib" / "vkhost" / "plugins"};
}

Status ProviderLibraries::load(const config::Config& config,
                               const std::filesystem::path& executable) {
  const auto folders = plugin_folders(config, executable);
  for (const config::ProviderConfig& provider : config.providers) {
    const Status loaded = load_one(provider, folders);
    if (!loaded.is_ok()) {
      // Problems of a configuration are lines of their own, each with its place.
      return loaded.code() == StatusCode::InvalidArgument
                 ? loaded
                 : loaded.while_doing("provider " + provider.name);
    }
  }
  return Status::ok();
}

Status ProviderLibraries::load_one(const config::ProviderConfig& provider,
                                   const std::vector<std::filesystem::path>& folders) {
  std::filesystem::path path = provider.library;
  if (provider.library.find('/') == std::string::npos) {
    VKHOST_TRY_ASSIGN(path, plugin::find_plugin(provider.library, folders));
  }
  VKHOST_TRY_ASSIGN(plugin::Library * library,
                    loader_.load({path, provider.sha256, plugin::Trust::Checked}));
  Loaded loaded;
  loaded.library = library;
  VKHOST_TRY_ASSIGN(loaded.settings_json, checked_settings(*library, provider, log_));
  loaded_[provider.name] = std::move(loaded);
  return Status::ok();
}

}  // namespace vkhost::daemon
