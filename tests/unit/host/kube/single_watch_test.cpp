#include "kube/single_watch.hpp"

#include "base/mutex.hpp"
#include "kube/paths.hpp"
#include "support/exposition.hpp"
#include "support/fake_client.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vkhost::kube {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using vkhost::testing::client_on;
using vkhost::testing::FakeServer;
using vkhost::testing::RecordingLogSink;
using vkhost::testing::StreamEnd;
using vkhost::testing::StreamSilence;
using Does = NextTurn::Does;

// Stands still until it is moved, ahead of the system's clock, by which the transport judges deadlines.
class StandingClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return {}; }
  void advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  SteadyTime now_ = std::chrono::steady_clock::now() + std::chrono::hours{1};
};

// Jitter of nothing.
class NoChance final : public Random {
 public:
  [[nodiscard]] double next() override { return 0; }
};

class RecordingObjectListener final : public ObjectListener {
 public:
  void object_changed(std::string json) override { record(std::move(json)); }
  void object_gone() override { record("gone"); }

  [[nodiscard]] std::vector<std::string> calls() const {
    const MutexLock lock(mutex_);
    return calls_;
  }
  [[nodiscard]] std::set<std::thread::id> threads() const {
    const MutexLock lock(mutex_);
    return threads_;
  }
  [[nodiscard]] bool wait_for_calls(std::size_t count) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    const MutexLock lock(mutex_);
    while (calls_.size() < count) {
      if (!called_.wait_until(mutex_, until)) {
        return calls_.size() >= count;
      }
    }
    return true;
  }

 private:
  void record(std::string call) {
    const MutexLock lock(mutex_);
    calls_.push_back(std::move(call));
    threads_.insert(std::this_thread::get_id());
    called_.notify_all();
  }
  mutable Mutex mutex_;
  CondVar called_;
  std::vector<std::string> calls_ VKHOST_GUARDED_BY(mutex_);
  std::set<std::thread::id> threads_ VKHOST_GUARDED_BY(mutex_);
};

std::string secret(const std::string& version, const std::string& more = "") {
  return R"({"kind":"Secret","metadata":{"name":"s","resourceVersion":")" + version + "\"}" + more +
         "}";
}
std::string event(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}
std::string bookmark(const std::string& version) {
  return event("BOOKMARK", R"({"metadata":{"resourceVersion":")" + version + "\"}}");
}
const std::string kImmutable = R"(,"immutable":true)";
const std::string kExpired =
    R"({"kind":"Status","message":"too old resource version","reason":"Expired","code":410})";
const std::string kForbidden =
    R"({"kind":"Status","message":"secrets is forbidden","reason":"Forbidden","code":403})";
const std::string kNotFound = R"({"kind":"Status","reason":"NotFound","code":404})";

SingleWatchSettings secret_settings(const std::string& known_version = "") {
  SingleWatchSettings settings;
  settings.collection_path = secrets_path("n");
  settings.name = "s";
  settings.known_version = known_version;
  return settings;
}

// Takes the place of the WatchLoop: each turn is a call of the test.
struct SingleWatchTest : ::testing::Test {
  SingleWatch& begin(SingleWatchSettings settings) {
    watch = std::make_unique<SingleWatch>(
        std::move(settings),
        SingleWatch::Parts{*client, listener, group, clock, std::make_shared<NoChance>(),
                           observe::Logger(log), &metrics});
    return *watch;
  }
  NextTurn open() {
    stream.reset();
    NextTurn turn = watch->open({});
    stream = std::move(turn.stream);
    return turn;
  }
  NextTurn follow() { return watch->follow(*stream); }
  std::chrono::milliseconds wait_of(const NextTurn& turn) const {
    return std::chrono::ceil<std::chrono::milliseconds>(turn.when - clock->steady_now());
  }
  std::vector<std::string> targets() const {
    std::vector<std::string> all;
    for (const auto& request : server->requests()) {
      all.push_back(request.target);
    }
    return all;
  }
  std::size_t warnings() const {
    const auto lines = log->lines();
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [](const auto& line) { return line.starts_with("warn"); }));
  }

  [[nodiscard]] double counted(std::string_view name, const vkhost::testing::Labels& labels) const {
    return vkhost::testing::sum_of(vkhost::testing::parse_exposition(metrics.render()), name,
                                   labels);
  }

  observe::Metrics metrics;
  std::shared_ptr<StandingClock> clock = std::make_shared<StandingClock>();
  std::shared_ptr<RecordingLogSink> log = std::make_shared<RecordingLogSink>();
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  std::unique_ptr<Client> client = client_on(server);
  RecordingObjectListener listener;
  SingleWatchGroup group{10, observe::Logger(log)};
  std::unique_ptr<SingleWatch> watch;
  std::unique_ptr<WatchStream> stream;
};

