// HostTable: the host as one instance of a plugin sees it (vkp_host).
//
// The plugin may keep the pointer for ever, so a HostTable is never destroyed; what ends is its
// listener. Everything that arrives is checked here before the listener sees it, and nothing that
// the listener does wrong goes back across the boundary. After close() only log works; the rest
// answers CANCELLED. Functions of the table: [any-thread]; all [no-block] but save_handle
// [may-block]
#pragma once

#include "base/gate.hpp"
#include "base/mutex.hpp"
#include "observe/log.hpp"
#include "plugin/library_metrics.hpp"
#include "plugin/provider.hpp"

#include <vkhost/ext/host_events.h>
#include <vkhost/ext/host_evict.h>
#include <vkhost/ext/host_metrics.h>
#include <vkhost/provider.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::plugin {

class HostTable {
 public:
  // For a library in `init`: log, get_extension and metrics alone. Where `metrics` is null the functions
  // of metrics answer UNIMPLEMENTED.
  static HostTable& for_library(observe::Logger log,
                                std::shared_ptr<LibraryMetrics> metrics = nullptr);
  // For an instance; `listener` must live until close() has returned.
  static HostTable& for_instance(observe::Logger log,
                                 ProviderListener& listener,
                                 std::vector<std::string> annotation_prefixes,
                                 std::shared_ptr<LibraryMetrics> metrics = nullptr);

  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  [[nodiscard]] const vkp_host* abi() const { return &handle_.table; }

  // The listener hears nothing any more once this has returned; waits for what it hears just now.
  void close();  // [may-block]

  // Holds on to something that an instance left behind still needs.
  void keep(std::shared_ptr<const void> something) { kept_ = std::move(something); }

  // Calls other than log that came after close(): a plugin that breaks its promise.
  [[nodiscard]] std::uint64_t late_calls() const { return late_calls_.load(); }

 private:
  struct Entries;
  struct Handle {
    vkp_host table;
    HostTable* self;
  };

  HostTable(observe::Logger log,
            ProviderListener* listener,
            std::vector<std::string> prefixes,
            std::shared_ptr<LibraryMetrics> metrics);
  ~HostTable() = default;

  void log(const vkp_log_entry* entry) const;
  Status pod_changed(const vkp_pod_change* change);
  Status node_changed();
  Status save_handle(std::string_view uid, std::string_view handle);
  Status evict(const vkp_evict_request* request);
  Status emit(const vkp_event* event);
  Result<std::uint64_t> register_metric(const vkp_metric* metric);
  Status record(std::uint64_t id, const vkp_str* values, std::size_t count, double value);
  [[nodiscard]] Result<PodChange> read_change(const vkp_pod_change* from) const;
  // An OK status or why the host may not be called; a library has no listener.
  Status enter(Gate::Pass& pass);
  Status enter_as_instance(Gate::Pass& pass);

  Handle handle_;
  const observe::Logger log_;
  ProviderListener* const listener_;
  const std::vector<std::string> prefixes_;
  const std::shared_ptr<LibraryMetrics> metrics_;  // or null
  const LibraryMetrics::Member member_;
  std::shared_ptr<const void> kept_;
  Gate gate_;
  std::atomic<std::uint64_t> late_calls_{0};
  std::atomic<bool> told_refused_record_{false};
};

}  // namespace vkhost::plugin
