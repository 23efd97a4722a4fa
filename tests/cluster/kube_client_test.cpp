// The API client against the real control plane: what only a real API server can answer.
#include "http/client.hpp"
#include "kube/connection_credentials.hpp"
#include "kube/events.hpp"
#include "kube/kubeconfig.hpp"
#include "kube/object_watch.hpp"
#include "kube/paths.hpp"
#include "kube/pod_calls.hpp"
#include "kube/pod_watch.hpp"
#include "kube/reviews.hpp"
#include "support/cluster.hpp"
#include "support/desired_pods.hpp"
#include "support/json_pointer.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace vkhost::kube {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using vkhost::testing::Cluster;
using vkhost::testing::DesiredPods;
using vkhost::testing::json_at;
using vkhost::testing::TestFolder;

class KubeClient : public ::testing::Test {
 protected:
  std::unique_ptr<Client> client_with(const std::string& kubeconfig) {
    const auto file = folder_.write(Cluster::unique_name("kubeconfig"), kubeconfig);
    const auto connection = load_kubeconfig({file}, "");
    EXPECT_TRUE(connection.is_ok()) << connection.status().to_string();
    ClientParts parts;
    parts.make_transport = [this](http::TransportSettings settings) {
      return http::make_poco_transport(std::move(settings), clock_);
    };
    parts.clock = clock_;
    parts.random = random_;
    return make_client(*connection, {}, std::move(parts));
  }
  std::unique_ptr<Client> client_of(std::string_view user) {
    return client_with(cluster_.kubeconfig(user));
  }
  void create_pod(const std::string& space, const std::string& name, const std::string& node) {
    cluster_.create(pods_path(space), R"({"metadata":{"name":")" + name +
                                          R"("},"spec":{"nodeName":")" + node +
                                          R"(","containers":[{"name":"c","image":"i"}]}})");
  }
  PodPtr read_pod(const std::string& space, const std::string& name) {
    auto pod = fetch_pod(*admin_, {space, name}, {});
    EXPECT_TRUE(pod.is_ok()) << pod.status().to_string();
    return std::move(pod).value();
  }

  TestFolder folder_;
  std::shared_ptr<const Clock> clock_ = std::make_shared<SystemClock>();
  WatchLoop loop_{clock_};
  std::shared_ptr<Random> random_ = std::make_shared<SeededRandom>(1);
  Cluster& cluster_ = Cluster::instance();
  std::unique_ptr<Client> admin_ = client_of("admin");
};

TEST_F(KubeClient, TurnsRefusalsIntoCodes) {
  const std::string space = cluster_.create_namespace();
  const std::string body = R"({"metadata":{"name":"m","resourceVersion":"1"},"data":{"a":"1"}})";
  const std::string fresh = R"({"metadata":{"name":"m"},"data":{"a":"1"}})";
  const std::string path = config_map_path(space, "m");

  EXPECT_EQ(admin_->get(path, {}, {}).status().code(), StatusCode::NotFound);
  EXPECT_EQ(admin_->get(path, {}, {}).status().reason(), "NotFound");
  EXPECT_TRUE(admin_->create(config_maps_path(space), fresh, {}).is_ok());
  EXPECT_EQ(admin_->create(config_maps_path(space), fresh, {}).status().code(),
            StatusCode::AlreadyExists);
  EXPECT_EQ(admin_->update(path, body, {}).status().code(), StatusCode::Aborted);
  EXPECT_EQ(admin_->create(config_maps_path(space), "{", {}).status().code(),
            StatusCode::InvalidArgument);
  EXPECT_EQ(
      admin_->create(config_maps_path(space), R"({"metadata":{"name":"A B"}})", {}).status().code(),
      StatusCode::InvalidArgument);
  const auto merged = admin_->patch(path, PatchType::Merge, R"({"data":{"b":"2"}})", {});
  EXPECT_EQ(json_at(*merged, "/data/b"), "2");
  EXPECT_EQ(
      json_at(*admin_->patch(path, PatchType::Json, R"([{"op":"remove","path":"/data/a"}])", {}),
              "/data/a"),
      "");
  EXPECT_EQ(client_of("vkhost")->get(path, {}, {}).status().code(), StatusCode::PermissionDenied);
  EXPECT_TRUE(admin_->remove(path, "", {}).is_ok());
  EXPECT_EQ(admin_->remove(path, "", {}).status().code(), StatusCode::NotFound);
}

TEST_F(KubeClient, KnowsAPodFromAnotherOfItsName) {
  const std::string space = cluster_.create_namespace();
  create_pod(space, "web", "nowhere");
  const PodPtr old = read_pod(space, "web");
  const auto written =
      patch_pod_status(*admin_, *old, R"({"phase":"Running"})", {{"vkhost.io/handle", "i-1"}}, {});
  ASSERT_TRUE(written.is_ok()) << written.status().to_string();
  EXPECT_EQ((*written)->phase, "Running");
  EXPECT_THAT((*written)->raw, HasSubstr("i-1"));
  EXPECT_TRUE(delete_pod_now(*admin_, *old, {}).is_ok());
  EXPECT_EQ(patch_pod_status(*admin_, *old, "{}", {}, {}).status().code(), StatusCode::NotFound);

  create_pod(space, "web", "nowhere");

  EXPECT_EQ(patch_pod_status(*admin_, *old, R"({"phase":"Failed"})", {}, {}).status().code(),
            StatusCode::NotFound);
  EXPECT_TRUE(delete_pod_now(*admin_, *old, {}).is_ok());
  EXPECT_EQ(read_pod(space, "web")->phase, "Pending") << "its namesake must be untouched";
}

