#include "node/controller.hpp"

#include "base/mutex.hpp"
#include "support/fake_node_api.hpp"
#include "support/recording_log_sink.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::node {
namespace {

using testing::FakeNodeApi;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A provider of which only node and ping are ever asked.
class NodeProvider final : public plugin::Provider {
 public:
  void answer_ping(Status status) {
    const MutexLock lock(mutex_);
    ping_ = std::move(status);
  }
  // The next so many pings only.
  void fail_pings(Status status, int times) {
    const MutexLock lock(mutex_);
    failing_ping_ = std::move(status);
    failing_pings_ = times;
  }
  void hang_pings() {  // until they are cancelled or their time is over
    const MutexLock lock(mutex_);
    hangs_ = true;
  }
  void answer_node(Result<std::string> answer) {
    const MutexLock lock(mutex_);
    node_ = std::move(answer);
  }
  [[nodiscard]] int pings() const {
    const MutexLock lock(mutex_);
    return pings_;
  }
  [[nodiscard]] int nodes() const {
    const MutexLock lock(mutex_);
    return nodes_;
  }
  plugin::Capabilities shape;

  [[nodiscard]] const plugin::Capabilities& capabilities() const override { return shape; }
  Result<std::string> node(std::string_view, const plugin::CallOptions&) override {
    const MutexLock lock(mutex_);
    ++nodes_;
    return node_;
  }
  Status ping(const plugin::CallOptions& options) override {
    bool hangs = false;
    {
      const MutexLock lock(mutex_);
      ++pings_;
      hangs = hangs_;
      if (failing_pings_ > 0) {
        --failing_pings_;
        return failing_ping_;
      }
      if (!hangs) {
        return ping_;
      }
    }
    static_cast<void>(options.cancel.wait_until(options.deadline.when()));
    return deadline_exceeded("no answer");
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
  mutable Mutex mutex_;
  Result<std::string> node_ VKHOST_GUARDED_BY(mutex_) =
      std::string(R"({"status":{"capacity":{"cpu":"4"}}})");
  Status ping_ VKHOST_GUARDED_BY(mutex_);
  Status failing_ping_ VKHOST_GUARDED_BY(mutex_);
  int failing_pings_ VKHOST_GUARDED_BY(mutex_) = 0;
  bool hangs_ VKHOST_GUARDED_BY(mutex_) = false;
  int pings_ VKHOST_GUARDED_BY(mutex_) = 0;
  int nodes_ VKHOST_GUARDED_BY(mutex_) = 0;
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
    settings_.refresh_backoff = {std::chrono::milliseconds{50}, std::chrono::minutes{1}};
  }

  void make(kube::Client* api) {
    controller_ = std::make_unique<NodeController>(
        settings_, Parts{&provider_, api, self_check_, std::make_shared<SystemClock>(),
                         std::make_shared<SeededRandom>(1), observe::Logger(log_)});
  }
  void prepare(kube::Client* api) {
    make(api);
    ASSERT_TRUE(controller_->prepare({}).is_ok());
  }
  void run() { controller_->start({&leases_, &writes_, &probes_, &timers_}); }
  void start() {
    prepare(&api_);
    controller_->pods_ready();
    run();
  }
  // A node of an earlier run of the daemon.
  void put_ready_node() {
    api_.put(
        kNode,
        R"({"metadata":{"name":"virtual","uid":"old"},"status":{"conditions":)"
        R"([{"type":"Ready","status":"True","reason":"KubeletReady","message":"as before"}]}})");
  }
  static bool is_there(const std::string& /*object*/) { return true; }
  static bool is_ready(const std::string& node) {
    return node.find("KubeletReady") != std::string::npos;
  }

