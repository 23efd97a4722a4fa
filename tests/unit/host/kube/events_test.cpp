#include "kube/events.hpp"

#include "kube/json_cut.hpp"
#include "kube/json_reader.hpp"
#include "support/fake_client.hpp"
#include "support/fake_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using vkhost::testing::client_on;
using vkhost::testing::FakeServer;

Event failed(const std::string& message) {
  Event event;
  event.about.object_namespace = "ns";
  event.about.name = "web-0";
  event.about.uid = "u-1";
  event.severity = EventSeverity::Warning;
  event.reason = "ProviderCreateFailed";
  event.message = message;
  event.node_name = "vk-0";
  return event;
}

Event pulled(const std::string& message = "Image pulled") {
  Event event;
  event.about.object_namespace = "ns";
  event.about.name = "web-0";
  event.about.uid = "u-1";
  event.severity = EventSeverity::Normal;
  event.reason = "Pulled";
  event.message = message;
  event.node_name = "vk-0";
  return event;
}

std::string text_at(const std::string& json, std::string_view outer, std::string_view key = {}) {
  const std::string_view value = find_member(json, outer);
  return std::string(plain_string(key.empty() ? value : find_member(value, key)));
}

struct EventWriterTest : ::testing::Test {
  void start() {
    client = client_on(server);
    settings.backoff = {milliseconds{1}, milliseconds{2}};
    writer = std::make_unique<EventWriter>(
        settings, EventWriter::Parts{*client, clock, std::make_shared<SeededRandom>(1), {}, [this] {
                                       return is_busy.load();
                                     }});
    writer->start();
  }
  void flush() { writer->stop(Deadline::never()); }

  [[nodiscard]] std::string message_of(std::size_t request) const {
    return text_at(server->requests().at(request).body, "message");
  }

  EventWriterSettings settings;
  std::atomic<bool> is_busy = false;
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  std::shared_ptr<Clock> clock = std::make_shared<SystemClock>();
  std::unique_ptr<Client> client;
  std::unique_ptr<EventWriter> writer;
};

TEST_F(EventWriterTest, PostsAnEventAsTheApiWantsIt) {
  server->answer(201, "{}");
  start();

  writer->post(pulled());
  flush();

  const auto request = server->requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/api/v1/namespaces/ns/events");
  ASSERT_TRUE(read_json(request.body).is_ok()) << request.body;
  EXPECT_THAT(text_at(request.body, "metadata", "name"), StartsWith("web-0."));
  EXPECT_EQ(text_at(request.body, "metadata", "namespace"), "ns");
  EXPECT_EQ(text_at(request.body, "involvedObject", "kind"), "Pod");
  EXPECT_EQ(text_at(request.body, "involvedObject", "namespace"), "ns");
  EXPECT_EQ(text_at(request.body, "involvedObject", "uid"), "u-1");
  EXPECT_EQ(text_at(request.body, "source", "component"), "vkhost");
  EXPECT_EQ(text_at(request.body, "source", "host"), "vk-0");
  EXPECT_EQ(text_at(request.body, "type"), "Normal");
  EXPECT_EQ(text_at(request.body, "reason"), "Pulled");
  EXPECT_EQ(text_at(request.body, "message"), "Image pulled");
  EXPECT_EQ(find_member(request.body, "count"), "1");
  EXPECT_EQ(writer->stats().created, 1U);
}

TEST_F(EventWriterTest, PutsEventsOfNodesIntoDefault) {
  server->answer(201, "{}");
  start();
  Event event = pulled();
  event.about.kind = "Node";
  event.about.object_namespace.clear();

  writer->post(event);
  flush();

  EXPECT_EQ(server->requests().at(0).target, "/api/v1/namespaces/default/events");
}

TEST_F(EventWriterTest, CountsARepeatInsteadOfWritingItAgain) {
  server->answer(201, "{}");
  server->answer(200, "{}");
  server->answer(200, "{}");
  server->answer(201, "{}");
  start();

  for (int i = 0; i < 3; ++i) {
    writer->post(pulled());
  }
  writer->post(pulled("another message"));
  flush();

  const auto requests = server->requests();
  ASSERT_EQ(requests.size(), 4U);
  const std::string name = text_at(requests[0].body, "metadata", "name");
  EXPECT_EQ(requests[1].method, "PATCH");
  EXPECT_EQ(requests[1].target, "/api/v1/namespaces/ns/events/" + name);
  EXPECT_EQ(find_member(requests[1].body, "count"), "2");
  EXPECT_EQ(find_member(requests[2].body, "count"), "3");
  EXPECT_EQ(requests[3].method, "POST");
  EXPECT_NE(text_at(requests[3].body, "metadata", "name"), name);
  EXPECT_EQ(writer->stats().counted_up, 2U);
}

