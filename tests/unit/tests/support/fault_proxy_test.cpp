#include "support/fault_proxy.hpp"

#include "base/thread.hpp"
#include "support/api_client.hpp"
#include "support/played_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using WatchEnd = ApiClient::WatchEnd;

constexpr auto kSoon = 10s;
constexpr const char* kPods = "/api/v1/pods";
constexpr const char* kPodWatch = "/api/v1/pods?watch=true&resourceVersion=1";
constexpr const char* kPodStatus = "/api/v1/namespaces/default/pods/web-0/status";

class FaultProxyTest : public ::testing::Test {
 protected:
  std::atomic<int> served_{0};
  std::counting_semaphore<> reached_{0};  // released for each that the server serves
  // The server echoes what it got, and keeps watches open.
  PlayedServer server_{[this](const Head& head, const std::string& body) {
    ++served_;
    reached_.release();
    if (head.target().find("watch=true") != std::string_view::npos) {
      return PlayedServer::open_stream();
    }
    return PlayedServer::json(std::string(head.method()) + " " + std::string(head.target()) + " " +
                              std::string(head.field("Authorization")) + " " + body);
  }};
  std::unique_ptr<FaultProxy> proxy_ =
      FaultProxy::start({.upstream_port = server_.port(), .upstream_ca_pem = server_.ca_pem()});
  ApiClient client_{proxy_->port(), proxy_->ca_pem(), "secret"};

  // A watch on a thread of its own.
  struct Watcher {
    std::atomic<int> events{0};
    std::atomic<int> errors{0};
    WatchEnd end{};
    Thread thread;
  };
  std::list<Watcher> watchers_;

  Watcher& watch() {
    const std::size_t open = proxy_->traffic().open_watches();
    Watcher& watcher = watchers_.emplace_back();
    watcher.thread = Thread("watcher", [this, &watcher] {
      watcher.end = client_.watch(kPodWatch, kSoon, [&](std::string_view event) {
        ++(event.find("ERROR") == std::string_view::npos ? watcher.events : watcher.errors);
        return event.find("leave") == std::string_view::npos;
      });
    });
    EXPECT_TRUE(proxy_->traffic().wait_for_watches(open + 1, kSoon));
    return watcher;
  }

  WatchEnd end_of(Watcher& watcher) {
    watcher.thread.join();
    return watcher.end;
  }
};

TEST_F(FaultProxyTest, PassesRequestsOnUnchanged) {
  const ApiAnswer answer = client_.create(kPods, R"({"kind":"Pod"})");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"(POST /api/v1/pods Bearer secret {"kind":"Pod"})");
}

TEST_F(FaultProxyTest, CountsRequestsByWhatTheyAskFor) {
  client_.get(kPods);
  client_.patch(kPodStatus, "{}");
  client_.patch(kPodStatus, "{}");

  EXPECT_EQ(proxy_->traffic().count("list pods"), 1);
  EXPECT_EQ(proxy_->traffic().count("patch pods/status"), 2);
  EXPECT_EQ(proxy_->traffic().total(), 3);
  EXPECT_EQ(proxy_->traffic().peak_in_flight(), 1);
}

TEST_F(FaultProxyTest, KeepsOneUpstreamConnectionForOneClientConnection) {
  for (int i = 0; i < 5; ++i) {
    client_.get(kPods);
  }

  EXPECT_EQ(server_.connections_so_far(), 1);
}

TEST_F(FaultProxyTest, AnswersInPlaceOfTheServer) {
  proxy_->answer(429, {.label = "patch pods/status", .times = 1, .retry_after_s = 7});

  const ApiAnswer other = client_.get(kPods);
  const ApiAnswer struck = client_.patch(kPodStatus, "{}");
  const ApiAnswer next = client_.patch(kPodStatus, "{}");

  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(struck.status, 429);
  EXPECT_EQ(struck.head.field("Retry-After"), "7");
  EXPECT_THAT(struck.body, HasSubstr(R"("reason":"TooManyRequests")"));
  EXPECT_EQ(next.status, 200);
  EXPECT_EQ(served_, 2);
}

