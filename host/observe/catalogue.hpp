// What the host measures: one constant for each metric, with its name, labels and help in one place.
//
// catalogue.inc is the table; docs/metrics.md is made of it. A room gets a family by its constant
// (`family(metrics, kApiRequests)`), so that nothing can be counted that is not in the catalogue. The
// values of all labels come from configuration, from code, or from small sets of codes: never from a
// pod. [any-thread] [no-block]
#pragma once

#include "observe/metrics.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace vkhost::observe {

inline constexpr std::size_t kMaxCatalogueLabels = 4;

struct MetricText {
  std::string_view name;
  std::string_view help;
  std::array<std::string_view, kMaxCatalogueLabels> labels;  // empty ones follow

  [[nodiscard]] LabelNames label_names() const;
};

// `Series` says what it is: Counter, Gauge or Histogram (of seconds, with latency_bounds()).
template <typename Series>
struct MetricDefinition : MetricText {};

#define VKHOST_METRIC_LABELS(...) {__VA_ARGS__}
#define VKHOST_METRIC_SECTION(heading)
#define VKHOST_METRIC(type, constant, name, labels, help, more) \
  inline constexpr MetricDefinition<type> constant{{name, help, VKHOST_METRIC_LABELS labels}};
#include "observe/catalogue.inc"
#undef VKHOST_METRIC
#undef VKHOST_METRIC_SECTION
#undef VKHOST_METRIC_LABELS

// The family of a constant, in that registry; lives as long as the registry.
[[nodiscard]] Family<Counter>& family(Metrics& metrics,
                                      const MetricDefinition<Counter>& definition);
[[nodiscard]] Family<Gauge>& family(Metrics& metrics, const MetricDefinition<Gauge>& definition);
[[nodiscard]] Family<Histogram>& family(Metrics& metrics,
                                        const MetricDefinition<Histogram>& definition);

// All of them.
[[nodiscard]] std::span<const MetricText* const> catalogue();

// So that they are shown from the beginning, and nobody else can take their names.
void add_catalogue(Metrics& metrics);

}  // namespace vkhost::observe