TEST_F(EventWriterTest, WritesItAnewWhenTheOldOneExpired) {
  server->answer(201, "{}");
  server->answer(404, R"({"kind":"Status","reason":"NotFound","message":"gone"})");
  server->answer(201, "{}");
  start();

  writer->post(pulled());
  writer->post(pulled());
  flush();

  EXPECT_EQ(writer->stats().created, 2U);
}

TEST_F(EventWriterTest, NamesAnEventByItsKeySoThatARepeatIsNone) {
  server->answer(201, "{}");
  server->answer(409, R"({"kind":"Status","reason":"AlreadyExists","message":"exists"})");
  start();
  Event event = pulled();
  event.key = "instance i-1 interrupted";
  event.occurred = parse_time("2026-01-02T03:04:05Z");

  writer->post(event);
  writer->post(event);
  flush();

  const auto requests = server->requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(text_at(requests[0].body, "metadata", "name"), "web-0.5e458279325cf4ea")
      << "must not change from one version to the next";
  EXPECT_EQ(requests[0].body, requests[1].body);
  EXPECT_EQ(text_at(requests[0].body, "lastTimestamp"), "2026-01-02T03:04:05Z");
  EXPECT_EQ(writer->stats().created, 1U);
  EXPECT_EQ(writer->stats().failed, 0U);
}

TEST_F(EventWriterTest, TriesAgainUnderTheSameNameWhileTheServerIsAway) {
  server->fail(unavailable("reset"));
  server->answer(503, "");
  server->answer(409, R"({"kind":"Status","reason":"AlreadyExists","message":"it got there"})");
  start();

  writer->post(pulled());
  ASSERT_TRUE(server->wait_for_requests(3));
  flush();

  EXPECT_EQ(server->requests()[0].body, server->requests()[2].body);
  EXPECT_EQ(writer->stats().failed, 0U);
}

TEST_F(EventWriterTest, DropsWhatIsRefusedAndWhatFailsTooOften) {
  settings.max_tries = 2;
  server->answer(403, R"({"kind":"Status","reason":"Forbidden","message":"being terminated"})");
  server->answer(503, "");
  server->answer(503, "");
  server->answer(201, "{}");
  start();

  writer->post(pulled("a"));
  writer->post(pulled("b"));
  writer->post(pulled("c"));
  ASSERT_TRUE(server->wait_for_requests(4));
  flush();

  EXPECT_EQ(writer->stats().failed, 2U);
  EXPECT_EQ(writer->stats().created, 1U);
}

TEST_F(EventWriterTest, LimitsWhatOneObjectMayWrite) {
  settings.per_object = {.burst = 2, .refill_one = minutes{5}, .remembered = 10};
  settings.queue_limit = 100;
  server->hang();
  start();

  for (int i = 0; i < 5; ++i) {
    writer->post(pulled(std::to_string(i)));
  }

  EXPECT_EQ(writer->stats().dropped_rate, 3U);
}

TEST_F(EventWriterTest, DropsWhatTheQueueCanNotHold) {
  settings.queue_limit = 3;
  server->hang();
  start();
  writer->post(failed("taken by the thread"));
  ASSERT_TRUE(server->wait_for_requests(1));

  for (int i = 0; i < 5; ++i) {
    writer->post(failed(std::to_string(i)));
  }

  EXPECT_EQ(writer->stats().dropped_queue_full, 2U);
}

TEST_F(EventWriterTest, DropsNormalEventsFirst) {
  settings.queue_limit = 4;
  server->hang();
  start();
  writer->post(failed("taken by the thread"));
  ASSERT_TRUE(server->wait_for_requests(1));

  EXPECT_TRUE(writer->takes_normal());
  for (int i = 0; i < 3; ++i) {
    writer->post(pulled(std::to_string(i)));
  }
  EXPECT_EQ(writer->stats().dropped_queue_full, 1U);
  EXPECT_FALSE(writer->takes_normal());
  for (int i = 0; i < 4; ++i) {
    writer->post(failed(std::to_string(i)));
  }
  EXPECT_EQ(writer->stats().dropped_queue_full, 3U);
  writer->post(failed("too much"));

  EXPECT_EQ(writer->stats().dropped_queue_full, 4U);
  EXPECT_TRUE(writer->takes_normal());
}

