#include "kube/list_watch.hpp"

#include "base/mutex.hpp"
#include "support/exposition.hpp"
#include "support/fake_client.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using vkhost::testing::client_on;
using vkhost::testing::FakeServer;
using vkhost::testing::RecordingLogSink;
using vkhost::testing::StreamEnd;

// Writes down what it is told, one word each.
class RecordingSink final : public ListWatchSink {
 public:
  void list_started() override { record("start"); }
  void listed(std::string_view object) override { record("listed " + std::string(object)); }
  bool unlisted(std::string_view object) override {
    record("unlisted " + std::string(object));
    return object.find("unclear") == std::string_view::npos;
  }
  void list_complete() override { record("complete"); }
  void applied(std::string_view object) override { record("applied " + std::string(object)); }
  bool removed(std::string_view object) override {
    record("removed " + std::string(object));
    return object.find("unclear") == std::string_view::npos;
  }
  std::vector<std::string> calls() const {
    const MutexLock lock(mutex_);
    return calls_;
  }

 private:
  void record(std::string call) {
    const MutexLock lock(mutex_);
    calls_.push_back(std::move(call));
  }
  mutable Mutex mutex_;
  std::vector<std::string> calls_ VKHOST_GUARDED_BY(mutex_);
};

std::string object(const std::string& version) {
  return R"({"metadata":{"resourceVersion":")" + version + "\"}}";
}
std::string event(const std::string& type, const std::string& version) {
  return R"({"type":")" + type + R"(","object":)" + object(version) + "}\n";
}
std::string list(const std::string& version,
                 const std::string& items,
                 const std::string& more = "") {
  return R"({"kind":"PodList","metadata":{"resourceVersion":")" + version + R"(","continue":")" +
         more + R"("},"items":)" + items + "}";
}
const std::string kExpired =
    R"({"kind":"Status","message":"too old resource version","reason":"Expired","code":410})";

struct ListWatchTest : ::testing::Test {
  // Runs until that many requests have been made.
  void run_until(std::size_t requests) {
    auto client = client_on(server);
    settings.path = "/api/v1/pods";
    settings.field_selector = "spec.nodeName=vk-0";
    settings.backoff = {milliseconds{1}, milliseconds{4}};
    settings.forbidden_backoff = settings.backoff;
    ListWatch watch(settings, {*client, sink, std::make_shared<SystemClock>(),
                               std::make_shared<SeededRandom>(7), observe::Logger(log), &metrics});
    WatchLoop loop(std::make_shared<SystemClock>());
    loop.add(watch);
    EXPECT_TRUE(server->wait_for_requests(requests));
    loop.remove(watch);
    stats = watch.stats();
  }
  std::vector<std::string> targets() const {
    std::vector<std::string> all;
    for (const auto& request : server->requests()) {
      all.push_back(request.target);
    }
    return all;
  }

  ListWatchSettings settings;
  double counted(std::string_view name, const vkhost::testing::Labels& labels) const {
    return vkhost::testing::sum_of(vkhost::testing::parse_exposition(metrics.render()), name,
                                   labels);
  }

  observe::Metrics metrics;
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  RecordingSink sink;
  std::shared_ptr<RecordingLogSink> log = std::make_shared<RecordingLogSink>(observe::Level::Info);
  ListWatchStats stats;
};

