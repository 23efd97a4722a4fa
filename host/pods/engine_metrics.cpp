#include "pods/engine_metrics.hpp"

#include <array>
#include <string>

namespace vkhost::pods {
namespace {

double seconds_of(EngineMetrics::Time time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

EngineMetrics::EngineMetrics(observe::Metrics& metrics)
    : event_to_call_(family(metrics, observe::kEventToCall)),
      event_to_status_(*family(metrics, observe::kEventToStatus).with({})),
      news_to_status_(*family(metrics, observe::kNewsToStatus).with({})),
      retries_(family(metrics, observe::kPodRetries)),
      write_retries_(family(metrics, observe::kStatusRetries)) {}

void EngineMetrics::called(CallKind call, Time since_event) {
  constexpr std::array<const char*, kCalls> kNames = {"none", "create", "update", "delete"};
  const auto number = static_cast<std::size_t>(call);
  event_to_call_.at(number, [&] { return observe::LabelValues{kNames.at(number)}; })
      .observe(seconds_of(since_event));
}

void EngineMetrics::status_written(Time since_event) {
  event_to_status_.observe(seconds_of(since_event));
}

void EngineMetrics::news_written(Time since_news) {
  news_to_status_.observe(seconds_of(since_news));
}

void EngineMetrics::count(Retries& retries, StatusCode failure) {
  retries
      .at(static_cast<std::size_t>(failure),
          [&] { return observe::LabelValues{std::string(to_string(failure))}; })
      .add();
}

void EngineMetrics::retried(StatusCode failure) { count(retries_, failure); }

void EngineMetrics::write_retried(StatusCode failure) { count(write_retries_, failure); }

}  // namespace vkhost::pods
