#include "observe/metrics.hpp"

#include "base/check.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace vkhost::observe {
namespace {

constexpr int kCounter = 0;
constexpr int kGauge = 1;
constexpr int kHistogram = 2;
constexpr std::array<std::string_view, 3> kKindNames = {"counter", "gauge", "histogram"};

bool is_name(std::string_view name, bool colons) {
  const auto good = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
  };
  return !name.empty() && name.size() <= 200 && good(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return good(c) || (c >= '0' && c <= '9'); });
}

Status check_shape(const MetricShape& shape, int kind) {
  const auto bad = [&](const std::string& what) {
    return invalid_argument("metric \"" + shape.name + "\": " + what);
  };
  if (!is_name(shape.name, true)) {
    return bad("the name may have letters, digits, '_' and ':' only");
  }
  for (std::size_t i = 0; i < shape.labels.size(); ++i) {
    const std::string& label = shape.labels[i];
    if (!is_name(label, false) || label.starts_with("__") ||
        (kind == kHistogram && label == "le")) {
      return bad("\"" + label + "\" is no name for a label");
    }
    if (std::find(shape.labels.begin(), shape.labels.begin() + static_cast<std::ptrdiff_t>(i),
                  label) != shape.labels.begin() + static_cast<std::ptrdiff_t>(i)) {
      return bad("the label \"" + label + "\" occurs twice");
    }
  }
  const auto& bounds = shape.bounds;
  const bool ascending =
      std::all_of(bounds.begin(), bounds.end(),
                  [](double bound) { return std::isfinite(bound); }) &&
      std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) == bounds.end();
  if ((kind == kHistogram) == bounds.empty() || !ascending) {
    return bad("a histogram, and nothing else, has bounds of buckets; they are finite and ascend");
  }
  return Status::ok();
}

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else {
    std::array<char, 40> text{};
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
  }
}

// HELP escapes '\' and newline, label values the quote as well. Other control characters end the
// document for some readers.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (quotes && c == '"')) {
      out += '\\';
      out += c;
    } else {
      out += (c >= 0 && c < ' ') || c == '\x7f' ? ' ' : c;
    }
  }
}

void append_label(std::string& out, char before, std::string_view name, std::string_view value) {
  out += before;
  out += name;
  out += "=\"";
  append_escaped(out, value, true);
  out += '"';
}

// "{a="1",b="2"}", with `le` last where there is one.
void append_labels(std::string& out,
                   const LabelNames& names,
                   const LabelValues& values,
                   std::string_view le = {}) {
  char before = '{';
  for (std::size_t i = 0; i < names.size(); ++i) {
    append_label(out, std::exchange(before, ','), names[i], values[i]);
  }
  if (!le.empty()) {
    append_label(out, std::exchange(before, ','), "le", le);
  }
  out += before == ',' ? "}" : "";
}

void append_sample(std::string& out,
                   const MetricShape& shape,
                   std::string_view suffix,
                   const LabelValues& values,
                   std::string_view le,
                   double value) {
  out += shape.name;
  out += suffix;
  append_labels(out, shape.labels, values, le);
  out += ' ';
  append_number(out, value);
  out += '\n';
}

// OpenMetrics wants to see that they are no integers.
std::string bound_text(double bound, Exposition exposition) {
  std::string text;
  append_number(text, bound);
  if (exposition == Exposition::OpenMetrics && text.find_first_of(".e") == std::string::npos) {
    text += ".0";
  }
  return text;
}

void append_series(std::string& out,
                   const MetricShape& shape,
                   const LabelValues& values,
                   const Histogram& histogram,
                   Exposition exposition) {
  // The counts are read one after the other while others write; summing them up here keeps
  // bucket and count lines consistent with each other.
  double total = 0;
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    total += static_cast<double>(histogram.count(i));
    const std::string le = i < histogram.bounds().size()
                               ? bound_text(histogram.bounds()[i], exposition)
                               : std::string("+Inf");
    append_sample(out, shape, "_bucket", values, le, total);
  }
  append_sample(out, shape, "_sum", values, {}, histogram.sum());
  append_sample(out, shape, "_count", values, {}, total);
}

template <typename Series>
void append_series(std::string& out,
                   const MetricShape& shape,
                   const LabelValues& values,
                   const Series& series,
                   Exposition /*exposition*/) {
  append_sample(out, shape, "", values, {}, series.value());
}

template <typename Series>
void append_family(std::string& out,
                   const MetricShape& shape,
                   const Family<Series>& family,
                   Exposition exposition) {
  for (const auto& [values, series] : family.all()) {
    append_series(out, shape, values, *series, exposition);
  }
}

constexpr std::string_view kTotal = "_total";

// OpenMetrics names the family of a counter without its end.
std::string counter_family(const std::string& name) {
  return name.ends_with(kTotal) ? name.substr(0, name.size() - kTotal.size()) : name;
}

// What must not be found in another family, in either format.
std::vector<std::string> names_of(const MetricShape& shape, int kind) {
  std::vector<std::string> names = {shape.name};
  if (kind == kHistogram) {
    for (const char* suffix : {"_bucket", "_count", "_sum", "_created"}) {
      names.push_back(shape.name + suffix);
    }
  } else if (kind == kCounter && shape.name.ends_with(kTotal)) {
    names.push_back(counter_family(shape.name));
    names.push_back(counter_family(shape.name) + "_created");
  }
  return names;
}

}  // namespace

struct Metrics::Entry {
  MetricShape shape;
  int kind = kCounter;
  std::unique_ptr<Family<Counter>> counters;
  std::unique_ptr<Family<Gauge>> gauges;
  std::unique_ptr<Family<Histogram>> histograms;

