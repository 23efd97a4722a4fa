#include "daemon/provider_libraries.hpp"

#include "config/problem.hpp"
#include "plugin/library_search.hpp"

#include <utility>

namespace vkhost::daemon {
namespace {

// What the plugin itself says of its settings, at the places where they were written.
Status check_settings(plugin::Library& library,
                      const config::ProviderConfig& provider,
                      const std::string& settings_json,
                      const observe::Logger& log) {
  VKHOST_TRY_ASSIGN(const std::vector<plugin::ConfigProblem> found,
                    library.check_config(settings_json, {}));
  config::Problems problems;
  for (const plugin::ConfigProblem& problem : found) {
    problems.add({provider.settings.locate(problem.pointer),
                  "provider.settings." + config::SettingsDocument::key(problem.pointer),
                  problem.text,
                  problem.is_warning ? config::Severity::Warning : config::Severity::Error});
  }
  problems.sort();
  if (problems.has_errors()) {
    return invalid_argument(problems.to_string());
  }
  for (const config::Problem& problem : problems.list()) {
    log.warn(problem.to_string());
  }
  return Status::ok();
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
      return loaded.while_doing("provider " + provider.name);
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
  loaded.settings_json = provider.settings.json().reveal();
  VKHOST_TRY(check_settings(*library, provider, loaded.settings_json, log_));
  loaded_[provider.name] = std::move(loaded);
  return Status::ok();
}

}  // namespace vkhost::daemon
