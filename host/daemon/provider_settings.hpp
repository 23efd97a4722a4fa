// The settings of one provider, judged by its plugin's schema and by the plugin itself, with every
// problem at the place where the user wrote it. [startup] [may-block]
#pragma once

#include "base/secret.hpp"
#include "config/config.hpp"
#include "config/environment.hpp"
#include "config/problem.hpp"
#include "plugin/library.hpp"
#include "plugin/settings.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::daemon {

// What settings may take from outside the file.
struct SettingsOutside {
  config::Environment environment = config::process_environment();
  std::map<std::string, std::string> flags;  // that the host does not know
};

struct ProviderSettings {
  Secret json;                               // for `create`
  std::vector<std::filesystem::path> files;  // that settings were read from
  plugin::CheckedSettings checked;           // where they came from
};

// Adds every problem; nothing when there is an error among them. `key` is where the settings stand:
// "provider.settings".
std::optional<ProviderSettings> check_provider_settings(plugin::Library& library,
                                                        const config::SettingsDocument& settings,
                                                        const std::string& key,
                                                        const SettingsOutside& outside,
                                                        config::Problems& problems);

// A problem with the setting at that pointer into the JSON, with key and place as the user wrote them.
[[nodiscard]] config::Problem problem_with_setting(const plugin::CheckedSettings& checked,
                                                   const config::SettingsDocument& settings,
                                                   const std::string& key,
                                                   const plugin::ConfigProblem& problem);

}  // namespace vkhost::daemon
