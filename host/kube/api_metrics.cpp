#include "kube/api_metrics.hpp"

#include "kube/lane_gate.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace vkhost::kube {
namespace {

using observe::LabelValues;

double seconds_of(ApiMetrics::Time took) { return std::chrono::duration<double>(took).count(); }

std::size_t number_of(StatusCode code) { return static_cast<std::size_t>(code); }

}  // namespace

std::string_view name_of(Verb verb) {
  switch (verb) {
    case Verb::Get:
      return "get";
    case Verb::Create:
      return "create";
    case Verb::Update:
      return "update";
    case Verb::Patch:
      return "patch";
    case Verb::Delete:
      return "delete";
    case Verb::Watch:
      break;
  }
  return "watch";
}

Verb verb_of(std::string_view http_method) {
  constexpr std::array<std::pair<std::string_view, Verb>, 4> kMethods = {
      {{"POST", Verb::Create},
       {"PUT", Verb::Update},
       {"PATCH", Verb::Patch},
       {"DELETE", Verb::Delete}}};
  const auto found = std::find_if(kMethods.begin(), kMethods.end(),
                                  [&](const auto& row) { return row.first == http_method; });
  return found == kMethods.end() ? Verb::Get : found->second;
}

ApiMetrics::ApiMetrics(observe::Metrics& metrics)
    : requests_(family(metrics, observe::kApiRequests)),
      durations_(family(metrics, observe::kApiRequestSeconds)),
      repeats_(family(metrics, observe::kApiRetries)),
      waits_(family(metrics, observe::kApiLaneSeconds)) {}

void ApiMetrics::answered(Verb verb, int http_status, Time took) {
  const auto known = std::find(kCodes.begin(), kCodes.end(), http_status) - kCodes.begin();
  std::size_t outcome = static_cast<std::size_t>(known);
  if (outcome == kCodes.size()) {
    outcome += static_cast<std::size_t>(std::clamp(http_status / 100, 0, 9));
  }
  count(verb, outcome, took);
}

void ApiMetrics::failed(Verb verb, StatusCode code, Time took) {
  count(verb, kCodes.size() + kHundreds + number_of(code), took);
}

void ApiMetrics::count(Verb verb, std::size_t outcome, Time took) {
  const auto number = static_cast<std::size_t>(verb);
  requests_
      .at(number * kOutcomes + outcome,
          [&]() -> LabelValues {
            std::string code;
            if (outcome < kCodes.size()) {
              code = std::to_string(kCodes.at(outcome));
            } else if (outcome < kCodes.size() + kHundreds) {
              code = std::to_string(outcome - kCodes.size()) + "xx";
            } else {
              code = to_string(static_cast<StatusCode>(outcome - kCodes.size() - kHundreds));
            }
            return {std::string(name_of(verb)), std::move(code)};
          })
      .add();
  durations_.at(number, [&] { return LabelValues{std::string(name_of(verb))}; })
      .observe(seconds_of(took));
}

void ApiMetrics::repeated(Verb verb, StatusCode failure) {
  repeats_
      .at(static_cast<std::size_t>(verb) * kFailures + number_of(failure),
          [&] { return LabelValues{std::string(name_of(verb)), std::string(to_string(failure))}; })
      .add();
}

void ApiMetrics::waited(Lane lane, Time took) {
  waits_.at(static_cast<std::size_t>(lane), [&] { return LabelValues{std::string(name_of(lane))}; })
      .observe(seconds_of(took));
}

WatchMetrics::WatchMetrics(observe::Metrics& metrics, std::string_view path)
    : resource_(path.substr(path.rfind('/') + 1)),
      lists_(*family(metrics, observe::kWatchLists).with({resource_})),
      opened_(*family(metrics, observe::kWatchesOpened).with({resource_})),
      events_(*family(metrics, observe::kWatchEvents).with({resource_})),
      restarts_(family(metrics, observe::kWatchRestarts)) {}

void WatchMetrics::restarted(StatusCode failure) {
  restarts_.with({resource_, std::string(to_string(failure))})->add();
}

}  // namespace vkhost::kube