TEST_F(KubeClient, AsksWhoAndWhetherTheyMay) {
  const auto who = review_token(*admin_, Secret(cluster_.token("vkhost")), {}, {});
  const auto nobody = review_token(*admin_, Secret("wrong"), {}, {});
  AccessQuestion question;
  question.verb = "get";
  question.version = "v1";
  question.resource = "nodes";
  question.subresource = "metrics";

  ASSERT_TRUE(who.is_ok()) << who.status().to_string();
  EXPECT_TRUE(who->is_authenticated);
  EXPECT_EQ(who->user.username, "vkhost");
  EXPECT_THAT(who->user.groups, Contains("system:authenticated"));
  ASSERT_TRUE(nobody.is_ok()) << nobody.status().to_string();
  EXPECT_FALSE(nobody->is_authenticated);
  question.user = who->user;
  EXPECT_FALSE(review_access(*admin_, question, {})->is_allowed);
  question.user.groups.emplace_back("system:masters");
  EXPECT_TRUE(review_access(*admin_, question, {})->is_allowed);
}

TEST_F(KubeClient, WritesEventsThatTheApiServerAccepts) {
  const std::string space = cluster_.create_namespace();
  EventWriter writer({}, {*admin_, clock_, random_, {}});
  writer.start();
  Event event;
  event.about.object_namespace = space;
  event.about.name = "web";
  event.about.uid = "some-uid";
  event.reason = "Pulled";
  event.message = std::string(3000, 'x');
  event.node_name = "vk-0";
  Event keyed = event;
  keyed.message = "once";
  keyed.key = "spot interruption 1";

  for (int i = 0; i < 3; ++i) {
    writer.post(event);
    writer.post(keyed);
  }
  Event of_node = event;
  of_node.about = EventTarget{};
  of_node.about.kind = "Node";
  of_node.about.name = of_node.about.uid = Cluster::unique_name("node");
  writer.post(of_node);
  writer.stop(Deadline::after(*clock_, seconds{20}));

  EXPECT_EQ(writer.stats().created, 3U);
  EXPECT_EQ(writer.stats().counted_up, 2U);
  EXPECT_EQ(writer.stats().failed, 0U);
  const std::string all = cluster_.get(events_path(space));
  EXPECT_THAT(all, HasSubstr(R"("count":3)"));
  EXPECT_EQ(json_at(all, "/items/2"), "") << all;
}

TEST_F(KubeClient, FollowsThePodsOfANodeThroughBadDays) {
  const std::string space = cluster_.create_namespace();
  const std::string node = Cluster::unique_name("node");
  for (const char* name : {"a", "b", "c"}) {
    create_pod(space, name, node);
  }
  create_pod(space, "elsewhere", node + "-other");
  const auto proxy = cluster_.proxy();
  const auto client = client_with(cluster_.kubeconfig("admin", *proxy));
  DesiredPods desired;
  PodWatchSettings settings;
  settings.node_name = node;
  settings.list_watch.page_size = 2;
  PodWatch watch(settings, {*client, desired, clock_, random_, {}, loop_});
  const auto remove_now = [&](const char* name) { cluster_.remove(pod_path(space, name), 0); };

  watch.start();
  ASSERT_TRUE(desired.wait_for_names({"a", "b", "c"}));
  create_pod(space, "d", node);
  ASSERT_TRUE(desired.wait_for_names({"a", "b", "c", "d"}));

  // The connection is lost; a pod goes meanwhile.
  proxy->go_down();
  remove_now("a");
  proxy->come_back();
  ASSERT_TRUE(desired.wait_for_names({"b", "c", "d"}));
  EXPECT_EQ(watch.stats().list_watch.lists, 1U) << "resumed, not listed again";

  // The version is too old by the time it comes back; a pod goes meanwhile.
  proxy->expire_new_watches(vkhost::testing::Expiry::Event, {.times = 1});
  proxy->go_down();
  remove_now("b");
  proxy->come_back();
  ASSERT_TRUE(desired.wait_for_names({"c", "d"}));
  // The list is counted once its listener has heard it.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (watch.stats().list_watch.lists < 2 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(watch.stats().list_watch.lists, 2U);

  // Refused, throttled, cut in half.
  proxy->answer(503, {.times = 2});
  proxy->answer(429, {.times = 1, .retry_after_s = 1});
  proxy->half_body({.times = 1});
  proxy->cut_watches();
  create_pod(space, "e", node);
  ASSERT_TRUE(desired.wait_for_names({"c", "d", "e"}));

  watch.stop();
  EXPECT_EQ(watch.stats().unreadable_pods, 0U);
  EXPECT_EQ(proxy->traffic().count("get pods"), 0);
}

