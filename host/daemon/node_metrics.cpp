#include "daemon/node_metrics.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::daemon {

void NodeFigures::count(const std::vector<pods::PodView>& views) {
  pods = views.size();
  failing = static_cast<std::size_t>(std::count_if(
      views.begin(), views.end(), [](const auto& view) { return !view.last_error.is_ok(); }));
  overdue = static_cast<std::size_t>(
      std::count_if(views.begin(), views.end(), [](const auto& view) { return view.is_overdue; }));
}

NodeMetrics::NodeMetrics(observe::Metrics& metrics)
    : ready_(family(metrics, observe::kNodeReady)),
      pods_(family(metrics, observe::kPods)),
      failing_(family(metrics, observe::kPodsFailing)),
      overdue_(family(metrics, observe::kDeletionsOverdue)),
      orphans_(family(metrics, observe::kOrphans)),
      depth_(family(metrics, observe::kQueueDepth)),
      waiting_(family(metrics, observe::kWaitingForCall)),
      held_(family(metrics, observe::kProviderHeld)) {}

void NodeMetrics::show(const NodeFigures& figures) {
  if (figures.node.empty()) {
    return;
  }
  const auto set = [&figures](Gauges& gauges, std::size_t value, const char* second = nullptr) {
    observe::LabelValues values{figures.node};
    if (second != nullptr) {
      values.emplace_back(second);
    }
    gauges.with(std::move(values))->set(static_cast<double>(value));
  };
  set(ready_, figures.is_ready ? 1 : 0);
  set(pods_, figures.pods);
  set(failing_, figures.failing);
  set(overdue_, figures.overdue);
  set(orphans_, figures.orphans.ours, "ours");
  set(orphans_, figures.orphans.legacy, "legacy");
  set(depth_, figures.load.due, "work");
  set(depth_, figures.load.unwritten, "status");
  set(waiting_, figures.load.waiting_for_call);
  set(held_, figures.load.is_held ? 1 : 0);
}

}  // namespace vkhost::daemon