const std::string kRead = "/api/v1/namespaces/n/secrets/s";
const std::string kWatchFromAny =
    "/api/v1/namespaces/n/secrets?allowWatchBookmarks=true&resourceVersion=0&timeoutSeconds=300&"
    "fieldSelector=metadata.name%3Ds&watch=true";

TEST_F(SingleWatchTest, WatchesFromAnyVersionAndReadsWithoutAList) {
  server->stream({event("ADDED", secret("3"))});
  server->answer(200, secret("3"));
  begin(secret_settings());

  EXPECT_EQ(open().does, Does::Follow);
  EXPECT_EQ(follow().does, Does::Follow);

  EXPECT_THAT(targets(), ElementsAre(kWatchFromAny, kRead));
  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"))) << "once, whoever brought it";
}

TEST_F(SingleWatchTest, DoesNotReadWhatTheListenerHas) {
  server->stream({event("ADDED", secret("3")), event("MODIFIED", secret("4"))});
  begin(secret_settings("3"));

  open();
  const NextTurn turn = follow();

  EXPECT_THAT(targets(), ElementsAre(kWatchFromAny));
  EXPECT_THAT(listener.calls(), ElementsAre(secret("4")));
  EXPECT_EQ(wait_of(turn), 330s) << "until after the end of the watch";
}

TEST_F(SingleWatchTest, ReadsWhatTheWatchDoesNotConfirm) {
  server->stream({StreamSilence{}});
  server->stream({StreamSilence{}});
  server->answer(404, kNotFound);
  begin(secret_settings("3"));
  open();
  EXPECT_EQ(wait_of(follow()), 10s);
  clock->advance(10s);

  const NextTurn turn = follow();
  EXPECT_EQ(turn.does, Does::Open);
  EXPECT_LE(turn.when, clock->steady_now());
  EXPECT_EQ(open().does, Does::Follow);

  EXPECT_THAT(targets(), ElementsAre(kWatchFromAny, kWatchFromAny, kRead));
  EXPECT_THAT(listener.calls(), ElementsAre("gone"));
  EXPECT_EQ(wait_of(follow()), 330s) << "what the read said needs no confirmation";
}

TEST_F(SingleWatchTest, IsLiveWhileAWatchIsOpenWhoseBeginningWasTold) {
  server->stream({event("ADDED", secret("3")), bookmark("20"), StreamSilence{}});
  server->answer(200, secret("3"));
  begin(secret_settings());
  EXPECT_FALSE(watch->is_live());
  open();
  follow();
  EXPECT_TRUE(watch->is_live());
  clock->advance(180s);

  follow();
  EXPECT_FALSE(watch->is_live()) << "the watch has stalled";

  server->answer(403, kForbidden);
  server->answer(200, secret("3"));
  open();
  EXPECT_FALSE(watch->is_live()) << "only read now and then";
}

TEST_F(SingleWatchTest, IsNotLiveOnceTheStreamIsBroken) {
  server->stream({event("ADDED", secret("3")), StreamSilence{}});
  begin(secret_settings("3"));
  CancelSource breaks;
  stream = watch->open(breaks.token()).stream;
  follow();
  ASSERT_TRUE(watch->is_live());
  breaks.cancel();

  EXPECT_EQ(follow().does, Does::Open);

  EXPECT_FALSE(watch->is_live());
}

