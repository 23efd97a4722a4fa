// Single watches against the real control plane: which rights they need, and that they hear everything.
#include "kube/single_watch.hpp"

#include "base/mutex.hpp"
#include "http/client.hpp"
#include "kube/api_client.hpp"
#include "kube/connection_credentials.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/paths.hpp"
#include "kube/watch_loop.hpp"
#include "support/cluster.hpp"
#include "support/json_pointer.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace vkhost::kube {
namespace {

using namespace std::chrono_literals;
using vkhost::testing::Cluster;
using vkhost::testing::json_at;
using vkhost::testing::TestFolder;

// The state that was told last: nothing yet, "gone", or the object.
class LatestObject final : public ObjectListener {
 public:
  void object_changed(std::string json) override { set(std::move(json)); }
  void object_gone() override { set("gone"); }
  [[nodiscard]] bool wait_until_gone() {
    return wait_for([](const std::string& text) { return text == "gone"; });
  }
  [[nodiscard]] bool wait_for_value(const std::string& base64) {
    return wait_for([&](const std::string& text) {
      return text.starts_with('{') && json_at(text, "/data/k") == base64;
    });
  }

 private:
  bool wait_for(const std::function<bool(const std::string&)>& condition) {
    const auto until = std::chrono::steady_clock::now() + Cluster::kSoon;
    const MutexLock lock(mutex_);
    while (!condition(text_)) {
      if (!changed_.wait_until(mutex_, until)) {
        return condition(text_);
      }
    }
    return true;
  }
  void set(std::string text) {
    const MutexLock lock(mutex_);
    text_ = std::move(text);
    changed_.notify_all();
  }
  Mutex mutex_;
  CondVar changed_;
  std::string text_ VKHOST_GUARDED_BY(mutex_);
};

class SingleObjectWatch : public ::testing::Test {
 protected:
  ~SingleObjectWatch() override {
    if (watch_) {
      loop_.remove(*watch_);
    }
  }
  void follow(const std::string& kubeconfig, SingleWatchSettings settings) {
    const auto file = folder_.write("kubeconfig", kubeconfig);
    const auto connection = load_kubeconfig({file}, "");
    ASSERT_TRUE(connection.is_ok()) << connection.status().to_string();
    ClientParts parts;
    parts.make_transport = [this](http::TransportSettings transport) {
      return http::make_poco_transport(std::move(transport), clock_);
    };
    parts.clock = clock_;
    parts.random = random_;
    client_ = make_client(*connection, {}, std::move(parts));
    watch_ = std::make_unique<SingleWatch>(
        std::move(settings), SingleWatch::Parts{*client_, latest_, group_, clock_, random_, {}});
    loop_.add(*watch_, Opening::Patient);
  }
  SingleWatchSettings the_secret() const {
    SingleWatchSettings settings;
    settings.collection_path = secrets_path(space_);
    settings.name = "s";
    return settings;
  }
  std::string secret_with(const std::string& base64) const {
    return R"({"metadata":{"name":"s"},"data":{"k":")" + base64 + "\"}}";
  }
  // To the user "vkhost", on the Secret "s" alone.
  void allow(const std::string& verbs) {
    const std::string path = "/apis/rbac.authorization.k8s.io/v1/namespaces/" + space_;
    cluster_.create(path + "/roles", R"({"metadata":{"name":"follow"},"rules":[{"apiGroups":[""],)"
                                     R"("resources":["secrets"],"resourceNames":["s"],"verbs":)" +
                                         verbs + "}]}");
    cluster_.create(path + "/rolebindings",
                    R"({"metadata":{"name":"follow"},"roleRef":{"apiGroup":)"
                    R"("rbac.authorization.k8s.io","kind":"Role","name":"follow"},)"
                    R"("subjects":[{"kind":"User","name":"vkhost"}]})");
  }

  Cluster& cluster_ = Cluster::instance();
  const std::string space_ = cluster_.create_namespace();
  const TestFolder folder_;
  std::shared_ptr<const Clock> clock_ = std::make_shared<SystemClock>();
  std::shared_ptr<Random> random_ = std::make_shared<SeededRandom>(1);
  WatchLoop loop_{clock_};
  SingleWatchGroup group_{4, {}};
  LatestObject latest_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<SingleWatch> watch_;
};