  const SystemClock clock_;
  Timers timers_{clock_};
  Executor leases_{"leases", 1, clock_};
  Executor writes_{"writes", 1, clock_};
  Executor probes_{"probes", 2, clock_};
  Settings settings_;
  std::function<Status(const CancelToken&)> self_check_;
  NodeProvider provider_;
  FakeNodeApi api_;
  std::shared_ptr<testing::RecordingLogSink> log_ =
      std::make_shared<testing::RecordingLogSink>(observe::Level::Debug);
  std::unique_ptr<NodeController> controller_;
};

TEST_F(NodeControllerTest, RegistersAReadyNodeAndItsLease) {
  start();

  EXPECT_THAT(api_.wait_for(kNode, is_ready), HasSubstr(R"("cpu":"4")"));
  EXPECT_THAT(api_.wait_for(kLease, is_there), HasSubstr(R"("holderIdentity":"virtual")"));
}

TEST_F(NodeControllerTest, IsNotReadyBeforeItsPodsWereRecovered) {
  prepare(&api_);
  run();

  const std::string node = api_.wait_for(kNode, is_there);

  EXPECT_THAT(node, HasSubstr("PodsNotRecovered"));
}

// virtual-kubelet#886, #1143, #68: A node that somebody deleted stays away
TEST_F(NodeControllerTest, MakesADeletedNodeAgainAndItsLeaseFollows) {
  start();
  ASSERT_NE(api_.wait_for(kLease, is_there), "");
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

TEST_F(NodeControllerTest, KeepsTheUidOfItsClusterInEachNodeThatItMakes) {
  const auto is_kept = [](const std::string& node) {
    return node.find(R"("vkhost.io/cluster-uid":"cluster-1")") != std::string::npos;
  };
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");
  ASSERT_NE(api_.wait_for(kLease, is_there), "");

  controller_->use_cluster_uid("cluster-1");
  EXPECT_NE(api_.wait_for(kNode, is_kept), "");

  api_.erase(kNode);
  controller_->node_deleted();
  EXPECT_NE(api_.wait_for(kNode, is_kept), "");
  EXPECT_EQ(api_.creates(kNode), 2);
}

TEST_F(NodeControllerTest, RenewsItsLeaseWhileTheApiServerHangsOverItsNode) {
  settings_.status_interval = std::chrono::milliseconds{20};
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  api_.hang(kNode);
  const int hung = api_.attempts(kNode) + 1;
  ASSERT_TRUE(api_.wait_until([&] { return api_.attempts(kNode) >= hung; }));
  const int renewed = api_.updates(kLease);

  EXPECT_TRUE(api_.wait_until([&] { return api_.updates(kLease) >= renewed + 3; }));
  EXPECT_EQ(api_.attempts(kNode), hung);
}

TEST_F(NodeControllerTest, MakesANodeAgainWhoseDeletionNobodyReported) {
  settings_.status_interval = std::chrono::milliseconds{50};
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  api_.erase(kNode);

  EXPECT_NE(api_.wait_for(kNode, is_ready), "");
  EXPECT_EQ(api_.creates(kNode), 2);
}

// kubernetes#103086: A node whose provider is away is Ready until its lease runs out
TEST_F(NodeControllerTest, SaysWhyTheProviderIsNotReachableAndComesBack) {
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  provider_.answer_ping(unavailable("no route to the back end").with_reason("NoRoute"));
  const std::string broken = api_.wait_for_patch("NoRoute");
  // The lease goes on: nobody evicts pods that run.
  const int renewed = api_.updates(kLease);
  EXPECT_TRUE(api_.wait_until([&] { return api_.updates(kLease) >= renewed + 2; }));
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
  provider_.answer_node(std::string(R"({"metadata":{"name":"ip-10-0-0-1"}})"));

  prepare(nullptr);

  EXPECT_EQ(controller_->name(), "ip-10-0-0-1");
}

TEST_F(NodeControllerTest, KeepsTheConfiguredNameWhenTheProviderDoesNotNameNodes) {
  provider_.answer_node(std::string(R"({"metadata":{"name":"ip-10-0-0-1"}})"));

  prepare(nullptr);

  EXPECT_EQ(controller_->name(), "virtual");
}

TEST_F(NodeControllerTest, ShowsTheSameNodeWithoutAnApiServer) {
  prepare(nullptr);
  controller_->pods_ready();
  run();

  EXPECT_TRUE(api_.wait_until([&] { return controller_->view().readiness.ready; }));
  EXPECT_EQ(controller_->view().uid, "");
}

TEST_F(NodeControllerTest, KnowsWhatIsAllocatableFromTheProviderAndTheConfiguration) {
  provider_.answer_node(std::string(
      R"({"status":{"capacity":{"cpu":"20","memory":"9Gi"},"allocatable":{"cpu":"18"}}})"));
  settings_.allocatable = {{"memory", "8Gi"}};

  prepare(nullptr);

  EXPECT_EQ(controller_->allocatable("cpu"), "18");
  EXPECT_EQ(controller_->allocatable("memory"), "8Gi");
  EXPECT_EQ(controller_->allocatable("example.com/gpu"), std::nullopt);
}

// virtual-kubelet#678, k3k#117, liqo#334: The capacity of a node is fixed at its start
TEST_F(NodeControllerTest, TakesUpWhatItsCapacityFileSays) {
  const testing::TestFolder folder;
  const std::string file = (folder.path() / "capacity.json").string();
  std::ofstream(file) << R"({"capacity":{"cpu":"8","pods":"50"},"allocatable":{"cpu":"16"}})";
  settings_.capacity_file = file;
  settings_.capacity = {{"pods", "10"}};
  start();

  const std::string node = api_.wait_for(kNode, is_ready);
  EXPECT_THAT(node, HasSubstr(R"("capacity":{"cpu":"8","pods":"10"})"));
  EXPECT_THAT(node, HasSubstr(R"("allocatable":{"cpu":"16","pods":"10"})"));

  std::ofstream(file) << R"({"capacity":{"cpu":"9"}})";
  EXPECT_NE(api_.wait_for_patch(R"("capacity":{"cpu":"9"})"), "");
}

// ---- A slow or failing provider

TEST_F(NodeControllerTest, RenewsTheLeaseWhileThePingHangs) {
  start();
  ASSERT_NE(api_.wait_for(kLease, is_there), "");

  provider_.hang_pings();
  const int pings = provider_.pings();
  ASSERT_TRUE(api_.wait_until([&] { return provider_.pings() > pings; }));
  const int renewed = api_.updates(kLease);

  EXPECT_TRUE(api_.wait_until([&] { return api_.updates(kLease) >= renewed + 3; }));
  EXPECT_LE(provider_.pings(), pings + 2);
}

TEST_F(NodeControllerTest, BecomesNotReadyWhenItsPingsHang) {
  settings_.ping_timeout = std::chrono::milliseconds{20};
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  provider_.hang_pings();

  EXPECT_THAT(api_.wait_for_patch(R"("status":"False","type":"Ready")"), HasSubstr("no answer"));
}

TEST_F(NodeControllerTest, AsksAProviderThatFailsItsNodeCallAtGrowingDistances) {
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");
  provider_.answer_node(unavailable("the back end is away"));
  const int asked = provider_.nodes();
  const auto began = std::chrono::steady_clock::now();

  controller_->provider_changed();

  ASSERT_TRUE(api_.wait_until([&] { return provider_.nodes() >= asked + 4; }));
  // Between four calls lie 50, 100 and 200 ms, each shortened by up to half.
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{175});
  provider_.answer_node(std::string(R"({"status":{"capacity":{"cpu":"6"}}})"));
  EXPECT_NE(api_.wait_for_patch(R"("cpu":"6")"), "");
}

TEST_F(NodeControllerTest, AsksForANodeThatChangedBeforeTheStartOnceThatIsOver) {
  prepare(&api_);
  run();
  provider_.answer_node(std::string(R"({"status":{"capacity":{"cpu":"6"}}})"));

  controller_->provider_changed();
  controller_->pods_ready();

  EXPECT_NE(api_.wait_for(kNode,
                          [](const std::string& node) {
                            return node.find(R"("cpu":"6")") != std::string::npos;
                          }),
            "");
}

TEST_F(NodeControllerTest, CountsAThrottledPingAsReachable) {
  provider_.answer_ping(Status(StatusCode::ResourceExhausted, "too many requests"));

  start();

  EXPECT_NE(api_.wait_for(kNode, is_ready), "");
}

TEST_F(NodeControllerTest, StaysReadyWhenOnePingIsMissed) {
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  provider_.fail_pings(unavailable("a moment"), 1);
  const int pings = provider_.pings();
  ASSERT_TRUE(api_.wait_until([&] { return provider_.pings() > pings + 2; }));

  EXPECT_TRUE(controller_->view().readiness.ready);
  for (const std::string& patch : api_.patches()) {
    EXPECT_THAT(patch, Not(HasSubstr("a moment")));
  }
}

TEST_F(NodeControllerTest, BecomesNotReadyAfterTwoMissedPings) {
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  provider_.fail_pings(deadline_exceeded("no answer").with_reason("Slow"), 2);

  EXPECT_NE(api_.wait_for_patch("Slow"), "");
  EXPECT_NE(api_.wait_for_patch(R"("reason":"KubeletReady","status":"True")"), "");
}

TEST_F(NodeControllerTest, IsNotReadyAtOnceWhenAPingFailsForAnyOtherReason) {
  settings_.ping_failures = 10;
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");

  provider_.fail_pings(Status(StatusCode::Unauthenticated, "who are you").with_reason("BadKey"), 1);

  EXPECT_NE(api_.wait_for_patch("BadKey"), "");
}

TEST_F(NodeControllerTest, IsRegisteredThoughItsFirstPingsFailAndBecomesReady) {
  provider_.answer_ping(Status(StatusCode::Unauthenticated, "who are you").with_reason("BadKey"));
  start();
  ASSERT_NE(
      api_.wait_for(
          kNode, [](const std::string& node) { return node.find("BadKey") != std::string::npos; }),
      "");

  provider_.answer_ping(Status::ok());

  EXPECT_NE(api_.wait_for(kNode, is_ready), "");
}

// ---- Before the provider has started

TEST_F(NodeControllerTest, IsNotReadyWhileTheProviderHasNotStarted) {
  put_ready_node();
  make(&api_);
  run();

  controller_->start_failed(unavailable("the back end is away"));

  EXPECT_THAT(api_.wait_for_patch("ProviderNotStarted"), HasSubstr("the back end is away"));
  EXPECT_TRUE(api_.wait_until([&] { return api_.updates(kLease) >= 2; }));
  EXPECT_EQ(provider_.pings(), 0);  // the network is not its to use yet
  EXPECT_EQ(api_.creates(kNode), 0);
}

TEST_F(NodeControllerTest, RegistersNothingBeforeTheProviderHasToldItsNode) {
  make(&api_);
  run();
  controller_->start_failed(unavailable("the back end is away"));
  ASSERT_TRUE(api_.wait_until([&] { return api_.attempts() > 0; }));
  EXPECT_EQ(api_.creates(kNode), 0);

  ASSERT_TRUE(controller_->prepare({}).is_ok());

  EXPECT_THAT(api_.wait_for(kNode, is_there), HasSubstr(R"("cpu":"4")"));
}

TEST_F(NodeControllerTest, StaysReadyWhileItsDaemonRestartsWithoutTrouble) {
  put_ready_node();
  prepare(&api_);
  run();
  ASSERT_TRUE(api_.wait_until([&] { return api_.attempts() >= 1; }));  // past the first write
  EXPECT_THAT(api_.patches(), IsEmpty());
  EXPECT_EQ(api_.updates(kLease), 0) << "a lease says that the Ready of an earlier daemon holds";

  controller_->pods_ready();

  EXPECT_NE(api_.wait_for_patch(R"("status":"True","type":"Ready")"), "");
  for (const std::string& patch : api_.patches()) {
    EXPECT_THAT(patch, Not(HasSubstr(R"("status":"False","type":"Ready")")));
  }
}

TEST_F(NodeControllerTest, SaysThatItsProviderRefusedItAndKeepsItsLease) {
  put_ready_node();
  make(&api_);
  run();

  controller_->start_refused(Status(StatusCode::PermissionDenied, "this account may not"));

  EXPECT_THAT(api_.wait_for_patch("ProviderRefused"), HasSubstr("this account may not"));
  EXPECT_TRUE(api_.wait_until([&] { return api_.updates(kLease) >= 2; }));
}

TEST_F(NodeControllerTest, IsNotReadyForAMomentWhereNobodyReachesItsDaemon) {
  put_ready_node();
  self_check_ = [](const CancelToken&) { return unavailable("nobody there"); };

  start();

  EXPECT_THAT(api_.wait_for_patch("KubeletUnreachable"), HasSubstr("nobody there"));
  for (const std::string& patch : api_.patches()) {
    EXPECT_THAT(patch, Not(HasSubstr(R"("status":"True","type":"Ready")")));
  }
}

// ---- What others write

TEST_F(NodeControllerTest, PutsBackATaintThatSomebodyRemoved) {
  settings_.taints = {{{"mine", "1", "NoSchedule"}}};
  start();
  ASSERT_NE(api_.wait_for(kLease, is_there), "");
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");
  std::string object = api_.object(kNode);
  const std::string taint = R"({"effect":"NoSchedule","key":"mine","value":"1"})";
  ASSERT_NE(object.find(taint), std::string::npos);
  object.replace(object.find(taint), taint.size(), R"({"effect":"NoExecute","key":"theirs"})");
  api_.put(kNode, object);

  controller_->object_changed(api_.object(kNode));

  const std::string back = api_.wait_for(kNode, [&](const std::string& now) {
    return now.find(R"("key":"mine")") != std::string::npos;
  });
  EXPECT_THAT(back, HasSubstr(R"("key":"theirs")"));
}

TEST_F(NodeControllerTest, IsQuietAboutItsOwnWrites) {
  api_.on_patch([this](const std::string& path) {
    if (path == kNode) {
      controller_->object_changed(api_.object(kNode));
    }
  });
  start();
  ASSERT_NE(api_.wait_for(kLease, is_there), "");
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");
  controller_->object_changed(api_.object(kNode));
  provider_.answer_node(std::string(R"({"status":{"capacity":{"cpu":"6"}}})"));
  controller_->provider_changed();
  ASSERT_NE(api_.wait_for_patch(R"("cpu":"6")"), "");
  // A write that its own event caused would come at once, the next ones within 300 ms.
  const int renewed = api_.updates(kLease);
  ASSERT_TRUE(api_.wait_until([&] { return api_.updates(kLease) >= renewed + 8; }));

  EXPECT_EQ(api_.patches().size(), 1U);
}

TEST_F(NodeControllerTest, RepairsAtGrowingDistancesWhatSomebodyInsistsOn) {
  settings_.labels = {{"contested", "ours"}};
  start();
  ASSERT_NE(api_.wait_for(kLease, is_there), "");
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");
  const std::string theirs = [&] {
    std::string object = api_.object(kNode);
    const std::string label = R"("contested":"ours")";
    return object.replace(object.find(label), label.size(), R"("contested":"yours")");
  }();
  const auto began = std::chrono::steady_clock::now();

  const std::size_t patches = api_.patches().size();
  for (std::size_t repairs = 1; repairs <= 4; ++repairs) {
    api_.put(kNode, theirs);
    controller_->object_changed(theirs);  // once: no event comes twice
    ASSERT_TRUE(api_.wait_until([&] { return api_.patches().size() >= patches + repairs; }));
  }

  // At once, then 100, 200 and 400 ms later, each shortened by up to half.
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{300});
}