TEST_F(KubeClient, StreamsTheListsOfPodsThroughBadDays) {
  if (cluster_.minor_version() < 32) {
    GTEST_SKIP() << "the API server does not begin watches with a list";
  }
  const std::string space = cluster_.create_namespace();
  const std::string node = Cluster::unique_name("node");
  for (const char* name : {"a", "b", "c"}) {
    create_pod(space, name, node);
  }
  create_pod(space, "elsewhere", node + "-other");
  const auto proxy = cluster_.proxy();
  const auto client = client_with(cluster_.kubeconfig("admin", *proxy));
  DesiredPods desired;
  PodWatchSettings settings;
  settings.node_name = node;
  settings.list_watch.stream_lists = true;
  PodWatch watch(settings, {*client, desired, clock_, random_, {}, loop_});

  watch.start();
  ASSERT_TRUE(desired.wait_for_names({"a", "b", "c"}));
  create_pod(space, "d", node);
  ASSERT_TRUE(desired.wait_for_names({"a", "b", "c", "d"}));
  EXPECT_EQ(proxy->traffic().total(), 1U);

  proxy->expire_new_watches(vkhost::testing::Expiry::Event, {.times = 1});
  proxy->go_down();
  cluster_.remove(pod_path(space, "a"), 0);
  proxy->come_back();
  ASSERT_TRUE(desired.wait_for_names({"b", "c", "d"}));
  EXPECT_EQ(proxy->traffic().count("list pods"), 2U);

  watch.stop();
  EXPECT_EQ(watch.stats().list_watch.lists, 2U);
  EXPECT_EQ(watch.stats().unreadable_pods, 0U);
}

TEST_F(KubeClient, FollowsPodsUnderANodeIdentity) {
  const std::string space = cluster_.create_namespace();
  create_pod(space, "mine", "vk-3");
  const auto client = client_of("system:node:vk-3");
  DesiredPods desired;
  PodWatchSettings settings;
  settings.node_name = "vk-3";
  settings.only_namespace = space;
  PodWatch watch(settings, {*client, desired, clock_, random_, {}, loop_});

  watch.start();
  ASSERT_TRUE(desired.wait_for_names({"mine"}));
  const PodPtr pod = read_pod(space, "mine");
  const auto written =
      patch_pod_status(*client, *pod, R"({"phase":"Running"})",
                       {{"vkhost.io/handle", "h"}, {"vkhost.io/handle-uid", pod->uid}}, {});

  ASSERT_TRUE(written.is_ok()) << written.status().to_string();
  EXPECT_TRUE(desired.wait_for([](const DesiredPods::Pods& pods, int) {
    return pods.at("mine")->phase == "Running" && pods.at("mine")->handle == "h";
  }));
  EXPECT_EQ((*written)->metadata_hash, pod->metadata_hash);
  EXPECT_EQ((*written)->spec_hash, pod->spec_hash);
  EXPECT_TRUE(delete_pod_now(*client, *pod, {}).is_ok());
  ASSERT_TRUE(desired.wait_for_names({}));
}

class LatestObject final : public ObjectListener {
 public:
  void object_changed(std::string json) override { set(std::move(json)); }
  void object_gone() override { set("gone"); }
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

 private:
  void set(std::string text) {
    const MutexLock lock(mutex_);
    text_ = std::move(text);
    changed_.notify_all();
  }
  Mutex mutex_;
  CondVar changed_;
  std::string text_ VKHOST_GUARDED_BY(mutex_);
};

TEST_F(KubeClient, FollowsTheClientAuthorityOfTheApiServer) {
  LatestObject latest;
  ObjectWatch watch({.collection_path = config_maps_path("kube-system"),
                     .name = "extension-apiserver-authentication",
                     .list_watch = {}},
                    {*admin_, latest, clock_, random_, {}, loop_});
  watch.start();

  EXPECT_TRUE(latest.wait_for([](const std::string& text) {
    return !text.empty() && text != "gone" &&
           json_at(text, "/data/client-ca-file").find("BEGIN CERTIFICATE") != std::string::npos;
  }));
}

TEST_F(KubeClient, FollowsAnObjectThatComesAndGoes) {
  const std::string space = cluster_.create_namespace();
  LatestObject latest;
  ObjectWatch watch({.collection_path = config_maps_path(space), .name = "m", .list_watch = {}},
                    {*admin_, latest, clock_, random_, {}, loop_});
  watch.start();

  EXPECT_TRUE(latest.wait_for([](const std::string& text) { return text == "gone"; }));
  cluster_.create(config_maps_path(space), R"({"metadata":{"name":"m"},"data":{"a":"1"}})");
  EXPECT_TRUE(latest.wait_for(
      [](const std::string& text) { return text != "gone" && json_at(text, "/data/a") == "1"; }));
  cluster_.remove(config_map_path(space, "m"));
  EXPECT_TRUE(latest.wait_for([](const std::string& text) { return text == "gone"; }));
}

}  // namespace
}  // namespace vkhost::kube
