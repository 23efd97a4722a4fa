#include "daemon/departure.hpp"

#include "base/mutex.hpp"
#include "support/fake_node_api.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kNode = "/api/v1/nodes/web-1";

// Nodes as FakeNodeApi has them, and evictions as the test answers them.
class DepartureApi final : public kube::Client {
 public:
  Result<std::string> get(std::string_view path,
                          const kube::Query& query,
                          const kube::CallOptions& options) override {
    return nodes.get(path, query, options);
  }
  Result<std::string> create(std::string_view path,
                             std::string body,
                             const kube::CallOptions& options) override {
    EXPECT_EQ(options.lane, kube::Lane::Events);
    evictions.push_back(std::string(path));
    bodies.push_back(body);
    const Status answer = answer_eviction(path, body);
    return answer.is_ok() ? Result<std::string>(std::move(body)) : answer;
  }
  Result<std::string> update(std::string_view path,
                             std::string body,
                             const kube::CallOptions& options) override {
    return nodes.update(path, std::move(body), options);
  }
  Result<std::string> patch(std::string_view path,
                            kube::PatchType type,
                            std::string body,
                            const kube::CallOptions& options) override {
    return nodes.patch(path, type, std::move(body), options);
  }
  Result<std::string> remove(std::string_view path,
                             std::string body,
                             const kube::CallOptions& options) override {
    return nodes.remove(path, std::move(body), options);
  }
  Result<std::unique_ptr<kube::WatchStream>> watch(std::string_view path,
                                                   const kube::Query& query,
                                                   const kube::CallOptions& options) override {
    return nodes.watch(path, query, options);
  }

  testing::FakeNodeApi nodes;
  std::function<Status(std::string_view path, const std::string& body)> answer_eviction;
  std::vector<std::string> evictions;
  std::vector<std::string> bodies;
};

kube::PodPtr pod(const std::string& name, const std::string& more = {}) {
  return *kube::parse_pod(R"({"metadata":{"name":")" + name +
                          R"(","namespace":"default","uid":"u-)" + name + "\"" + more +
                          R"(},"spec":{"nodeName":"web-1","containers":[{"name":"main"}]}})");
}

class DepartureTest : public ::testing::Test {
 protected:
  DepartureTest() {
    api_.nodes.put(kNode, R"({"metadata":{"name":"web-1","annotations":{"x":"y"}},"spec":{}})");
    // Each evicted pod is gone at once.
    api_.answer_eviction = [this](std::string_view path, const std::string&) {
      std::erase_if(pods_, [&](const kube::PodPtr& it) {
        return path.find("/" + it->name + "/eviction") != std::string_view::npos;
      });
      return Status::ok();
    };
  }

  void leave(config::OnStop policy, std::chrono::milliseconds drain_timeout = 20s) {
    Departure departure({policy, drain_timeout, 1ms}, {&api_, clock_, {}});
    DepartingNode node;
    node.name = "web-1";
    node.is_registered = is_registered_;
    node.pods = [this] { return pods_; };
    node.begin_not_ready = [this] {
      ++not_ready_;
      pods_when_not_ready_ = pods_.size();
    };
    node.end_not_ready = [](Deadline) { return true; };
    departure.leave({node}, {});
  }
  [[nodiscard]] std::string node() const { return api_.nodes.object(kNode); }
  Status undo() { return undo_cordon(api_, "web-1", {}); }

  const std::shared_ptr<const Clock> clock_ = std::make_shared<SystemClock>();
  DepartureApi api_;
  std::vector<kube::PodPtr> pods_{pod("a"), pod("b")};
  bool is_registered_ = true;
  int not_ready_ = 0;
  std::size_t pods_when_not_ready_ = 0;
};

TEST_F(DepartureTest, LeavesEverythingAsItIsByDefault) {
  leave(config::OnStop::Leave);

  EXPECT_EQ(not_ready_, 0);
  EXPECT_EQ(api_.nodes.attempts(), 0);
  EXPECT_THAT(api_.evictions, IsEmpty());
}

TEST_F(DepartureTest, CallsTheNodeNotReady) {
  leave(config::OnStop::NotReady);

  EXPECT_EQ(not_ready_, 1);
  EXPECT_THAT(node(), Not(HasSubstr("unschedulable")));
  EXPECT_EQ(pods_.size(), 2U);
}

TEST_F(DepartureTest, CordonsTheNodeAndTakesItBack) {
  leave(config::OnStop::Cordon);

  EXPECT_EQ(not_ready_, 1);
  EXPECT_THAT(node(), HasSubstr(R"("unschedulable":true)"));
  EXPECT_THAT(node(), HasSubstr("vkhost.io/cordoned"));
  EXPECT_THAT(api_.evictions, IsEmpty());

  EXPECT_TRUE(undo().is_ok());

  EXPECT_THAT(node(), Not(HasSubstr("unschedulable")));
  EXPECT_THAT(node(), Not(HasSubstr("vkhost.io/cordoned")));
  EXPECT_THAT(node(), HasSubstr(R"("x":"y")"));
}

TEST_F(DepartureTest, TakesNoCordonBackThatIsSomebodyElses) {
  api_.nodes.put(kNode, R"({"metadata":{"name":"web-1"},"spec":{"unschedulable":true}})");

  leave(config::OnStop::Cordon);
  EXPECT_TRUE(undo().is_ok());

  EXPECT_THAT(api_.nodes.patches(), IsEmpty());
  EXPECT_THAT(node(), HasSubstr(R"("unschedulable":true)"));
}

