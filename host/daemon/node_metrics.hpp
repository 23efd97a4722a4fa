// NodeMetrics: the figures of a node as gauges, set when the metrics are asked for. See
// observe/catalogue.inc. [any-thread] [no-block]
#pragma once

#include "observe/catalogue.hpp"
#include "pods/engine.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace vkhost::daemon {

struct NodeFigures {
  std::string node;  // empty: it has no name yet, and is not shown
  bool is_ready = false;
  std::size_t pods = 0;
  std::size_t failing = 0;
  std::size_t overdue = 0;
  pods::PodEngine::OrphanCounts orphans;
  pods::PodEngine::Load load;

  void count(const std::vector<pods::PodView>& views);
};

class NodeMetrics {
 public:
  explicit NodeMetrics(observe::Metrics& metrics);  // outlives this
  void show(const NodeFigures& figures);

 private:
  using Gauges = observe::Family<observe::Gauge>;

  Gauges& ready_;
  Gauges& pods_;
  Gauges& failing_;
  Gauges& overdue_;
  Gauges& orphans_;
  Gauges& depth_;
  Gauges& waiting_;
  Gauges& held_;
};

}  // namespace vkhost::daemon