TEST_F(ListWatchTest, ListsInPagesAndWatchesFromThatVersion) {
  settings.page_size = 2;
  server->answer(200, list("10", "[1,2]", "next page"));
  server->answer(200, list("10", "[3]"));

  run_until(3);

  EXPECT_THAT(sink.calls(), ElementsAre("start", "listed 1", "listed 2", "listed 3", "complete"));
  const auto asked = targets();
  EXPECT_EQ(asked[0], "/api/v1/pods?fieldSelector=spec.nodeName%3Dvk-0&limit=2");
  EXPECT_EQ(asked[1],
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dvk-0&limit=2&continue=next%20page");
  EXPECT_THAT(asked[2],
              AllOf(HasSubstr("watch=true"), HasSubstr("resourceVersion=10&"),
                    HasSubstr("allowWatchBookmarks=true"),
                    HasSubstr("fieldSelector=spec.nodeName%3Dvk-0"), HasSubstr("timeoutSeconds=")));
  EXPECT_EQ(stats.lists, 1U);
  EXPECT_EQ(stats.watches, 1U);
  EXPECT_EQ(stats.reconnects, 0U);
  EXPECT_FALSE(stats.is_connected);
}

TEST_F(ListWatchTest, PassesEventsOnAndResumesBehindTheLastOne) {
  server->answer(200, list("10", "[]"));
  server->stream({event("ADDED", "11") + event("MODIFIED", "12"), event("DELETED", "13"),
                  event("BOOKMARK", "20"), event("NEWS", "21"), StreamEnd{}});

  run_until(3);

  EXPECT_THAT(sink.calls(), ElementsAre("start", "complete", "applied " + object("11"),
                                        "applied " + object("12"), "removed " + object("13")));
  EXPECT_THAT(targets()[2], HasSubstr("resourceVersion=21&"));
  EXPECT_EQ(stats.events, 3U);
  EXPECT_EQ(stats.reconnects, 0U) << "the proper end is no failure";
}

TEST_F(ListWatchTest, CountsListsWatchesEventsAndWhyItBeganAgain) {
  server->answer(200, list("10", "[]"));
  server->stream({event("ADDED", "11"), unavailable("reset")});
  server->answer(410, kExpired);
  server->answer(200, list("20", "[]"));
  server->stream({event("ADDED", "21")});

  run_until(5);

  EXPECT_EQ(counted("vkhost_watch_lists_total", {{"resource", "pods"}}), 2);
  EXPECT_GE(counted("vkhost_watches_opened_total", {{"resource", "pods"}}), 1);
  EXPECT_GE(counted("vkhost_watch_events_total", {{"resource", "pods"}}), 1);
  const std::string_view restarts = "vkhost_watch_restarts_total";
  EXPECT_EQ(counted(restarts, {{"resource", "pods"}, {"code", "UNAVAILABLE"}}), 1);
  EXPECT_EQ(counted(restarts, {{"resource", "pods"}, {"code", "OUT_OF_RANGE"}}), 1);
}

TEST_F(ListWatchTest, ResumesAfterTheConnectionIsLost) {
  server->answer(200, list("10", "[]"));
  server->stream({event("ADDED", "11"), unavailable("reset")});
  server->fail(unavailable("refused"));
  server->answer(503, "");
  server->stream({event("ADDED", "12")});

  run_until(5);

  EXPECT_THAT(targets()[4], HasSubstr("resourceVersion=11&"));
  EXPECT_EQ(stats.lists, 1U);
  EXPECT_EQ(stats.reconnects, 3U);
}

TEST_F(ListWatchTest, ListsAgainWhenTheVersionIsTooOld) {
  for (const bool as_event : {false, true}) {
    server = std::make_shared<FakeServer>();
    server->answer(200, list("10", "[1]"));
    if (as_event) {
      server->stream({R"({"type":"ERROR","object":)" + kExpired + "}\n", StreamEnd{}});
    } else {
      server->answer(410, kExpired);
    }
    server->answer(200, list("30", "[2]"));

    run_until(4);

    EXPECT_EQ(stats.lists, 2U);
    EXPECT_THAT(targets()[3], HasSubstr("resourceVersion=30&"));
  }
  EXPECT_THAT(sink.calls(),
              ElementsAre("start", "listed 1", "complete", "start", "listed 2", "complete", "start",
                          "listed 1", "complete", "start", "listed 2", "complete"));
}

TEST_F(ListWatchTest, ListsAgainWhenTheVersionIsFromTheFuture) {
  server->answer(200, list("10", "[]"));
  server->answer(504,
                 R"({"kind":"Status","message":"Too large resource version","reason":"Timeout"})");
  server->answer(200, list("5", "[]"));

  run_until(4);

  EXPECT_THAT(targets()[3], HasSubstr("resourceVersion=5&"));
}

TEST_F(ListWatchTest, ListsAgainWhenItIsUnclearWhatWasDeleted) {
  server->answer(200, list("10", "[]"));
  server->stream({R"({"type":"DELETED","object":{"unclear":1,"metadata":{"resourceVersion":"11"}}})"
                  "\n"});
  server->answer(200, list("30", "[]"));

  run_until(4);

  EXPECT_EQ(stats.lists, 2U);
}

TEST_F(ListWatchTest, NeverTakesAStrangeAnswerForAnEmptyList) {
  for (const char* body :
       {"", "{}", "null", "[]", "<html>", R"({"items":[]})", R"({"kind":"PodList","items":[]})",
        R"({"kind":"PodList","metadata":{"resourceVersion":""},"items":[]})",
        R"({"kind":"PodList","metadata":{"resourceVersion":"1"}})",
        R"({"kind":"Status","metadata":{"resourceVersion":"1"},"items":[]})",
        R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[])",
        R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":{}})",
        R"({"kind":"PodList","metadata":{"resourceVersion":"1 2"},"items":[]})",
        R"({"kind":"PodList","metadata":{"resourceVersion":1},"items":[]})",
        R"({"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[1 2]})"}) {
    server->answer(200, body);
  }
  const std::size_t count = server->steps_left();
  server->answer(200, list("10", "null"));

  run_until(count + 2);

  EXPECT_EQ(stats.lists, 1U);
  const auto calls = sink.calls();
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "complete"), 1);
  EXPECT_EQ(calls.back(), "complete");
}

