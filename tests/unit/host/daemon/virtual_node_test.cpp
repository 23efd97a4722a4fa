#include "daemon/virtual_node.hpp"

#include "plugin/library.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_material.hpp"
#include "support/fake_node_api.hpp"
#include "support/fake_pod_api.hpp"
#include "support/fake_provider.hpp"
#include "support/plugin_files.hpp"
#include "support/recording_event_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace vkhost::daemon {
namespace {

using testing::FakeProvider;

kube::PodPtr pod(const std::string& name, const std::string& more_metadata = {}) {
  return *kube::parse_pod(R"({"metadata":{"name":")" + name +
                          R"(","namespace":"default","uid":"u-)" + name + "\"" + more_metadata +
                          R"(},"spec":{"nodeName":"virtual","containers":[{"name":"main"}]}})");
}

// Lists what the test gave it, as soon as it is started.
class ListedPods final : public PodSource {
 public:
  explicit ListedPods(std::vector<kube::PodPtr> pods) : pods_(std::move(pods)) {}
  Status start(const std::string& /*node_name*/, kube::PodListener* listener) override {
    listener->pods_listed(pods_);
    return Status::ok();
  }
  void stop() override {}

 private:
  const std::vector<kube::PodPtr> pods_;
};

// Lists nothing before the test says so.
class LatePods final : public PodSource {
 public:
  Status start(const std::string& /*node_name*/, kube::PodListener* listener) override {
    listener_ = listener;
    return Status::ok();
  }
  void stop() override {}
  [[nodiscard]] bool is_started() const { return listener_ != nullptr; }
  void list(std::vector<kube::PodPtr> pods = {}) { listener_.load()->pods_listed(std::move(pods)); }

 private:
  std::atomic<kube::PodListener*> listener_ = nullptr;
};

// Hands a provider of the test to a node that wants to own it.
class BorrowedProvider final : public plugin::Provider {
 public:
  explicit BorrowedProvider(FakeProvider& provider) : provider_(provider) {}
  ~BorrowedProvider() override {
    if (calls_to_the_last != nullptr) {
      plugin::PodChange change;
      change.uid = "u-web";
      *last_answer = calls_to_the_last->pod_changed(change);
      static_cast<void>(calls_to_the_last->node_changed());
    }
  }
  BorrowedProvider(const BorrowedProvider&) = delete;
  BorrowedProvider& operator=(const BorrowedProvider&) = delete;
  [[nodiscard]] const plugin::Capabilities& capabilities() const override {
    return provider_.capabilities();
  }
  Result<std::string> node(std::string_view name, const plugin::CallOptions& options) override {
    if (!refuses_node.is_ok()) {
      return refuses_node;
    }
    return provider_.node(name, options);
  }
  Status ping(const plugin::CallOptions& options) override { return provider_.ping(options); }
  Result<std::vector<plugin::RecoverVerdict>> recover_pods(
      const std::vector<plugin::RecoverPod>& pods,
      bool last,
      const plugin::CallOptions& options) override {
    return provider_.recover_pods(pods, last, options);
  }
  Status start(const plugin::StartNode& node, const plugin::CallOptions& options) override {
    started_as = node;
    ++starts;
    if (!fails_start.is_ok() && !is_configured) {
      return fails_start;
    }
    return provider_.start(node, options);
  }
  plugin::CreateOutcome create_pod(const plugin::CreatePod& request,
                                   const plugin::CallOptions& options) override {
    return provider_.create_pod(request, options);
  }
  Result<std::vector<plugin::UpdateAnswer>> update_pod(
      const plugin::UpdatePod& request, const plugin::CallOptions& options) override {
    return provider_.update_pod(request, options);
  }
  Status delete_pod(const plugin::DeletePod& request, const plugin::CallOptions& options) override {
    return provider_.delete_pod(request, options);
  }
  Result<plugin::PodList> list_pods(const std::vector<std::string>& uids,
                                    const plugin::CallOptions& options) override {
    return provider_.list_pods(uids, options);
  }
  Status reconfigure(std::string_view config_json,
                     const plugin::CallOptions& /*options*/) override {
    configured_as = config_json;
    is_configured = reconfigures.is_ok();
    return reconfigures;
  }
  Status stop(const plugin::CallOptions& options) override { return provider_.stop(options); }

