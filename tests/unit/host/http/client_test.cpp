#include "http/client.hpp"

#include "base/thread.hpp"
#include "support/certificates.hpp"
#include "support/raw_server.hpp"

#include <gtest/gtest.h>

#include <poll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;
using testing::CertificateAuthority;
using testing::RawPeer;
using testing::RawServer;

const std::shared_ptr<const Clock>& system_clock() {
  static const std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
  return clock;
}

Deadline within(std::chrono::milliseconds time = 20s) {
  return Deadline::after(*system_clock(), time);
}

std::unique_ptr<Transport> make(TransportSettings settings) {
  auto made = make_poco_transport(std::move(settings), system_clock());
  EXPECT_TRUE(made.is_ok()) << made.status().to_string();
  return std::move(made).value();
}

std::unique_ptr<Transport> make_for(const RawServer& server) {
  TransportSettings settings;
  settings.url = server.url();
  return make(std::move(settings));
}

Request get(std::string target = "/x?q=1") {
  return {.method = "GET", .target = std::move(target)};
}

std::string big_body() {
  std::string body(1'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) {
    body[i] = static_cast<char>('a' + (i * 31) % 26);
  }
  return body;
}

void answer_all(RawPeer& peer) {
  while (!peer.read_request().empty() && peer.answer(200, "ok")) {
  }
}

TEST(HttpClient, SendsTheRequestAsGivenAndReturnsTheAnswer) {
  std::string seen;
  const RawServer server([&](RawPeer& peer) {
    seen = peer.read_request();
    peer.answer(409, "conflict", "X-Y: z\r\n");
  });
  TransportSettings settings;
  settings.url = server.url() + "/base/";
  const auto client = make(settings);

  const auto response = client->send({.method = "PATCH",
                                      .target = "/api/v1?fieldManager=a",
                                      .headers = {{"Content-Type", "application/json"}},
                                      .body = "{}"},
                                     within(), {});

  ASSERT_TRUE(response.is_ok()) << response.status().to_string();
  EXPECT_EQ(response->status, 409);
  EXPECT_EQ(response->body, "conflict");
  EXPECT_EQ(find_header(response->headers, "x-y"), "z");
  EXPECT_EQ(seen, "PATCH /base/api/v1?fieldManager=a HTTP/1.1\r\nHost: 127.0.0.1:" +
                      std::to_string(server.port()) +
                      "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(HttpClient, RefusesARequestThatWouldBecomeAnother) {
  const RawServer server(answer_all);
  const auto client = make_for(server);
  const std::vector<Request> bad = {
      {.method = "GET /x"},
      {.target = ""},
      {.target = "x"},
      {.target = "/a b"},
      {.target = "/a\r\nX: y"},
      {.headers = {{"A", "b\r\nC: d"}}},
      {.headers = {{"A\r\n", "b"}}},
      {.headers = {{"Content-Length", "5"}}},
  };

  for (const Request& request : bad) {
    EXPECT_EQ(client->send(request, within(), {}).status().code(), StatusCode::InvalidArgument);
  }
  EXPECT_EQ(server.accepted(), 0);
}

TEST(HttpClient, UsesAConnectionAgain) {
  const RawServer server(answer_all);
  const auto client = make_for(server);

  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(client->send(get(), within(), {}).is_ok());
  }

  EXPECT_EQ(server.accepted(), 1);
}

struct BodyCase {
  std::string what;
  std::string wire;
  StatusCode code;
  std::string body;
};

TEST(HttpClient, TakesBodiesStrictly) {
  const std::vector<BodyCase> cases = {
      {"chunked", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
       StatusCode::Ok, "abcde"},
      {"until close", "\r\nabc", StatusCode::Ok, "abc"},
      {"empty", "Content-Length: 0\r\n\r\n", StatusCode::Ok, ""},
      {"cut in a chunk", "Transfer-Encoding: chunked\r\n\r\n5\r\nabc", StatusCode::Unavailable, ""},
      {"cut between chunks", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
       StatusCode::Unavailable, ""},
      {"cut before the last line", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
       StatusCode::Unavailable, ""},
      {"cut under its length", "Content-Length: 10\r\n\r\nabc", StatusCode::Unavailable, ""},
      {"malformed chunk", "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", StatusCode::Unavailable, ""},
      {"two lengths", "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", StatusCode::Unavailable,
       ""},
      {"length and coding", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       StatusCode::Unavailable, ""},
      {"unknown coding", "Transfer-Encoding: gzip\r\n\r\nabc", StatusCode::Unavailable, ""},
      {"cut head", "X: y\r\n", StatusCode::Unavailable, ""},
  };
  std::size_t turn = 0;
  const RawServer server([&](RawPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n" + cases[turn].wire);
    peer.close();
  });
  const auto client = make_for(server);

  for (turn = 0; turn < cases.size(); ++turn) {
    const auto response = client->send(get(), within(), {});

    EXPECT_EQ(response.status().code(), cases[turn].code)
        << cases[turn].what << ": " << response.status().to_string();
    if (response.is_ok()) {
      EXPECT_EQ(response->body, cases[turn].body) << cases[turn].what;
    }
  }
}