TEST_F(ListWatchTest, StartsAnewWhenAPageExpires) {
  server->answer(200, list("10", "[1]", "more"));
  server->answer(410, kExpired);
  server->answer(200, list("20", "[2]"));

  run_until(4);

  EXPECT_THAT(sink.calls(), ElementsAre("start", "listed 1", "start", "listed 2", "complete"));
  EXPECT_THAT(targets()[2], Not(HasSubstr("continue=")));
}

TEST_F(ListWatchTest, GivesUpPagingWhenPagesKeepExpiring) {
  for (int round = 0; round < 3; ++round) {
    server->answer(200, list("10", "[1]", "more"));
    server->answer(410, kExpired);
  }
  server->answer(200, list("20", "[2]"));

  run_until(8);

  EXPECT_THAT(targets()[6], Not(HasSubstr("limit=")));
  EXPECT_EQ(stats.lists, 1U);
}

TEST_F(ListWatchTest, ReconnectsWhenTheWatchStalls) {
  server->answer(200, list("10", "[]"));
  server->stream({event("BOOKMARK", "15")});
  settings.bookmark_patience = seconds{0};

  run_until(3);

  EXPECT_THAT(targets()[2], HasSubstr("resourceVersion=15&"));
  EXPECT_EQ(stats.reconnects, 1U);
}

TEST_F(ListWatchTest, ReconnectsWhenTheServerForgetsToEndTheWatch) {
  server->answer(200, list("10", "[]"));
  server->stream({});
  settings.shortest_watch = settings.longest_watch = settings.end_grace = seconds{0};

  run_until(3);

  EXPECT_GE(stats.reconnects, 1U);
}

TEST_F(ListWatchTest, ReconnectsAfterAnEventThatCanNotBeRead) {
  for (const char* line : {"{\"type\":\"ADDED\"\n", "nonsense\n", "{\"object\":{}}\n",
                           "{\"type\":7,\"object\":{}}\n"}) {
    server = std::make_shared<FakeServer>();
    server->answer(200, list("10", "[]"));
    server->stream({event("ADDED", "11"), line});

    run_until(3);

    EXPECT_THAT(targets()[2], HasSubstr("resourceVersion=11&")) << line;
  }
}