TEST_F(SingleObjectWatch, NeedsNoListRight) {
  allow(R"(["get","watch"])");
  cluster_.create(secrets_path(space_), secret_with("MQ=="));
  const auto proxy = cluster_.proxy();

  follow(cluster_.kubeconfig("vkhost", *proxy), the_secret());

  ASSERT_TRUE(latest_.wait_for_value("MQ=="));
  ASSERT_TRUE(proxy->traffic().wait_for_watches(1, Cluster::kSoon))
      << "that right was granted late";
  cluster_.patch(secret_path(space_, "s"), R"({"data":{"k":"Mg=="}})");
  EXPECT_TRUE(latest_.wait_for_value("Mg=="));
  cluster_.remove(secret_path(space_, "s"));
  EXPECT_TRUE(latest_.wait_until_gone());
  cluster_.create(secrets_path(space_), secret_with("Mw=="));
  EXPECT_TRUE(latest_.wait_for_value("Mw=="));
  EXPECT_EQ(proxy->traffic().count("list secrets"), 0U);
}

TEST_F(SingleObjectWatch, HearsWhatHappenedWhileTheServerWasAwayOrHadForgotten) {
  allow(R"(["get","watch"])");
  cluster_.create(secrets_path(space_), secret_with("MQ=="));
  const auto proxy = cluster_.proxy();
  follow(cluster_.kubeconfig("vkhost", *proxy), the_secret());
  ASSERT_TRUE(latest_.wait_for_value("MQ=="));
  ASSERT_TRUE(proxy->traffic().wait_for_watches(1, Cluster::kSoon));

  proxy->go_down();
  cluster_.patch(secret_path(space_, "s"), R"({"data":{"k":"Mg=="}})");
  proxy->come_back();
  EXPECT_TRUE(latest_.wait_for_value("Mg=="));

  ASSERT_TRUE(proxy->traffic().wait_for_watches(1, Cluster::kSoon));
  proxy->expire_new_watches(vkhost::testing::Expiry::Event, {.times = 1});
  proxy->go_down();
  cluster_.remove(secret_path(space_, "s"));
  proxy->come_back();
  EXPECT_TRUE(latest_.wait_until_gone());
  EXPECT_EQ(proxy->traffic().count("list secrets"), 0U);
}

TEST_F(SingleObjectWatch, ReadsWhatItMayNotWatch) {
  allow(R"(["get"])");
  cluster_.create(secrets_path(space_), secret_with("MQ=="));
  SingleWatchSettings settings = the_secret();
  settings.poll_interval = 200ms;

  follow(cluster_.kubeconfig("vkhost"), std::move(settings));

  ASSERT_TRUE(latest_.wait_for_value("MQ=="));
  cluster_.patch(secret_path(space_, "s"), R"({"data":{"k":"Mg=="}})");
  EXPECT_TRUE(latest_.wait_for_value("Mg=="));
  cluster_.remove(secret_path(space_, "s"));
  EXPECT_TRUE(latest_.wait_until_gone());
  EXPECT_EQ(group_.places_taken(), 0U);
}

TEST_F(SingleObjectWatch, IsAllowedToTheNodeOfAPodThatRefersToTheObject) {
  cluster_.create(secrets_path(space_), secret_with("MQ=="));
  cluster_.create(pods_path(space_),
                  R"({"metadata":{"name":"web"},"spec":{"nodeName":"vk-4","containers":[)"
                  R"({"name":"c","image":"i"}],"volumes":[{"name":"v","secret":)"
                  R"({"secretName":"s"}}]}})");

  follow(cluster_.kubeconfig("system:node:vk-4"), the_secret());

  ASSERT_TRUE(latest_.wait_for_value("MQ=="));
  cluster_.patch(secret_path(space_, "s"), R"({"data":{"k":"Mg=="}})");
  EXPECT_TRUE(latest_.wait_for_value("Mg=="));
  EXPECT_EQ(group_.places_taken(), 1U) << "by a watch";
}

}  // namespace
}  // namespace vkhost::kube
