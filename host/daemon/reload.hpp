// Reload: what becomes of a configuration that is read again while the daemon runs, and of files that
// change under it.
//
// Everything that can be wrong is looked at first, and a configuration with an error changes nothing. Then
// the difference between what runs and what is wanted is taken over where that is possible; the rest is
// named, by key and place, as taking a restart. What runs stays known, so that a change that is taken back
// is a difference again. One thread does all of it, from the first use on. [any-thread] [no-block] but
// for stop().
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/executor.hpp"
#include "base/gate.hpp"
#include "base/mutex.hpp"
#include "base/timers.hpp"
#include "config/load.hpp"
#include "daemon/file_stamps.hpp"
#include "daemon/node_plan.hpp"
#include "daemon/provider_reload.hpp"
#include "observe/log.hpp"
#include "pods/settings.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::daemon {

class Reload {
 public:
  // Certificates and the like, which live in files of their own.
  struct Credential {
    std::string what;  // "the certificates of the kubelet API"
    // Which are looked at; else they are read only with the configuration.
    std::function<std::vector<std::filesystem::path>(const config::Config& config)> files;
    // Reads and checks what that configuration names, and changes nothing; what comes back takes it into
    // use and cannot fail. [may-block]
    std::function<Result<std::function<void()>>(const config::Config& config)> prepare;
  };
  struct Node {
    Endpoint endpoint;
    std::function<void(pods::Settings pods, bool ignore_daemonset_pods)> change_settings;
  };
  struct Parts {
    std::function<config::Loaded()> load;  // the configuration as it is now [may-block]
    std::function<void(config::LogLevel level)> set_log_level;
    std::vector<Credential> credentials;
    std::vector<std::unique_ptr<ProviderReload>> providers;
    std::vector<Node> nodes;  // as in the configuration
    Timers* timers = nullptr;
    std::shared_ptr<const Clock> clock;
    observe::Logger log;
  };

  Reload(config::Config running, Parts parts);
  ~Reload();
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  // Begins to look at files, if there are any. Once, before read_again().
  void start();
  // Reads the configuration; `done` is called when all is said, unless the daemon stops. From one thread.
  void read_again(std::function<void()> done);
  void stop();  // [may-block]

  // What the daemon runs with: the configuration that it was started with and all that it took since.
  [[nodiscard]] std::shared_ptr<const config::Config> running() const;

 private:
  struct Watched {
    Credential credential;
    FileStamps files;
  };
  using Commit = std::function<void()>;
  struct PreparedProvider {
    ProviderReload* provider;
    ProviderReload::Prepared prepared;
  };

  void submit(std::function<void()> work);
  void look_later();
  void look();
  void look_at(Watched& watched);
  void reload();
  std::optional<std::vector<Commit>> prepare_credentials(const config::Config& config);
  std::vector<PreparedProvider> prepare_providers(const config::Config& config,
                                                  config::Problems& problems);
  void take(const config::Config& config);
  void tell(const std::vector<config::Change>& changes);

  const Parts parts_;
  std::vector<Watched> watched_;
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  mutable Mutex mutex_;
  std::shared_ptr<const config::Config> running_ VKHOST_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> look_timer_;
  std::optional<Executor> thread_;  // from the first use on; last, it uses all of the above
};

}  // namespace vkhost::daemon
