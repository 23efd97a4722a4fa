// One fault at a time between the daemon and the API server.
#include "cluster/pod_material.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <utility>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;

// How a watch goes on after it was away.
enum class Comeback { FromWhereItWas, RefusedWith410, EndedWith410 };

class WatchOutage : public ::testing::TestWithParam<Comeback> {
 protected:
  // Ends the outage in the way of this case.
  static void come_back(FaultProxy& proxy, FaultId outage) {
    if (GetParam() != Comeback::FromWhereItWas) {
      const std::uint64_t lists = proxy.traffic().count("list pods");
      proxy.expire_new_watches(GetParam() == Comeback::EndedWith410 ? Expiry::Event
                                                                    : Expiry::Answer);
      proxy.take_back(outage);
      EXPECT_TRUE(proxy.traffic().wait_for("list pods", lists + 1, kLong));
    }
    proxy.clear();
  }
};

// virtual-kubelet#977, #391: A deletion that the watch missed never reaches the provider
TEST_P(WatchOutage, HidesNoForcedDeletionFromTheProvider) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get()});
  const std::string deleted = node.create_pod("deleted");
  const std::string kept = node.create_pod("kept");
  ASSERT_TRUE(node.book().wait_until_running(2, kLong)) << node.book().summary();

  const FaultId outage = proxy->cut_before({.requests = Requests::Watches});
  proxy->cut_watches();
  node.cluster().remove(node.pod_path("deleted"), 0);
  node.cluster().wait_until_gone(node.pod_path("deleted"));
  come_back(*proxy, outage);

  EXPECT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return journal.living() == std::set{kept}; }, kLong));
  // A pod that comes and goes afterwards: whatever else was on its way has arrived too.
  const std::string later = node.create_pod("later");
  node.wait_until_running("later");
  node.cluster().remove(node.pod_path("later"));
  node.cluster().wait_until_gone(node.pod_path("later"), kLong);
  EXPECT_EQ(node.journal().count("delete_pod", deleted), 1U);
  EXPECT_EQ(node.journal().count("delete_pod", kept), 0U);
  EXPECT_EQ(node.journal().creations(),
            (std::map<std::string, int>{{deleted, 1}, {kept, 1}, {later, 1}}));
}

TEST_P(WatchOutage, HidesNoNewPodAndNoGracefulDeletion) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get()});
  node.create_pod("old");
  node.wait_until_running("old");

  const FaultId outage = proxy->cut_before({.requests = Requests::Watches});
  proxy->cut_watches();
  node.cluster().remove(node.pod_path("old"));
  node.create_pod("new");
  come_back(*proxy, outage);

  node.wait_until_running("new");
  node.cluster().wait_until_gone(node.pod_path("old"), kLong);
}

INSTANTIATE_TEST_SUITE_P(Comebacks,
                         WatchOutage,
                         ::testing::Values(Comeback::FromWhereItWas,
                                           Comeback::RefusedWith410,
                                           Comeback::EndedWith410),
                         [](const auto& each) {
                           switch (each.param) {
                             case Comeback::FromWhereItWas:
                               return "FromWhereItWas";
                             case Comeback::RefusedWith410:
                               return "RefusedWith410";
                             case Comeback::EndedWith410:
                               break;
                           }
                           return "EndedWith410";
                         });

TEST(OpenWatch, ThatExpiresIsFollowedByAList) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get()});
  const std::uint64_t lists = proxy->traffic().count("list pods");

  EXPECT_GE(proxy->expire_open_watches(), 1U);

  EXPECT_TRUE(proxy->traffic().wait_for("list pods", lists + 1, kLong));
  node.create_pod("web");
  node.wait_until_running("web");
}

struct BadAnswer {
  const char* name;
  std::function<void(FaultProxy&)> spoil;
};

std::ostream& operator<<(std::ostream& out, const BadAnswer& bad) { return out << bad.name; }

class BadAnswers : public ::testing::TestWithParam<BadAnswer> {};

TEST_P(BadAnswers, HoldUpNoNodeForEver) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node(
      {.proxy = proxy.get(), .daemon = {.kubernetes_settings = "request_timeout = '3s'"}});
  const std::string before = node.create_pod("before");
  node.wait_until_running("before");
  ASSERT_EQ(node.daemon().stop(kLong), 0);
  for (int i = 0; i < 10; ++i) {
    node.create_pod("meanwhile-" + std::to_string(i));
  }
  GetParam().spoil(*proxy);

  node.daemon().start();

  ASSERT_TRUE(node.book().wait_until_running(11, kLong)) << node.book().summary();
  EXPECT_EQ(node.journal().creations().at(before), 1);
}

