// EngineMetrics: what one pod engine counts; see observe/catalogue.inc. Shared by the engines of a
// process in what they count. [any-thread] [no-block]
#pragma once

#include "base/status.hpp"
#include "observe/catalogue.hpp"
#include "pods/pod_state.hpp"

#include <chrono>
#include <cstddef>

namespace vkhost::pods {

class EngineMetrics {
 public:
  using Time = std::chrono::steady_clock::duration;

  explicit EngineMetrics(observe::Metrics& metrics);  // outlives this

  void called(CallKind call, Time since_event);  // of the provider, for the first time
  void status_written(Time since_event);         // the first of a pod that was created
  void news_written(Time since_news);
  void retried(StatusCode failure);
  void write_retried(StatusCode failure);

 private:
  static constexpr std::size_t kCalls = 4;  // of CallKind
  static constexpr auto kFailures = static_cast<std::size_t>(StatusCode::Unauthenticated) + 1;
  using Retries = observe::SeriesTable<observe::Counter, kFailures>;

  static void count(Retries& retries, StatusCode failure);

  observe::SeriesTable<observe::Histogram, kCalls> event_to_call_;
  observe::Histogram& event_to_status_;
  observe::Histogram& news_to_status_;
  Retries retries_;
  Retries write_retries_;
};

}  // namespace vkhost::pods