  Entry(MetricShape wanted, int wanted_kind) : shape(std::move(wanted)), kind(wanted_kind) {
    const std::size_t labels = shape.labels.size();
    if (kind == kCounter) {
      counters = std::make_unique<Family<Counter>>(labels, shape.max_series,
                                                   [] { return std::make_shared<Counter>(); });
    } else if (kind == kGauge) {
      gauges = std::make_unique<Family<Gauge>>(labels, shape.max_series,
                                               [] { return std::make_shared<Gauge>(); });
    } else {
      const auto bounds = std::make_shared<const std::vector<double>>(shape.bounds);
      histograms = std::make_unique<Family<Histogram>>(
          labels, shape.max_series, [bounds] { return std::make_shared<Histogram>(bounds); });
    }
  }

  void render(std::string& out, Exposition exposition) const {
    const bool is_open = exposition == Exposition::OpenMetrics;
    const bool is_plain = is_open && kind == kCounter && !shape.name.ends_with(kTotal);
    const std::string name = is_open && kind == kCounter ? counter_family(shape.name) : shape.name;
    out += "# HELP " + name + ' ';
    append_escaped(out, shape.help, is_open);
    out += "\n# TYPE " + name + ' ';
    out += is_plain ? "unknown" : kKindNames.at(static_cast<std::size_t>(kind));
    out += '\n';
    if (counters) {
      append_family(out, shape, *counters, exposition);
    } else if (gauges) {
      append_family(out, shape, *gauges, exposition);
    } else {
      append_family(out, shape, *histograms, exposition);
    }
  }
};

Histogram::Histogram(std::shared_ptr<const std::vector<double>> bounds)
    : bounds_(std::move(bounds)),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_->size() + 1)) {}

void Histogram::observe(double value) noexcept {
  if (std::isnan(value)) {
    return;
  }
  const auto bucket = std::lower_bound(bounds_->begin(), bounds_->end(), value) - bounds_->begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<double> latency_bounds() {
  return {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
}

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

Result<Metrics::Entry*> Metrics::add(MetricShape shape, int kind) {
  VKHOST_TRY(check_shape(shape, kind));
  const auto exists = [&](const std::string& how) {
    return Status(StatusCode::AlreadyExists, "metric \"" + shape.name + "\" " + how);
  };
  const MutexLock lock(mutex_);
  if (const auto found = entries_.find(shape.name); found != entries_.end()) {
    const MetricShape& present = found->second->shape;
    if (present.owner != shape.owner) {
      return exists("belongs to somebody else");
    }
    return found->second->kind == kind && present.labels == shape.labels &&
                   present.bounds == shape.bounds
               ? Result<Entry*>(found->second.get())
               : exists("exists with another type, other labels or other buckets");
  }
  const std::vector<std::string> names = names_of(shape, kind);
  for (const std::string& name : names) {
    if (const auto taken = sample_names_.find(name); taken != sample_names_.end()) {
      return exists("would be mistaken for \"" + taken->second + "\"");
    }
  }
  for (const std::string& name : names) {
    sample_names_.emplace(name, shape.name);
  }
  std::string name = shape.name;
  auto entry = std::make_unique<Entry>(std::move(shape), kind);
  return entries_.emplace(std::move(name), std::move(entry)).first->second.get();
}

Result<Family<Counter>*> Metrics::add_counter(MetricShape shape) {
  VKHOST_TRY_ASSIGN(Entry * entry, add(std::move(shape), kCounter));
  return entry->counters.get();
}

Result<Family<Gauge>*> Metrics::add_gauge(MetricShape shape) {
  VKHOST_TRY_ASSIGN(Entry * entry, add(std::move(shape), kGauge));
  return entry->gauges.get();
}

Result<Family<Histogram>*> Metrics::add_histogram(MetricShape shape) {
  VKHOST_TRY_ASSIGN(Entry * entry, add(std::move(shape), kHistogram));
  return entry->histograms.get();
}

Family<Counter>& Metrics::counter(std::string name, std::string help, LabelNames labels) {
  auto family = add_counter({std::move(name), std::move(help), std::move(labels), {}});
  VKHOST_CHECK(family.is_ok(), family.status().message().c_str());
  return **family;
}

Family<Gauge>& Metrics::gauge(std::string name, std::string help, LabelNames labels) {
  auto family = add_gauge({std::move(name), std::move(help), std::move(labels), {}});
  VKHOST_CHECK(family.is_ok(), family.status().message().c_str());
  return **family;
}

Family<Histogram>& Metrics::histogram(std::string name,
                                      std::string help,
                                      LabelNames labels,
                                      std::vector<double> bounds) {
  auto family =
      add_histogram({std::move(name), std::move(help), std::move(labels), std::move(bounds)});
  VKHOST_CHECK(family.is_ok(), family.status().message().c_str());
  return **family;
}

void Metrics::before_render(std::function<void()> refresh) {
  const MutexLock lock(mutex_);
  refreshers_.push_back(std::move(refresh));
}

std::string Metrics::render(Exposition exposition) const {
  std::vector<std::function<void()>> refreshers;
  {
    const MutexLock lock(mutex_);
    refreshers = refreshers_;
  }
  for (const auto& refresh : refreshers) {
    refresh();
  }
  std::vector<const Entry*> entries;
  {
    const MutexLock lock(mutex_);
    for (const auto& [name, entry] : entries_) {
      entries.push_back(entry.get());
    }
  }
  std::string out;
  for (const Entry* entry : entries) {
    entry->render(out, exposition);
  }
  if (exposition == Exposition::OpenMetrics) {
    out += "# EOF\n";
  }
  return out;
}

}  // namespace vkhost::observe