  std::string configured_as;
  Status reconfigures;
  std::atomic<bool> is_configured = false;  // what fails_start says is over
  plugin::StartNode started_as;
  std::atomic<int> starts = 0;
  // Set before start().
  Status refuses_node;
  Status fails_start;
  // As the thread of a plugin may that nobody told to stop.
  plugin::ProviderListener* calls_to_the_last = nullptr;
  Status* last_answer = nullptr;

 private:
  FakeProvider& provider_;
};

class VirtualNodeTest : public ::testing::Test {
 protected:
  ~VirtualNodeTest() override {
    if (node_) {
      node_->stop();
    }
  }

  void start(std::vector<kube::PodPtr> pods) {
    node_ = make("virtual", provider_, std::move(pods));
    ASSERT_NE(node_, nullptr);
    api_.listen(nullptr);
    node_->start();
  }
  std::unique_ptr<VirtualNode> make(const std::string& name,
                                    FakeProvider& provider,
                                    std::vector<kube::PodPtr> pods) {
    VirtualNodeSettings settings;
    settings.node.name = name;
    settings.ignore_daemonset_pods = ignores_daemon_sets_;
    VirtualNodeParts parts;
    parts.make_provider =
        make_provider_
            ? make_provider_
            : [this, &provider](
                  plugin::ProviderListener& listener) -> Result<std::unique_ptr<plugin::Provider>> {
      provider.listen(&listener);
      auto borrowed = std::make_unique<BorrowedProvider>(provider);
      borrowed->refuses_node = refuses_node_;
      borrowed->fails_start = fails_start_;
      if (calls_to_the_last_) {
        borrowed->calls_to_the_last = &listener;
        borrowed->last_answer = &last_answer_;
      }
      borrowed_ = borrowed.get();
      return std::unique_ptr<plugin::Provider>(std::move(borrowed));
    };
    parts.source = late_pods_ ? std::unique_ptr<PodSource>(std::move(late_pods_))
                              : std::make_unique<ListedPods>(std::move(pods));
    parts.cluster_uid = [](const CancelToken&) { return Result<std::string>("cluster-1"); };
    parts.node_identity = [this](const CancelToken&) {
      const auto question = static_cast<std::size_t>(identity_questions_++);
      return question < identity_failures_.size()
                 ? Result<std::string>(identity_failures_[question])
                 : Result<std::string>(identity_);
    };
    parts.make_material = [](const plugin::Capabilities&, const Allocatable&) {
      return std::make_unique<testing::FakeMaterial>();
    };
    parts.pod_api = &api_;
    parts.events = &events_;
    parts.clock = clock_;
    parts.starts = &calls_;
    if (in_cluster_) {
      parts.api = &cluster_;
      parts.watches = &watches_;
    }
    parts.threads = {&calls_, &writes_, &timers_};
    parts.node_threads = {&writes_, &writes_, &calls_, &timers_};
    parts.random = std::make_shared<SeededRandom>(1);
    auto made = VirtualNode::create(std::move(settings), std::move(parts));
    EXPECT_TRUE(made.is_ok()) << made.status().to_string();
    return made.is_ok() ? std::move(*made) : nullptr;
  }
  template <typename Condition>
  static bool eventually(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }

  std::shared_ptr<SystemClock> clock_ = std::make_shared<SystemClock>();
  Timers timers_{*clock_};
  Executor calls_{"calls", 4, *clock_};
  Executor writes_{"writes", 2, *clock_};
  FakeProvider provider_;
  BorrowedProvider* borrowed_ = nullptr;
  Status refuses_node_;
  Status fails_start_;
  // In place of those that a test lists.
  std::unique_ptr<LatePods> late_pods_;
  // In place of provider_.
  decltype(VirtualNodeParts::make_provider) make_provider_;
  bool calls_to_the_last_ = false;
  Status last_answer_;
  std::string identity_;
  std::vector<Status> identity_failures_;  // come first
  std::atomic<int> identity_questions_ = 0;
  bool ignores_daemon_sets_ = true;
  bool in_cluster_ = false;
  testing::FakeNodeApi cluster_;
  kube::WatchLoop watches_{clock_};
  testing::FakePodApi api_{*clock_};
  testing::RecordingEventSink events_;
  std::unique_ptr<VirtualNode> node_;
};