TEST(HttpClient, KnowsAnswersWithoutABody) {
  const RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");  // to HEAD
    peer.read_request();
    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    peer.read_request();
    peer.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
    peer.wait_for_end();
  });
  const auto client = make_for(server);

  EXPECT_EQ(client->send({.method = "HEAD"}, within(), {})->status, 200);
  EXPECT_EQ(client->send(get(), within(), {})->status, 204);
  EXPECT_EQ(client->send(get(), within(), {})->status, 304);
  EXPECT_EQ(server.accepted(), 1);
}

TEST(HttpClient, ReportsAReset) {
  const RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    peer.reset();
  });

  const auto response = make_for(server)->send(get(), within(), {});

  EXPECT_EQ(response.status().code(), StatusCode::Unavailable);
  EXPECT_EQ(response.status().effect(), Effect::None) << "a GET changes nothing";
  EXPECT_EQ(response.status().message().find("q=1"), std::string::npos) << "no query in messages";
}

// Answers the first request of each connection, and closes when the second has arrived.
void close_at_second(RawPeer& peer) {
  peer.read_request();
  peer.answer(200, "ok");
  if (peer.index() == 0) {
    peer.read_request();
    peer.close();
    return;
  }
  answer_all(peer);
}

TEST(HttpClient, RepeatsAnIdempotentRequestOnceWhenAKeptConnectionWasStale) {
  const RawServer server(close_at_second);
  const auto client = make_for(server);
  ASSERT_TRUE(client->send(get(), within(), {}).is_ok());

  const auto second = client->send(get(), within(), {});

  EXPECT_TRUE(second.is_ok()) << second.status().to_string();
  EXPECT_EQ(server.accepted(), 2);
}

TEST(HttpClient, DoesNotRepeatARequestThatMayHaveTakenEffect) {
  const RawServer server(close_at_second);
  const auto client = make_for(server);
  ASSERT_TRUE(client->send(get(), within(), {}).is_ok());

  const auto second = client->send({.method = "POST", .body = "x"}, within(), {});

  EXPECT_EQ(second.status().code(), StatusCode::Unavailable);
  EXPECT_EQ(second.status().effect(), Effect::Unknown);
  EXPECT_EQ(server.accepted(), 1);
}

TEST(HttpClient, RepeatsWhatTheCallerCallsRepeatable) {
  const RawServer server(close_at_second);
  const auto client = make_for(server);
  ASSERT_TRUE(client->send(get(), within(), {}).is_ok());

  const auto second =
      client->send({.method = "PATCH", .body = "x", .repeatable = true}, within(), {});

  EXPECT_TRUE(second.is_ok()) << second.status().to_string();
  EXPECT_EQ(server.accepted(), 2);
}

TEST(HttpClient, NoticesAConnectionThatWasClosedWhileIdle) {
  std::atomic<bool> closed = false;
  const RawServer server([&](RawPeer& peer) {
    peer.read_request();
    peer.answer(200, "ok");
    if (peer.index() == 0) {
      peer.close();
      closed = true;
      closed.notify_all();
    } else {
      answer_all(peer);
    }
  });
  const auto client = make_for(server);
  ASSERT_TRUE(client->send(get(), within(), {}).is_ok());
  closed.wait(false);

  const auto second = client->send({.method = "POST", .body = "x"}, within(), {});

  EXPECT_TRUE(second.is_ok()) << second.status().to_string();
}

