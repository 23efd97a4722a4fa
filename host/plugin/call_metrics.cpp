#include "plugin/call_metrics.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::plugin {

CallMetrics::CallMetrics(std::shared_ptr<observe::Metrics> metrics, std::string provider)
    : metrics_(std::move(metrics)),
      provider_(std::move(provider)),
      ended_(family(*metrics_, observe::kProviderCalls)),
      durations_(family(*metrics_, observe::kProviderCallSeconds)),
      abandoned_(*family(*metrics_, observe::kProviderCallsAbandoned).with({provider_})) {}

void CallMetrics::ended(std::string_view what,
                        StatusCode code,
                        std::chrono::steady_clock::duration took) {
  const std::string_view function = what.substr(0, what.find(' '));
  const auto known =
      static_cast<std::size_t>(std::find(kCalls.begin(), kCalls.end(), function) - kCalls.begin());
  const std::size_t call = std::min(known, kCalls.size() - 1);
  const auto name = [call] { return std::string(kCalls.at(call)); };
  ended_
      .at(call * kCodes + static_cast<std::size_t>(code),
          [&] { return observe::LabelValues{provider_, name(), std::string(to_string(code))}; })
      .add();
  durations_.at(call, [&] { return observe::LabelValues{provider_, name()}; })
      .observe(std::chrono::duration<double>(took).count());
}

}  // namespace vkhost::plugin