TEST_F(SingleWatchTest, IsNotLiveBeforeTheWatchConfirmsTheStateThatIsKnown) {
  server->stream({event("ADDED", secret("2")), StreamSilence{}});
  begin(secret_settings("3"));

  open();
  follow();

  EXPECT_FALSE(watch->is_live());
}

// The store behind the API server was restored from a backup: what is there now bears an older version.
TEST_F(SingleWatchTest, ReadsWhenTheWatchShowsAnOlderStateOnly) {
  server->stream({event("ADDED", secret("3"))});
  server->stream({event("ADDED", secret("3"))});
  server->answer(200, secret("3"));
  begin(secret_settings("500"));
  open();
  EXPECT_EQ(wait_of(follow()), 10s);
  EXPECT_THAT(listener.calls(), IsEmpty());
  clock->advance(10s);

  follow();
  open();
  follow();

  EXPECT_THAT(listener.calls(), ElementsAre(secret("3")));
}

TEST_F(SingleWatchTest, TellsOfEachChangeOfADeletionAndOfTheNextOfThatName) {
  server->stream({event("ADDED", secret("3")), event("MODIFIED", secret("4")),
                  event("DELETED", secret("5")), event("ADDED", secret("6"))});
  server->answer(200, secret("3"));
  begin(secret_settings());

  open();
  follow();

  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), secret("4"), "gone", secret("6")));
}

TEST_F(SingleWatchTest, SaysThatThereIsNoneAndWhenItComes) {
  server->stream({event("ADDED", secret("8"))});
  server->answer(404, kNotFound);
  begin(secret_settings());

  EXPECT_EQ(open().does, Does::Follow);
  EXPECT_THAT(listener.calls(), ElementsAre("gone"));
  follow();

  EXPECT_THAT(listener.calls(), ElementsAre("gone", secret("8")));
}

TEST_F(SingleWatchTest, IgnoresWhatHappenedBeforeTheRead) {
  server->stream({event("ADDED", secret("3")), event("MODIFIED", secret("4")),
                  event("DELETED", secret("5")), event("ADDED", secret("7")),
                  event("MODIFIED", secret("9"))});
  server->answer(200, secret("7"));
  begin(secret_settings());

  open();
  follow();

  EXPECT_THAT(listener.calls(), ElementsAre(secret("7"), secret("9")));
}

TEST_F(SingleWatchTest, TakesVersionsThatCompareWithNothingAsTheyCome) {
  server->stream({event("ADDED", secret("a9")), event("MODIFIED", secret("a1"))});
  server->answer(200, secret("a9"));
  begin(secret_settings());

  open();
  follow();

  EXPECT_THAT(listener.calls(), ElementsAre(secret("a9"), secret("a1")));
}

TEST_F(SingleWatchTest, GoesOnBehindTheLastBookmarkAfterTheEnd) {
  server->stream({event("ADDED", secret("3")), bookmark("20"), StreamEnd{}});
  server->answer(200, secret("3"));
  server->stream({event("MODIFIED", secret("21"))});
  begin(secret_settings());
  open();

  const NextTurn turn = follow();
  EXPECT_EQ(turn.does, Does::Open);
  EXPECT_LE(turn.when, clock->steady_now());
  open();
  follow();

  ASSERT_EQ(targets().size(), 3U) << "and does not read again";
  EXPECT_THAT(targets()[2], HasSubstr("resourceVersion=20&"));
  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), secret("21")));
}

TEST_F(SingleWatchTest, GoesOnAfterTheConnectionIsLost) {
  server->stream({event("ADDED", secret("3")), bookmark("20"), unavailable("reset")});
  server->answer(200, secret("3"));
  server->stream({event("MODIFIED", secret("21"))});
  begin(secret_settings());
  open();

  EXPECT_EQ(follow().does, Does::Open);
  open();
  follow();

  EXPECT_THAT(targets().at(2), HasSubstr("resourceVersion=20&"));
  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), secret("21")));
}

