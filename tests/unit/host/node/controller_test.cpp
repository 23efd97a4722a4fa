#include "node/controller.hpp"

#include "base/mutex.hpp"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace vkhost::node {
namespace {

using ::testing::HasSubstr;

// The nodes and leases of an API server, as text by path, with what a write needs: 404, 409.
class FakeNodeApi final : public kube::Client {
 public:
  Result<std::string> get(std::string_view path,
                          const kube::Query& /*query*/,
                          const kube::CallOptions& /*options*/) override {
    const MutexLock lock(mutex_);
    return find(std::string(path));
  }
  Result<std::string> create(std::string_view path,
                             std::string body,
                             const kube::CallOptions& /*options*/) override {
    const MutexLock lock(mutex_);
    const std::string object = std::string(path) + "/virtual";
    ++creates_[object];
    // Every object gets a UID of its own, as from a real server.
    body.insert(body.find("\"metadata\":{") + 12,
                "\"uid\":\"uid-" + std::to_string(++uids_) + "\",");
    objects_[object] = body;
    changed_.notify_all();
    return body;
  }
  Result<std::string> update(std::string_view path,
                             std::string body,
                             const kube::CallOptions& /*options*/) override {
    const MutexLock lock(mutex_);
    if (!objects_.contains(std::string(path))) {
      return not_found("no such object");
    }
    objects_[std::string(path)] = body;
    changed_.notify_all();
    return body;
  }
  Result<std::string> patch(std::string_view path,
                            kube::PatchType /*type*/,
                            std::string body,
                            const kube::CallOptions& /*options*/) override {
    const MutexLock lock(mutex_);
    const std::string object(path.substr(0, path.rfind("/status")));
    apply_conditions(body, &objects_[object]);
    patches_.push_back(std::move(body));
    changed_.notify_all();
    return find(object);
  }
  Result<std::string> remove(std::string_view /*path*/,
                             std::string /*body*/,
                             const kube::CallOptions& /*options*/) override {
    return unimplemented("the node controller removes nothing");
  }
  Result<std::unique_ptr<kube::WatchStream>> watch(std::string_view /*path*/,
                                                   const kube::Query& /*query*/,
                                                   const kube::CallOptions& /*options*/) override {
    return unimplemented("the node controller watches nothing");
  }

  // ---- what tests do and see
  void erase(const std::string& path) {
    const MutexLock lock(mutex_);
    objects_.erase(path);
  }
  [[nodiscard]] int creates(const std::string& path) {
    const MutexLock lock(mutex_);
    return creates_[path];
  }
  // The object once `holds` is true of its text; empty when that does not come.
  std::string wait_for(const std::string& path,
                       const std::function<bool(const std::string&)>& holds) {
    return wait([&]() VKHOST_NO_THREAD_SAFETY_ANALYSIS {
      const auto found = objects_.find(path);
      return found != objects_.end() && holds(found->second) ? found->second : std::string();
    });
  }
  // The first patch that contains the text.
  std::string wait_for_patch(const std::string& text) {
    return wait([&]() VKHOST_NO_THREAD_SAFETY_ANALYSIS {
      for (const std::string& patch : patches_) {
        if (patch.find(text) != std::string::npos) {
          return patch;
        }
      }
      return std::string();
    });
  }

 private:
  // Of a patch only the conditions matter here; ours always holds all of them.
  static void apply_conditions(const std::string& patch, std::string* object) {
    Poco::JSON::Parser patches;
    Poco::JSON::Parser objects;
    const auto status =
        patches.parse(patch).extract<Poco::JSON::Object::Ptr>()->getObject("status");
    if (status->has("conditions")) {
      auto whole = objects.parse(*object).extract<Poco::JSON::Object::Ptr>();
      whole->getObject("status")->set("conditions", status->get("conditions"));
      std::ostringstream out;
      whole->stringify(out);
      *object = out.str();
    }
  }
  Result<std::string> find(const std::string& path) VKHOST_REQUIRES(mutex_) {
    const auto found = objects_.find(path);
    return found == objects_.end() ? Result<std::string>(not_found("no such object"))
                                   : Result<std::string>(found->second);
  }
  std::string wait(const std::function<std::string()>& look) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    const MutexLock lock(mutex_);
    std::string found = look();
    while (found.empty() && changed_.wait_until(mutex_, deadline)) {
      found = look();
    }
    return found.empty() ? look() : found;
  }

  Mutex mutex_;
  CondVar changed_;
  int uids_ VKHOST_GUARDED_BY(mutex_) = 0;
  std::map<std::string, std::string> objects_ VKHOST_GUARDED_BY(mutex_);
  std::map<std::string, int> creates_ VKHOST_GUARDED_BY(mutex_);
  std::vector<std::string> patches_ VKHOST_GUARDED_BY(mutex_);
};

// A provider of which only node and ping are ever asked.
class NodeProvider final : public plugin::Provider {
 public:
  void answer_ping(Status status) {
    const MutexLock lock(mutex_);
    ping_ = std::move(status);
  }
  plugin::Capabilities shape;
  std::string node_json = R"({"status":{"capacity":{"cpu":"4"}}})";