TEST(HttpClient, TriesNoFurtherKeptConnectionAfterOneOnWhichNobodyAnswers) {
  // As when the machine of the other side is replaced without a word.
  std::atomic<int> accepted = 0;
  const RawServer server([&](RawPeer& peer) {
    ++accepted;
    accepted.notify_all();
    peer.read_request();
    for (int seen = accepted; seen < 2; seen = accepted) {
      accepted.wait(seen);  // so that there are two at once
    }
    peer.answer(200, "ok");
    if (peer.index() < 2) {
      peer.wait_for_end();
    } else {
      answer_all(peer);
    }
  });
  const auto client = make_for(server);
  {
    const Thread other("other", [&] { EXPECT_TRUE(client->send(get(), within(), {}).is_ok()); });
    EXPECT_TRUE(client->send(get(), within(), {}).is_ok());
  }
  ASSERT_EQ(client->send(get(), within(30ms), {}).status().code(), StatusCode::DeadlineExceeded);

  const auto next = client->send(get(), within(), {});

  EXPECT_TRUE(next.is_ok()) << next.status().to_string();
  EXPECT_EQ(server.accepted(), 3);
}

TEST(HttpClient, DoesNotUseAConnectionAgainThatHoldsMoreThanTheAnswer) {
  const RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n");
    peer.wait_for_end();
  });
  const auto client = make_for(server);

  ASSERT_EQ(client->send(get(), within(), {})->body, "ok");
  ASSERT_EQ(client->send(get(), within(), {})->body, "ok");

  EXPECT_EQ(server.accepted(), 2);
}

TEST(HttpClient, HoldsTheDeadlineAgainstATrickle) {
  const RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    while (peer.send("x")) {
      static_cast<void>(CancelToken().wait_for(10ms));
    }
  });
  const auto start = std::chrono::steady_clock::now();

  const auto response = make_for(server)->send(get(), within(150ms), {});

  EXPECT_EQ(response.status().code(), StatusCode::DeadlineExceeded);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

TEST(HttpClient, IsCancelledWhileWaitingForHeadOrBody) {
  for (const std::string sent : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\nabc"}) {
    const RawServer server([&](RawPeer& peer) {
      peer.read_request();
      peer.send(sent);
      peer.wait_for_end();
    });
    CancelSource source;
    Thread canceller("canceller", [&] {
      static_cast<void>(CancelToken().wait_for(30ms));
      source.cancel();
    });
    const auto start = std::chrono::steady_clock::now();

    const auto response = make_for(server)->send({.method = "POST"}, within(), source.token());

    EXPECT_EQ(response.status().code(), StatusCode::Cancelled) << response.status().to_string();
    EXPECT_EQ(response.status().effect(), Effect::Unknown);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  }
}

TEST(HttpClient, DoesNotConnectForACancelledCaller) {
  const RawServer server(answer_all);
  CancelSource source;
  source.cancel();

  const auto response = make_for(server)->send(get(), within(), source.token());

  EXPECT_EQ(response.status().code(), StatusCode::Cancelled);
  EXPECT_EQ(response.status().effect(), Effect::None);
}

TEST(HttpClient, TellsAConnectTimeoutFromTheCallersDeadline) {
  const RawServer server([](RawPeer& peer) { peer.wait_for_end(); });
  TransportSettings settings;
  settings.url = "https://127.0.0.1:" + std::to_string(server.port());  // TLS to one that is silent
  settings.connect_timeout = 50ms;

  const auto response = make(settings)->send(get(), within(), {});

  EXPECT_EQ(response.status().code(), StatusCode::Unavailable);
  EXPECT_NE(response.status().message().find("50 ms"), std::string::npos)
      << response.status().message();
}

TEST(HttpClient, BoundsTheBody) {
  const RawServer server([](RawPeer& peer) {
    for (;;) {
      const std::string request = peer.read_request();
      if (request.empty()) {
        return;
      }
      if (request.find("/announced") != std::string::npos) {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
      } else {
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n200\r\n" +
                  std::string(0x200, 'x') + "\r\n0\r\n\r\n");
      }
    }
  });
  TransportSettings settings;
  settings.url = server.url();
  settings.max_body_bytes = 100;
  const auto client = make(settings);

  for (const char* target : {"/announced", "/chunked"}) {
    EXPECT_EQ(client->send(get(target), within(), {}).status().code(),
              StatusCode::ResourceExhausted)
        << target;
  }
}

TEST(HttpClient, CarriesLargeBodiesBothWaysOverTls) {
  const CertificateAuthority authority;
  const std::string body = big_body();
  bool arrived = false;
  const RawServer server(
      [&](RawPeer& peer) {
        const std::string request = peer.read_request();
        arrived = request.size() > body.size() &&
                  request.compare(request.size() - body.size(), body.size(), body) == 0;
        peer.answer(200, body);
        peer.wait_for_end();
      },
      testing::issue_for_loopback(authority));
  TransportSettings settings;
  settings.url = server.url();
  settings.tls.ca_pem = authority.certificate_pem();

  const auto response =
      make(settings)->send({.method = "PUT", .target = "/", .body = body}, within(), {});

  ASSERT_TRUE(response.is_ok()) << response.status().to_string();
  EXPECT_TRUE(response->body == body);
  EXPECT_TRUE(arrived);
}