TEST_F(SingleWatchTest, CountsWatchesEventsAndWhyItBeganAgain) {
  server->stream({event("ADDED", secret("3")), bookmark("7"), unavailable("reset")});
  server->answer(410, kExpired);
  begin(secret_settings("3"));

  open();
  follow();
  open();

  const vkhost::testing::Labels secrets = {{"resource", "secrets"}};
  EXPECT_EQ(counted("vkhost_watches_opened_total", secrets), 1);
  EXPECT_EQ(counted("vkhost_watch_events_total", secrets), 1) << "a bookmark is none";
  EXPECT_EQ(counted("vkhost_watch_lists_total", secrets), 0);
  const std::string_view restarts = "vkhost_watch_restarts_total";
  EXPECT_EQ(counted(restarts, {{"resource", "secrets"}, {"code", "UNAVAILABLE"}}), 1);
  EXPECT_EQ(counted(restarts, {{"resource", "secrets"}, {"code", "OUT_OF_RANGE"}}), 1);
}

TEST_F(SingleWatchTest, ReadsAgainWhenTheVersionIsTooOld) {
  for (const bool as_event : {false, true}) {
    server->stream({event("ADDED", secret("3")), bookmark("20"), StreamEnd{}});
    server->answer(200, secret("3"));
    if (as_event) {
      server->stream({event("ERROR", kExpired)});
    } else {
      server->answer(410, kExpired);
    }
    server->stream({event("ADDED", secret("30"))});
    server->answer(200, secret("30"));
    begin(secret_settings());
    const std::size_t before = targets().size();
    open();
    follow();

    open();
    if (as_event) {
      EXPECT_EQ(follow().does, Does::Open);
    }
    open();
    follow();

    ASSERT_EQ(targets().size(), before + 5);
    EXPECT_EQ(targets()[before + 3], kWatchFromAny);
    EXPECT_EQ(targets()[before + 4], kRead);
  }
  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), secret("30"), secret("3"), secret("30")));
}

TEST_F(SingleWatchTest, HearsOfADeletionThatItMissed) {
  server->stream({event("ADDED", secret("3")), bookmark("20"), StreamEnd{}});
  server->answer(200, secret("3"));
  server->stream({event("ERROR", kExpired)});
  server->stream({StreamSilence{}});
  server->answer(404, kNotFound);
  begin(secret_settings());
  open();
  follow();
  open();
  follow();

  open();

  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), "gone"));
}

TEST_F(SingleWatchTest, IsReadNowAndThenWhereWatchingIsForbidden) {
  server->answer(403, kForbidden);
  server->answer(200, secret("3"));
  begin(secret_settings());
  NextTurn turn = open();
  EXPECT_THAT(listener.calls(), ElementsAre(secret("3")));

  // Watching is tried at growing distances, reading is not.
  for (const auto wait : {2s, 4s, 8s, 16s}) {
    EXPECT_EQ(turn.does, Does::Open);
    EXPECT_EQ(wait_of(turn), wait);
    clock->advance(wait);
    server->answer(403, kForbidden);
    turn = open();
  }
  EXPECT_EQ(wait_of(turn), 15s);
  clock->advance(15s);
  server->answer(200, secret("4"));
  turn = open();

  EXPECT_EQ(targets().back(), kRead);
  EXPECT_EQ(targets().size(), 7U) << "one read in 45 s, five tries to watch";
  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), secret("4")));
  EXPECT_EQ(wait_of(turn), 17s) << "the next try to watch";
  EXPECT_EQ(warnings(), 1U);
  EXPECT_EQ(group.places_taken(), 0U) << "it holds up no other";
}

TEST_F(SingleWatchTest, WatchesOnceThatIsAllowed) {
  server->answer(403, kForbidden);
  server->answer(200, secret("3"));
  server->stream({event("ADDED", secret("5"))});
  begin(secret_settings());
  clock->advance(wait_of(open()));

  EXPECT_EQ(open().does, Does::Follow);
  follow();

  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), secret("5")));
  EXPECT_EQ(warnings(), 0U) << "refused in passing, as while the authoriser hears of a pod";
}