TEST_F(VirtualNodeTest, RecoversStartsAndCreatesInThatOrder) {
  start({pod("web")});

  ASSERT_TRUE(eventually([&] { return provider_.has("u-web"); }));
  EXPECT_TRUE(eventually([&] { return node_->is_up(); }));
  EXPECT_EQ(provider_.calls(FakeProvider::Kind::Recover, "u-web").size(), 1U);
  EXPECT_EQ(borrowed_->started_as.node_name, "virtual");
  EXPECT_EQ(borrowed_->started_as.owner_key.rfind("vkhost-", 0), 0U);
  EXPECT_TRUE(provider_.violations().empty());
}

// virtual-kubelet#145, #251, #565, #981: One process is one node
TEST_F(VirtualNodeTest, SharesTheProcessWithOthersThatHaveOtherPods) {
  FakeProvider other_provider;
  const auto other = make("other", other_provider, {pod("db")});
  ASSERT_NE(other, nullptr);
  other->start();
  start({pod("web"), pod("shop")});

  EXPECT_TRUE(eventually([&] { return provider_.has("u-web") && provider_.has("u-shop"); }));
  EXPECT_TRUE(eventually([&] { return other_provider.has("u-db"); }));
  EXPECT_TRUE(eventually([&] { return node_->is_up() && other->is_up(); }));
  other->stop();
  EXPECT_EQ(other_provider.uids(), std::vector<std::string>({"u-db"}));
  EXPECT_EQ(provider_.count(FakeProvider::Kind::Create), 2U);
  EXPECT_EQ(other->pods().size(), 1U);
  EXPECT_EQ(node_->pods().size(), 2U);
}

TEST_F(VirtualNodeTest, ComesUpWhileAnotherRepeatsItsStart) {
  provider_.fail_recover(unavailable("the back end is away"), 1000);
  FakeProvider other_provider;
  const auto other = make("other", other_provider, {pod("db")});
  ASSERT_NE(other, nullptr);
  start({pod("web")});
  ASSERT_TRUE(eventually([&] { return provider_.count(FakeProvider::Kind::Recover) > 0; }));

  other->start();

  EXPECT_TRUE(eventually([&] { return other->is_up(); }));
  other->stop();
  EXPECT_FALSE(node_->is_up());
}

TEST_F(VirtualNodeTest, ComesUpWhenRecoveryWorksLater) {
  provider_.fail_recover(unavailable("the back end is away"), 2);

  start({pod("web")});

  EXPECT_TRUE(eventually([&] { return node_->is_up(); }));
  EXPECT_GE(provider_.count(FakeProvider::Kind::Recover), 3U);
}

// virtual-kubelet#20, #98, #50: Pods of every DaemonSet come to the virtual node
TEST_F(VirtualNodeTest, LeavesPodsOfDaemonSetsAndMirrorPodsAlone) {
  start({pod("web"),
         pod("agent", R"(,"ownerReferences":[{"kind":"DaemonSet","name":"d","uid":"d-1",)"
                      R"("controller":true,"apiVersion":"apps/v1"}])"),
         pod("mirror", R"(,"annotations":{"kubernetes.io/config.mirror":"x"})")});

  ASSERT_TRUE(eventually([&] { return provider_.has("u-web"); }));
  EXPECT_EQ(node_->pods().size(), 1U);
  EXPECT_FALSE(provider_.has("u-agent"));
  EXPECT_FALSE(provider_.has("u-mirror"));
}

TEST_F(VirtualNodeTest, RunsPodsOfDaemonSetsWhereThatIsTheSetting) {
  ignores_daemon_sets_ = false;
  start({pod("agent", R"(,"ownerReferences":[{"kind":"DaemonSet","name":"d","uid":"d-1",)"
                      R"("controller":true,"apiVersion":"apps/v1"}])")});

  EXPECT_TRUE(eventually([&] { return provider_.has("u-agent"); }));
}

