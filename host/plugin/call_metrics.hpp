// CallMetrics: what is counted of the calls into one provider; see observe/catalogue.inc. May be held
// for ever by calls that never return. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "observe/catalogue.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace vkhost::plugin {

class CallMetrics {
 public:
  // `provider` as in the configuration.
  CallMetrics(std::shared_ptr<observe::Metrics> metrics, std::string provider);

  // `what` begins with the function ("create_pod default/web").
  void ended(std::string_view what, StatusCode code, std::chrono::steady_clock::duration took);
  // A call was given up, or has returned after all.
  void abandoned(int change) { abandoned_.add(change); }

 private:
  // Of the ABI; another one is counted as the last.
  static constexpr std::array<std::string_view, 22> kCalls = {
      "describe",   "init",         "check_config", "create",      "capabilities", "node",
      "ping",       "recover_pods", "start",        "reserve_pod", "create_pod",   "update_pod",
      "delete_pod", "list_pods",    "stop",         "destroy",     "shutdown",     "get_extension",
      "explain",    "reconfigure",  "retire",       "other"};
  static constexpr auto kCodes = static_cast<std::size_t>(StatusCode::Unauthenticated) + 1;

  const std::shared_ptr<observe::Metrics> metrics_;
  const std::string provider_;
  observe::SeriesTable<observe::Counter, kCalls.size() * kCodes> ended_;
  observe::SeriesTable<observe::Histogram, kCalls.size()> durations_;
  observe::Gauge& abandoned_;
};

}  // namespace vkhost::plugin