TEST_F(FaultProxyTest, StrikesTheGivenPercentage) {
  proxy_->answer(500, {.percent = 30});

  int struck = 0;
  for (int i = 0; i < 200; ++i) {
    struck += client_.get(kPods).status == 500 ? 1 : 0;
  }

  EXPECT_GT(struck, 30);
  EXPECT_LT(struck, 90);
}

TEST_F(FaultProxyTest, CutsOpenWatchesButNoOtherConnection) {
  client_.get(kPods);
  Watcher& first = watch();
  Watcher& second = watch();

  proxy_->cut_watches();

  EXPECT_EQ(end_of(first), WatchEnd::Cut);
  EXPECT_EQ(end_of(second), WatchEnd::Cut);
  EXPECT_EQ(proxy_->traffic().open_watches(), 0);
  client_.get(kPods);
  EXPECT_EQ(server_.connections_so_far(), 3);
}

TEST_F(FaultProxyTest, CutsWatchesAgainAndAgain) {
  proxy_->cut_watches_every(20ms);

  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client_.watch(kPodWatch, kSoon, [](auto) { return true; }), WatchEnd::Cut);
  }
}

TEST_F(FaultProxyTest, PassesEventsOnAsTheyCome) {
  Watcher& watcher = watch();

  server_.push(PlayedServer::chunk("{\"type\":\"ADDED\"}\n"));
  server_.push(PlayedServer::chunk("{\"leave\":1}\n"));

  EXPECT_EQ(end_of(watcher), WatchEnd::ByCaller);
  EXPECT_EQ(watcher.events, 2);
  EXPECT_TRUE(proxy_->traffic().wait_for_watches(0, kSoon));
}

TEST_F(FaultProxyTest, ExpiresOpenWatchesWithAnErrorEvent) {
  Watcher& watcher = watch();

  EXPECT_EQ(proxy_->expire_open_watches(), 1);

  EXPECT_EQ(end_of(watcher), WatchEnd::ByServer);
  EXPECT_EQ(watcher.errors, 1);
}

TEST_F(FaultProxyTest, ExpiresNewWatchesByEventOrByAnswer) {
  proxy_->expire_new_watches(Expiry::Event, {.times = 1});
  int errors = 0;
  EXPECT_EQ(client_.watch(kPodWatch, kSoon,
                          [&](std::string_view event) {
                            errors += event.find(R"("code":410)") != std::string_view::npos ? 1 : 0;
                            return true;
                          }),
            WatchEnd::ByServer);
  EXPECT_EQ(errors, 1);

  proxy_->expire_new_watches(Expiry::Answer, {.times = 1});
  ApiAnswer refusal;
  EXPECT_EQ(
      client_.watch(kPodWatch, kSoon, [](auto) { return true; }, &refusal), WatchEnd::Refused);
  EXPECT_EQ(refusal.status, 410);
  EXPECT_EQ(served_, 0);
}

TEST_F(FaultProxyTest, CutsBeforeOrAfterTheServerActed) {
  proxy_->cut_before({.times = 1});
  EXPECT_THROW(client_.get(kPods), std::runtime_error);
  EXPECT_EQ(served_, 0);

  proxy_->cut_after({.times = 1});
  EXPECT_THROW(client_.get(kPods), std::runtime_error);
  EXPECT_EQ(served_, 1);

  EXPECT_EQ(client_.get(kPods).status, 200);
}

TEST_F(FaultProxyTest, HangsUpAfterAWholeAnswer) {
  proxy_->hang_up({.times = 1});

  EXPECT_EQ(client_.get(kPods).status, 200);
  EXPECT_EQ(client_.get(kPods).status, 200);
  EXPECT_EQ(served_, 2);
}

TEST_F(FaultProxyTest, EndsHalfABodyEarly) {
  proxy_->half_body({.times = 1});

  EXPECT_THROW(client_.get(kPods), std::runtime_error);
  EXPECT_EQ(client_.get(kPods).status, 200);
}

TEST_F(FaultProxyTest, HoldsARequestUntilTakenBack) {
  const FaultId stall = proxy_->stall();
  int status = 0;
  Thread caller("caller", [&] { status = client_.get(kPods).status; });
  ASSERT_TRUE(proxy_->traffic().wait_for("list pods", 1, kSoon));
  EXPECT_EQ(served_, 0);

  proxy_->take_back(stall);
  caller.join();

  EXPECT_EQ(status, 200);
}

