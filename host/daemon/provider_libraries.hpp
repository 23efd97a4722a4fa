// ProviderLibraries: the plugins that the configuration names, loaded and with their settings checked.
// [startup] [may-block]
#pragma once

#include "base/clock.hpp"
#include "config/config.hpp"
#include "config/problem.hpp"
#include "daemon/provider_settings.hpp"
#include "observe/log.hpp"
#include "plugin/library.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::daemon {

// Where plugins are looked for: the configured folders, else the one beside the executable.
[[nodiscard]] std::vector<std::filesystem::path> plugin_folders(
    const config::Config& config, const std::filesystem::path& executable);

// Where the settings of the provider at `index` stand.
[[nodiscard]] std::string settings_key(const config::Config& config, std::size_t index);

class ProviderLibraries {
 public:
  struct Loaded {
    plugin::Library* library = nullptr;
    std::string key;            // where the settings stand: "provider.settings"
    ProviderSettings settings;  // checked, with defaults
  };

  ProviderLibraries(
      const Clock& clock,
      const observe::Logger& log,
      std::shared_ptr<observe::Metrics> metrics = std::make_shared<observe::Metrics>())
      : loader_({}, clock, log, std::move(metrics)) {}

  // Adds every problem of every provider's settings. FAILED_PRECONDITION, PERMISSION_DENIED or
  // NOT_FOUND: a library was refused or is not there. INVALID_ARGUMENT: there are errors among the
  // problems, or (reason UnknownFlag) no plugin knows a flag.
  Status load(const config::Config& config,
              const std::filesystem::path& executable,
              const SettingsOutside& outside,
              config::Problems& problems);
  [[nodiscard]] const Loaded& at(const std::string& provider) const { return loaded_.at(provider); }
  [[nodiscard]] const std::map<std::string, Loaded>& all() const { return loaded_; }
  [[nodiscard]] std::size_t stuck_calls() const { return loader_.stuck_calls(); }

 private:
  Result<plugin::Library*> load_library(const config::ProviderConfig& provider,
                                        const std::vector<std::filesystem::path>& folders);

  plugin::Loader loader_;
  std::map<std::string, Loaded> loaded_;
};

}  // namespace vkhost::daemon
