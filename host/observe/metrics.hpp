// Metrics: counters, gauges and histograms of the process, and their exposition as Prometheus text
// (format 0.0.4) or OpenMetrics (1.0.0).
//
// One registry, built by `daemon` and passed on. A room asks once for a family and once for each
// combination of label values, keeps the series, and counts on it: one atomic operation, no lock.
// Names are the words of the glossary, prefixed "vkhost_". Registering the same family again gives
// the same one; one with another shape is an error. [any-thread] [no-block]
#pragma once

#include "base/mutex.hpp"
#include "base/status.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::observe {

using LabelNames = std::vector<std::string>;
using LabelValues = std::vector<std::string>;

class Counter {
 public:
  // Negative amounts and NaN are ignored: a counter only grows.
  void add(double amount = 1) noexcept {
    if (amount > 0) {
      value_.fetch_add(amount, std::memory_order_relaxed);
    }
  }
  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // Upper bounds of the buckets, ascending; the one to infinity is added.
  explicit Histogram(std::shared_ptr<const std::vector<double>> bounds);
  void observe(double value) noexcept;

  [[nodiscard]] const std::vector<double>& bounds() const { return *bounds_; }
  // How many fell into bucket `index`; the last is the one to infinity. Not cumulative.
  [[nodiscard]] std::uint64_t count(std::size_t index) const noexcept {
    return counts_[index].load(std::memory_order_relaxed);
  }
  [[nodiscard]] double sum() const noexcept { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::shared_ptr<const std::vector<double>> bounds_;
  const std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

// Bounds for times in seconds, 1 ms to 60 s.
[[nodiscard]] std::vector<double> latency_bounds();

// All series of one name. Label values beyond `max_series` combinations are counted together under
// "overflow", so that no input can fill the memory.
template <typename Series>
class Family {
 public:
  using Make = std::function<std::shared_ptr<Series>()>;
  Family(std::size_t label_count, std::size_t max_series, Make make)
      : label_count_(label_count), max_series_(max_series), make_(std::move(make)) {}

  // Values in the order of the label names; missing ones are empty, surplus ones dropped. The
  // series stays usable after remove(), though nobody sees it any more.
  [[nodiscard]] std::shared_ptr<Series> with(LabelValues values) {
    values.resize(label_count_);
    const MutexLock lock(mutex_);
    if (const auto found = series_.find(values); found != series_.end()) {
      return found->second;
    }
    if (series_.size() >= max_series_) {
      values.assign(label_count_, "overflow");
    }
    auto& series = series_[values];
    if (!series) {
      series = make_();
    }
    return series;
  }

  void remove(const LabelValues& values) {
    const MutexLock lock(mutex_);
    series_.erase(values);
  }

  [[nodiscard]] std::map<LabelValues, std::shared_ptr<Series>> all() const {
    const MutexLock lock(mutex_);
    return series_;
  }

 private:
  const std::size_t label_count_;
  const std::size_t max_series_;
  const Make make_;
  mutable Mutex mutex_;
  std::map<LabelValues, std::shared_ptr<Series>> series_ VKHOST_GUARDED_BY(mutex_);
};

// Series of one family by a number that stands for their label values: looked up the first time, one
// atomic read afterwards. For families whose series are never removed; outlived by the family.
// [any-thread] [no-block]
template <typename Series, std::size_t kSize>
class SeriesTable {
 public:
  explicit SeriesTable(Family<Series>& family) : family_(family) {}

  // `values` makes the label values of `index`, and is called where they are not known yet.
  template <typename Values>
  Series& at(std::size_t index, const Values& values) {
    Series* series = known_.at(index).load(std::memory_order_acquire);
    if (series == nullptr) {
      series = family_.with(values()).get();
      known_.at(index).store(series, std::memory_order_release);
    }
    return *series;
  }

 private:
  Family<Series>& family_;
  std::array<std::atomic<Series*>, kSize> known_{};
};

struct MetricShape {
  std::string name;
  std::string help;
  LabelNames labels;
  std::vector<double> bounds;  // histograms only
  std::size_t max_series = 20'000;
  std::string owner = {};  // who registers it; nobody else may then
};

enum class Exposition { Text, OpenMetrics };

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // INVALID_ARGUMENT for a name, label or bound that Prometheus would not take. ALREADY_EXISTS for the
  // same name with another shape or owner, and for one whose samples would be taken for those of
  // another family (a gauge "x_count" beside a histogram "x"). Families live as long as the registry.
  Result<Family<Counter>*> add_counter(MetricShape shape);
  Result<Family<Gauge>*> add_gauge(MetricShape shape);
  Result<Family<Histogram>*> add_histogram(MetricShape shape);

  // For the host's own: a wrong shape is a broken invariant.
  Family<Counter>& counter(std::string name, std::string help, LabelNames labels = {});
  Family<Gauge>& gauge(std::string name, std::string help, LabelNames labels = {});
  Family<Histogram>& histogram(std::string name,
                               std::string help,
                               LabelNames labels = {},
                               std::vector<double> bounds = latency_bounds());

  // Runs at the beginning of each render, to set what is only known on request. It must be quick
  // and must not render. Lives as long as the registry.
  void before_render(std::function<void()> refresh);

  // Families in the order of their names, each with HELP and TYPE, also without series. In OpenMetrics
  // a counter whose name does not end in "_total" has no type.
  [[nodiscard]] std::string render(Exposition exposition = Exposition::Text) const;

 private:
  struct Entry;
  Result<Entry*> add(MetricShape shape, int kind);

  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<Entry>> entries_ VKHOST_GUARDED_BY(mutex_);
  // What their samples and, in OpenMetrics, the families themselves are called.
  std::map<std::string, std::string> sample_names_ VKHOST_GUARDED_BY(mutex_);  // to the entry's
  std::vector<std::function<void()>> refreshers_ VKHOST_GUARDED_BY(mutex_);
};

// Media type of what render() yields.
[[nodiscard]] constexpr std::string_view content_type(Exposition exposition) {
  return exposition == Exposition::Text
             ? std::string_view("text/plain; version=0.0.4; charset=utf-8")
             : std::string_view("application/openmetrics-text; version=1.0.0; charset=utf-8");
}

}  // namespace vkhost::observe
