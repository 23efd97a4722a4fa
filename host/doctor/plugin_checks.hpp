// Whether each provider's plugin loads, takes its settings and answers a ping. An instance is made, as
// before a start, and not started. [startup] [may-block]
#pragma once

#include "base/clock.hpp"
#include "config/config.hpp"
#include "daemon/provider_settings.hpp"
#include "doctor/report.hpp"

#include <chrono>
#include <filesystem>

namespace vkhost::doctor {

struct PluginFacts {
  // Of all providers that could be asked.
  bool uses_env = false;
  bool uses_references = false;  // out of ConfigMaps and Secrets
  bool uses_storage = false;
  bool uses_tokens = false;
  bool uses_pull_credentials = false;
  // One has a call that did not return: the process must be left by _exit, as its thread stands there.
  bool is_stuck = false;
};

PluginFacts check_plugins(const config::Config& config,
                          const std::filesystem::path& executable,
                          const daemon::SettingsOutside& outside,
                          const Clock& clock,
                          std::chrono::milliseconds ping_deadline,
                          Report& report);

}  // namespace vkhost::doctor