TEST_F(SingleWatchTest, TriesAgainWhenReadingIsForbidden) {
  begin(secret_settings());
  std::vector<std::chrono::milliseconds> waits;
  for (int i = 0; i < 8; ++i) {
    server->stream({StreamSilence{}});
    server->answer(403, kForbidden);
    waits.push_back(wait_of(open()));
    clock->advance(waits.back());
  }
  EXPECT_THAT(waits, ElementsAre(0s, 2s, 4s, 8s, 16s, 32s, 45s, 45s));
  EXPECT_THAT(listener.calls(), IsEmpty()) << "neither there nor gone";

  server->stream({StreamSilence{}});
  server->answer(200, secret("3"));
  open();

  EXPECT_THAT(listener.calls(), ElementsAre(secret("3")));
}

TEST_F(SingleWatchTest, IsReadNowAndThenWhenThereAreTooManyWatches) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(group.take_place());
  }
  server->answer(200, secret("3"));
  server->answer(200, secret("4"));
  begin(secret_settings());

  EXPECT_EQ(wait_of(open()), 45s);
  clock->advance(45s);
  const NextTurn turn = open();

  EXPECT_EQ(turn.does, Does::Open);
  EXPECT_EQ(wait_of(turn), 45s);
  EXPECT_THAT(targets(), ElementsAre(kRead, kRead));
  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), secret("4")));
}

TEST_F(SingleWatchTest, SaysOnceThatThereIsNone) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(group.take_place());
  }
  server->answer(404, kNotFound);
  server->answer(404, kNotFound);
  begin(secret_settings());
  clock->advance(wait_of(open()));

  open();

  EXPECT_EQ(server->requests().size(), 2U);
  EXPECT_THAT(listener.calls(), ElementsAre("gone"));
}

TEST_F(SingleWatchTest, WatchesOnceThereIsRoom) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(group.take_place());
  }
  server->answer(200, secret("3"));
  server->stream({event("ADDED", secret("3")), event("MODIFIED", secret("4"))});
  begin(secret_settings());
  clock->advance(wait_of(open()));
  group.give_back_place();

  EXPECT_EQ(open().does, Does::Follow);
  follow();

  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), secret("4")));
  EXPECT_EQ(group.places_taken(), 10U);
  watch->left();
  EXPECT_EQ(group.places_taken(), 9U);
}

TEST_F(SingleWatchTest, LeavesAnImmutableObjectAlone) {
  server->stream({event("ADDED", secret("3", kImmutable))});
  server->answer(200, secret("3", kImmutable));
  begin(secret_settings());

  const NextTurn turn = open();

  EXPECT_EQ(turn.does, Does::Open);
  EXPECT_EQ(turn.when, SteadyTime::max());
  EXPECT_EQ(group.places_taken(), 0U);
  EXPECT_THAT(listener.calls(), ElementsAre(secret("3", kImmutable)));
}

TEST_F(SingleWatchTest, LeavesAnObjectAloneThatBecomesImmutable) {
  server->stream({event("ADDED", secret("3")), event("MODIFIED", secret("4", kImmutable))});
  begin(secret_settings("3"));
  open();

  const NextTurn turn = follow();

  EXPECT_EQ(turn.does, Does::Open);
  EXPECT_EQ(turn.when, SteadyTime::max());
  EXPECT_EQ(group.places_taken(), 0U);
  EXPECT_THAT(listener.calls(), ElementsAre(secret("4", kImmutable)));
}

TEST_F(SingleWatchTest, OpensAnewWhenTheWatchStalls) {
  server->stream({event("ADDED", secret("3")), bookmark("20")});
  begin(secret_settings("3"));
  open();
  EXPECT_EQ(wait_of(follow()), 180s);
  clock->advance(179s);
  EXPECT_EQ(follow().does, Does::Follow);
  clock->advance(1s);

  EXPECT_EQ(follow().does, Does::Open);
  open();

  EXPECT_THAT(targets().back(), HasSubstr("resourceVersion=20&"));
}

