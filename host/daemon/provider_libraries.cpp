#include "daemon/provider_libraries.hpp"

#include "base/suggest.hpp"
#include "plugin/library_search.hpp"

#include <set>
#include <string_view>
#include <utility>

namespace vkhost::daemon {
namespace {

// Flags that neither the host nor one of its plugins knows.
Status unknown_flags(const SettingsOutside& outside,
                     const std::set<std::string>& known_by_plugins,
                     const std::vector<std::string_view>& names) {
  std::string text;
  for (const auto& [flag, value] : outside.flags) {
    if (!known_by_plugins.contains(flag)) {
      text += (text.empty() ? "unknown flag " : ", ") + flag + did_you_mean(flag, names);
    }
  }
  return text.empty() ? Status::ok() : invalid_argument(std::move(text)).with_reason("UnknownFlag");
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

std::string settings_key(const config::Config& config, std::size_t index) {
  return config.providers.size() == 1 ? std::string("provider.settings")
                                      : "provider[" + std::to_string(index) + "].settings";
}

Status ProviderLibraries::load(const config::Config& config,
                               const std::filesystem::path& executable,
                               const SettingsOutside& outside,
                               config::Problems& problems) {
  const auto folders = plugin_folders(config, executable);
  std::set<std::string> flags;
  std::vector<std::string_view> flags_of_plugins;
  for (std::size_t i = 0; i < config.providers.size(); ++i) {
    const config::ProviderConfig& provider = config.providers[i];
    const auto library = load_library(provider, folders);
    if (!library) {
      return library.status().while_doing("provider " + provider.name);
    }
    for (const auto& [former, path] : (*library)->description().settings_aliases) {
      if (former.starts_with("--")) {
        flags_of_plugins.push_back(former);
        flags.insert(former);
      }
    }
    const std::string key = settings_key(config, i);
    auto settings = check_provider_settings(**library, provider.settings, key, outside, problems);
    if (settings) {
      loaded_[provider.name] = {*library, key, std::move(*settings)};
    }
  }
  problems.sort();
  VKHOST_TRY(unknown_flags(outside, flags, flags_of_plugins));
  return problems.has_errors() ? invalid_argument(problems.to_string()) : Status::ok();
}

Result<plugin::Library*> ProviderLibraries::load_library(
    const config::ProviderConfig& provider, const std::vector<std::filesystem::path>& folders) {
  std::filesystem::path path = provider.library;
  if (provider.library.find('/') == std::string::npos) {
    VKHOST_TRY_ASSIGN(path, plugin::find_plugin(provider.library, folders));
  }
  return loader_.load({path, provider.sha256, plugin::Trust::Checked});
}

}  // namespace vkhost::daemon