// ---- An API server that is away

TEST_F(NodeControllerTest, IsRegisteredOnceTheApiServerIsThere) {
  api_.go_away();
  start();
  ASSERT_TRUE(api_.wait_until([&] { return api_.attempts() >= 3; }));

  api_.come_back();

  EXPECT_NE(api_.wait_for(kNode, is_ready), "");
  EXPECT_EQ(api_.creates(kNode), 1);
}

TEST_F(NodeControllerTest, WritesTheStatusAtOnceWhenTheApiServerIsBack) {
  start();
  ASSERT_NE(api_.wait_for(kLease, is_there), "");
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");
  const std::size_t patches = api_.patches().size();

  api_.go_away();
  const int attempts = api_.attempts();
  ASSERT_TRUE(api_.wait_until([&] { return api_.attempts() > attempts; }));
  put_ready_node();  // as the control plane may have written it meanwhile
  api_.come_back();

  // The next heartbeat of the status would be a minute away.
  EXPECT_TRUE(api_.wait_until([&] { return api_.patches().size() > patches; }));
}

TEST_F(NodeControllerTest, SaysOnceThatTheLeaseCannotBeRenewedAndGoesOnTrying) {
  start();
  ASSERT_NE(api_.wait_for(kLease, is_there), "");
  const auto said = [&](std::string_view level) {
    const std::vector<std::string> lines = log_->lines();
    return std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.starts_with(std::string(level) + ": the node's lease could not be renewed");
    });
  };

  api_.go_away();
  ASSERT_TRUE(api_.wait_until([&] { return said("debug") >= 4; }));
  api_.come_back();

  EXPECT_EQ(said("warn"), 1);
  const int renewed = api_.updates(kLease);
  EXPECT_TRUE(api_.wait_until([&] { return api_.updates(kLease) >= renewed + 2; }));
}

