// run(): the whole life of the daemon, from a checked configuration to its orderly end.
#pragma once

#include "base/status.hpp"
#include "config/config.hpp"
#include "config/load.hpp"
#include "daemon/provider_settings.hpp"
#include "observe/log.hpp"

#include <filesystem>
#include <functional>

namespace vkhost::daemon {

struct RunOptions {
  std::filesystem::path executable;  // plugins are found beside it
  observe::Logger log;
  SettingsOutside outside;  // what plugins' settings may take from outside the file
  // At SIGHUP: the configuration as it is now. On a thread of its own. [may-block]
  std::function<config::Loaded()> load;
  std::function<void(config::LogLevel level)> set_log_level;  // [any-thread]
};

// Blocks until SIGINT or SIGTERM; a second one ends the process at once. OK after an orderly stop.
// INVALID_ARGUMENT: the configuration, or (reason UnknownFlag) a flag that no plugin knows. FAILED_PRECONDITION: a plugin was refused or cannot run here.
// UNAVAILABLE: something the daemon needs to begin with (an address in use, a folder, credentials).
// [startup] on the main thread, before any other thread was made
Status run(const config::Config& config, const RunOptions& options);

}  // namespace vkhost::daemon
