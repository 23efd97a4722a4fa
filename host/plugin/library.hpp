// Loader and Library: from the name of a plugin to instances of its provider.
//
//   Loader loader(settings, clock, log, metrics);
//   auto library = loader.load({.path = …, .sha256 = …});        // checked, described, initialised
//   auto problems = (*library)->check_config(json, {});
//   auto provider = (*library)->create({config_json, info_json}, listener, {});
//   … provider->node, recover_pods, start, work, stop; destroy it …; ~Loader shuts libraries down
//
// One Loader per process, built by `daemon` before the first load and destroyed after the last
// provider. A library is loaded once and stays mapped until the process ends. Every refusal names
// the file, the reason and what to do. [may-block]; load and ~Loader [startup], the rest [any-thread]
#pragma once

#include "base/clock.hpp"
#include "base/status.hpp"
#include "observe/log.hpp"
#include "observe/metrics.hpp"
#include "plugin/documents.hpp"
#include "plugin/file_trust.hpp"
#include "plugin/provider.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::plugin {

struct LoaderSettings {
  std::chrono::milliseconds load_deadline{30'000};  // constructors, describe and init, each
  std::chrono::milliseconds call_grace{5'000};      // after a cancel, before a call is abandoned
  std::chrono::milliseconds default_deadline{60'000};
  std::size_t max_stuck_calls = 32;            // of one instance
  std::chrono::milliseconds end_limit{2'000};  // ~Loader's patience with calls in flight
};

struct LoadRequest {
  std::filesystem::path path;
  std::string sha256;  // pinned hash, or empty
  Trust trust = Trust::Checked;
};

class Library {
 public:
  Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  virtual ~Library() = default;

  [[nodiscard]] virtual const PluginDescription& description() const = 0;
  [[nodiscard]] virtual const std::filesystem::path& path() const = 0;
  [[nodiscard]] virtual const std::string& sha256() const = 0;
  // Whether the plugin has the extension ("vkp.logs/1").
  [[nodiscard]] virtual bool supports(std::string_view extension) const = 0;

  // What the schema cannot say about the settings; empty: nothing to complain about.
  virtual Result<std::vector<ConfigProblem>> check_config(std::string_view config_json,
                                                          const CallOptions& options) = 0;
  // A new instance. `listener` must live until the provider is destroyed, the provider must be
  // destroyed before the Loader.
  virtual Result<std::unique_ptr<Provider>> create(const InstanceRequest& request,
                                                   ProviderListener& listener,
                                                   const CallOptions& options) = 0;
};

class Loader {
 public:
  // `metrics` gets what is counted of calls, and what the plugins register themselves.
  Loader(LoaderSettings settings,
         const Clock& clock,
         observe::Logger log,
         std::shared_ptr<observe::Metrics> metrics = std::make_shared<observe::Metrics>());
  // Calls `shutdown` of each library that has no stuck call.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The library lives as long as this Loader; asking for the same file again gives the same one.
  Result<Library*> load(const LoadRequest& request);

  // Calls that were abandoned and have not returned. Not 0 at the end of the daemon: leave by
  // _exit, as threads still stand inside plugins.
  [[nodiscard]] std::size_t stuck_calls() const;

 private:
  class Loaded;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace vkhost::plugin