TEST_F(VirtualNodeTest, RunsPodsOfDaemonSetsThatItIgnoredOnceThatIsTheSetting) {
  const auto agent = pod("agent", R"(,"ownerReferences":[{"kind":"DaemonSet","name":"d",)"
                                  R"("uid":"d-1","controller":true,"apiVersion":"apps/v1"}])");
  start({pod("web"), agent});
  ASSERT_TRUE(eventually([&] { return provider_.has("u-web"); }));

  node_->change_settings({}, false);

  EXPECT_TRUE(eventually([&] { return provider_.has("u-agent"); }));
}

TEST_F(VirtualNodeTest, KeepsPodsOfDaemonSetsThatItHasWhenOthersAreIgnored) {
  ignores_daemon_sets_ = false;
  const auto agent = pod("agent", R"(,"ownerReferences":[{"kind":"DaemonSet","name":"d",)"
                                  R"("uid":"d-1","controller":true,"apiVersion":"apps/v1"}])");
  const auto late = pod("late", R"(,"ownerReferences":[{"kind":"DaemonSet","name":"d",)"
                                R"("uid":"d-1","controller":true,"apiVersion":"apps/v1"}])");
  late_pods_ = std::make_unique<LatePods>();
  LatePods& source = *late_pods_;
  start({});
  ASSERT_TRUE(eventually([&] { return source.is_started(); }));
  source.list({agent});
  ASSERT_TRUE(eventually([&] { return provider_.has("u-agent"); }));

  node_->change_settings({}, true);
  source.list({agent, late, pod("web")});

  ASSERT_TRUE(eventually([&] { return provider_.has("u-web"); }));
  EXPECT_EQ(node_->pods().size(), 2U);
  EXPECT_TRUE(provider_.has("u-agent"));
  EXPECT_FALSE(provider_.has("u-late"));
}

TEST_F(VirtualNodeTest, HandsChangedSettingsToItsProvider) {
  start({});

  EXPECT_TRUE(node_->reconfigure(Secret(R"({"key":"new"})")).is_ok());

  EXPECT_EQ(borrowed_->configured_as, R"({"key":"new"})");
}

TEST_F(VirtualNodeTest, TellsWhyItsProviderTakesNoChangedSettings) {
  start({});
  borrowed_->reconfigures = failed_precondition("region cannot change");

  EXPECT_EQ(node_->reconfigure(Secret("{}")).message(), "region cannot change");
}

// The key of the account had expired before the daemon came up.
TEST_F(VirtualNodeTest, ComesUpOnceItsProviderTookWhatItLacked) {
  fails_start_ = Status(StatusCode::Unauthenticated, "the key has expired")
                     .with_reason("KeyExpired")
                     .with_retry(Retry::Never);
  start({pod("web")});
  ASSERT_TRUE(eventually([&] { return node_->view().readiness.reason == "KeyExpired"; }));

  EXPECT_TRUE(node_->reconfigure(Secret(R"({"key":"new"})")).is_ok());

  EXPECT_TRUE(eventually([&] { return node_->is_up(); }));
  EXPECT_TRUE(eventually([&] { return provider_.has("u-web"); }));
}

TEST_F(VirtualNodeTest, HandsNothingToAProviderThatIsBeingStopped) {
  start({});
  node_->stop();

  EXPECT_EQ(node_->reconfigure(Secret("{}")).code(), StatusCode::Cancelled);
  EXPECT_TRUE(borrowed_->configured_as.empty());
}

TEST_F(VirtualNodeTest, LetsAPodGoThatItIgnoredAndSomebodyDeletes) {
  start({pod("agent", R"(,"deletionTimestamp":"2026-01-02T03:04:05Z","ownerReferences":[)"
                      R"({"kind":"DaemonSet","name":"d","uid":"d-1","controller":true,)"
                      R"("apiVersion":"apps/v1"}])")});

  EXPECT_TRUE(eventually([&] {
    return api_.count(testing::FakePodApi::Call::Patch) +
               api_.count(testing::FakePodApi::Call::Remove) >
           0;
  }));
  EXPECT_TRUE(eventually([&] { return node_->pods().empty(); }));
  EXPECT_EQ(provider_.count(FakeProvider::Kind::Create), 0U);
}

