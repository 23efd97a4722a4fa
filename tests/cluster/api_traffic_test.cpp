// How the daemon gets on with an API server that is well, but has manners of its own.
#include "base/clock.hpp"
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"
#include "support/own_role.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <string_view>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kFlow = "/apis/flowcontrol.apiserver.k8s.io/v1/";

TEST(KeptConnections, ThatTheServerClosesAfterEachAnswerAreNoticedByNobody) {
  constexpr std::size_t kPods = 200;
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get()});
  proxy->hang_up({.requests = Requests::Others});
  // And where it closes just as the request is on its way.
  proxy->cut_before({.label = "patch pods/status", .percent = 2});

  for (std::size_t i = 0; i < kPods; ++i) {
    node.create_pod("web-" + std::to_string(i));
  }

  ASSERT_TRUE(node.book().wait_until_running(kPods, kLong)) << node.book().summary();
  const std::string events = node.cluster().get("/api/v1/namespaces/" + node.space() + "/events");
  EXPECT_THAT(events, Not(HasSubstr(R"("type":"Warning")")));
  EXPECT_THAT(node.daemon().log(), HasSubstr(R"("level":"info")"));
  EXPECT_THAT(node.daemon().log(),
              Not(::testing::AnyOf(HasSubstr(R"("level":"warn)"), HasSubstr(R"("level":"error)"))));
}

// The user "vkhost" with the daemon's rights and hardly a place at the API server: what comes at once is
// refused with 429.
class FewSeats {
 public:
  explicit FewSeats(Cluster& cluster)
      : cluster_(cluster),
        name_(Cluster::unique_name("few-seats")),
        rights_(cluster, "vkhost", own_rights()) {
    cluster_.create(std::string(kFlow) + "prioritylevelconfigurations",
                    R"({"metadata":{"name":")" + name_ +
                        R"("},"spec":{"type":"Limited","limited":{"nominalConcurrencyShares":1,)"
                        R"("lendablePercent":0,"borrowingLimitPercent":0,)"
                        R"("limitResponse":{"type":"Reject"}}}})");
    cluster_.create(
        std::string(kFlow) + "flowschemas",
        R"({"metadata":{"name":")" + name_ +
            R"("},"spec":{"matchingPrecedence":2,"priorityLevelConfiguration":{"name":")" + name_ +
            R"("},"rules":[{"subjects":[{"kind":"User","user":{"name":"vkhost"}}],)"
            R"("resourceRules":[{"verbs":["*"],"apiGroups":["*"],"resources":["*"],)"
            R"("clusterScope":true,"namespaces":["*"]}]}]}})");
  }
  ~FewSeats() {
    cluster_.remove(std::string(kFlow) + "flowschemas/" + name_);
    cluster_.remove(std::string(kFlow) + "prioritylevelconfigurations/" + name_);
  }
  FewSeats(const FewSeats&) = delete;
  FewSeats& operator=(const FewSeats&) = delete;

 private:
  Cluster& cluster_;
  const std::string name_;
  const GrantedRights rights_;
};

TEST(ApiServer, WithFewSeatsForTheDaemonStillGetsItsLeases) {
  constexpr std::size_t kPods = 300;
  if (Cluster::instance().minor_version() < 29) {
    GTEST_SKIP() << "the API server has no flowcontrol.apiserver.k8s.io/v1";
  }
  const auto proxy = Cluster::instance().proxy();
  const FewSeats few(Cluster::instance());
  NodeUnderTest node({.user = "vkhost",
                      .proxy = proxy.get(),
                      .daemon = {.node_settings = "lease_duration = '10s'"}});
  const std::string lease =
      "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/" + node.name();

  node.cluster().wait_for(lease, [](const std::string& object) { return !object.empty(); }, kLong);
  // All at once, however slow this test is to make them.
  ASSERT_TRUE(node.daemon().stop());
  for (std::size_t i = 0; i < kPods; ++i) {
    node.create_pod("web-" + std::to_string(i));
  }
  const auto started = std::chrono::system_clock::now();
  node.daemon().start();

  std::chrono::seconds oldest{0};
  const SteadyTime until = std::chrono::steady_clock::now() + kLong;
  bool all_run = false;
  while (!all_run && std::chrono::steady_clock::now() < until) {
    all_run = node.book().wait_until_running(kPods, 500ms);
    const auto renewed = parse_time(json_at(node.cluster().get(lease), "/spec/renewTime"));
    ASSERT_TRUE(renewed);
    oldest = std::max(
        oldest, std::chrono::duration_cast<std::chrono::seconds>(
                    std::chrono::system_clock::now() - std::max<WallTime>(*renewed, started)));
  }
  EXPECT_TRUE(all_run) << node.book().summary();
  EXPECT_LE(oldest, 8s) << "due every 2.5 s, too late after 10 s";
  const auto requests = proxy->traffic().requests();
  const auto refused = std::count_if(requests.begin(), requests.end(),
                                     [](const SeenRequest& seen) { return seen.status == 429; });
  EXPECT_GT(refused, 0) << "or this test has shown nothing";
  EXPECT_LT(refused, static_cast<long>(kPods)) << "they wait instead of knocking";
}

