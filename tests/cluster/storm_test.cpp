// Storms: many pods while the daemon is killed, or while the way to the API server is bad or cut.
//
// An outage is short unless $VKHOST_OUTAGE_SECONDS and $VKHOST_OUTAGE_PODS say otherwise, as 300 and
// 5000.
#include "base/thread.hpp"
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

constexpr std::chrono::minutes kStormWithin{8};

std::string numbered(const char* prefix, int i) { return prefix + std::to_string(i); }

// Calls `work(i)` for each i in [begin, end), by several threads; what they throw fails the test.
void in_parallel(int begin, int end, const std::function<void(int)>& work) {
  constexpr int kThreads = 8;
  std::atomic<int> next{begin};
  std::vector<Thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back("storm", [&] {
      for (int i = next++; i < end; i = next++) {
        try {
          work(i);
        } catch (const std::exception& error) {
          ADD_FAILURE() << error.what();
        }
      }
    });
  }
}

void expect_each_created_once(const NodeUnderTest& node, std::size_t count) {
  const auto creations = node.journal().creations();
  EXPECT_THAT(creations, SizeIs(count));
  const PodPages pages = node.book().pages();
  for (const auto& [uid, times] : creations) {
    EXPECT_EQ(times, 1) << uid;
    EXPECT_TRUE(pages.contains(uid)) << uid << " is no pod of this test";
  }
}

void expect_start_times_never_changed(const NodeUnderTest& node) {
  for (const auto& [uid, page] : node.book().pages()) {
    EXPECT_LE(page.start_times().size(), 1U) << page.name;
  }
}

bool wait_until_provider_is_empty(const NodeUnderTest& node, std::chrono::milliseconds within) {
  return node.journal().wait_until(
      [](const MockJournal& journal) { return journal.living().empty(); }, within);
}

// Kills the daemon at an instant that depends on the seed and on how far it has come.
class Killer {
 public:
  Killer(NodeUnderTest& node, FaultProxy& proxy) : node_(node), proxy_(proxy) {}

  void strike() {
    // Some requests further, so that every round gets somewhere however slow the machine is ...
    constexpr std::array<std::string_view, 4> kLabels{"patch pods/status", "watch pods",
                                                      "list pods", "delete pods"};
    const std::string_view label = kLabels[draw(kLabels.size())];
    static_cast<void>(
        proxy_.traffic().wait_for(label, proxy_.traffic().count(label) + draw(6), 3s));
    // ... and a moment that is at no request at all.
    static_cast<void>(node_.daemon().wait(std::chrono::milliseconds(draw(60))));
    node_.daemon().kill();
  }

 private:
  std::size_t draw(std::size_t below) { return random_() % below; }

  NodeUnderTest& node_;
  FaultProxy& proxy_;
  std::mt19937_64 random_{20260102};
};

TEST(Storm, KilledAtAnyInstantTheDaemonRunsEveryPodOnceAndKeepsItsStart) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get(),
                      .rules = "{match = {name = 'slow-*'}, start_delay_ms = 100, jitter_ms = 400},"
                               "{match = {name = 'held-*'}, hang = {for_ms = 40}}"});
  Killer killer(node, *proxy);
  constexpr int kRounds = 10;
  constexpr int kPodsEach = 6;
  constexpr int kPods = kRounds * kPodsEach;
  const auto name_of = [](int i) {
    return numbered(i % 3 == 0 ? "slow-" : i % 3 == 1 ? "held-" : "web-", i);
  };

  for (int round = 0; round < kRounds; ++round) {
    Thread creator("creator", [&] {
      for (int i = round * kPodsEach; i < (round + 1) * kPodsEach; ++i) {
        node.create_pod(name_of(i));
      }
    });
    killer.strike();
    creator.join();
    node.daemon().start();
  }

  ASSERT_TRUE(node.book().wait_until_running(kPods, kStormWithin)) << node.book().summary();
  expect_each_created_once(node, kPods);
  expect_start_times_never_changed(node);

  // Half of them are deleted, and the daemon is killed over that too.
  constexpr int kRoundsOfDeletion = 5;
  for (int round = 0; round < kRoundsOfDeletion; ++round) {
    Thread deleter("deleter", [&] {
      for (int i = round * kPodsEach; i < (round + 1) * kPodsEach; ++i) {
        node.cluster().remove(node.pod_path(name_of(i)));
      }
    });
    killer.strike();
    deleter.join();
    node.daemon().start();
  }

  constexpr std::size_t kLeft = kPods - kRoundsOfDeletion * kPodsEach;
  ASSERT_TRUE(node.book().wait_until_running(kLeft, kStormWithin)) << node.book().summary();
  expect_each_created_once(node, kPods);
  expect_start_times_never_changed(node);
  EXPECT_TRUE(node.journal().wait_until(
      [](const MockJournal& journal) { return journal.living().size() == kLeft; }, kLong));
}

