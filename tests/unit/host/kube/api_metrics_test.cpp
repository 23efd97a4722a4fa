#include "kube/api_metrics.hpp"

#include "support/exposition.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::kube {
namespace {

using std::chrono::seconds;
using vkhost::testing::Families;
using vkhost::testing::Labels;
using vkhost::testing::parse_exposition;
using vkhost::testing::sum_of;

class ApiMetricsTest : public ::testing::Test {
 protected:
  [[nodiscard]] Families families() const { return parse_exposition(metrics_.render()); }
  [[nodiscard]] double requests(const Labels& labels) const {
    return sum_of(families(), "vkhost_api_requests_total", labels);
  }

  observe::Metrics metrics_;
  ApiMetrics api_{metrics_};
};

TEST_F(ApiMetricsTest, CountRequestsByVerbAndCode) {
  api_.answered(Verb::Patch, 200, seconds{2});
  api_.answered(Verb::Patch, 409, seconds{1});
  api_.failed(Verb::Patch, StatusCode::Unavailable, seconds{0});

  EXPECT_EQ(requests({{"verb", "patch"}, {"code", "200"}}), 1);
  EXPECT_EQ(requests({{"verb", "patch"}, {"code", "409"}}), 1);
  EXPECT_EQ(requests({{"verb", "patch"}, {"code", "UNAVAILABLE"}}), 1);
  EXPECT_EQ(sum_of(families(), "vkhost_api_request_duration_seconds_sum", {{"verb", "patch"}}), 3);
}

// A server that answers with any number must not make a series of each.
TEST_F(ApiMetricsTest, CountRareCodesTogether) {
  for (const int code : {418, 451, 499}) {
    api_.answered(Verb::Get, code, {});
  }
  for (const int code : {-7, 99, 100'000}) {
    api_.answered(Verb::Get, code, {});
  }

  EXPECT_EQ(requests({{"code", "4xx"}}), 3);
  EXPECT_EQ(requests({{"code", "0xx"}}), 2);
  EXPECT_EQ(requests({{"code", "9xx"}}), 1);
  EXPECT_EQ(families().at("vkhost_api_requests_total").samples.size(), 3U);
}

TEST_F(ApiMetricsTest, CountRepeatsByTheFailureBefore) {
  api_.repeated(Verb::Create, StatusCode::ResourceExhausted);

  EXPECT_EQ(sum_of(families(), "vkhost_api_retries_total",
                   {{"verb", "create"}, {"code", "RESOURCE_EXHAUSTED"}}),
            1);
}

TEST_F(ApiMetricsTest, MeasureTheWaitForEachLane) {
  api_.waited(Lane::Lease, seconds{1});
  api_.waited(Lane::Events, seconds{4});

  EXPECT_EQ(sum_of(families(), "vkhost_api_lane_wait_seconds_sum", {{"lane", "lease"}}), 1);
  EXPECT_EQ(sum_of(families(), "vkhost_api_lane_wait_seconds_sum", {{"lane", "events"}}), 4);
}

TEST(Verb, IsTheOneOfTheHttpMethod) {
  for (const auto& [method, verb] : {std::pair<const char*, const char*>{"GET", "get"},
                                     {"POST", "create"},
                                     {"PUT", "update"},
                                     {"PATCH", "patch"},
                                     {"DELETE", "delete"}}) {
    EXPECT_EQ(name_of(verb_of(method)), verb);
  }
  EXPECT_EQ(name_of(Verb::Watch), "watch");
}

TEST(WatchMetrics, AreNamedAfterTheResource) {
  observe::Metrics metrics;
  WatchMetrics watch(metrics, "/api/v1/namespaces/kube-system/configmaps");

  watch.listed();
  watch.opened();
  watch.brought_event();
  watch.restarted(StatusCode::OutOfRange);

  const Families families = parse_exposition(metrics.render());
  const Labels labels{{"resource", "configmaps"}};
  EXPECT_EQ(sum_of(families, "vkhost_watch_lists_total", labels), 1);
  EXPECT_EQ(sum_of(families, "vkhost_watches_opened_total", labels), 1);
  EXPECT_EQ(sum_of(families, "vkhost_watch_events_total", labels), 1);
  EXPECT_EQ(sum_of(families, "vkhost_watch_restarts_total",
                   {{"resource", "configmaps"}, {"code", "OUT_OF_RANGE"}}),
            1);
}

}  // namespace
}  // namespace vkhost::kube
