#include "daemon/cluster_object_feed.hpp"

#include "base/mutex.hpp"
#include "resolve/kube_object_source.hpp"
#include "support/fake_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::daemon {
namespace {

using testing::client_on;
using ::testing::ElementsAre;
using testing::FakeServer;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using testing::StreamSilence;

class RecordingObjectListener final : public kube::ObjectListener {
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

std::string object(const std::string& version) {
  return R"({"metadata":{"name":"a","resourceVersion":")" + version + "\"}}";
}

struct ClusterObjectFeedTest : ::testing::Test {
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  std::unique_ptr<kube::Client> client = client_on(server);
  SystemClock clock;
  kube::WatchLoop loop{std::make_shared<SystemClock>()};
  resolve::KubeObjectSource objects{*client, clock};
  ClusterObjectFeed feed{{*client,
                          std::make_shared<SystemClock>(),
                          std::make_shared<SeededRandom>(7),
                          {},
                          loop,
                          objects}};
  RecordingObjectListener listener;
};

TEST_F(ClusterObjectFeedTest, TellsOfTheObjectOfThatKind) {
  for (const auto& [kind, plural] : {std::pair(resolve::ObjectKind::Secret, "secrets"),
                                     std::pair(resolve::ObjectKind::ConfigMap, "configmaps")}) {
    server->stream({StreamSilence{}});
    server->answer(200, object("3"));
    const std::size_t before = server->requests().size();
    RecordingObjectListener heard;

    const auto followed = feed.follow({kind, "n", "a"}, "", heard);

    EXPECT_THAT(heard.wait_for_calls(1), ElementsAre(object("3")));
    const std::string path = std::string("/api/v1/namespaces/n/") + plural;
    EXPECT_THAT(server->requests().at(before).target, StartsWith(path + "?"));
    EXPECT_EQ(server->requests().at(before + 1).target, path + "/a");
  }
}

TEST_F(ClusterObjectFeedTest, BeginsBehindTheVersionThatIsKnown) {
  server->stream({R"({"type":"ADDED","object":)" + object("3") + "}\n",
                  R"({"type":"MODIFIED","object":)" + object("4") + "}\n"});

  const auto followed = feed.follow({resolve::ObjectKind::Secret, "n", "a"}, "3", listener);

  EXPECT_THAT(listener.wait_for_calls(1), ElementsAre(object("4")));
  EXPECT_EQ(server->requests().size(), 1U) << "and reads nothing";
}

TEST_F(ClusterObjectFeedTest, TellsNothingOnceItIsNotFollowed) {
  server->hang();
  auto followed = feed.follow({resolve::ObjectKind::Secret, "n", "a"}, "", listener);
  ASSERT_TRUE(server->wait_for_requests(1));

  followed.reset();

  EXPECT_THAT(listener.wait_for_calls(0), IsEmpty());
  EXPECT_EQ(server->requests().size(), 1U);
}

TEST_F(ClusterObjectFeedTest, ReadsASelectionOfTrustBundles) {
  const std::string list = R"({"items":[{"metadata":{"name":"a"}}]})";
  server->answer(200, list);

  const auto followed =
      feed.follow({resolve::ObjectKind::TrustBundles, "", "metadata.name=a\n"}, "", listener);

  EXPECT_THAT(listener.wait_for_calls(1), ElementsAre(list));
  EXPECT_FALSE(followed->is_live());
  EXPECT_THAT(server->requests().at(0).target,
              StartsWith("/apis/certificates.k8s.io/v1/clustertrustbundles?fieldSelector="));
}

TEST_F(ClusterObjectFeedTest, SaysWhenNothingIsSelected) {
  server->answer(200, R"({"items":[]})");

  const auto followed =
      feed.follow({resolve::ObjectKind::TrustBundles, "", "metadata.name=a\n"}, "", listener);

  EXPECT_THAT(listener.wait_for_calls(1), ElementsAre("gone"));
}

TEST_F(ClusterObjectFeedTest, WatchesNoMoreThanItMayAndReadsTheOthers) {
  ClusterObjectFeed narrow({*client,
                            std::make_shared<SystemClock>(),
                            std::make_shared<SeededRandom>(7),
                            {},
                            loop,
                            objects},
                           1);
  server->stream({R"({"type":"ADDED","object":)" + object("3") + "}\n"});
  RecordingObjectListener first;
  const auto watched = narrow.follow({resolve::ObjectKind::Secret, "n", "a"}, "3", first);
  ASSERT_TRUE(server->wait_for_requests(1));
  server->answer(200, object("3"));

  const auto read = narrow.follow({resolve::ObjectKind::Secret, "n", "a"}, "", listener);

  EXPECT_THAT(listener.wait_for_calls(1), ElementsAre(object("3")));
  const auto requests = server->requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests.back().target, "/api/v1/namespaces/n/secrets/a");
}

}  // namespace
}  // namespace vkhost::daemon