TEST_F(EventWriterTest, HoldsNormalEventsWhileMoreImportantThingsAreSent) {
  server->answer(201, "{}");
  server->answer(201, "{}");
  is_busy = true;
  start();

  writer->post(pulled());
  writer->post(failed("no capacity"));
  ASSERT_TRUE(server->wait_for_requests(1));
  EXPECT_EQ(message_of(0), "no capacity");
  is_busy = false;
  ASSERT_TRUE(server->wait_for_requests(2));

  EXPECT_EQ(message_of(1), "Image pulled");
}

TEST_F(EventWriterTest, HoldsNormalEventsForAWhileOnly) {
  settings.normal_patience = milliseconds{20};
  settings.normal_turn = milliseconds{1};
  server->answer(201, "{}");
  server->answer(201, "{}");
  is_busy = true;
  start();

  writer->post(pulled("a"));
  writer->post(pulled("b"));

  EXPECT_TRUE(server->wait_for_requests(2));
}

TEST_F(EventWriterTest, WritesNormalEventsThatWereHeldAtTheEnd) {
  server->answer(201, "{}");
  is_busy = true;
  start();

  writer->post(pulled());
  flush();

  EXPECT_EQ(writer->stats().created, 1U);
}

TEST_F(EventWriterTest, SaysWhenAHeldEventHappened) {
  server->answer(201, "{}");
  const auto moved = std::make_shared<vkhost::testing::FakeClock>();
  clock = moved;
  is_busy = true;
  start();
  const std::string posted = format_time(moved->wall_now());

  writer->post(pulled());
  moved->advance(minutes{5});
  flush();

  EXPECT_EQ(text_at(server->requests().at(0).body, "firstTimestamp"), posted);
}

TEST_F(EventWriterTest, CountsRepeatsThatDifferInTheNextTryOnly) {
  server->answer(201, "{}");
  server->answer(200, "{}");
  start();
  Event event = failed("no capacity");

  event.detail = "; next try at 10:00";
  writer->post(event);
  event.detail = "; next try at 10:05";
  writer->post(event);
  flush();

  const auto requests = server->requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(message_of(0), "no capacity; next try at 10:00");
  EXPECT_EQ(requests[1].method, "PATCH");
  EXPECT_EQ(find_member(requests[1].body, "count"), "2");
  EXPECT_EQ(message_of(1), "no capacity; next try at 10:05");
}

TEST_F(EventWriterTest, KeepsTheNextTryOfALongMessage) {
  server->answer(201, "{}");
  start();
  Event event = failed(std::string(5000, 'x'));
  event.detail = "; next try at 10:00";

  writer->post(event);
  flush();

  EXPECT_LE(message_of(0).size(), 1024U);
  EXPECT_THAT(message_of(0), ::testing::EndsWith("…; next try at 10:00"));
}

TEST_F(EventWriterTest, NamesThePartOfThePodThatItIsAbout) {
  server->answer(201, "{}");
  server->answer(201, "{}");
  start();
  Event event = pulled();

  for (const char* path : {"spec.containers{a}", "spec.containers{b}"}) {
    event.about.field_path = path;
    writer->post(event);
  }
  flush();

  EXPECT_EQ(text_at(server->requests().at(0).body, "involvedObject", "fieldPath"),
            "spec.containers{a}");
  EXPECT_EQ(server->requests().at(1).method, "POST") << "no repeat of the other's";
}

TEST_F(EventWriterTest, CutsLongMessagesBetweenCharacters) {
  server->answer(201, "{}");
  start();
  std::string message = "x";
  for (int i = 0; i < 1000; ++i) {
    message += "é";
  }

  writer->post(pulled(message));
  flush();

  const std::string sent = text_at(server->requests().at(0).body, "message");
  EXPECT_LE(sent.size(), 1024U);
  EXPECT_GT(sent.size(), 1015U);
  EXPECT_TRUE(read_json(server->requests().at(0).body).is_ok());
  EXPECT_EQ(sent.substr(sent.size() - 5), "é…");
}

TEST_F(EventWriterTest, KeepsNamesWithinTheLimitOfTheApi) {
  server->answer(201, "{}");
  start();
  Event event = pulled();
  event.about.name = std::string(253, 'n');

  writer->post(event);
  flush();

  EXPECT_EQ(text_at(server->requests().at(0).body, "metadata", "name").size(), 253U);
}

TEST_F(EventWriterTest, StopsAtTheDeadlineWithAServerThatHangs) {
  server->hang();
  start();
  writer->post(pulled());
  ASSERT_TRUE(server->wait_for_requests(1));

  writer->stop(Deadline::at(SystemClock().steady_now()));
  writer->stop(Deadline::never());
  writer->post(pulled());

  EXPECT_EQ(writer->stats().created, 0U);
}

}  // namespace
}  // namespace vkhost::kube
