#include "pods/engine_metrics.hpp"

#include "support/exposition.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace vkhost::pods {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using vkhost::testing::Families;
using vkhost::testing::parse_exposition;
using vkhost::testing::sum_of;

TEST(EngineMetrics, AddUpOverTheEnginesOfAProcess) {
  observe::Metrics metrics;
  EngineMetrics one(metrics);
  EngineMetrics other(metrics);

  one.called(CallKind::Delete, milliseconds{1500});
  other.called(CallKind::Delete, seconds{2});
  one.retried(StatusCode::NotFound);
  other.retried(StatusCode::NotFound);

  const Families families = parse_exposition(metrics.render());
  EXPECT_EQ(sum_of(families, "vkhost_pod_event_to_call_seconds_sum", {{"call", "delete"}}), 3.5);
  EXPECT_EQ(sum_of(families, "vkhost_pod_event_to_call_seconds_count"), 2);
  EXPECT_EQ(sum_of(families, "vkhost_pod_retries_total", {{"code", "NOT_FOUND"}}), 2);
}

TEST(EngineMetrics, TellEventsFromNewsAndCallsFromWrites) {
  observe::Metrics metrics;
  EngineMetrics engine(metrics);

  engine.status_written(seconds{3});
  engine.news_written(seconds{1});
  engine.write_retried(StatusCode::Unavailable);

  const Families families = parse_exposition(metrics.render());
  EXPECT_EQ(sum_of(families, "vkhost_pod_event_to_status_seconds_sum"), 3);
  EXPECT_EQ(sum_of(families, "vkhost_pod_news_to_status_seconds_sum"), 1);
  EXPECT_EQ(sum_of(families, "vkhost_status_write_retries_total", {{"code", "UNAVAILABLE"}}), 1);
  EXPECT_EQ(sum_of(families, "vkhost_pod_retries_total"), 0);
}

}  // namespace
}  // namespace vkhost::pods
