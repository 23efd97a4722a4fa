// LibraryMetrics: what one library registers and records by vkp.host.metrics/1, in the host's registry.
//
// The library itself and each of its instances join and record for themselves: counters and histograms
// are shared, of a gauge everybody has a value, and their sum is shown. Nothing that a plugin passes can
// spoil the exposition: names have the prefixes of its description and are nobody else's, label values
// are UTF-8 without control characters, values are finite, and each number is bounded. Held by
// HostTables, so for as long as the process lives. [any-thread] [no-block]
#pragma once

#include "base/mutex.hpp"
#include "base/status.hpp"
#include "observe/metrics.hpp"

#include <vkhost/ext/host_metrics.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::plugin {

class LibraryMetrics {
 public:
  using Member = std::uint64_t;

  // `owner` is the library's alone.
  LibraryMetrics(std::shared_ptr<observe::Metrics> registry,
                 std::string owner,
                 std::vector<std::string> prefixes);
  LibraryMetrics(const LibraryMetrics&) = delete;
  LibraryMetrics& operator=(const LibraryMetrics&) = delete;

  [[nodiscard]] Member join();
  void leave(Member member);  // its gauges count no more

  // The id. INVALID_ARGUMENT, ALREADY_EXISTS or RESOURCE_EXHAUSTED.
  Result<std::uint64_t> add(const vkp_metric* metric);
  // NOT_FOUND or INVALID_ARGUMENT.
  Status record(Member member,
                std::uint64_t id,
                const vkp_str* label_values,
                std::size_t label_count,
                double value);

 private:
  struct Metric {
    observe::MetricShape shape;
    std::int32_t kind = 0;
    // The one of its kind.
    observe::Family<observe::Counter>* counters = nullptr;
    observe::Family<observe::Gauge>* gauges = nullptr;
    observe::Family<observe::Histogram>* histograms = nullptr;
  };
  using Parts = std::map<Member, double>;  // of one gauge

  [[nodiscard]] Status check_name(std::string_view name) const;
  [[nodiscard]] Result<observe::MetricShape> read_shape(const vkp_metric& from) const;
  Status enter(Metric& metric);
  [[nodiscard]] const Metric* find(std::uint64_t id) const;
  void set_part(const std::shared_ptr<observe::Gauge>& gauge, Member member, double value);
  static void show_sum(observe::Gauge& gauge, const Parts& parts);

  const std::shared_ptr<observe::Metrics> registry_;
  const std::string owner_;
  const std::vector<std::string> prefixes_;

  mutable Mutex mutex_;
  Member last_member_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::deque<Metric> metrics_ VKHOST_GUARDED_BY(mutex_);  // never moved, never changed; id - 1
  std::map<std::shared_ptr<observe::Gauge>, Parts> gauges_ VKHOST_GUARDED_BY(mutex_);
};

}  // namespace vkhost::plugin
