// ProviderReload: the settings of one provider of the configuration while its instances run.
//
// A changed configuration is judged first, by the schema and by the plugin, and then handed to each
// instance (vkp.reconfigure/1) with those changes that the schema marks as reloadable; the others are named
// as taking a restart, each time. An instance that has a passing reason not to take it is asked again. The
// same happens when a file changes that a setting comes from. Not shared between threads. [may-block]
#pragma once

#include "base/backoff.hpp"
#include "base/clock.hpp"
#include "config/config.hpp"
#include "config/problem.hpp"
#include "daemon/file_stamps.hpp"
#include "daemon/provider_settings.hpp"
#include "observe/log.hpp"
#include "plugin/library.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::daemon {

class ProviderReload {
 public:
  // All outlive it.
  struct Parts {
    plugin::Library* library = nullptr;
    const SettingsOutside* outside = nullptr;
    std::shared_ptr<const Clock> clock;
    std::shared_ptr<Random> random;
    observe::Logger log;
  };
  // One for each node; see plugin::Provider::reconfigure.
  using Reconfigure = std::function<Status(const Secret& config_json)>;

  // `running`: what the instances were created with. `key` is where the settings stand.
  ProviderReload(config::ProviderConfig config,
                 std::string key,
                 const ProviderSettings& running,
                 Parts parts);

  void add(std::string node, Reconfigure reconfigure);

  // A configuration that was judged, for apply().
  struct Prepared {
    config::ProviderConfig config;
    std::string key;
    ProviderSettings wanted;
    plugin::SettingsChange change;
  };
  // Nothing: there are errors among the problems, which have been added. Changes nothing.
  std::optional<Prepared> prepare(const config::ProviderConfig& config,
                                  const std::string& key,
                                  config::Problems& problems) const;
  void apply(Prepared prepared);
  // Whether look() would ever have something to do.
  [[nodiscard]] bool wants_looks() const { return !files_.empty() || is_pending(); }
  // Takes files that have changed, and asks instances again that had a passing reason.
  void look();

  [[nodiscard]] const config::ProviderConfig& config() const { return config_; }

 private:
  struct Instance {
    std::string node;
    Reconfigure reconfigure;
    Secret running;
    std::optional<Secret> refused;  // what it does not take while it runs
  };
  [[nodiscard]] bool is_pending() const;
  [[nodiscard]] bool is_behind(const Instance& instance) const;
  void look_at_files();
  void name_what_takes_a_restart(const Prepared& prepared) const;
  void hand_out();
  // OK unless it has to be asked again.
  Status hand_to(Instance& instance);

  config::ProviderConfig config_;
  std::string key_;
  const Parts parts_;
  Secret target_;  // what every instance shall have
  std::vector<Instance> instances_;
  FileStamps files_;
  std::uint32_t failures_ = 0;
  SteadyTime next_try_{};
};

}  // namespace vkhost::daemon