TEST_F(VirtualNodeTest, HandsEvictionsAndEventsOn) {
  start({pod("web")});
  ASSERT_TRUE(eventually([&] { return node_->is_up() && provider_.has("u-web"); }));
  plugin::ProviderEvent event;
  event.reason = "SpotNotice";
  event.is_warning = true;

  EXPECT_TRUE(node_->emit(event).is_ok());
  event.pod_uid = "u-web";
  EXPECT_TRUE(node_->emit(event).is_ok());
  event.pod_uid = "nobody";
  EXPECT_EQ(node_->emit(event).code(), StatusCode::NotFound);
  EXPECT_EQ(node_->evict({"nobody", "", "", std::nullopt}).code(), StatusCode::NotFound);
  EXPECT_TRUE(node_->evict({"u-web", "Reclaimed", "", std::nullopt}).is_ok());

  EXPECT_EQ(events_.count("node/virtual", "SpotNotice"), 1);
  EXPECT_EQ(events_.count("u-web", "SpotNotice"), 1);
  EXPECT_EQ(events_.count("u-web", "Evicted"), 1);
}

TEST_F(VirtualNodeTest, StopsWhileItsBackEndIsAway) {
  provider_.fail_recover(unavailable("the back end is away"), 1000);
  start({pod("web")});
  ASSERT_TRUE(eventually([&] { return provider_.count(FakeProvider::Kind::Recover) > 0; }));

  node_->stop();

  EXPECT_FALSE(node_->is_up());
}

TEST_F(VirtualNodeTest, DoesNotComeUpWhenItsDaemonIsAboutToLeave) {
  late_pods_ = std::make_unique<LatePods>();
  LatePods& pods = *late_pods_;
  start({});
  ASSERT_TRUE(eventually([&] { return pods.is_started(); }));

  node_->stop_starting();
  pods.list();

  // Time enough for a node to come up.
  FakeProvider other_provider;
  const auto other = make("other", other_provider, {pod("db")});
  other->start();
  ASSERT_TRUE(eventually([&] { return other->is_up(); }));
  other->stop();
  EXPECT_EQ(provider_.count(FakeProvider::Kind::Recover), 0U);
  EXPECT_FALSE(node_->is_up());
}

TEST_F(VirtualNodeTest, HearsAProviderThatNeverStartedToItsEnd) {
  fails_start_ = unavailable("not yet");
  calls_to_the_last_ = true;
  start({pod("other")});
  ASSERT_TRUE(eventually([&] { return borrowed_->starts > 0; }));

  node_.reset();

  EXPECT_EQ(last_answer_.code(), StatusCode::Cancelled) << last_answer_.to_string();
}

TEST_F(VirtualNodeTest, ComesUpUnderItsOwnIdentity) {
  identity_ = "virtual";
  start({pod("web")});

  EXPECT_TRUE(eventually([&] { return node_->is_up(); }));
}

TEST_F(VirtualNodeTest, DoesNothingWithTheCredentialsOfAnotherNode) {
  identity_ = "another";
  start({pod("web")});

  ASSERT_TRUE(eventually([&] { return node_->view().readiness.reason == "ProviderNotStarted"; }));
  EXPECT_NE(node_->view().readiness.message.find("another"), std::string::npos);
  EXPECT_NE(node_->view().readiness.message.find("virtual"), std::string::npos);
  EXPECT_EQ(borrowed_->starts, 0);
  EXPECT_FALSE(node_->is_up());
}

TEST_F(VirtualNodeTest, ComesUpWhereNobodySaysWhoItIs) {
  identity_failures_.assign(1000, unavailable("HTTP 404, not in the words of Kubernetes"));
  start({pod("web")});

  EXPECT_TRUE(eventually([&] { return node_->is_up(); }));
  EXPECT_EQ(identity_questions_, 2);
}

