// What the daemon counts of itself, as a monitoring system reads it at the kubelet API.
#include "cluster/node_under_test.hpp"
#include "observe/catalogue.hpp"
#include "support/exposition.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace vkhost::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// As the pod is called, so that one sees where it must not stand.
constexpr const char* kPod = "stands-in-no-metric";

class Metrics : public ::testing::Test {
 protected:
  Metrics()
      : client_(std::stoi(json_at(node_.cluster().get(node_.path()),
                                  "/status/daemonEndpoints/kubeletEndpoint/Port")),
                json_at(read_file(node_.daemon().folder() / "runtime/daemon.json"), "/certificate"),
                node_.cluster().token("admin")) {}

  // What is shown now.
  Families scrape() {
    const ApiAnswer answer = client_.get("/metrics");
    EXPECT_EQ(answer.status, 200) << answer.body;
    text_ = answer.body;
    return parse_exposition(answer.body);
  }
  // ... once it holds.
  Families scrape_until(const std::function<bool(const Families&)>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + kLong;
    Families families = scrape();
    while (!holds(families) && std::chrono::steady_clock::now() < deadline) {
      families = scrape();
    }
    return families;
  }
  // A pod whose first create fails, and one of whose statuses needs a second try, lives and is deleted
  // while its watch is cut once.
  void tell_the_story() {
    proxy_->answer(503, {.label = "patch pods/status", .times = 1});
    node_.create_pod(kPod, {.grace_s = 1});
    node_.wait_until_running(kPod);
    proxy_->cut_watches();
    static_cast<void>(scrape_until([](const Families& families) {
      return sum_of(families, "vkhost_watch_restarts_total", {{"resource", "pods"}}) >= 1;
    }));
    node_.cluster().remove(node_.pod_path(kPod));
    node_.cluster().wait_until_gone(node_.pod_path(kPod), kLong);
  }

  const std::unique_ptr<FaultProxy> proxy_ = Cluster::instance().proxy();
  NodeUnderTest node_{{.proxy = proxy_.get(),
                       .rules = "{match = {name = '" + std::string(kPod) +
                                "'}, fail = {code = 'unavailable', tries = 1}}"}};
  ApiClient client_;
  std::string text_;
};

TEST_F(Metrics, TellWhatHappened) {
  tell_the_story();

  const Families families = scrape();

  const auto calls = [&](const char* call, const char* code) {
    return sum_of(families, "vkhost_provider_calls_total",
                  {{"provider", "mock"}, {"call", call}, {"code", code}});
  };
  EXPECT_EQ(calls("create_pod", "UNAVAILABLE"), 1);
  EXPECT_EQ(calls("create_pod", "OK"), 1);
  EXPECT_GE(calls("delete_pod", "OK"), 1);
  EXPECT_GE(sum_of(families, "vkhost_pod_retries_total", {{"code", "UNAVAILABLE"}}), 1);
  EXPECT_EQ(sum_of(families, "vkhost_pod_event_to_call_seconds_count", {{"call", "create"}}), 1);
  EXPECT_EQ(sum_of(families, "vkhost_pod_event_to_call_seconds_count", {{"call", "delete"}}), 1);
  EXPECT_EQ(sum_of(families, "vkhost_pod_event_to_status_seconds_count"), 1);
  EXPECT_GE(sum_of(families, "vkhost_pod_news_to_status_seconds_count"), 1);
  const auto requests = [&](const char* verb, const char* code) {
    return sum_of(families, "vkhost_api_requests_total", {{"verb", verb}, {"code", code}});
  };
  EXPECT_GE(requests("patch", "200"), 1);
  EXPECT_EQ(requests("patch", "503"), 1);
  EXPECT_GE(requests("delete", "200"), 1);
  EXPECT_GE(requests("watch", "200"), 2);
  EXPECT_GE(sum_of(families, "vkhost_api_retries_total", {{"verb", "patch"}}), 1);
  EXPECT_GE(sum_of(families, "vkhost_watch_lists_total", {{"resource", "pods"}}), 1);
  EXPECT_GE(sum_of(families, "vkhost_watch_events_total", {{"resource", "pods"}}), 3);
  EXPECT_GE(sum_of(families, "vkhost_watch_restarts_total", {{"resource", "pods"}}), 1);
  EXPECT_EQ(sum_of(families, "vkhost_node_ready", {{"node", node_.name()}}), 1);
  EXPECT_EQ(sum_of(families, "vkhost_mock_calls_total", {{"call", "create_pod"}}), 2)
      << "what the plugin counts itself";
}

TEST_F(Metrics, AreThoseOfTheCatalogueAndOfThePlugin) {
  tell_the_story();

  const Families families = scrape();

  std::set<std::string> wanted = {"vkhost_mock_calls_total"};
  for (const observe::MetricText* metric : observe::catalogue()) {
    wanted.emplace(metric->name);
  }
  // What did not happen here.
  const std::set<std::string> quiet = {"vkhost_status_write_retries_total"};
  std::set<std::string> shown;
  for (const auto& [name, family] : families) {
    shown.insert(name);
    EXPECT_TRUE(!family.samples.empty() || quiet.contains(name)) << name << " is counted nowhere";
  }
  EXPECT_EQ(shown, wanted);
}

TEST_F(Metrics, NameNoPod) {
  const std::string uid = node_.create_pod(kPod);
  node_.wait_until_running(kPod);

  static_cast<void>(scrape());

  EXPECT_THAT(text_, Not(HasSubstr(kPod)));
  EXPECT_THAT(text_, Not(HasSubstr(uid)));
  EXPECT_THAT(text_, Not(HasSubstr(node_.space())));
}

}  // namespace
}  // namespace vkhost::testing
