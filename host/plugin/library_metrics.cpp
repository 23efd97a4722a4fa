#include "plugin/library_metrics.hpp"

#include "plugin/abi_read.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vkhost::plugin {
namespace {

constexpr std::size_t kMaxMetrics = 100;
constexpr std::size_t kMaxSeries = 1000;  // of one metric
constexpr std::size_t kMaxMetricNameBytes = 128;
constexpr std::size_t kMaxHelpBytes = 1024;
constexpr std::size_t kMaxLabels = 8;
constexpr std::size_t kMaxBuckets = 64;
constexpr std::size_t kMaxLabelValueBytes = 256;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

Result<std::vector<std::string>> read_list(const vkp_str* from,
                                           std::size_t count,
                                           std::size_t max_bytes) {
  if (count > kMaxLabels || (count > 0 && from == nullptr)) {
    return invalid_argument("more than " + std::to_string(kMaxLabels) +
                            " labels, or none where there should be some");
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) {
    VKHOST_TRY_ASSIGN(const std::string_view text, read_text(from[i], max_bytes));
    if (has_control(text)) {
      return invalid_argument("a control character in a label");
    }
    texts.emplace_back(text);
  }
  return texts;
}

// One without labels is there before it is recorded.
template <typename Series>
Status show_plain(const observe::MetricShape& shape, observe::Family<Series>& family) {
  if (shape.labels.empty()) {
    static_cast<void>(family.with({}));
  }
  return Status::ok();
}

}  // namespace

LibraryMetrics::LibraryMetrics(std::shared_ptr<observe::Metrics> registry,
                               std::string owner,
                               std::vector<std::string> prefixes)
    : registry_(std::move(registry)), owner_(std::move(owner)), prefixes_(std::move(prefixes)) {}

LibraryMetrics::Member LibraryMetrics::join() {
  const MutexLock lock(mutex_);
  return ++last_member_;
}

void LibraryMetrics::leave(Member member) {
  const MutexLock lock(mutex_);
  for (auto& [gauge, parts] : gauges_) {
    if (parts.erase(member) > 0) {
      show_sum(*gauge, parts);
    }
  }
}

// Anew each time: what is added up and taken off again drifts.
void LibraryMetrics::show_sum(observe::Gauge& gauge, const Parts& parts) {
  double sum = 0;
  for (const auto& [member, value] : parts) {
    sum += value;
  }
  gauge.set(sum);
}

// ---- Registering

Status LibraryMetrics::check_name(std::string_view name) const {
  const bool is_own =
      std::any_of(prefixes_.begin(), prefixes_.end(), [&](const std::string& prefix) {
        return name.size() > prefix.size() && name.starts_with(prefix);
      });
  return is_own ? Status::ok()
                : invalid_argument("metric \"" + std::string(name) +
                                   "\" has none of the metric_prefixes of the description");
}

Result<observe::MetricShape> LibraryMetrics::read_shape(const vkp_metric& from) const {
  observe::MetricShape shape;
  VKHOST_TRY_ASSIGN(const std::string_view name, read_text(from.name, kMaxMetricNameBytes));
  VKHOST_TRY(check_name(name));
  shape.name = name;
  shape.help = shown_text(from.help, kMaxHelpBytes);
  VKHOST_TRY_ASSIGN(shape.labels, read_list(from.labels, from.label_count, kMaxMetricNameBytes));
  if (from.bucket_count > kMaxBuckets || (from.bucket_count > 0 && from.buckets == nullptr)) {
    return invalid_argument("metric \"" + shape.name + "\" has more than " +
                            std::to_string(kMaxBuckets) + " buckets, or none where there are some");
  }
  shape.bounds.assign(from.buckets, from.buckets + from.bucket_count);
  shape.max_series = kMaxSeries;
  shape.owner = owner_;
  return shape;
}

Result<std::uint64_t> LibraryMetrics::add(const vkp_metric* from) {
  const vkp_metric raw = read_struct(from);
  if (!VKHOST_ABI_HAS(raw, kind) || raw.kind < VKP_METRIC_COUNTER ||
      raw.kind > VKP_METRIC_HISTOGRAM) {
    return invalid_argument("no kind of metric that the host knows");
  }
  Metric metric;
  metric.kind = raw.kind;
  VKHOST_TRY_ASSIGN(metric.shape, read_shape(raw));
  const MutexLock lock(mutex_);
  const auto known = std::find_if(metrics_.begin(), metrics_.end(), [&](const Metric& other) {
    return other.shape.name == metric.shape.name;
  });
  if (known == metrics_.end() && metrics_.size() >= kMaxMetrics) {
    return Status(StatusCode::ResourceExhausted,
                  "a plugin may have " + std::to_string(kMaxMetrics) + " metrics");
  }
  VKHOST_TRY(enter(metric));  // which compares the shapes where it is known
  if (known != metrics_.end()) {
    return static_cast<std::uint64_t>(known - metrics_.begin()) + 1;
  }
  metrics_.push_back(std::move(metric));
  return metrics_.size();
}

Status LibraryMetrics::enter(Metric& metric) {
  switch (metric.kind) {
    case VKP_METRIC_COUNTER: {
      VKHOST_TRY_ASSIGN(metric.counters, registry_->add_counter(metric.shape));
      return show_plain(metric.shape, *metric.counters);
    }
    case VKP_METRIC_GAUGE: {
      VKHOST_TRY_ASSIGN(metric.gauges, registry_->add_gauge(metric.shape));
      return show_plain(metric.shape, *metric.gauges);
    }
    default: {
      VKHOST_TRY_ASSIGN(metric.histograms, registry_->add_histogram(metric.shape));
      return show_plain(metric.shape, *metric.histograms);
    }
  }
}

// ---- Recording

const LibraryMetrics::Metric* LibraryMetrics::find(std::uint64_t id) const {
  const MutexLock lock(mutex_);
  return id >= 1 && id <= metrics_.size() ? &metrics_[id - 1] : nullptr;
}

Status LibraryMetrics::record(Member member,
                              std::uint64_t id,
                              const vkp_str* label_values,
                              std::size_t label_count,
                              double value) {
  const Metric* const metric = find(id);
  if (metric == nullptr) {
    return not_found("no metric has the id " + std::to_string(id));
  }
  const auto refused = [&](const std::string& why) {
    return invalid_argument("metric \"" + metric->shape.name + "\": " + why);
  };
  if (!std::isfinite(value) || (metric->counters != nullptr && value < 0)) {
    return refused("a value that is not finite, or a counter that shrinks");
  }
  if (label_count != metric->shape.labels.size()) {
    return refused("another number of labels than it was registered with");
  }
  auto values = read_list(label_values, label_count, kMaxLabelValueBytes);
  if (!values.is_ok()) {
    return refused(values.status().message());
  }
  if (metric->counters != nullptr) {
    metric->counters->with(std::move(*values))->add(value);
  } else if (metric->histograms != nullptr) {
    metric->histograms->with(std::move(*values))->observe(value);
  } else {
    set_part(metric->gauges->with(std::move(*values)), member, value);
  }
  return Status::ok();
}

void LibraryMetrics::set_part(const std::shared_ptr<observe::Gauge>& gauge,
                              Member member,
                              double value) {
  const MutexLock lock(mutex_);
  Parts& parts = gauges_[gauge];
  parts[member] = value;
  show_sum(*gauge, parts);
}

}  // namespace vkhost::plugin
