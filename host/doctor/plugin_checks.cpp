#include "doctor/plugin_checks.hpp"

#include "daemon/deaf_listener.hpp"
#include "daemon/node_plan.hpp"
#include "daemon/provider_libraries.hpp"
#include "observe/log.hpp"
#include "plugin/library_search.hpp"
#include "plugin/provider.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace vkhost::doctor {
namespace {

constexpr std::string_view kPluginArea = "plugin";
// Settings stand in the configuration, whoever judges them.
constexpr std::string_view kSettingsArea = "configuration";
constexpr std::string_view kBackEndArea = "back-end";

class PluginCheck {
 public:
  PluginCheck(const config::Config& config,
              const std::filesystem::path& executable,
              const daemon::SettingsOutside& outside,
              const Clock& clock,
              std::chrono::milliseconds ping_deadline,
              Report& report)
      : config_(config),
        executable_(executable),
        outside_(outside),
        clock_(clock),
        ping_deadline_(ping_deadline),
        report_(report),
        libraries_(clock, observe::Logger()) {}

  PluginFacts run() {
    for (const config::ProviderConfig& provider : config_.providers) {
      if (load(provider)) {
        try_instance(provider);
      }
    }
    facts_.is_stuck = libraries_.stuck_calls() > 0;
    return facts_;
  }

 private:
  static Matter matter_of(const config::ProviderConfig& provider,
                          std::string_view what,
                          std::string_view area = kPluginArea) {
    return {area, std::string(what) + " of provider " + provider.name,
            "No node of this provider starts without it."};
  }

  bool load(const config::ProviderConfig& provider) {
    config::Config only = config_;
    only.providers = {provider};
    config::Problems problems;
    const Status loaded = libraries_.load(only, executable_, outside_, problems);
    const bool are_settings_wrong =
        loaded.code() == StatusCode::InvalidArgument && problems.has_errors();
    if (!loaded.is_ok() && !are_settings_wrong) {
      report_.problem(matter_of(provider, "plugin"), loaded.message(),
                      "vkhost plugins shows which plugins are found, and why one is refused.");
      return false;
    }
    for (const config::Problem& problem : problems.list()) {
      const std::string advice = "See the plugin's documentation; vkhost check-config shows all.";
      if (problem.severity == config::Severity::Error) {
        report_.problem(matter_of(provider, "settings", kSettingsArea), problem.to_string(),
                        advice);
      } else {
        report_.warning(matter_of(provider, "settings", kSettingsArea), problem.to_string(),
                        advice);
      }
    }
    if (!loaded.is_ok()) {
      return false;
    }
    const plugin::Library& library = *libraries_.at(provider.name).library;
    const plugin::FoundPlugin file = plugin::inspect_plugin(library.path(), plugin::Trust::Checked);
    report_.ok(matter_of(provider, "plugin"),
               library.path().string() + ": version " + library.description().version + ", ABI " +
                   std::to_string(file.head.abi_major) + "." + std::to_string(file.head.abi_minor));
    return true;
  }

  void try_instance(const config::ProviderConfig& provider) {
    const auto node = std::find_if(
        config_.nodes.begin(), config_.nodes.end(),
        [&](const config::NodeConfig& each) { return each.provider == provider.name; });
    if (node == config_.nodes.end()) {
      report_.warning(matter_of(provider, "nodes"), "there is none",
                      "Let a [[node]] name it, or leave the provider out.");
      return;
    }
    const daemon::ProviderLibraries::Loaded& loaded = libraries_.at(provider.name);
    const daemon::Endpoint endpoint{"127.0.0.1", 0};
    daemon::DeafListener listener;
    auto made = loaded.library->create(
        {loaded.settings.json.reveal(), daemon::instance_info(config_, *node, endpoint)}, listener,
        {});
    if (!made.is_ok()) {
      report_.problem(matter_of(provider, "instance"), made.status().message(),
                      "See the plugin's documentation for what it needs.");
      return;
    }
    const plugin::Capabilities& shape = (*made)->capabilities();
    facts_.uses_env = facts_.uses_env || shape.uses_env;
    facts_.uses_references = facts_.uses_references || shape.uses_files ||
                             shape.uses_pull_credentials || !shape.secret_annotations.empty();
    facts_.uses_storage = facts_.uses_storage || shape.uses_storage;
    facts_.uses_tokens = facts_.uses_tokens || shape.uses_tokens;
    facts_.uses_pull_credentials = facts_.uses_pull_credentials || shape.uses_pull_credentials;
    ping(provider, **made);
  }

  void ping(const config::ProviderConfig& provider, plugin::Provider& instance) {
    Matter matter{kBackEndArea, "back end of provider " + provider.name,
                  "Its nodes are not Ready while it does not answer."};
    plugin::CallOptions options;
    options.deadline = Deadline::after(clock_, ping_deadline_);
    const Status answer = instance.ping(options);
    if (answer.is_ok()) {
      report_.ok(std::move(matter), "the plugin says that it can be used");
    } else if (answer.code() == StatusCode::ResourceExhausted) {
      report_.warning(std::move(matter), answer.to_string(),
                      "It can be reached and limits the daemon; ask it for a higher limit.");
    } else {
      report_.problem(std::move(matter), answer.to_string(),
                      "Look at the provider's settings and credentials, and whether this machine "
                      "reaches the back end.");
    }
  }

  const config::Config& config_;
  const std::filesystem::path& executable_;
  const daemon::SettingsOutside& outside_;
  const Clock& clock_;
  const std::chrono::milliseconds ping_deadline_;
  Report& report_;
  daemon::ProviderLibraries libraries_;
  PluginFacts facts_;
};

}  // namespace

PluginFacts check_plugins(const config::Config& config,
                          const std::filesystem::path& executable,
                          const daemon::SettingsOutside& outside,
                          const Clock& clock,
                          std::chrono::milliseconds ping_deadline,
                          Report& report) {
  return PluginCheck(config, executable, outside, clock, ping_deadline, report).run();
}

}  // namespace vkhost::doctor