TEST(HttpClient, TakesACutForAnErrorEvenWhereTheEndOfTheConnectionEndsTheBody) {
  const CertificateAuthority authority;
  const RawServer server(
      [](RawPeer& peer) {
        peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\n\r\nabc");
        if (peer.index() == 0) {
          peer.cut();
        } else {
          peer.close();
        }
      },
      testing::issue_for_loopback(authority));
  TransportSettings settings;
  settings.url = server.url();
  settings.tls.ca_pem = authority.certificate_pem();
  const auto client = make(settings);

  EXPECT_EQ(client->send(get(), within(), {}).status().code(), StatusCode::Unavailable);
  EXPECT_EQ(client->send(get(), within(), {})->body, "abc");
}

TEST(HttpClient, ChecksTheNameOfTheServerOrTheOneGivenInstead) {
  const CertificateAuthority authority;
  const RawServer server(answer_all, authority.issue({.dns_names = {"api.example"}}));
  TransportSettings settings;
  settings.url = server.url();
  settings.tls.ca_pem = authority.certificate_pem();

  const auto wrong = make(settings)->send(get(), within(), {});
  EXPECT_EQ(wrong.status().code(), StatusCode::Unauthenticated) << wrong.status().to_string();

  settings.tls.server_name = "api.example";
  EXPECT_TRUE(make(settings)->send(get(), within(), {}).is_ok());
}

TEST(HttpClient, GivesAPlainProxyTheAbsoluteForm) {
  std::string seen;
  const RawServer proxy([&](RawPeer& peer) {
    seen = peer.read_request();
    peer.answer(200, "ok");
  });
  TransportSettings settings;
  settings.url = "http://api.example/base";
  settings.proxy_url = "http://me:p@ss@127.0.0.1:" + std::to_string(proxy.port());
  settings.proxy_url.replace(settings.proxy_url.find("p@ss"), 4, "p%40ss");

  ASSERT_TRUE(make(settings)->send(get("/x"), within(), {}).is_ok());

  EXPECT_EQ(seen.rfind("GET http://api.example/base/x HTTP/1.1\r\nHost: api.example\r\n", 0), 0U)
      << seen;
  EXPECT_NE(seen.find("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"), std::string::npos);
}

TEST(HttpClient, ServesManyThreadsOverAFewConnections) {
  const CertificateAuthority authority;
  const RawServer server(
      [](RawPeer& peer) {
        for (;;) {
          const std::string request = peer.read_request();
          if (request.empty()) {
            return;
          }
          const auto slash = request.find('/');
          peer.answer(200, request.substr(slash, request.find(" HTTP") - slash));
        }
      },
      testing::issue_for_loopback(authority));
  TransportSettings settings;
  settings.url = server.url();
  settings.tls.ca_pem = authority.certificate_pem();
  settings.max_connections = 4;
  const auto client = make(settings);
  std::atomic<int> right = 0;

  {
    std::vector<Thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back("asker", [&, t] {
        for (int i = 0; i < 100; ++i) {
          const std::string target = "/" + std::to_string(t) + "/" + std::to_string(i);
          const auto response = client->send(get(target), within(), {});
          right += response.is_ok() && response->body == target ? 1 : 0;
        }
      });
    }
  }

  EXPECT_EQ(right, 800);
  EXPECT_LE(server.accepted(), 4);
}

TEST(HttpClientStream, DeliversPiecesAsTheyArriveAndThenTheEnd) {
  std::atomic<int> go = 0;
  const RawServer server([&](RawPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    go.wait(0);
    peer.send("3\r\ntwo\r\n0\r\n\r\n");
    peer.wait_for_end();
  });
  const auto client = make_for(server);

  auto stream = client->open(get(), within(), {});

  ASSERT_TRUE(stream.is_ok()) << stream.status().to_string();
  EXPECT_EQ((*stream)->status(), 200);
  EXPECT_EQ(find_header((*stream)->headers(), "transfer-encoding"), "chunked");
  char buffer[64];
  EXPECT_EQ(*(*stream)->read(buffer, sizeof buffer, within()), 3U);
  EXPECT_EQ((*stream)->read(buffer, sizeof buffer, within(30ms)).status().code(),
            StatusCode::DeadlineExceeded);
  go = 1;
  go.notify_all();
  std::string rest;
  for (auto got = (*stream)->read(buffer, 2, within()); got.is_ok() && *got > 0;
       got = (*stream)->read(buffer, 2, within())) {
    rest.append(buffer, *got);
  }
  EXPECT_EQ(rest, "two") << "usable after a deadline";
  EXPECT_EQ(*(*stream)->read(buffer, sizeof buffer, within()), 0U);
  EXPECT_EQ(*(*stream)->read(buffer, sizeof buffer, within()), 0U);
}

