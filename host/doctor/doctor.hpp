// The whole examination: each check in its order, with the real parts, for `vkhost doctor`. Reads files,
// loads plugins, asks the API server; changes nothing in the cluster and writes no file. What cannot be
// looked at, because of something that was found before, is named as skipped. [startup] [may-block]
#pragma once

#include "base/clock.hpp"
#include "config/load.hpp"
#include "daemon/provider_settings.hpp"
#include "doctor/report.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

namespace vkhost::doctor {

struct Subject {
  config::Loaded loaded;
  std::string origin;  // the configuration's file, or what stands for it
  std::filesystem::path executable;
  daemon::SettingsOutside outside;
  std::filesystem::path admin_kubeconfig;  // for the way from the API server; or empty
  std::chrono::milliseconds ping_deadline{std::chrono::seconds{10}};
};

struct Examination {
  Report report;
  // A plugin has a call that did not return: the process must be left by _exit.
  bool is_stuck = false;
};

Examination examine(const Subject& subject, const std::shared_ptr<const Clock>& clock);

}  // namespace vkhost::doctor
