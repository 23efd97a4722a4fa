#include "kube/api_client.hpp"

#include "base/thread.hpp"
#include "base/version.hpp"
#include "support/exposition.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_transport.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vkhost::testing::FakeServer;
using vkhost::testing::FakeTransport;
using vkhost::testing::RecordingLogSink;
using vkhost::testing::StreamEnd;

class FakeCredentials final : public Credentials {
 public:
  Result<Identity> current(Deadline /*deadline*/, const CancelToken& /*cancel*/) override {
    Identity identity;
    identity.authorization = Secret("Bearer token-" + std::to_string(generation));
    identity.impersonation = {{"Impersonate-User", "bob"}};
    identity.tls = tls;
    identity.generation = generation;
    return identity;
  }
  void reject(std::uint64_t rejected) override {
    rejections.push_back(rejected);
    ++generation;
  }

  std::uint64_t generation = 1;
  std::shared_ptr<const http::ClientTls> tls = std::make_shared<http::ClientTls>();
  std::vector<std::uint64_t> rejections;
};

struct ClientTest : ::testing::Test {
  std::unique_ptr<Client> make(ClientSettings settings = {}) {
    settings.server = "https://127.0.0.1:6443/base";
    settings.proxy_url = "http://proxy:3128";
    settings.retry = {milliseconds{1}, milliseconds{2}};
    ClientParts parts;
    parts.credentials = credentials;
    parts.clock = clock;
    parts.random = std::make_shared<SeededRandom>(1);
    parts.log = observe::Logger(log);
    parts.metrics = &metrics;
    parts.make_transport =
        [this](http::TransportSettings made) -> Result<std::unique_ptr<http::Transport>> {
      transports.push_back(made);
      if (made.tls.key_pem == "broken") {
        return invalid_argument("key_pem is no key");
      }
      return std::unique_ptr<http::Transport>(std::make_unique<FakeTransport>(server));
    };
    return make_client(settings, std::move(parts));
  }
  CallOptions within(milliseconds time) const {
    CallOptions options;
    options.deadline = Deadline::after(*clock, time);
    return options;
  }

  static CallOptions in_lane(Lane lane) {
    CallOptions options;
    options.lane = lane;
    return options;
  }

  // What was counted under that name.
  double counted(std::string_view name, const vkhost::testing::Labels& labels) const {
    return vkhost::testing::sum_of(vkhost::testing::parse_exposition(metrics.render()), name,
                                   labels);
  }

  observe::Metrics metrics;
  std::shared_ptr<FakeCredentials> credentials = std::make_shared<FakeCredentials>();
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  std::shared_ptr<RecordingLogSink> log = std::make_shared<RecordingLogSink>();
  std::vector<http::TransportSettings> transports;
};

const std::string kGone = R"({"kind":"Status","message":"gone","reason":"NotFound"})";

TEST_F(ClientTest, SendsWhatTheApiServerExpects) {
  const auto client = make();
  server->answer(200, "got");
  server->answer(201, "created");
  server->answer(200, "updated");
  server->answer(200, "merged");
  server->answer(200, "merged strategically");
  server->answer(200, "patched");
  server->answer(202, "removed");

  EXPECT_EQ(*client->get("/api/v1/pods", {{"limit", "5"}, {"fieldSelector", "a=b"}}, {}), "got");
  EXPECT_EQ(*client->create("/c", "{1}", {}), "created");
  EXPECT_EQ(*client->update("/u", "{2}", {}), "updated");
  EXPECT_EQ(*client->patch("/p", PatchType::Merge, "{3}", {}), "merged");
  EXPECT_EQ(*client->patch("/p", PatchType::StrategicMerge, "{4}", {}), "merged strategically");
  EXPECT_EQ(*client->patch("/p", PatchType::Json, "[5]", {}), "patched");
  EXPECT_EQ(*client->remove("/d", "", {}), "removed");

  const auto requests = server->requests();
  const auto header = [&](std::size_t index, const char* name) {
    return http::find_header(requests.at(index).headers, name);
  };
  ASSERT_EQ(requests.size(), 7U);
  EXPECT_EQ(requests[0].target, "/api/v1/pods?limit=5&fieldSelector=a%3Db");
  EXPECT_EQ(header(0, "Accept"), "application/json");
  EXPECT_EQ(header(0, "User-Agent"), "vkhost/" + std::string(daemon_version()));
  EXPECT_EQ(header(0, "Authorization"), "Bearer token-1");
  EXPECT_EQ(header(0, "Impersonate-User"), "bob");
  EXPECT_EQ(header(0, "Content-Type"), "");
  EXPECT_EQ(requests[1].method, "POST");
  EXPECT_EQ(header(1, "Content-Type"), "application/json");
  EXPECT_EQ(requests[2].method, "PUT");
  EXPECT_EQ(requests[3].method, "PATCH");
  EXPECT_EQ(header(3, "Content-Type"), "application/merge-patch+json");
  EXPECT_EQ(header(4, "Content-Type"), "application/strategic-merge-patch+json");
  EXPECT_EQ(header(5, "Content-Type"), "application/json-patch+json");
  EXPECT_EQ(requests[5].body, "[5]");
  EXPECT_EQ(requests[6].method, "DELETE");
  EXPECT_EQ(header(6, "Content-Type"), "");
}

