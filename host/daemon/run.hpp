// run(): the whole life of the daemon, from a checked configuration to its orderly end.
#pragma once

#include "base/status.hpp"
#include "config/config.hpp"
#include "observe/log.hpp"

#include <filesystem>

namespace vkhost::daemon {

struct RunOptions {
  std::filesystem::path executable;  // plugins are found beside it
  observe::Logger log;
};

// Blocks until SIGINT or SIGTERM; a second one ends the process at once. OK after an orderly stop.
// INVALID_ARGUMENT: the configuration. FAILED_PRECONDITION: a plugin was refused or cannot run here.
// UNAVAILABLE: something the daemon needs to begin with (an address in use, a folder, credentials).
// [startup] on the main thread, before any other thread was made
Status run(const config::Config& config, const RunOptions& options);

}  // namespace vkhost::daemon