TEST(Storm, OverABadLineNoPodIsLostDoubledOrStuck) {
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node({.proxy = proxy.get(), .rules = "{stop_delay_ms = 20}"});
  constexpr int kPods = kSanitized ? 200 : 500;
  proxy->cut_watches_every(1s);
  proxy->answer(429, {.requests = Requests::Others, .percent = 2, .retry_after_s = 1});
  proxy->answer(500, {.requests = Requests::Others, .percent = 10});

  in_parallel(0, kPods, [&](int i) { node.create_pod(numbered("web-", i)); });
  ASSERT_TRUE(node.book().wait_until_running(kPods, kStormWithin)) << node.book().summary();

  in_parallel(0, kPods, [&](int i) {
    node.cluster().patch(node.pod_path(numbered("web-", i)),
                         R"({"metadata":{"labels":{"l":"1"},"annotations":{"a":"2"}}})");
  });
  in_parallel(0, kPods, [&](int i) { node.cluster().remove(node.pod_path(numbered("web-", i))); });

  ASSERT_TRUE(node.book().wait_until_empty(kStormWithin)) << node.book().summary();
  EXPECT_TRUE(wait_until_provider_is_empty(node, kLong));
  expect_each_created_once(node, kPods);
  expect_start_times_never_changed(node);
  for (const auto& [uid, page] : node.book().pages()) {
    EXPECT_TRUE(page.was_ready()) << page.name;
    EXPECT_EQ(json_at(page.last().json, "/metadata/labels/l"), "1") << page.name;
    EXPECT_EQ(json_at(page.last().json, "/metadata/annotations/a"), "2") << page.name;
    EXPECT_EQ(node.journal().count("gone", uid), 1U) << page.name;
  }
}

// virtual-kubelet#867, #907, #1157: A pod that is made again under its name never starts
TEST(Storm, PodsMadeAgainUnderTheirNamesAllRun) {
  NodeUnderTest node;
  constexpr int kPods = kSanitized ? 60 : 200;
  in_parallel(0, kPods, [&](int i) { node.create_pod(numbered("web-", i)); });
  ASSERT_TRUE(node.book().wait_until_running(kPods, kStormWithin)) << node.book().summary();

  // Deletion and creation of each name reach the daemon together.
  in_parallel(0, kPods, [&](int i) {
    node.cluster().remove(node.pod_path(numbered("web-", i)), 0);
    node.create_pod(numbered("web-", i));
  });

  const auto there = [&] {
    std::set<std::string> uids;
    for (const auto& [uid, page] : node.book().pages()) {
      if (!page.gone) {
        uids.insert(uid);
      }
    }
    return uids;
  };
  EXPECT_TRUE(node.book().wait_until(
      [&](const PodPages& pages) {
        return pages.size() == std::size_t{2} * kPods &&
               std::all_of(pages.begin(), pages.end(), [](const auto& each) {
                 const PodSight& last = each.second.last();
                 return each.second.gone || (last.phase == "Running" && last.ready);
               });
      },
      kLong))
      << node.book().summary();
  EXPECT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return journal.living() == there(); }, kLong));
  EXPECT_EQ(there().size(), std::size_t{kPods});
  for (const auto& [uid, times] : node.journal().creations()) {
    EXPECT_EQ(times, 1) << uid;
  }
}