// virtual-kubelet#822: The client itself allows five requests a second
TEST_F(ClientTest, SendsRequestsWithoutALimitOfItsOwn) {
  auto standing = std::make_shared<vkhost::testing::FakeClock>();
  clock = standing;
  const SteadyTime before = standing->steady_now();
  const auto client = make();
  constexpr std::size_t kRequests = 1000;
  for (std::size_t i = 0; i < kRequests; ++i) {
    server->answer(200, "{}");
  }

  for (std::size_t i = 0; i < kRequests; ++i) {
    EXPECT_TRUE(
        client->patch("/p", PatchType::StrategicMerge, "{}", in_lane(Lane::Status)).is_ok());
  }

  EXPECT_EQ(server->requests().size(), kRequests);
  EXPECT_EQ(standing->steady_now(), before);
}

TEST_F(ClientTest, UsesOneTransportForAllLanes) {
  const auto client = make();
  server->answer(200, "1");
  server->answer(200, "2");

  EXPECT_EQ(*client->get("/x", {}, {}), "1");
  EXPECT_EQ(*client->update("/lease", "{}", in_lane(Lane::Lease)), "2");

  ASSERT_EQ(transports.size(), 1U);
  EXPECT_EQ(transports[0].url, "https://127.0.0.1:6443/base");
  EXPECT_EQ(transports[0].proxy_url, "http://proxy:3128");
  EXPECT_EQ(transports[0].max_connections, 38U);
}

TEST_F(ClientTest, HoldsUpNoOtherLaneWhenOneIsFull) {
  ClientSettings settings;
  settings.widths = {.lease = 1, .node = 1, .status = 1, .normal = 1, .events = 1};
  const auto client = make(settings);
  CancelSource source;
  CallOptions stalled;
  stalled.cancel = source.token();
  server->hang();
  Thread reader("reader", [&] { static_cast<void>(client->get("/list", {}, stalled)); });
  ASSERT_TRUE(server->wait_for_requests(1));
  server->answer(200, "lease");
  server->answer(200, "node");
  server->answer(200, "status");
  server->answer(201, "event");

  EXPECT_EQ(*client->update("/lease", "{}", in_lane(Lane::Lease)), "lease");
  EXPECT_EQ(*client->get("/node", {}, in_lane(Lane::Node)), "node");
  EXPECT_EQ(*client->patch("/status", PatchType::StrategicMerge, "{}", in_lane(Lane::Status)),
            "status");
  EXPECT_EQ(*client->create("/events", "{}", in_lane(Lane::Events)), "event");
  const Status waited = client->get("/x", {}, within(milliseconds{5})).status();

  EXPECT_EQ(waited.code(), StatusCode::DeadlineExceeded);
  EXPECT_THAT(waited.message(), HasSubstr("GET /x"));
  EXPECT_EQ(server->requests().size(), 5U);
  source.cancel();
}

