// ProviderLibraries: the plugins that the configuration names, loaded and with their settings checked.
// [startup] [may-block]
#pragma once

#include "base/clock.hpp"
#include "config/config.hpp"
#include "observe/log.hpp"
#include "plugin/library.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::daemon {

// Where plugins are looked for: the configured folders, else the one beside the executable.
[[nodiscard]] std::vector<std::filesystem::path> plugin_folders(
    const config::Config& config, const std::filesystem::path& executable);

class ProviderLibraries {
 public:
  struct Loaded {
    plugin::Library* library = nullptr;
    std::string settings_json;  // checked, with defaults
  };

  ProviderLibraries(const Clock& clock, const observe::Logger& log) : loader_({}, clock, log) {}

  // FAILED_PRECONDITION or PERMISSION_DENIED: a file was refused. INVALID_ARGUMENT: settings; the
  // message has a line for each problem.
  Status load(const config::Config& config, const std::filesystem::path& executable);
  [[nodiscard]] const Loaded& at(const std::string& provider) const { return loaded_.at(provider); }
  [[nodiscard]] std::size_t stuck_calls() const { return loader_.stuck_calls(); }

 private:
  Status load_one(const config::ProviderConfig& provider,
                  const std::vector<std::filesystem::path>& folders);

  const observe::Logger log_;
  plugin::Loader loader_;
  std::map<std::string, Loaded> loaded_;
};

}  // namespace vkhost::daemon