TEST_F(SingleWatchTest, BacksOffFromAServerThatIsAway) {
  begin(secret_settings("3"));
  std::vector<std::chrono::milliseconds> waits;
  for (int i = 0; i < 8; ++i) {
    server->fail(unavailable("refused"));
    server->fail(unavailable("refused"));  // for the read, where it comes to that
    const NextTurn turn = open();
    ASSERT_EQ(turn.does, Does::Open);
    waits.push_back(wait_of(turn));
    clock->advance(waits.back());
  }

  EXPECT_THAT(waits, ElementsAre(0s, 1s, 2s, 4s, 8s, 16s, 14s, 30s))
      << "the seventh comes when a read is due";
  EXPECT_THAT(listener.calls(), IsEmpty());
  EXPECT_EQ(warnings(), 0U) << "hundreds would say the same";
}

// It comes back with more patience, and on a thread that others wait for.
TEST_F(SingleWatchTest, ReadsOnceEachTime) {
  server->stream({StreamSilence{}});
  server->answer(503, "");
  begin(secret_settings());

  EXPECT_EQ(open().does, Does::Open);

  EXPECT_THAT(targets(), ElementsAre(kWatchFromAny, kRead));
}

TEST_F(SingleWatchTest, ForgetsFailuresOnceAWatchHasLasted) {
  begin(secret_settings("3"));
  for (int i = 0; i < 4; ++i) {
    server->fail(unavailable("refused"));
    clock->advance(wait_of(open()));
  }
  server->stream({event("ADDED", secret("3")), bookmark("20"), unavailable("reset")});
  open();

  const NextTurn turn = follow();

  EXPECT_EQ(turn.does, Does::Open);
  EXPECT_EQ(wait_of(turn), 0s);
}

TEST_F(SingleWatchTest, IsReadWhileOnlyWatchesFail) {
  server->fail(unavailable("cut"));
  server->answer(200, secret("3"));
  begin(secret_settings());

  EXPECT_EQ(open().does, Does::Open);

  EXPECT_THAT(listener.calls(), ElementsAre(secret("3")));
}

TEST_F(SingleWatchTest, DoesNotAskInATightLoopWhenEachWatchEndsAtOnce) {
  begin(secret_settings("3"));
  std::vector<std::chrono::milliseconds> waits;
  for (int i = 0; i < 4; ++i) {
    server->stream({StreamEnd{}});
    open();
    waits.push_back(wait_of(follow()));
  }

  EXPECT_THAT(waits, ElementsAre(0s, 1s, 2s, 4s));
}

TEST_F(SingleWatchTest, WaitsAsLongAsTheServerAsks) {
  server->answer(429, "", {{"Retry-After", "60"}});
  begin(secret_settings("3"));

  EXPECT_EQ(wait_of(open()), 60s);
}

TEST_F(SingleWatchTest, KeepsWhatItHadWhenTheObjectCanNotBeRead) {
  server->stream(
      {event("MODIFIED", secret("4", ",\"data\":{\"a\":01}")), event("MODIFIED", secret("5"))});
  server->answer(200, secret("3"));
  begin(secret_settings());

  open();
  follow();

  EXPECT_THAT(listener.calls(), ElementsAre(secret("3"), secret("5")));
}

TEST_F(SingleWatchTest, IsNotLiveBesideAStateThatItCouldNotRead) {
  server->stream(
      {event("ADDED", secret("3")), event("MODIFIED", secret("4", ",\"a\":01")), StreamSilence{}});
  begin(secret_settings("3"));
  open();
  clock->advance(20s);

  EXPECT_EQ(follow().does, Does::Open);

  EXPECT_FALSE(watch->is_live());
}

TEST_F(SingleWatchTest, NeverTakesAStrangeAnswerForAnObject) {
  begin(secret_settings());
  for (const char* body : {"", "<html>", "[]", "{}", "null", R"({"metadata":{"name":"other"}})",
                           R"({"metadata":{"name":"s"},"data":})"}) {
    server->stream({StreamSilence{}});
    server->answer(200, body);
    EXPECT_EQ(open().does, Does::Open) << body;
  }
  server->stream({StreamSilence{}});
  server->answer(404, "<html>");  // of a proxy
  EXPECT_EQ(open().does, Does::Open);

  EXPECT_THAT(listener.calls(), IsEmpty());
}