// virtual-kubelet#822: Requests wait for a limit of the client, not for the server's word
TEST_F(ClientTest, HoldsTheLaneAndNoOtherAfter429) {
  const auto client = make();
  server->answer(429, "", {{"Retry-After", "30"}, {"X-Kubernetes-PF-FlowSchema-UID", "f-1"}});
  EXPECT_EQ(client->get("/x", {}, within(seconds{20})).status().code(),
            StatusCode::ResourceExhausted);
  server->answer(200, "lease");

  const Status held = client->get("/y", {}, within(seconds{20})).status();

  EXPECT_EQ(held.code(), StatusCode::ResourceExhausted);
  EXPECT_EQ(held.retry(), Retry::After);
  EXPECT_EQ(server->requests().size(), 1U) << "nobody knocks before the time";
  EXPECT_EQ(*client->update("/lease", "{}", in_lane(Lane::Lease)), "lease");
  EXPECT_THAT(log->lines(), ElementsAre(AllOf(HasSubstr("warn: "), HasSubstr("lane=normal"),
                                              HasSubstr("flow_schema_uid=f-1"))));
}

TEST_F(ClientTest, TakesTheFirstAnswerOfARequestThatIsMadeOnce) {
  const auto client = make();
  server->answer(429, "", {{"Retry-After", "0"}});
  CallOptions options = within(seconds{20});
  options.once = true;
  options.repeatable = true;

  EXPECT_EQ(client->create("/x", "{}", options).status().code(), StatusCode::ResourceExhausted);

  EXPECT_EQ(server->requests().size(), 1U);
}

TEST_F(ClientTest, HoldsNoLaneForTheAnswerToARequestThatIsMadeOnce) {
  const auto client = make();
  server->answer(429, "", {{"Retry-After", "30"}});
  server->answer(200, "got");
  CallOptions options = within(seconds{20});
  options.once = true;

  EXPECT_EQ(client->create("/x", "{}", options).status().code(), StatusCode::ResourceExhausted);

  EXPECT_EQ(*client->get("/y", {}, within(seconds{20})), "got");
}

TEST_F(ClientTest, SaysWhatWasAskedAndWhatWasAnswered) {
  const auto client = make();
  server->answer(404, kGone);

  const auto answer = client->get("/api/v1/nodes/x", {}, {});

  EXPECT_EQ(answer.status().code(), StatusCode::NotFound);
  EXPECT_EQ(answer.status().reason(), "NotFound");
  EXPECT_EQ(answer.status().message(), "GET /api/v1/nodes/x: gone");
}

TEST_F(ClientTest, RepeatsReadsWhenTheConnectionIsLost) {
  const auto client = make();
  server->fail(unavailable("reset"));
  server->answer(502, "<html>");
  server->answer(200, "here");

  EXPECT_EQ(*client->get("/x", {}, {}), "here");
}

TEST_F(ClientTest, NeverRepeatsByItselfWhatWouldHappenTwice) {
  const auto client = make();
  for (const bool is_post : {true, false}) {
    server->fail(unavailable("reset"));

    const auto answer =
        is_post ? client->create("/x", "{}", {}) : client->patch("/x", PatchType::Json, "[]", {});

    EXPECT_EQ(answer.status().code(), StatusCode::Unavailable);
    EXPECT_EQ(answer.status().effect(), Effect::Unknown);
    EXPECT_FALSE(server->requests().back().repeatable);
  }
  EXPECT_EQ(server->requests().size(), 2U);
}

TEST_F(ClientTest, RepeatsWritesThatSetTheSameAgain) {
  const auto client = make();
  CallOptions repeatable;
  repeatable.repeatable = true;
  const auto lose_one = [&] {
    server->fail(unavailable("reset"));
    server->answer(200, "done");
  };

  lose_one();
  EXPECT_EQ(*client->patch("/x", PatchType::StrategicMerge, "{}", {}), "done");
  lose_one();
  EXPECT_EQ(*client->patch("/x", PatchType::Merge, "{}", {}), "done");
  lose_one();
  EXPECT_EQ(*client->update("/x", "{}", {}), "done");
  lose_one();
  EXPECT_EQ(*client->remove("/x", "{}", {}), "done");
  lose_one();
  EXPECT_EQ(*client->create("/x", "{}", repeatable), "done");

  for (const auto& request : server->requests()) {
    EXPECT_TRUE(request.repeatable) << request.method;
  }
}

