#include "kube/pod_watch.hpp"

#include "base/mutex.hpp"
#include "support/fake_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vkhost::testing::client_on;
using vkhost::testing::FakeServer;
using vkhost::testing::StreamEnd;

class RecordingListener final : public PodListener {
 public:
  void pods_listed(std::vector<PodPtr> pods) override {
    std::string call = "listed";
    for (const PodPtr& pod : pods) {
      call += " " + pod->name + "@" + pod->resource_version;
    }
    record(call);
  }
  void pod_applied(PodPtr pod) override {
    record("applied " + pod->name + "@" + pod->resource_version);
  }
  void pod_removed(const std::string& uid) override { record("removed " + uid); }

  std::vector<std::string> wait_for_calls(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    const MutexLock lock(mutex_);
    while (calls_.size() < count && called_.wait_until(mutex_, until)) {
    }
    return calls_;
  }

 private:
  void record(const std::string& call) {
    const MutexLock lock(mutex_);
    calls_.push_back(call);
    called_.notify_all();
  }
  Mutex mutex_;
  CondVar called_;
  std::vector<std::string> calls_ VKHOST_GUARDED_BY(mutex_);
};

std::string pod(const std::string& name,
                const std::string& version,
                const std::string& node = "vk-0") {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"ns","uid":"uid-)" + name +
         R"(","resourceVersion":")" + version + R"("},"spec":{"nodeName":")" + node + "\"}}";
}
// The same pod, but with a spec of the wrong type.
std::string broken_pod(const std::string& name, const std::string& version) {
  return R"({"metadata":{"name":")" + name + R"(","namespace":"ns","uid":"uid-)" + name +
         R"(","resourceVersion":")" + version + R"("},"spec":7})";
}
std::string event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}
std::string list(const std::string& items) {
  return R"({"kind":"PodList","metadata":{"resourceVersion":"9"},"items":[)" + items + "]}";
}
const std::string kExpired = R"({"type":"ERROR","object":{"kind":"Status","code":410}})"
                             "\n";

struct PodWatchTest : ::testing::Test {
  std::vector<std::string> run_until(std::size_t calls, std::size_t requests) {
    auto client = client_on(server);
    PodWatchSettings settings;
    settings.node_name = "vk-0";
    settings.only_namespace = "ns";
    settings.list_watch = list_watch;
    PodWatch watch(settings, {*client,
                              listener,
                              std::make_shared<SystemClock>(),
                              std::make_shared<SeededRandom>(7),
                              {},
                              loop});
    watch.start();
    auto all = listener.wait_for_calls(calls);
    EXPECT_TRUE(server->wait_for_requests(requests));
    watch.stop();
    watch.stop();
    stats = watch.stats();
    return all;
  }

  WatchLoop loop{std::make_shared<SystemClock>()};
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  RecordingListener listener;
  ListWatchSettings list_watch;
  PodWatchStats stats;
};

TEST_F(PodWatchTest, TellsTheCompleteSetAndThenEachChange) {
  server->answer(200, list(pod("a", "1") + "," + pod("b", "2")));
  server->stream({event("ADDED", pod("c", "10")), event("MODIFIED", pod("a", "11")),
                  event("DELETED", pod("b", "12"))});

  const auto calls = run_until(4, 2);

  EXPECT_THAT(calls,
              ElementsAre("listed a@1 b@2", "applied c@10", "applied a@11", "removed uid-b"));
  EXPECT_THAT(server->requests().at(0).target,
              HasSubstr("/api/v1/namespaces/ns/pods?fieldSelector=spec.nodeName%3Dvk-0"));
  EXPECT_TRUE(stats.has_synced);
  EXPECT_EQ(stats.unreadable_pods, 0U);
}