TEST_F(FaultProxyTest, HoldsAnAnswerUntilTakenBack) {
  const FaultId stall = proxy_->stall_answers({.label = "list pods"});
  std::atomic<int> status{0};
  Thread caller("caller", [&] { status = client_.get(kPods).status; });
  ASSERT_TRUE(reached_.try_acquire_for(kSoon));

  // A request that is not held goes all the way meanwhile.
  ASSERT_EQ(client_.patch(kPodStatus, "{}").status, 200);
  EXPECT_EQ(status, 0);

  proxy_->take_back(stall);
  caller.join();

  EXPECT_EQ(status, 200);
}

TEST_F(FaultProxyTest, DelaysARequest) {
  proxy_->delay(50ms);
  const auto began = std::chrono::steady_clock::now();

  client_.get(kPods);

  EXPECT_GE(std::chrono::steady_clock::now() - began, 50ms);
}

TEST_F(FaultProxyTest, PutsOneTextForAnotherIntoAnswers) {
  proxy_->replace("Pod", "longer Pod", {.label = "create pods", .times = 1});

  const ApiAnswer other = client_.get(kPods);
  const ApiAnswer struck = client_.create(kPods, R"({"a":"Pod","b":"Pod"})");
  const ApiAnswer next = client_.create(kPods, R"({"a":"Pod"})");

  EXPECT_THAT(other.body, HasSubstr("GET /api/v1/pods"));
  EXPECT_THAT(struck.body, HasSubstr(R"({"a":"longer Pod","b":"longer Pod"})"));
  EXPECT_THAT(next.body, HasSubstr(R"({"a":"Pod"})"));
}

TEST_F(FaultProxyTest, LetsAnAnswerTrickle) {
  proxy_->trickle(40, 5ms);
  const auto began = std::chrono::steady_clock::now();

  const ApiAnswer answer = client_.get(kPods);

  EXPECT_EQ(answer.body, "GET /api/v1/pods Bearer secret ");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 10ms);
}

TEST_F(FaultProxyTest, SwallowsEverythingWhileFrozen) {
  Watcher& watcher = watch();
  proxy_->freeze();
  server_.push(PlayedServer::chunk("{}\n"));
  client_.set_timeout(100ms);
  EXPECT_THROW(client_.get(kPods), std::runtime_error);
  EXPECT_EQ(watcher.events, 0);

  proxy_->thaw();
  server_.push(PlayedServer::chunk("{\"leave\":1}\n"));

  EXPECT_EQ(end_of(watcher), WatchEnd::ByCaller);
  EXPECT_EQ(watcher.events, 2);
}

TEST_F(FaultProxyTest, RefusesConnectionsWhileDownAndKeepsItsPort) {
  Watcher& watcher = watch();
  proxy_->go_down();
  EXPECT_EQ(end_of(watcher), WatchEnd::Cut);
  EXPECT_THROW(client_.get(kPods), std::runtime_error);
  EXPECT_THROW(client_.get(kPods), std::runtime_error);

  proxy_->come_back();

  EXPECT_EQ(client_.get(kPods).status, 200);
}

TEST_F(FaultProxyTest, CutsTheClientWhenTheServerIsGone) {
  const PlayedServer gone([](const Head&, const std::string&) {
    return PlayedServer::Answer{.bytes = "", .then = PlayedServer::Then::Close};
  });
  const auto proxy =
      FaultProxy::start({.upstream_port = gone.port(), .upstream_ca_pem = gone.ca_pem()});
  ApiClient client(proxy->port(), proxy->ca_pem(), "");

  EXPECT_THROW(client.get(kPods), std::runtime_error);
}

TEST_F(FaultProxyTest, CarriesAStormOnManyConnections) {
  std::list<Thread> threads;
  std::atomic<int> succeeded{0};
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back("storm", [&] {
      for (int j = 0; j < 100; ++j) {
        succeeded += client_.patch(kPodStatus, "{}").is_success() ? 1 : 0;
      }
    });
  }
  threads.clear();

  EXPECT_EQ(succeeded, 1600);
  EXPECT_EQ(proxy_->traffic().count("patch pods/status"), 1600);
  EXPECT_LE(proxy_->traffic().peak_in_flight(), 16);
}

}  // namespace
}  // namespace vkhost::testing