TEST(RequestsOfTheDaemon, AreAboutItsOwnPodsHoweverManyOthersThereAre) {
  constexpr std::size_t kPods = 20;
  constexpr std::size_t kForeign = kSanitized ? 100 : 200;
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get(), .daemon = {.node_settings = "lease_duration = '10s'"}});
  for (std::size_t i = 0; i < kPods; ++i) {
    node.create_pod("own-" + std::to_string(i));
  }
  ASSERT_TRUE(node.book().wait_until_running(kPods, kLong)) << node.book().summary();
  Traffic& traffic = proxy->traffic();
  const std::uint64_t leases = traffic.count("update leases");
  const std::uint64_t total = traffic.total();

  // No scheduler of that name exists: they stay as they are, and change as their owner likes.
  for (std::size_t i = 0; i < kForeign; ++i) {
    const std::string name = "foreign-" + std::to_string(i);
    node.cluster().create(
        node.pods_path(),
        R"({"metadata":{"name":")" + name +
            R"("},"spec":{"schedulerName":"nobody","containers":[{"name":"a","image":"a"}]}})");
    node.cluster().patch(node.pod_path(name), R"({"metadata":{"labels":{"l":"1"}}})");
  }
  ASSERT_TRUE(traffic.wait_for("update leases", leases + 8, kLong));

  const std::uint64_t about_pods =
      traffic.total() - total - (traffic.count("update leases") - leases);
  std::cout << about_pods << " requests besides those for the lease, while " << kForeign
            << " pods of others came and changed\n";
  // The last events of its own pods, and what it says of its node now and then.
  EXPECT_LE(about_pods, 5 * kPods + 10);
  proxy->cut_watches();  // so that the one that is open is among them
  std::size_t looks = 0;
  for (const SeenRequest& seen : traffic.requests()) {
    if (seen.request.resource == "pods" &&
        (seen.request.verb == "list" || seen.request.verb == "watch")) {
      ++looks;
      EXPECT_THAT(seen.request.target, HasSubstr("fieldSelector=spec.nodeName%3D" + node.name()));
    }
  }
  EXPECT_GE(looks, 1U);
}

TEST(ListOfPods, IsTheBeginningOfTheWatch) {
  if (Cluster::instance().minor_version() < 32) {
    GTEST_SKIP() << "the API server does not begin watches with a list";
  }
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get()});
  node.create_pod("web");
  node.wait_until_running("web");

  EXPECT_EQ(proxy->traffic().count("list pods"), 1U);
  EXPECT_EQ(proxy->traffic().count("watch pods"), 0U);
}

TEST(ListOfPods, ComesInPagesWhereTheSettingSaysSo) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node(
      {.proxy = proxy.get(), .daemon = {.kubernetes_settings = "watch_list = 'off'"}});
  node.create_pod("web");
  node.wait_until_running("web");

  EXPECT_EQ(proxy->traffic().count("list pods"), 1U);
  EXPECT_EQ(proxy->traffic().count("watch pods"), 1U);
}

TEST(ListOfPods, ComesInPagesFromAServerThatDoesNotStreamIt) {
  const auto proxy = Cluster::instance().proxy();
  proxy->answer(422, {.path = "sendInitialEvents"});
  NodeUnderTest node({.proxy = proxy.get()});
  const std::string first = node.create_pod("web");
  node.wait_until_running("web");

  EXPECT_THAT(node.daemon().log(), HasSubstr("lists come in pages"));
  EXPECT_EQ(node.journal().creations().at(first), 1);
}

void run_twenty_pods(NodeUnderTest& node) {
  for (int i = 0; i < 20; ++i) {
    node.create_pod("web-" + std::to_string(i));
  }
  ASSERT_TRUE(node.book().wait_until_running(20, kLong)) << node.book().summary();
}

void expect_twenty_pods_and_a_later_one(NodeUnderTest& node) {
  node.create_pod("later");
  node.wait_until_running("later");
  EXPECT_EQ(node.journal().living().size(), 21U);
  for (const auto& [uid, creations] : node.journal().creations()) {
    EXPECT_EQ(creations, 1) << uid;
    EXPECT_EQ(node.journal().count("delete_pod", uid), 0U) << uid;
  }
}

TEST(ListOfPods, ThatBreaksOffCostsNoPod) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get()});
  ASSERT_NO_FATAL_FAILURE(run_twenty_pods(node));
  ASSERT_EQ(node.daemon().stop(kLong), 0);
  proxy->half_body({.label = "list pods", .times = 2}, Ending::Abrupt);

  node.daemon().start();

  EXPECT_TRUE(proxy->traffic().wait_for("list pods", 4, kLong));
  expect_twenty_pods_and_a_later_one(node);
}

// Of a daemon that knows its pods: what a list leaves out counts as deleted.
TEST(ListOfPods, ThatIsAskedForAgainAndBreaksOffCostsNoPod) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get()});
  ASSERT_NO_FATAL_FAILURE(run_twenty_pods(node));
  const std::uint64_t lists = proxy->traffic().count("list pods");
  proxy->half_body({.label = "list pods", .times = 2}, Ending::Abrupt);

  ASSERT_GE(proxy->expire_open_watches(), 1U);

  EXPECT_TRUE(proxy->traffic().wait_for("list pods", lists + 3, kLong));
  expect_twenty_pods_and_a_later_one(node);
}

}  // namespace
}  // namespace vkhost::testing
