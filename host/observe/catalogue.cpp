#include "observe/catalogue.hpp"

#include <string>

namespace vkhost::observe {
namespace {

#define VKHOST_METRIC_SECTION(heading)
#define VKHOST_METRIC(type, constant, name, labels, help, more) \
  static_cast<const MetricText*>(&(constant)),
constexpr std::array kAll{
#include "observe/catalogue.inc"
};
#undef VKHOST_METRIC

}  // namespace

LabelNames MetricText::label_names() const {
  LabelNames names;
  for (const std::string_view label : labels) {
    if (!label.empty()) {
      names.emplace_back(label);
    }
  }
  return names;
}

Family<Counter>& family(Metrics& metrics, const MetricDefinition<Counter>& definition) {
  return metrics.counter(std::string(definition.name), std::string(definition.help),
                         definition.label_names());
}

Family<Gauge>& family(Metrics& metrics, const MetricDefinition<Gauge>& definition) {
  return metrics.gauge(std::string(definition.name), std::string(definition.help),
                       definition.label_names());
}

Family<Histogram>& family(Metrics& metrics, const MetricDefinition<Histogram>& definition) {
  return metrics.histogram(std::string(definition.name), std::string(definition.help),
                           definition.label_names());
}

std::span<const MetricText* const> catalogue() { return kAll; }

void add_catalogue(Metrics& metrics) {
#define VKHOST_METRIC(type, constant, name, labels, help, more) \
  static_cast<void>(family(metrics, constant));
#include "observe/catalogue.inc"
#undef VKHOST_METRIC
#undef VKHOST_METRIC_SECTION
}

}  // namespace vkhost::observe
