#include "daemon/departure.hpp"

#include "base/mutex.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_node_api.hpp"
#include "support/recording_log_sink.hpp"

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
    VKHOST_TRY(take_time(options));
    return nodes.get(path, query, options);
  }
  Result<std::string> create(std::string_view path,
                             std::string body,
                             const kube::CallOptions& options) override {
    // A budget that allows nothing is no reason for anybody else to wait.
    EXPECT_TRUE(options.once);
    VKHOST_TRY(take_time(options));
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

  // How long each question takes; nobody waits for more than its deadline.
  Status take_time(const kube::CallOptions& options) {
    const auto left = options.deadline.remaining(clock->steady_now());
    clock->advance(std::min(takes, left));
    return takes < left ? Status::ok() : deadline_exceeded("the API server did not answer");
  }

  std::shared_ptr<testing::FakeClock> clock = std::make_shared<testing::FakeClock>();
  std::chrono::milliseconds takes{0};
  testing::FakeNodeApi nodes;
  std::function<Status(std::string_view path, const std::string& body)> answer_eviction;
  std::vector<std::string> evictions;
  std::vector<std::string> bodies;
};

std::vector<pods::PodView> views_of(const std::vector<kube::PodPtr>& pods) {
  std::vector<pods::PodView> views;
  for (const kube::PodPtr& pod : pods) {
    views.emplace_back().pod = pod;
  }
  return views;
}

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
    Departure departure({policy, drain_timeout, 25s, 1ms}, {&api_, api_.clock, log()});
    DepartingNode node;
    node.name = "web-1";
    node.is_registered = is_registered_;
    node.is_up = is_up_;
    node.pods = [this] { return views_of(pods_); };
    node.begin_not_ready = [this] {
      ++not_ready_;
      pods_when_not_ready_ = pods_.size();
    };
    node.end_not_ready = [](Deadline) { return true; };
    departure.leave({node}, {});
  }
  // Some nodes with one pod each, "a-NODE".
  void leave_together(config::OnStop policy, const std::vector<std::string>& names) {
    std::vector<DepartingNode> nodes;
    pods_.clear();
    for (const std::string& name : names) {
      const std::string path = "/api/v1/nodes/" + name;
      api_.nodes.put(path, R"({"metadata":{"name":")" + name + R"("},"spec":{}})");
      const kube::PodPtr own = pod("a-" + name);
      pods_.push_back(own);
      DepartingNode node;
      node.name = name;
      node.pods = [this, own] {
        return std::count(pods_.begin(), pods_.end(), own) == 0 ? std::vector<pods::PodView>()
                                                                : views_of({own});
      };
      node.begin_not_ready = [this] { ++not_ready_; };
      node.end_not_ready = [](Deadline) { return true; };
      nodes.push_back(std::move(node));
    }
    Departure departure({policy, 60s, 25s, 1ms}, {&api_, api_.clock, log()});
    departure.leave(nodes, {});
  }
  [[nodiscard]] observe::Logger log() const { return observe::Logger(log_); }
  [[nodiscard]] std::size_t warnings_with(const std::string& text) const {
    const auto lines = log_->lines();
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [&](const std::string& line) {
          return line.starts_with("warn: ") && line.find(text) != std::string::npos;
        }));
  }
  [[nodiscard]] std::string node() const { return api_.nodes.object(kNode); }
  Status undo() { return undo_cordon(api_, "web-1", {}); }

  const std::shared_ptr<testing::RecordingLogSink> log_ =
      std::make_shared<testing::RecordingLogSink>();
  DepartureApi api_;
  std::vector<kube::PodPtr> pods_{pod("a"), pod("b")};
  bool is_registered_ = true;
  bool is_up_ = true;
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
  Departure departure({config::OnStop::Drain, 20s, 25s, 1ms}, {&api_, api_.clock, {}});
  DepartingNode node;
  node.name = "web-1";
  node.pods = [&] { return ++looks < 5 ? views_of(pods_) : std::vector<pods::PodView>(); };
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
  api_.takes = 10ms;

  leave(config::OnStop::Drain, 500ms);

  EXPECT_EQ(pods_.size(), 2U);
  EXPECT_EQ(not_ready_, 1);
}