TEST_F(ClientTest, SaysThatTheOutcomeIsUnknownWhenNoRepetitionHelped) {
  ClientSettings settings;
  settings.max_tries = 2;
  const auto client = make(settings);
  server->fail(unavailable("reset"));
  server->answer(502, "");

  const Status lost = client->update("/x", "{}", {}).status();

  EXPECT_EQ(lost.code(), StatusCode::Unavailable);
  EXPECT_EQ(lost.effect(), Effect::Unknown);
}

TEST_F(ClientTest, RepeatsAThrottledWrite) {
  const auto client = make();
  server->answer(429, "", {{"Retry-After", "0"}});
  server->answer(503, "", {{"Retry-After", "0"}});
  server->answer(201, "made");

  EXPECT_EQ(*client->create("/x", "{}", {}), "made");
  EXPECT_EQ(server->requests().at(2).body, "{}");
}

TEST_F(ClientTest, GivesUpAfterSomeTriesAndTellsTheDelay) {
  ClientSettings settings;
  settings.max_tries = 3;
  const auto client = make(settings);
  for (int i = 0; i < 3; ++i) {
    server->answer(429, "", {{"Retry-After", "0"}});
  }

  const auto answer = client->create("/x", "{}", {});

  EXPECT_EQ(answer.status().code(), StatusCode::ResourceExhausted);
  EXPECT_EQ(answer.status().retry(), Retry::After);
  EXPECT_EQ(server->requests().size(), 3U);
}

TEST_F(ClientTest, DoesNotWaitBeyondTheDeadline) {
  const auto client = make();
  server->answer(429, "", {{"Retry-After", "30"}});

  const auto answer = client->create("/x", "{}", within(seconds{29}));

  EXPECT_EQ(answer.status().code(), StatusCode::ResourceExhausted);
  EXPECT_EQ(answer.status().retry_after(), seconds{30});
}

TEST_F(ClientTest, StopsWaitingWhenCancelled) {
  const auto client = make();
  server->answer(429, "", {{"Retry-After", "30"}});
  CancelSource source;
  CallOptions options;
  options.cancel = source.token();
  Thread canceller("canceller", [&] {
    EXPECT_TRUE(server->wait_for_requests(1));
    source.cancel();
  });

  const auto answer = client->create("/x", "{}", options);

  EXPECT_EQ(answer.status().code(), StatusCode::Cancelled);
}

TEST_F(ClientTest, BoundsRequestsThatCameWithoutADeadline) {
  ClientSettings settings;
  settings.request_timeout = milliseconds{5};
  const auto client = make(settings);
  server->hang();

  EXPECT_EQ(client->get("/x", {}, {}).status().code(), StatusCode::DeadlineExceeded);
}

TEST_F(ClientTest, ShowsOtherCredentialsOnceAfter401) {
  const auto client = make();
  server->answer(401, "");
  server->answer(201, "made");

  EXPECT_EQ(*client->create("/x", "{}", {}), "made");

  EXPECT_THAT(credentials->rejections, ElementsAre(1U));
  EXPECT_EQ(http::find_header(server->requests()[0].headers, "Authorization"), "Bearer token-1");
  EXPECT_EQ(http::find_header(server->requests()[1].headers, "Authorization"), "Bearer token-2");
}

TEST_F(ClientTest, TakesASecond401ForAnAnswer) {
  const auto client = make();
  server->answer(401, "");
  server->answer(401, "");

  EXPECT_EQ(client->get("/x", {}, {}).status().code(), StatusCode::Unauthenticated);
  EXPECT_EQ(server->requests().size(), 2U);
}

TEST_F(ClientTest, MakesTransportsAnewWhenCertificatesChange) {
  const auto client = make();
  server->answer(200, "1");
  server->answer(200, "2");
  server->answer(200, "3");
  EXPECT_TRUE(client->get("/x", {}, {}).is_ok());
  EXPECT_TRUE(client->get("/x", {}, {}).is_ok());
  EXPECT_EQ(transports.size(), 1U);
  http::ClientTls rotated;
  rotated.certificate_pem = "new";
  credentials->tls = std::make_shared<http::ClientTls>(rotated);

  EXPECT_TRUE(client->get("/x", {}, {}).is_ok());

  ASSERT_EQ(transports.size(), 2U);
  EXPECT_EQ(transports[1].tls.certificate_pem, "new");
}