TEST_F(PodWatchTest, TellsTheCompleteSetAgainWhenADeleteWasMissed) {
  server->answer(200, list(pod("a", "1") + "," + pod("b", "2")));
  server->stream({event("ADDED", pod("c", "10")), kExpired});
  server->answer(200, list(pod("a", "1")));

  const auto calls = run_until(3, 4);

  EXPECT_THAT(calls, ElementsAre("listed a@1 b@2", "applied c@10", "listed a@1"));
}

TEST_F(PodWatchTest, ReportsAnUnreadablePodAndGoesOn) {
  server->answer(200, list(broken_pod("x", "1") + "," + pod("a", "1")));
  server->stream(
      {event("MODIFIED", broken_pod("a", "10")), event("ADDED", pod("b", "11")), StreamEnd{}});

  const auto calls = run_until(2, 3);

  EXPECT_THAT(calls, ElementsAre("listed a@1", "applied b@11"));
  EXPECT_EQ(stats.unreadable_pods, 2U);
  EXPECT_THAT(server->requests().at(2).target, HasSubstr("resourceVersion=11&"));
}

TEST_F(PodWatchTest, NeverTakesAnUnreadablePodForADeletedOne) {
  server->answer(200, list(pod("a", "1")));
  server->stream({event("MODIFIED", pod("a", "5")), kExpired});
  server->answer(200, list(broken_pod("a", "20") + "," + pod("b", "20")));

  const auto calls = run_until(3, 4);

  EXPECT_THAT(calls, ElementsAre("listed a@1", "applied a@5", "listed a@5 b@20"));
}

TEST_F(PodWatchTest, LeavesThePodsOfOtherNodesAlone) {
  server->answer(200, list(pod("a", "1") + "," + pod("other", "1", "vk-1")));
  server->stream({event("ADDED", pod("other", "2", "vk-1")), event("ADDED", pod("b", "3"))});

  EXPECT_THAT(run_until(2, 2), ElementsAre("listed a@1", "applied b@3"));
}

TEST_F(PodWatchTest, ListsAgainWhenADeletedPodHasNoUid) {
  server->answer(200, list(pod("a", "1")));
  server->stream({event("DELETED", "{}")});
  server->answer(200, list(""));

  EXPECT_THAT(run_until(2, 4), ElementsAre("listed a@1", "listed"));
}

const std::string kEndOfList =
    R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9","annotations":{)"
    R"("k8s.io/initial-events-end":"true"}}}})"
    "\n";

TEST_F(PodWatchTest, TellsAStreamedListAsItIsAtItsEnd) {
  list_watch.stream_lists = true;
  server->stream({event("ADDED", pod("a", "1")), event("ADDED", pod("b", "2")),
                  event("ADDED", pod("c", "3")), event("MODIFIED", pod("a", "4")),
                  event("MODIFIED", broken_pod("c", "5")), event("DELETED", pod("b", "6")),
                  kEndOfList, event("DELETED", pod("a", "10")), kExpired});
  server->stream({event("ADDED", broken_pod("c", "11")), kEndOfList});

  const auto calls = run_until(3, 2);

  EXPECT_THAT(calls, ElementsAre("listed c@3 a@4", "removed uid-a", "listed c@3"));
}

TEST_F(PodWatchTest, BelievesNoStreamedListInWhichADeletedPodHasNoUid) {
  list_watch.stream_lists = true;
  server->stream({event("ADDED", pod("a", "1")), event("DELETED", "{}"), kEndOfList});
  server->stream({event("ADDED", pod("b", "2")), kEndOfList});

  EXPECT_THAT(run_until(1, 2), ElementsAre("listed b@2"));
}

TEST_F(PodWatchTest, MayBeDestroyedWithoutHavingStarted) {
  auto client = client_on(server);

  const PodWatch watch({.node_name = "vk-0", .only_namespace = "", .list_watch = {}},
                       {*client,
                        listener,
                        std::make_shared<SystemClock>(),
                        std::make_shared<SeededRandom>(7),
                        {},
                        loop});

  EXPECT_FALSE(watch.stats().has_synced);
}

}  // namespace
}  // namespace vkhost::kube