TEST_F(DepartureTest, LosesNoCordonToSomebodyWhoIsFaster) {
  bool once = true;
  api_.nodes.after_get([&](const std::string& path) {
    if (std::exchange(once, false)) {
      api_.nodes.put(path, R"({"metadata":{"name":"web-1"},"spec":{"podCIDR":"10.0.0.0/24"}})");
    }
  });

  EXPECT_TRUE(cordon(api_, "web-1", {}).is_ok());

  EXPECT_THAT(node(), HasSubstr("podCIDR"));
  EXPECT_THAT(node(), HasSubstr(R"("unschedulable":true)"));
}

TEST_F(DepartureTest, HasNothingToTakeBackOfANodeThatIsNotThere) {
  api_.nodes.erase(kNode);

  EXPECT_TRUE(undo().is_ok());
}

TEST_F(DepartureTest, EvictsPodsFromACordonedNodeBeforeItIsNotReady) {
  leave(config::OnStop::Drain);

  EXPECT_THAT(api_.evictions, ElementsAre("/api/v1/namespaces/default/pods/a/eviction",
                                          "/api/v1/namespaces/default/pods/b/eviction"));
  EXPECT_THAT(api_.bodies[0], HasSubstr(R"("preconditions":{"uid":"u-a"})"));
  EXPECT_THAT(node(), HasSubstr(R"("unschedulable":true)"));
  EXPECT_EQ(not_ready_, 1);
  EXPECT_EQ(pods_when_not_ready_, 0U);
}

TEST_F(DepartureTest, EvictsThePodsOfANodeWhoseObjectIsGoneToo) {
  is_registered_ = false;

  leave(config::OnStop::Drain);

  EXPECT_EQ(api_.evictions.size(), 2U);
  EXPECT_THAT(api_.nodes.patches(), IsEmpty());
  EXPECT_EQ(not_ready_, 0);
}

TEST_F(DepartureTest, EvictsNoPodThatWouldComeBackOrHasEnded) {
  pods_ = {pod("agent", R"(,"ownerReferences":[{"kind":"DaemonSet","name":"d","uid":"d-1",)"
                        R"("controller":true,"apiVersion":"apps/v1"}])"),
           pod("mirror", R"(,"annotations":{"kubernetes.io/config.mirror":"x"})"),
           *kube::parse_pod(R"({"metadata":{"name":"done","namespace":"default","uid":"u-d"},)"
                            R"("spec":{"nodeName":"web-1","containers":[{"name":"main"}]},)"
                            R"("status":{"phase":"Succeeded"}})")};

  leave(config::OnStop::Drain);

  EXPECT_THAT(api_.evictions, IsEmpty());
  EXPECT_EQ(not_ready_, 1);
}

TEST_F(DepartureTest, AsksAgainWhereABudgetAllowsNoDisruptionYet) {
  const auto evict = api_.answer_eviction;
  int refusals = 3;
  api_.answer_eviction = [&](std::string_view path, const std::string& body) {
    if (path.find("/a/") != std::string_view::npos && refusals-- > 0) {
      return Status(StatusCode::ResourceExhausted, "would violate the disruption budget");
    }
    return evict(path, body);
  };

  leave(config::OnStop::Drain);

  EXPECT_THAT(pods_, IsEmpty());
  EXPECT_EQ(api_.evictions.size(), 5U);
}

TEST_F(DepartureTest, AsksOnceForAPodThatTakesItsTime) {
  int looks = 0;
  api_.answer_eviction = [](std::string_view, const std::string&) { return Status::ok(); };
  Departure departure({config::OnStop::Drain, 20s, 1ms}, {&api_, clock_, {}});
  DepartingNode node;
  node.name = "web-1";
  node.pods = [&] { return ++looks < 5 ? pods_ : std::vector<kube::PodPtr>(); };
  node.begin_not_ready = [] {};
  node.end_not_ready = [](Deadline) { return true; };

  departure.leave({node}, {});

  EXPECT_EQ(api_.evictions.size(), 2U);
  EXPECT_EQ(looks, 5);
}

TEST_F(DepartureTest, GivesUpInTimeOnPodsThatStay) {
  api_.answer_eviction = [](std::string_view, const std::string&) {
    return Status(StatusCode::ResourceExhausted, "would violate the disruption budget");
  };

  leave(config::OnStop::Drain, 50ms);

  EXPECT_EQ(pods_.size(), 2U);
  EXPECT_EQ(not_ready_, 1);
}

TEST_F(DepartureTest, SpeaksTheOlderFormOfEvictionsToOldServers) {
  const auto evict = api_.answer_eviction;
  api_.answer_eviction = [&](std::string_view path, const std::string& body) {
    return body.find(R"("policy/v1beta1")") == std::string::npos
               ? invalid_argument("no kind Eviction is registered for version policy/v1")
               : evict(path, body);
  };

  leave(config::OnStop::Drain);

  EXPECT_THAT(pods_, IsEmpty());
  EXPECT_EQ(api_.evictions.size(), 3U);  // it is tried once in the newer form
}

TEST_F(DepartureTest, GoesOnWhenTheNodeCannotBeChanged) {
  api_.nodes.refuse_patches_with("unschedulable");

  leave(config::OnStop::Drain);

  EXPECT_THAT(pods_, IsEmpty());
  EXPECT_EQ(not_ready_, 1);
}

}  // namespace
}  // namespace vkhost::daemon