TEST_F(NodeControllerTest, IsNotReadyWhenItsDaemonLeaves) {
  start();
  ASSERT_FALSE(api_.wait_for(kNode, is_ready).empty());

  controller_->shut_down();

  EXPECT_TRUE(controller_->wait_until_written(Deadline::after(clock_, std::chrono::seconds{20})));
  EXPECT_THAT(api_.object(kNode), HasSubstr("NodeShutdown"));
}

TEST_F(NodeControllerTest, SaysThatTheApiServerDoesNotKnowInTime) {
  start();
  ASSERT_FALSE(api_.wait_for(kNode, is_ready).empty());
  api_.go_away();

  controller_->shut_down();

  EXPECT_FALSE(
      controller_->wait_until_written(Deadline::after(clock_, std::chrono::milliseconds{20})));
}

TEST_F(NodeControllerTest, StopsAtOnceWhileTheApiServerIsAway) {
  start();
  ASSERT_NE(api_.wait_for(kNode, is_ready), "");
  api_.hang();
  const int attempts = api_.attempts();
  ASSERT_TRUE(api_.wait_until([&] { return api_.attempts() > attempts; }));

  const auto began = std::chrono::steady_clock::now();
  controller_->stop();

  // Without other load it takes less than a millisecond.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{2});
}

}  // namespace
}  // namespace vkhost::node