class NonBlockingStream : public ::testing::TestWithParam<bool> {};

TEST_P(NonBlockingStream, SaysWhenMoreHasToArrive) {
  const CertificateAuthority authority("ca");
  std::atomic<int> go = 0;
  const RawServer server(
      [&](RawPeer& peer) {
        peer.read_request();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
        go.wait(0);
        peer.send("3\r\ntwo\r\n0\r\n");
        go.wait(1);
        peer.send("\r\n");
        peer.wait_for_end();
      },
      GetParam() ? testing::issue_for_loopback(authority) : testing::IssuedCertificate{});
  TransportSettings settings;
  settings.url = server.url();
  settings.tls.ca_pem = GetParam() ? authority.certificate_pem() : "";
  auto stream = make(settings)->open(get(), within(), {});
  ASSERT_TRUE(stream.is_ok()) << stream.status().to_string();
  char buffer[64];
  // So many bytes; fewer at the end.
  const auto next = [&](std::size_t count) {
    std::string text;
    while (text.size() < count) {
      const auto got = (*stream)->try_read(buffer, 2);
      if (!got.is_ok()) {
        return text + got.status().to_string();
      }
      if (*got && **got == 0) {
        break;
      }
      text.append(buffer, got->value_or(0));
      pollfd entry{(*stream)->descriptor(), POLLIN, 0};
      if (!*got && ::poll(&entry, 1, 20'000) != 1) {
        return text + " and no more";
      }
    }
    return text;
  };

  EXPECT_EQ(next(3), "one");
  EXPECT_FALSE((*stream)->try_read(buffer, sizeof buffer)->has_value());
  go = 1;
  go.notify_all();
  EXPECT_EQ(next(3), "two");
  go = 2;
  go.notify_all();
  EXPECT_EQ(next(1), "");
  EXPECT_EQ(next(1), "");
}

INSTANTIATE_TEST_SUITE_P(PlainAndTls, NonBlockingStream, ::testing::Bool(), [](const auto& which) {
  return which.param ? "Tls" : "Plain";
});

TEST(HttpClientStream, ReportsACutForGood) {
  const RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\none");
    peer.close();
  });
  auto stream = make_for(server)->open(get(), within(), {});
  ASSERT_TRUE(stream.is_ok());
  char buffer[64];

  EXPECT_EQ(*(*stream)->read(buffer, sizeof buffer, within()), 3U);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ((*stream)->read(buffer, sizeof buffer, within()).status().code(),
              StatusCode::Unavailable);
  }
}

TEST(HttpClientStream, EndsWhenCancelledAndOutlivesItsTransport) {
  const RawServer server([](RawPeer& peer) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\n\r\n");
    peer.wait_for_end();
  });
  CancelSource source;
  auto stream = make_for(server)->open(get(), within(), source.token());
  ASSERT_TRUE(stream.is_ok());
  Thread canceller("canceller", [&] {
    static_cast<void>(CancelToken().wait_for(30ms));
    source.cancel();
  });
  char buffer[64];
  const auto start = std::chrono::steady_clock::now();

  const auto got = (*stream)->read(buffer, sizeof buffer, Deadline::never());

  EXPECT_EQ(got.status().code(), StatusCode::Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
}

TEST(HttpClientSettings, ThatAreWrongAreNamed) {
  const std::vector<std::pair<TransportSettings, std::string>> cases = {
      {{.url = "nonsense"}, "url"},
      {{.url = "https://h", .proxy_url = "socks5://p"}, "proxy"},
      {{.url = "https://h", .tls = {.ca_pem = "x"}}, "certificate authority"},
      {{.url = "https://h", .max_connections = 0}, "max_connections"},
  };

  for (const auto& [settings, says] : cases) {
    const auto made = make_poco_transport(settings, system_clock());

    EXPECT_EQ(made.status().code(), StatusCode::InvalidArgument);
    EXPECT_NE(made.status().message().find(says), std::string::npos) << made.status().message();
  }
}

}  // namespace
}  // namespace vkhost::http