TEST_F(VirtualNodeTest, HoldsToAnAnswerThatComesLate) {
  identity_failures_ = {unavailable("too many requests")};
  identity_ = "another";
  start({pod("web")});

  ASSERT_TRUE(eventually([&] { return node_->view().readiness.reason == "ProviderNotStarted"; }));
  EXPECT_NE(node_->view().readiness.message.find("another"), std::string::npos);
  EXPECT_EQ(borrowed_->starts, 0);
}

TEST_F(VirtualNodeTest, WaitsForItsCredentials) {
  identity_failures_.assign(2, Status(StatusCode::Unauthenticated, "there is none yet"));
  identity_ = "virtual";
  start({pod("web")});

  EXPECT_TRUE(eventually([&] { return node_->is_up(); }));
  EXPECT_EQ(identity_questions_, 3);
}

// ---- The cluster that its workloads are marked with: "cluster-1" in all of these

class NodeInACluster : public VirtualNodeTest {
 protected:
  static constexpr const char* kNode = "/api/v1/nodes/virtual";

  NodeInACluster() { in_cluster_ = true; }

  void put_node(const std::string& annotations) {
    cluster_.put(kNode, R"({"metadata":{"name":"virtual","uid":"n-1","annotations":{)" +
                            annotations + "}}}");
  }
  [[nodiscard]] bool is_refused() const {
    return node_->view().readiness.reason == "ProviderNotStarted";
  }
};

TEST_F(NodeInACluster, KeepsTheUidOfTheClusterOnItsNode) {
  start({pod("web")});

  EXPECT_NE(cluster_.wait_for(kNode,
                              [](const std::string& node) {
                                return node.find(R"("vkhost.io/cluster-uid":"cluster-1")") !=
                                       std::string::npos;
                              }),
            "");
}

TEST_F(NodeInACluster, ComesUpWhereItsClusterIsTheSame) {
  put_node(R"("vkhost.io/cluster-uid":"cluster-1")");
  start({pod("web")});

  EXPECT_TRUE(eventually([&] { return node_->is_up(); }));
}

TEST_F(NodeInACluster, TakesNoWorkloadForLostBecauseTheClusterHasAnotherUid) {
  put_node(R"("vkhost.io/cluster-uid":"cluster-0")");
  start({pod("web")});

  ASSERT_TRUE(eventually([&] { return is_refused(); }));
  // Until it says so, and after that, the object remembers.
  const std::string node = cluster_.wait_for(kNode, [](const std::string& object) {
    return object.find("ProviderNotStarted") != std::string::npos;
  });
  EXPECT_THAT(node, ::testing::HasSubstr(R"("vkhost.io/cluster-uid":"cluster-0")"));
  const std::string message = node_->view().readiness.message;
  EXPECT_THAT(message, ::testing::HasSubstr("cluster-0"));
  EXPECT_THAT(message, ::testing::HasSubstr("cluster-1"));
  EXPECT_EQ(borrowed_->starts, 0);
  EXPECT_EQ(provider_.count(FakeProvider::Kind::List), 0U);
}

TEST_F(NodeInACluster, GoesOnOnceTheOtherUidIsNoLongerThere) {
  put_node(R"("vkhost.io/cluster-uid":"cluster-0")");
  start({pod("web")});
  ASSERT_TRUE(eventually([&] { return is_refused(); }));

  put_node("");

  EXPECT_TRUE(eventually([&] { return node_->is_up(); }));
}

TEST_F(NodeInACluster, DoesNotStartWhileNobodySaysWhatItsNodeRemembers) {
  put_node(R"("vkhost.io/cluster-uid":"cluster-1")");
  cluster_.go_away();
  start({pod("web")});
  ASSERT_TRUE(eventually([&] { return is_refused(); }));
  EXPECT_EQ(borrowed_->starts, 0);

  cluster_.come_back();

  EXPECT_TRUE(eventually([&] { return node_->is_up(); }));
}

TEST_F(VirtualNodeTest, SaysNotReadyWhileItsProviderDoesNotStart) {
  fails_start_ = unavailable("the back end is away");
  start({pod("web")});

  EXPECT_TRUE(eventually([&] { return borrowed_->starts >= 2; }));
  const node::Readiness readiness = node_->view().readiness;
  EXPECT_FALSE(readiness.ready);
  EXPECT_EQ(readiness.reason, "ProviderNotStarted");
  EXPECT_NE(readiness.message.find("the back end is away"), std::string::npos);
  EXPECT_FALSE(node_->is_up());
}