TEST_F(DepartureTest, GivesUpInTimeOnAnApiServerThatHangs) {
  pods_.clear();
  for (int i = 0; i < 100; ++i) {
    pods_.push_back(pod("p" + std::to_string(i)));
  }
  api_.takes = 1h;
  const SteadyTime begun = api_.clock->steady_now();

  leave(config::OnStop::Drain, 60s);

  EXPECT_LE(api_.clock->steady_now() - begun, 60s);
  EXPECT_EQ(not_ready_, 1);
}

TEST_F(DepartureTest, SaysOncePerPodThatItIsNotEvictedYet) {
  int asked = 0;
  api_.answer_eviction = [&](std::string_view, const std::string&) {
    ++asked;
    return Status(StatusCode::ResourceExhausted, "would violate the disruption budget")
        .with_reason(asked < 5 ? "TooManyRequests" : "");
  };
  api_.takes = 10ms;

  leave(config::OnStop::Drain, 500ms);

  EXPECT_GT(asked, 10);
  EXPECT_EQ(warnings_with("not evicted yet"), 2U);
}

TEST_F(DepartureTest, WaitsForNoPodWhoseObjectWasGivenUp) {
  api_.answer_eviction = [](std::string_view, const std::string&) { return Status::ok(); };
  int looks = 0;
  Departure departure({config::OnStop::Drain, 20s, 25s, 1ms}, {&api_, api_.clock, {}});
  DepartingNode node;
  node.name = "web-1";
  node.pods = [&] {
    api_.clock->advance(++looks > 1 ? 20s : 0s);
    std::vector<pods::PodView> views = views_of({pods_.front()});
    views.front().is_overdue = true;
    return views;
  };
  node.begin_not_ready = [] {};
  node.end_not_ready = [](Deadline) { return true; };

  departure.leave({node}, {});

  EXPECT_THAT(api_.evictions, IsEmpty());
  EXPECT_EQ(looks, 1);
}

TEST_F(DepartureTest, EvictsNoPodOfANodeThatCannotEndIt) {
  is_up_ = false;

  leave(config::OnStop::Drain);

  EXPECT_THAT(api_.evictions, IsEmpty());
  EXPECT_THAT(node(), HasSubstr(R"("unschedulable":true)"));
  EXPECT_EQ(not_ready_, 1);
}

TEST_F(DepartureTest, CordonsManyNodesHoweverLongItTakesThem) {
  api_.takes = 1s;

  leave_together(config::OnStop::Drain, {"n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"});

  for (int i = 1; i <= 8; ++i) {
    EXPECT_THAT(api_.nodes.object("/api/v1/nodes/n" + std::to_string(i)),
                HasSubstr(R"("unschedulable":true)"));
  }
  EXPECT_THAT(pods_, IsEmpty());
  EXPECT_EQ(not_ready_, 8);
}

TEST_F(DepartureTest, DrainsNodesThatMayStillBeFilledAfterAllOthers) {
  bool once = true;
  api_.nodes.after_get([&](const std::string&) {
    // The first node is cordoned at the second try only.
    api_.nodes.refuse_patches_with(std::exchange(once, false) ? "unschedulable" : "nothing of it");
  });

  leave_together(config::OnStop::Drain, {"n1", "n2", "n3"});

  EXPECT_THAT(api_.evictions, ElementsAre(HasSubstr("a-n2"), HasSubstr("a-n3"), HasSubstr("a-n1")));
  EXPECT_THAT(api_.nodes.object("/api/v1/nodes/n1"), HasSubstr(R"("unschedulable":true)"));
  EXPECT_EQ(warnings_with("could not be made unschedulable"), 1U);
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