TEST_F(ListWatchTest, IgnoresAVersionThatIsNone) {
  server->answer(200, list("10", "[]"));
  server->stream({event("ADDED", "1&watch=false"), event("ADDED", ""), StreamEnd{}});

  run_until(3);

  EXPECT_THAT(targets()[2], HasSubstr("resourceVersion=10&"));
}

TEST_F(ListWatchTest, CountsAWatchThatEndsAtOnceAsAFailure) {
  server->answer(200, list("10", "[]"));
  server->stream({StreamEnd{}});
  server->stream({StreamEnd{}});

  run_until(4);

  EXPECT_EQ(stats.reconnects, 2U);
}

TEST_F(ListWatchTest, EndsAtOnceWhenCancelledInTheMiddleOfAnything) {
  server->hang();
  run_until(1);
  EXPECT_THAT(sink.calls(), ElementsAre("start"));

  server = std::make_shared<FakeServer>();
  server->answer(429, "", {{"Retry-After", "50"}});
  run_until(1);
}

TEST_F(ListWatchTest, WarnsOnceOfWhatIsForbidden) {
  const char* const forbidden =
      R"({"kind":"Status","message":"cannot list","reason":"Forbidden","code":403})";
  for (int i = 0; i < 3; ++i) {
    server->answer(403, forbidden);
  }
  server->answer(200, list("10", "[]"));
  for (int i = 0; i < 3; ++i) {
    server->answer(403, forbidden);
  }
  server->stream({event("ADDED", "11"), StreamEnd{}});

  run_until(9);

  EXPECT_THAT(
      log->lines(),
      ElementsAre(HasSubstr("warn: Listing failed"), HasSubstr("info: What was forbidden"),
                  HasSubstr("warn: A watch broke off"), HasSubstr("info: What was forbidden")));
}

struct StreamedListTest : ListWatchTest {
  StreamedListTest() { settings.stream_lists = true; }
};

std::string end_of_list(const std::string& version) {
  return R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":")" + version +
         R"(","annotations":{"k8s.io/initial-events-end":"true"}}}})" + "\n";
}
const std::string kInvalid =
    R"({"kind":"Status","message":"sendInitialEvents is forbidden","reason":"Invalid","code":422})";

TEST_F(StreamedListTest, IsTheBeginningOfTheWatch) {
  server->stream({event("ADDED", "1"), event("ADDED", "2") + end_of_list("10"),
                  event("ADDED", "11"), StreamEnd{}});

  run_until(2);

  EXPECT_THAT(sink.calls(), ElementsAre("start", "listed " + object("1"), "listed " + object("2"),
                                        "complete", "applied " + object("11")));
  EXPECT_THAT(targets()[0],
              AllOf(HasSubstr("watch=true"), HasSubstr("sendInitialEvents=true"),
                    HasSubstr("resourceVersionMatch=NotOlderThan"),
                    HasSubstr("allowWatchBookmarks=true"), HasSubstr("fieldSelector="),
                    Not(HasSubstr("resourceVersion=")), Not(HasSubstr("limit="))));
  EXPECT_THAT(targets()[1], AllOf(HasSubstr("resourceVersion=11&"), HasSubstr("watch=true"),
                                  Not(HasSubstr("sendInitialEvents"))));
  EXPECT_EQ(stats.lists, 1U);
  EXPECT_EQ(stats.watches, 2U);
  EXPECT_EQ(stats.events, 1U);
  EXPECT_EQ(stats.reconnects, 0U);
}

TEST_F(StreamedListTest, TakesChangesIntoTheListUntilItsEnd) {
  server->stream({event("ADDED", "1"), event("BOOKMARK", "3"), event("MODIFIED", "4"),
                  event("DELETED", "5"), end_of_list("10"), StreamEnd{}});

  run_until(2);

  EXPECT_THAT(sink.calls(), ElementsAre("start", "listed " + object("1"), "listed " + object("4"),
                                        "unlisted " + object("5"), "complete"));
}