TEST_F(SingleWatchTest, IgnoresOtherObjects) {
  const std::string other = R"({"metadata":{"name":"other","resourceVersion":"9"}})";
  server->stream({event("ADDED", other), event("DELETED", other), event("NEWS", secret("9"))});
  begin(secret_settings("3"));

  open();
  const NextTurn turn = follow();

  EXPECT_THAT(listener.calls(), IsEmpty());
  EXPECT_EQ(wait_of(turn), 10s) << "and takes none of them for a confirmation";
}

TEST_F(SingleWatchTest, AsksForNothingElseByAnEvilName) {
  SingleWatchSettings settings = secret_settings();
  settings.name = R"(../a,metadata.namespace=x\)";
  server->stream({StreamSilence{}});
  server->answer(404, kNotFound);
  begin(std::move(settings));

  open();

  EXPECT_THAT(
      targets().at(0),
      HasSubstr("fieldSelector=metadata.name%3D..%2Fa%5C%2Cmetadata.namespace%5C%3Dx%5C%5C&"));
  EXPECT_THAT(targets().at(1), EndsWith("/secrets/..%2Fa%2Cmetadata.namespace%3Dx%5C"));
}

TEST_F(SingleWatchTest, NeverLogsWhatTheObjectHolds) {
  const std::string data = R"(,"data":{"password":"c3dvcmRmaXNo"})";
  server->stream({event("ADDED", secret("4", data)),
                  event("MODIFIED", secret("5", data + ",\"x\":01")),
                  R"({"type":"ADDED","data":"c3dvcmRmaXNo"})"
                  "\n"});
  server->answer(200, secret("3", data));
  begin(secret_settings());

  open();
  follow();

  for (const std::string& line : log->lines()) {
    EXPECT_THAT(line, Not(HasSubstr("c3dvcmRmaXNo")));
  }
  EXPECT_FALSE(log->lines().empty());
}

// ---- On a WatchLoop

TEST_F(SingleWatchTest, EndsAtOnceWhileARequestIsInFlight) {
  for (const bool in_read : {false, true}) {
    server = std::make_shared<FakeServer>();
    client = client_on(server);
    if (in_read) {
      server->stream({StreamSilence{}});
    }
    server->hang();
    begin(secret_settings());
    WatchLoop loop(std::make_shared<SystemClock>());
    loop.add(*watch, Opening::Patient);
    ASSERT_TRUE(server->wait_for_requests(in_read ? 2 : 1));

    loop.remove(*watch);

    EXPECT_EQ(group.places_taken(), 0U);
  }
  EXPECT_THAT(listener.calls(), IsEmpty());
}

TEST_F(SingleWatchTest, SharesThreadsWithHundredsOfOthers) {
  constexpr std::size_t kCount = 200;
  struct One {
    std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
    std::unique_ptr<Client> client = client_on(server);
    RecordingObjectListener listener;
    std::unique_ptr<SingleWatch> watch;
  };
  SingleWatchGroup many(kCount, {});
  WatchLoop loop(std::make_shared<SystemClock>());
  std::vector<One> all(kCount);
  for (One& one : all) {
    one.server->stream({event("ADDED", secret("3")), event("MODIFIED", secret("4"))});
    one.server->answer(200, secret("3"));
    one.watch = std::make_unique<SingleWatch>(secret_settings(),
                                              SingleWatch::Parts{*one.client,
                                                                 one.listener,
                                                                 many,
                                                                 std::make_shared<SystemClock>(),
                                                                 std::make_shared<SeededRandom>(7),
                                                                 {}});
    loop.add(*one.watch, Opening::Patient);
  }

  std::set<std::thread::id> threads;
  for (One& one : all) {
    ASSERT_TRUE(one.listener.wait_for_calls(2));
    EXPECT_THAT(one.listener.calls(), ElementsAre(secret("3"), secret("4")));
    threads.merge(one.listener.threads());
  }
  EXPECT_EQ(many.places_taken(), kCount);
  EXPECT_LE(threads.size(), 10U);
  for (One& one : all) {
    loop.remove(*one.watch);
  }
  EXPECT_EQ(many.places_taken(), 0U);
}

}  // namespace
}  // namespace vkhost::kube