TEST_F(VirtualNodeTest, EndsTheStartOfANodeThatItsProviderRefusesForGood) {
  fails_start_ = Status(StatusCode::PermissionDenied, "this account may not")
                     .with_reason("NoContract")
                     .with_retry(Retry::Never);
  start({pod("web")});

  EXPECT_TRUE(eventually([&] { return node_->view().readiness.reason == "NoContract"; }));
  EXPECT_EQ(borrowed_->starts, 1);
  EXPECT_FALSE(node_->is_up());
  EXPECT_FALSE(provider_.has("u-web"));
}

TEST_F(VirtualNodeTest, EndsTheStartOfANodeThatItsProviderDoesNotKnow) {
  refuses_node_ = Status(StatusCode::NotFound, "no such region").with_retry(Retry::Never);
  start({pod("web")});

  EXPECT_TRUE(eventually([&] { return node_->view().readiness.reason == "ProviderRefused"; }));
  EXPECT_EQ(borrowed_->starts, 0);
}

// ---- With a real plugin

class NodeOfAPlugin : public VirtualNodeTest {
 protected:
  // The node goes first, then its library, then the file.
  ~NodeOfAPlugin() override {
    if (node_) {
      node_->stop();
      node_.reset();
    }
  }

  void given_plugin(const char* fixture) {
    auto library = loader_.load({plugins_.fixture(fixture), "", plugin::Trust::AnyPath});
    ASSERT_TRUE(library.is_ok()) << library.status().to_string();
    make_provider_ = [library = *library](plugin::ProviderListener& listener) {
      return library->create({"{}", "{}"}, listener, {});
    };
  }
  // As a list of pods and as an object that can be written.
  kube::PodPtr given(const std::string& name, const std::vector<std::string>& containers) {
    return api_.pod(api_.create({.name = name, .containers = containers}));
  }

  testing::PluginFiles plugins_;
  plugin::Loader loader_{{}, *clock_, observe::Logger()};
};

// That every optional entry of its table is absent costs nothing but what these would have done.
TEST_F(NodeOfAPlugin, WithoutAnyExtensionWhosePingThrowsIsNotReadyAndLives) {
  given_plugin("bare_and_throwing");
  const kube::PodPtr web = given("web", {"main"});
  const kube::PodPtr two = given("two", {"main", "sidecar"});

  start({web, two});

  ASSERT_TRUE(eventually([&] { return node_->view().readiness.reason == "PluginThrew"; }));
  EXPECT_FALSE(node_->view().readiness.ready);
  EXPECT_NE(node_->view().readiness.message.find("never meant to be called"), std::string::npos);
  for (const std::string& uid : {web->uid, two->uid}) {
    EXPECT_TRUE(eventually([&] { return events_.count(uid, "ProviderCreateSuccess") == 1; }));
  }
}

// One that takes pods with a single container, and says so beforehand.
using AdmissionOfAProviderForOneContainer = NodeOfAPlugin;

TEST_F(AdmissionOfAProviderForOneContainer, RefusesASecondInsteadOfLosingIt) {
  given_plugin("one_container");
  const kube::PodPtr two = given("two", {"main", "sidecar"});
  const kube::PodPtr one = given("one", {"main"});

  start({two, one});

  ASSERT_TRUE(eventually([&] { return api_.phase(two->uid) == "Failed"; }));
  EXPECT_EQ(api_.status(two->uid, "reason"), "UnsupportedFields");
  EXPECT_EQ(api_.status(two->uid, "message"),
            "Pod was rejected: /spec/containers/1: this provider runs one container of a pod");
  EXPECT_TRUE(eventually([&] { return events_.count(one->uid, "ProviderCreateSuccess") == 1; }));
  EXPECT_EQ(events_.count(two->uid, "ProviderCreateSuccess"), 0);
}

}  // namespace
}  // namespace vkhost::daemon