  [[nodiscard]] const plugin::Capabilities& capabilities() const override { return shape; }
  Result<std::string> node(std::string_view, const plugin::CallOptions&) override {
    return node_json;
  }
  Status ping(const plugin::CallOptions&) override {
    const MutexLock lock(mutex_);
    return ping_;
  }
  Result<std::vector<plugin::RecoverVerdict>> recover_pods(const std::vector<plugin::RecoverPod>&,
                                                           bool,
                                                           const plugin::CallOptions&) override {
    return unimplemented("not asked here");
  }
  Status start(const plugin::StartNode&, const plugin::CallOptions&) override {
    return unimplemented("not asked here");
  }
  plugin::CreateOutcome create_pod(const plugin::CreatePod&, const plugin::CallOptions&) override {
    return {unimplemented("not asked here"), {}};
  }
  Result<std::vector<plugin::UpdateAnswer>> update_pod(const plugin::UpdatePod&,
                                                       const plugin::CallOptions&) override {
    return unimplemented("not asked here");
  }
  Status delete_pod(const plugin::DeletePod&, const plugin::CallOptions&) override {
    return unimplemented("not asked here");
  }
  Result<plugin::PodList> list_pods(const std::vector<std::string>&,
                                    const plugin::CallOptions&) override {
    return unimplemented("not asked here");
  }
  Status stop(const plugin::CallOptions&) override { return Status::ok(); }

 private:
  Mutex mutex_;
  Status ping_ VKHOST_GUARDED_BY(mutex_);
};

constexpr const char* kNode = "/api/v1/nodes/virtual";
constexpr const char* kLease =
    "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/virtual";

class NodeControllerTest : public ::testing::Test {
 protected:
  NodeControllerTest() {
    settings_.name = "virtual";
    settings_.provider = "mock";
    // Real time drives the loop; these are the shortest waits that the tests depend on.
    settings_.ping_interval = std::chrono::milliseconds{20};
    settings_.lease_duration = std::chrono::milliseconds{200};
  }

  void prepare(kube::Client* api) {
    controller_ =
        std::make_unique<NodeController>(settings_, Parts{&provider_,
                                                          api,
                                                          {},
                                                          std::make_shared<SystemClock>(),
                                                          std::make_shared<SeededRandom>(1),
                                                          {}});
    ASSERT_TRUE(controller_->prepare({}).is_ok());
  }
  void start() {
    prepare(&api_);
    controller_->pods_ready();
    controller_->start();
  }
  static bool is_ready(const std::string& node) {
    return node.find("KubeletReady") != std::string::npos;
  }

  Settings settings_;
  NodeProvider provider_;
  FakeNodeApi api_;
  std::unique_ptr<NodeController> controller_;
};

TEST_F(NodeControllerTest, RegistersAReadyNodeAndItsLease) {
  start();

  EXPECT_THAT(api_.wait_for(kNode, is_ready), HasSubstr(R"("cpu":"4")"));
  EXPECT_THAT(api_.wait_for(kLease, [](const std::string&) { return true; }),
              HasSubstr(R"("holderIdentity":"virtual")"));
}

TEST_F(NodeControllerTest, IsNotReadyBeforeItsPodsWereRecovered) {
  prepare(&api_);
  controller_->start();

  const std::string node = api_.wait_for(kNode, [](const std::string&) { return true; });

  EXPECT_THAT(node, HasSubstr("PodsNotRecovered"));
}

TEST_F(NodeControllerTest, MakesADeletedNodeAgainAndItsLeaseFollows) {
  start();
  ASSERT_NE(api_.wait_for(kLease, [](const std::string&) { return true; }), "");
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  api_.erase(kNode);
  api_.erase(kLease);
  controller_->node_deleted();

  EXPECT_NE(api_.wait_for(kNode, is_ready), "");
  EXPECT_EQ(api_.creates(kNode), 2);
  const std::string uid = controller_->view().uid;
  EXPECT_NE(
      api_.wait_for(kLease,
                    [&](const std::string& lease) { return lease.find(uid) != std::string::npos; }),
      "");
}

TEST_F(NodeControllerTest, MakesANodeAgainWhoseDeletionNobodyReported) {
  settings_.status_interval = std::chrono::milliseconds{50};
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  api_.erase(kNode);

  EXPECT_NE(api_.wait_for(kNode, is_ready), "");
  EXPECT_EQ(api_.creates(kNode), 2);
}

TEST_F(NodeControllerTest, SaysWhyTheProviderIsNotReachableAndComesBack) {
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  provider_.answer_ping(unavailable("no route to the back end").with_reason("NoRoute"));
  const std::string broken = api_.wait_for_patch("NoRoute");
  provider_.answer_ping(Status::ok());

  EXPECT_THAT(broken, HasSubstr("no route to the back end"));
  EXPECT_NE(api_.wait_for_patch(R"("reason":"KubeletReady","status":"True")"), "");
}

TEST_F(NodeControllerTest, ShowsAFaultOfTheWholeProviderOnceOnTheNode) {
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  controller_->provider_fault(
      Status(StatusCode::Unauthenticated, "the key has expired").with_reason("KeyExpired"));

  EXPECT_THAT(api_.wait_for_patch("KeyExpired"), HasSubstr("the key has expired"));
}

TEST_F(NodeControllerTest, TakesItsNameFromAProviderThatNamesNodes) {
  provider_.shape.names_node = true;
  provider_.node_json = R"({"metadata":{"name":"ip-10-0-0-1"}})";

  prepare(nullptr);

  EXPECT_EQ(controller_->name(), "ip-10-0-0-1");
}

TEST_F(NodeControllerTest, KeepsTheConfiguredNameWhenTheProviderDoesNotNameNodes) {
  provider_.node_json = R"({"metadata":{"name":"ip-10-0-0-1"}})";

  prepare(nullptr);

  EXPECT_EQ(controller_->name(), "virtual");
}

TEST_F(NodeControllerTest, ShowsTheSameNodeWithoutAnApiServer) {
  prepare(nullptr);
  controller_->pods_ready();
  controller_->start();

  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!controller_->view().readiness.ready && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }

  EXPECT_TRUE(controller_->view().readiness.ready);
  EXPECT_EQ(controller_->view().uid, "");
}

}  // namespace
}  // namespace vkhost::node