int from_environment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  int value = otherwise;
  if (text != nullptr) {
    const std::string_view digits(text);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    EXPECT_TRUE(read.ec == std::errc() && value > 0) << name << "=" << digits;
  }
  return value;
}

// What the provider was asked to do with each pod: how often create_pod and delete_pod were called.
using Orders = std::map<std::string, std::pair<int, int>>;

Orders orders_of(const MockJournal& journal) {
  Orders orders;
  for (const MockCall& call : journal.calls()) {
    if (call.call == "create_pod") {
      ++orders[call.uid].first;
    } else if (call.call == "delete_pod") {
      ++orders[call.uid].second;
    }
  }
  return orders;
}

// Those that are there, if all of them are Running and none is being deleted.
std::set<std::string> running(const PodPages& pages) {
  std::set<std::string> uids;
  for (const auto& [uid, page] : pages) {
    if (!page.gone) {
      uids.insert(uid);
      if (page.last().phase != "Running" || page.last().deleting) {
        return {};
      }
    }
  }
  return uids;
}

TEST(Storm, WhileTheApiServerIsAwayNothingIsUndoneAndThenEverythingFollows) {
  const std::chrono::seconds outage{from_environment("VKHOST_OUTAGE_SECONDS", 30)};
  const int pods = from_environment("VKHOST_OUTAGE_PODS", kSanitized ? 100 : 200);
  const int changed = std::max(1, pods / 20);  // so many are deleted meanwhile, and so many made
  const auto proxy = Cluster::instance().proxy();
  NodeUnderTest node(
      {.proxy = proxy.get(),
       .daemon = {.node_settings = "capacity = {pods = '" + std::to_string(2 * pods) + "'}\n"}});
  in_parallel(0, pods, [&](int i) { node.create_pod(numbered("web-", i)); });
  ASSERT_TRUE(node.book().wait_until_running(static_cast<std::size_t>(pods), kStormWithin))
      << node.book().summary();
  const Orders before = orders_of(node.journal());

  proxy->go_down();
  const SteadyTime back_at = std::chrono::steady_clock::now() + outage;
  in_parallel(0, changed, [&](int i) {
    node.cluster().remove(node.pod_path(numbered("web-", i)), i % 2 == 0 ? 0 : -1);
    node.create_pod(numbered("new-", i));
  });
  EXPECT_EQ(node.daemon().wait(std::chrono::ceil<std::chrono::milliseconds>(
                back_at - std::chrono::steady_clock::now())),
            std::nullopt)
      << "the daemon ended";
  EXPECT_EQ(orders_of(node.journal()), before) << "the provider was asked for something";
  const SteadyTime back = std::chrono::steady_clock::now();
  proxy->come_back();

  constexpr std::chrono::minutes kFollows{1};
  const auto since = [&back] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 back)
        .count();
  };
  ASSERT_TRUE(node.book().wait_until(
      [&](const PodPages& pages) {
        return running(pages).size() == static_cast<std::size_t>(pods);
      },
      kFollows))
      << node.book().summary();
  const auto phases_followed = since();
  const std::set<std::string> wanted = running(node.book().pages());
  EXPECT_TRUE(node.journal().wait_until(
      [&](const MockJournal& journal) { return journal.living() == wanted; }, kFollows));
  // The node controller has closed Ready of all pods if the outage was long enough.
  ASSERT_TRUE(node.book().wait_until_running(static_cast<std::size_t>(pods), kFollows))
      << node.book().summary();
  std::cout << pods << " pods, " << outage.count()
            << " s without the API server; after it was back, "
            << "all pods wanted ran and no other was there after " << phases_followed
            << " ms, all were Ready again after " << since() << " ms\n";
  Orders expected;
  for (const auto& [uid, page] : node.book().pages()) {
    expected[uid] = {1, page.gone ? 1 : 0};
  }
  EXPECT_EQ(orders_of(node.journal()), expected);
  expect_start_times_never_changed(node);
}

}  // namespace
}  // namespace vkhost::testing