TEST_F(ClientTest, KeepsTheOldTransportsWhileNewCertificatesAreUnusable) {
  const auto client = make();
  for (int i = 0; i < 3; ++i) {
    server->answer(200, "ok");
  }
  EXPECT_TRUE(client->get("/x", {}, {}).is_ok());
  http::ClientTls half;
  half.key_pem = "broken";
  credentials->tls = std::make_shared<http::ClientTls>(half);

  EXPECT_TRUE(client->get("/x", {}, {}).is_ok());
  EXPECT_TRUE(client->get("/x", {}, {}).is_ok());

  EXPECT_EQ(transports.size(), 2U) << "tried once";
}

TEST_F(ClientTest, ReportsSettingsThatAreWrongAtTheFirstRequest) {
  const auto client = make();
  http::ClientTls broken;
  broken.key_pem = "broken";
  credentials->tls = std::make_shared<http::ClientTls>(broken);

  const auto answer = client->get("/x", {}, {});

  EXPECT_EQ(answer.status().code(), StatusCode::InvalidArgument);
  EXPECT_THAT(answer.status().message(), HasSubstr("key_pem"));
}

TEST_F(ClientTest, OpensAWatch) {
  const auto client = make();
  server->stream({"{\"type\":\"ADDED\"}\n", StreamEnd{}});

  auto stream = client->watch("/api/v1/pods", {{"resourceVersion", "7"}}, {});

  ASSERT_TRUE(stream.is_ok());
  EXPECT_EQ(**(*stream)->try_next(), "{\"type\":\"ADDED\"}");
  EXPECT_EQ(**(*stream)->try_next(), "");
  EXPECT_EQ(server->requests().at(0).target, "/api/v1/pods?resourceVersion=7&watch=true");
}

TEST_F(ClientTest, CountsEachTryByVerbAndCode) {
  const auto client = make();
  server->answer(503, "");
  server->fail(unavailable("reset"));
  server->answer(200, "got");

  ASSERT_TRUE(client->get("/x", {}, in_lane(Lane::Node)).is_ok());

  const std::string_view requests = "vkhost_api_requests_total";
  EXPECT_EQ(counted(requests, {{"verb", "get"}}), 3);
  EXPECT_EQ(counted(requests, {{"verb", "get"}, {"code", "503"}}), 1);
  EXPECT_EQ(counted(requests, {{"verb", "get"}, {"code", "UNAVAILABLE"}}), 1);
  EXPECT_EQ(counted(requests, {{"verb", "get"}, {"code", "200"}}), 1);
  EXPECT_EQ(counted("vkhost_api_retries_total", {{"verb", "get"}, {"code", "UNAVAILABLE"}}), 2);
  EXPECT_EQ(counted("vkhost_api_lane_wait_seconds_count", {{"lane", "node"}}), 3);
}

TEST_F(ClientTest, CountsAWatchWhoseCredentialsWereRefusedOnce) {
  const auto client = make();
  server->answer(401, "");
  server->stream({StreamEnd{}});

  ASSERT_TRUE(client->watch("/x", {}, {}).is_ok());

  EXPECT_EQ(counted("vkhost_api_requests_total", {{"verb", "watch"}, {"code", "401"}}), 1);
  EXPECT_EQ(counted("vkhost_api_requests_total", {{"verb", "watch"}, {"code", "200"}}), 1);
  EXPECT_EQ(counted("vkhost_api_retries_total", {{"verb", "watch"}, {"code", "UNAUTHENTICATED"}}),
            1);
}

TEST_F(ClientTest, TurnsARefusedWatchIntoItsStatus) {
  const auto client = make();
  server->answer(401, "");
  server->answer(410, R"({"kind":"Status","reason":"Expired","message":"too old","code":410})");

  const auto stream = client->watch("/x", {}, {});

  EXPECT_EQ(stream.status().code(), StatusCode::OutOfRange);
  EXPECT_EQ(stream.status().reason(), "Expired");
  EXPECT_THAT(credentials->rejections, ElementsAre(1U));
}

}  // namespace
}  // namespace vkhost::kube
