// parse_exposition: reads what a metrics endpoint answers, as strictly as its formats are written down.
//
// A family is announced once (HELP, TYPE) and its samples follow at once; no sample comes twice; buckets
// are cumulative and end with +Inf, which is the count. OpenMetrics also wants its suffixes, bounds that
// show that they are no integers, and the end marked. Throws std::runtime_error with the line.
#pragma once

#include "observe/metrics.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {

using Labels = std::map<std::string, std::string>;

struct Sample {
  std::string name;
  Labels labels;
  double value = 0;
};

struct MetricFamily {
  std::string help;
  std::string type;
  std::vector<Sample> samples;
};

// By the family's name.
using Families = std::map<std::string, MetricFamily>;

[[nodiscard]] Families parse_exposition(std::string_view text,
                                        observe::Exposition format = observe::Exposition::Text);

// All samples of that name whose labels hold these, added up; 0 when there is none.
[[nodiscard]] double sum_of(const Families& families,
                            std::string_view name,
                            const Labels& labels = {});

}  // namespace vkhost::testing
