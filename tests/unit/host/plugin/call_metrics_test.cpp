#include "plugin/call_metrics.hpp"

#include "support/exposition.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

namespace vkhost::plugin {
namespace {

using std::chrono::seconds;
using vkhost::testing::Families;
using vkhost::testing::parse_exposition;
using vkhost::testing::sum_of;

class CallMetricsTest : public ::testing::Test {
 protected:
  [[nodiscard]] Families families() const { return parse_exposition(registry_->render()); }

  std::shared_ptr<observe::Metrics> registry_ = std::make_shared<observe::Metrics>();
  CallMetrics calls_{registry_, "cloud"};
};

TEST_F(CallMetricsTest, CountByFunctionAndNotByPod) {
  calls_.ended("create_pod default/web", StatusCode::Ok, seconds{2});
  calls_.ended("create_pod default/other", StatusCode::Ok, seconds{3});
  calls_.ended("ping", StatusCode::Unavailable, seconds{1});

  const Families found = families();
  EXPECT_EQ(sum_of(found, "vkhost_provider_calls_total",
                   {{"provider", "cloud"}, {"call", "create_pod"}, {"code", "OK"}}),
            2);
  EXPECT_EQ(sum_of(found, "vkhost_provider_calls_total",
                   {{"provider", "cloud"}, {"call", "ping"}, {"code", "UNAVAILABLE"}}),
            1);
  EXPECT_EQ(sum_of(found, "vkhost_provider_call_duration_seconds_sum", {{"call", "create_pod"}}),
            5);
  EXPECT_EQ(found.at("vkhost_provider_calls_total").samples.size(), 2U);
}

TEST_F(CallMetricsTest, CountFunctionsThatTheyDoNotKnowTogether) {
  calls_.ended("brew_tea default/web", StatusCode::Ok, seconds{0});
  calls_.ended("", StatusCode::Ok, seconds{0});

  EXPECT_EQ(sum_of(families(), "vkhost_provider_calls_total", {{"call", "other"}}), 2);
}

TEST_F(CallMetricsTest, ShowWhatHasNotReturned) {
  calls_.abandoned(1);
  calls_.abandoned(1);
  calls_.abandoned(-1);

  EXPECT_EQ(sum_of(families(), "vkhost_provider_calls_abandoned", {{"provider", "cloud"}}), 1);
}

}  // namespace
}  // namespace vkhost::plugin