TEST_F(StreamedListTest, ComesInPagesForGoodWhereItIsRefused) {
  for (const int status : {400, 403, 422}) {
    server = std::make_shared<FakeServer>();
    server->answer(status, kInvalid);
    server->answer(200, list("10", "[1]"));
    server->answer(410, kExpired);
    server->answer(200, list("20", "[2]"));

    run_until(5);

    EXPECT_THAT(targets()[1], AllOf(HasSubstr("limit="), Not(HasSubstr("watch="))));
    EXPECT_THAT(targets()[2], HasSubstr("resourceVersion=10&"));
    EXPECT_THAT(targets()[3], HasSubstr("limit=")) << status;
    EXPECT_EQ(stats.lists, 2U);
  }
}

TEST_F(StreamedListTest, ComesInPagesForGoodWhereItIsIgnored) {
  settings.stream_patience = milliseconds{20};
  server->stream({event("ADDED", "1")});  // and nothing more
  server->answer(200, list("10", "[2]"));

  run_until(3);

  EXPECT_THAT(sink.calls(),
              ElementsAre("start", "listed " + object("1"), "start", "listed 2", "complete"));
}

TEST_F(StreamedListTest, ComesInPagesWhereTheAnswerDoesNotBegin) {
  settings.stream_patience = milliseconds{20};
  server->hang();
  server->answer(200, list("10", "[2]"));

  run_until(3);

  EXPECT_EQ(stats.lists, 1U);
}

TEST_F(StreamedListTest, ComesInPagesWhereEventsNeverComeToItsEnd) {
  settings.stream_limit = milliseconds{0};
  server->stream({event("ADDED", "1"), event("MODIFIED", "2"), event("MODIFIED", "3")});
  server->answer(200, list("10", "[2]"));

  run_until(3);

  EXPECT_THAT(sink.calls(), ElementsAre("start", "start", "listed 2", "complete"));
  EXPECT_THAT(targets()[1], HasSubstr("limit="));
}

TEST_F(StreamedListTest, IsAskedForAgainSomeTimeAfterARefusal) {
  settings.stream_pause = milliseconds{0};
  server->answer(422, kInvalid);
  server->stream({end_of_list("20"), StreamEnd{}});

  run_until(3);

  EXPECT_THAT(targets()[1], HasSubstr("sendInitialEvents=true"));
  EXPECT_EQ(stats.lists, 1U);
}

TEST_F(StreamedListTest, IsNoListBeforeItsEnd) {
  server->stream({event("ADDED", "1"), StreamEnd{}});
  server->stream({event("ADDED", "1"), unavailable("reset")});
  server->stream({event("ADDED", "2"), end_of_list("10"), StreamEnd{}});

  run_until(4);

  EXPECT_THAT(targets()[2], HasSubstr("sendInitialEvents=true"));
  EXPECT_THAT(targets()[3], HasSubstr("resourceVersion=10&"));
  EXPECT_EQ(stats.lists, 1U);
  EXPECT_GE(stats.reconnects, 2U);
}

TEST_F(StreamedListTest, IsMadeOnceInPagesWhenItBreaksOffAgainAndAgain) {
  for (const char* broken : {"nonsense\n", "{\"type\":\"DELETED\",\"object\":{\"unclear\":1}}\n",
                             "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":"
                             "{\"k8s.io/initial-events-end\":\"true\"}}}}\n"}) {
    server->stream({event("ADDED", "1"), broken});
  }
  server->answer(200, list("10", "[2]"));
  server->answer(410, kExpired);
  server->stream({end_of_list("20"), StreamEnd{}});

  run_until(7);

  EXPECT_THAT(targets()[3], HasSubstr("limit="));
  EXPECT_THAT(targets()[5], HasSubstr("sendInitialEvents=true"));
  const auto calls = sink.calls();
  EXPECT_EQ(std::count(calls.begin(), calls.end(), "complete"), 2);
  EXPECT_THAT(calls, Contains("listed 2"));
}

}  // namespace
}  // namespace vkhost::kube
