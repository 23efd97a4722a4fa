// Storms: many pods while the daemon is killed, or while the way to the API server is bad.
#include "base/thread.hpp"
#include "cluster/node_under_test.hpp"
#include "support/json_pointer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <random>
#include <string>
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

}  // namespace
}  // namespace vkhost::testing