INSTANTIATE_TEST_SUITE_P(
    OfTheApiServer,
    BadAnswers,
    ::testing::Values(
        BadAnswer{"HalfAList",
                  [](FaultProxy& proxy) { proxy.half_body({.label = "list pods", .times = 2}); }},
        BadAnswer{"HalfAListAndAReset",
                  [](FaultProxy& proxy) {
                    proxy.half_body({.label = "list pods", .times = 2}, Ending::Abrupt);
                  }},
        BadAnswer{"AListByDrops",
                  [](FaultProxy& proxy) {
                    proxy.trickle(1024, 20ms, {.label = "list pods", .times = 1});
                  }},
        BadAnswer{"AWatchByDrops",
                  [](FaultProxy& proxy) { proxy.trickle(7, 1ms, {.label = "watch pods"}); }},
        BadAnswer{
            "AListThatNeverComes",
            [](FaultProxy& proxy) { proxy.stall_answers({.label = "list pods", .times = 1}); }},
        BadAnswer{
            "ANodeThatNeverComes",
            [](FaultProxy& proxy) { proxy.stall_answers({.label = "get nodes", .times = 1}); }},
        BadAnswer{
            "AStatusWriteThatNeverArrives",
            [](FaultProxy& proxy) { proxy.stall({.label = "patch pods/status", .times = 3}); }},
        BadAnswer{"AStatusWriteThatNeverEnds",
                  [](FaultProxy& proxy) {
                    proxy.stall_answers({.label = "patch pods/status", .times = 1});
                  }},
        BadAnswer{"StatusWritesThatAreCut",
                  [](FaultProxy& proxy) {
                    proxy.cut_before({.label = "patch pods/status", .times = 3});
                    proxy.cut_after({.label = "patch pods/status", .times = 3});
                  }}),
    [](const auto& each) { return each.param.name; });

TEST(StatusWrites, ThatNeverArriveHoldUpNeitherTheLeaseNorTheProvider) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node(
      {.proxy = proxy.get(),
       .daemon = {.node_settings = "lease_duration = '10s'",
                  .kubernetes_settings = "request_timeout = '3s'\nmax_requests_in_flight = 4"}});
  const std::string early = node.create_pod("early");
  node.wait_until_running("early");

  const FaultId stalled = proxy->stall({.label = "patch pods/status"});
  constexpr std::size_t kMoreThanFit = 20;
  for (std::size_t i = 0; i < kMoreThanFit; ++i) {
    node.create_pod("web-" + std::to_string(i));
  }
  node.cluster().remove(node.pod_path("early"), 0);
  EXPECT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) {
        return journal.creations().size() == kMoreThanFit + 1 && !journal.living().contains(early);
      },
      kLong));
  const std::uint64_t renewals = proxy->traffic().count("update leases");
  EXPECT_TRUE(proxy->traffic().wait_for("update leases", renewals + 2, kLong));
  proxy->take_back(stalled);

  ASSERT_TRUE(node.book().wait_until_running(kMoreThanFit, kLong)) << node.book().summary();
  for (const auto& [uid, creations] : node.journal().creations()) {
    EXPECT_EQ(creations, 1) << uid;
  }
}

TEST(ApiServer, ThatIsDownCostsNoPodAndNoNode) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get()});
  const std::string kept = node.create_pod("kept");
  const std::string deleted = node.create_pod("deleted");
  ASSERT_TRUE(node.book().wait_until_running(2, kLong)) << node.book().summary();

  proxy->go_down();
  node.cluster().remove(node.pod_path("deleted"), 0);
  node.create_pod("new");
  // Long enough for a retry or two of everything.
  EXPECT_EQ(node.daemon().wait(5s), std::nullopt) << "the daemon ended";
  EXPECT_EQ(node.journal().living(), (std::set{kept, deleted}));
  proxy->come_back();

  node.wait_until_running("new");
  EXPECT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return !journal.living().contains(deleted); }, kLong));
  EXPECT_EQ(node.journal().creations().at(kept), 1);
  EXPECT_EQ(node.journal().count("create_pod", kept), 1U);
  EXPECT_THAT(node.book().page("kept").start_times(), ::testing::SizeIs(1));
}

TEST(FrozenNetwork, IsNoticedAndOvercome) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node(
      {.proxy = proxy.get(), .daemon = {.kubernetes_settings = "request_timeout = '3s'"}});
  node.create_pod("before");
  node.wait_until_running("before");

  proxy->freeze();
  node.create_pod("meanwhile");
  EXPECT_EQ(node.daemon().wait(5s), std::nullopt) << "the daemon ended";
  proxy->thaw();

  node.wait_until_running("meanwhile");
}

using PodEnvironment = PodMaterial;

TEST_F(PodEnvironment, IsNotMadeWithoutServicesThatCannotBeRead) {
  proxy_ = Cluster::instance().proxy();
  NodeOptions options = asking_for_env();
  options.proxy = proxy_.get();
  NodeUnderTest& node = given_node(std::move(options));
  const FaultId outage = proxy_->answer(503, {.path = "/services"});

  const std::string uid = create_main(R"("env":[{"name":"A","value":"1"}])");
  wait_until_waiting_for_material();
  EXPECT_EQ(node.journal().count("create_pod", uid), 0U);
  proxy_->take_back(outage);

  const ContainerMaterial main = main_of(uid);
  EXPECT_NE(main.find("KUBERNETES_SERVICE_HOST"), nullptr);
  EXPECT_EQ(node.journal().creations(), (std::map<std::string, int>{{uid, 1}}));
}

}  // namespace
}  // namespace vkhost::testing
