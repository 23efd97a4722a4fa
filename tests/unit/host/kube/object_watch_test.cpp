#include "kube/object_watch.hpp"

#include "base/mutex.hpp"
#include "kube/paths.hpp"
#include "support/fake_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

class RecordingObjectListener final : public ObjectListener {
 public:
  void object_changed(std::string json) override { record(std::move(json)); }
  void object_gone() override { record("gone"); }

  std::vector<std::string> wait_for_calls(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    const MutexLock lock(mutex_);
    while (calls_.size() < count && called_.wait_until(mutex_, until)) {
    }
    return calls_;
  }

 private:
  void record(std::string call) {
    const MutexLock lock(mutex_);
    calls_.push_back(std::move(call));
    called_.notify_all();
  }
  Mutex mutex_;
  CondVar called_;
  std::vector<std::string> calls_ VKHOST_GUARDED_BY(mutex_);
};

std::string map(const std::string& data, const std::string& name = "m") {
  return R"({"metadata":{"name":")" + name + R"(","resourceVersion":"3"},"data":)" + data + "}";
}
std::string list(const std::string& items) {
  return R"({"kind":"ConfigMapList","metadata":{"resourceVersion":"2"},"items":[)" + items + "]}";
}
std::string event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}

struct ObjectWatchTest : ::testing::Test {
  std::vector<std::string> run_until(std::size_t calls) {
    auto client = client_on(server);
    ObjectWatch watch(
        {.collection_path = config_maps_path("kube-system"), .name = "m", .list_watch = {}},
        {*client,
         listener,
         std::make_shared<SystemClock>(),
         std::make_shared<SeededRandom>(7),
         {},
         loop});
    watch.start();
    auto all = listener.wait_for_calls(calls);
    watch.stop();
    return all;
  }
  WatchLoop loop{std::make_shared<SystemClock>()};
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  RecordingObjectListener listener;
};

TEST_F(ObjectWatchTest, FollowsOneObjectByItsName) {
  server->answer(200, list(map("1")));
  server->stream(
      {event("MODIFIED", map("2")), event("DELETED", map("2")), event("ADDED", map("3"))});

  EXPECT_THAT(run_until(4), ElementsAre(map("1"), map("2"), "gone", map("3")));
  EXPECT_THAT(server->requests().at(0).target,
              HasSubstr("/api/v1/namespaces/kube-system/configmaps?"
                        "fieldSelector=metadata.name%3Dm"));
}

TEST_F(ObjectWatchTest, SaysThatThereIsNone) {
  server->answer(200, list(""));

  EXPECT_THAT(run_until(1), ElementsAre("gone"));
}

TEST_F(ObjectWatchTest, KeepsWhatItHadWhenTheObjectCanNotBeRead) {
  server->answer(200, list(map("tru")));
  server->stream({event("MODIFIED", map("{\"a\":01}")), event("MODIFIED", map("4"))});

  EXPECT_THAT(run_until(1), ElementsAre(map("4")));
}

TEST_F(ObjectWatchTest, IgnoresOtherObjects) {
  server->answer(200, list(map("1", "other")));
  server->stream({event("ADDED", map("2", "other")), event("DELETED", map("2", "other")),
                  event("ADDED", map("3"))});

  EXPECT_THAT(run_until(2), ElementsAre("gone", map("3")));
}

}  // namespace
}  // namespace vkhost::kube
