#include "http/server.hpp"

#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "http/client.hpp"
#include "http/stream_connection.hpp"
#include "http/tls_context.hpp"
#include "http/tls_socket.hpp"
#include "support/certificates.hpp"
#include "support/loopback.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;
using testing::CertificateAuthority;
using testing::Descriptor;

class FunctionHandler final : public Handler {
 public:
  using Function = std::function<Reply(const ServerRequest&)>;
  explicit FunctionHandler(Function function) : function_(std::move(function)) {}
  Reply handle(const ServerRequest& request) override { return function_(request); }

 private:
  Function function_;
};

// Says what it was asked.
Reply echo(const ServerRequest& request) {
  std::string text = request.method;
  for (const auto& segment : request.segments) {
    text += "/" + segment;
  }
  return text_reply(200, text + " " + request.body);
}

// Opens once, for good.
class Latch {
 public:
  void open() {
    MutexLock lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  bool wait() {
    MutexLock lock(mutex_);
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!is_open_) {
      if (!changed_.wait_until(mutex_, until)) {
        return is_open_;
      }
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool is_open_ VKHOST_GUARDED_BY(mutex_) = false;
};

void send_text(const Descriptor& to, const std::string& text) {
  static_cast<void>(::send(to.get(), text.data(), text.size(), MSG_NOSIGNAL));
}

std::string read_until(const Descriptor& from, const std::string& mark) {
  std::string all;
  char buffer[4096];
  while (mark.empty() || all.find(mark) == std::string::npos) {
    pollfd entry{from.get(), POLLIN, 0};
    if (::poll(&entry, 1, 20'000) <= 0) {
      return all + "<nothing for 20 s>";
    }
    const ssize_t got = ::recv(from.get(), buffer, sizeof buffer, 0);
    if (got <= 0) {
      return got == 0 ? all : all + "<reset>";
    }
    all.append(buffer, static_cast<std::size_t>(got));
  }
  return all;
}

std::string read_all(const Descriptor& from) { return read_until(from, ""); }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

std::string get(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

class HttpServer : public ::testing::Test {
 protected:
  int start(FunctionHandler::Function function,
            ServerSettings settings = {},
            const Listen& listen = {}) {
    auto made =
        Server::create(std::move(settings), std::make_shared<FunctionHandler>(std::move(function)),
                       std::make_shared<SystemClock>(), {});
    EXPECT_TRUE(made.is_ok()) << made.status().to_string();
    server_ = std::move(made).value();
    const auto port = server_->listen(listen);
    EXPECT_TRUE(port.is_ok()) << port.status().to_string();
    return *port;
  }

  Listen tls_listen() {
    const auto own = testing::issue_for_loopback(authority_);
    Listen listen;
    listen.identity = *TlsIdentity::create({own.certificate_pem, own.key_pem});
    listen.clients = *ClientAuthority::create(authority_.certificate_pem());
    return listen;
  }

  std::shared_ptr<TlsSocketImpl> connect_tls(int port, ClientTls tls = {}) {
    tls.ca_pem = authority_.certificate_pem();
    auto context = TlsContext::for_client(tls);
    EXPECT_TRUE(context.is_ok());
    auto socket =
        TlsSocketImpl::connect_side(testing::connect_to(port).release(), *context, "127.0.0.1");
    socket->set_deadline(Deadline::at(std::chrono::steady_clock::now() + 20s));
    return socket;
  }

  CertificateAuthority authority_;
  std::unique_ptr<Server> server_;
};

std::string ask(const std::shared_ptr<TlsSocketImpl>& socket,
                const std::string& wire,
                const std::string& mark) {
  socket->sendBytes(wire.data(), static_cast<int>(wire.size()));
  std::string all;
  char buffer[4096];
  while (all.find(mark) == std::string::npos) {
    const int got = socket->receiveBytes(buffer, sizeof buffer);
    if (got <= 0) {
      break;
    }
    all.append(buffer, static_cast<std::size_t>(got));
  }
  return all;
}

TEST_F(HttpServer, AnswersAndKeepsTheConnection) {
  const int port = start(echo);
  const Descriptor client = testing::connect_to(port);

  send_text(client, get("/a/b"));
  const std::string first = read_until(client, "GET/a/b ");
  EXPECT_EQ(first.rfind("HTTP/1.1 200 OK\r\n", 0), 0U) << first;
  EXPECT_NE(first.find("\r\nContent-Length: 8\r\n"), std::string::npos) << first;
  EXPECT_NE(first.find("\r\nDate: "), std::string::npos) << first;
  EXPECT_EQ(first.find("Connection:"), std::string::npos) << first;

  send_text(client,
            "POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
  const std::string second = read_all(client);
  EXPECT_NE(second.find("POST/c body"), std::string::npos) << second;
  EXPECT_NE(second.find("\r\nConnection: close\r\n"), std::string::npos) << second;
}

TEST_F(HttpServer, TellsTheHandlerWhoAsksWhere) {
  ServerRequest seen;
  const int port = start([&](const ServerRequest& request) {
    seen = request;
    return text_reply(200, "done");
  });
  const auto other = server_->listen({});
  ASSERT_TRUE(other.is_ok());
  const Descriptor client = testing::connect_to(*other);

  send_text(client, get("/a%20b?c=d", "X-Y: z\r\n"));
  read_until(client, "done");
  server_->stop();

  EXPECT_NE(*other, port);
  EXPECT_EQ(seen.local_port, *other);
  EXPECT_EQ(seen.remote_address.rfind("127.0.0.1:", 0), 0U);
  EXPECT_EQ(seen.segments, std::vector<std::string>{"a b"});
  EXPECT_EQ(seen.parameter("c"), "d");
  EXPECT_EQ(find_header(seen.headers, "x-y"), "z");
  EXPECT_FALSE(seen.is_tls);
  EXPECT_FALSE(seen.certificate.has_value());
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  const int port = start(echo);
  const Descriptor client = testing::connect_to(port);
  std::string wire;
  for (int i = 0; i < 200; ++i) {
    wire += get("/" + std::to_string(i));
  }

  send_text(client, wire + get("/last", "Connection: close\r\n"));
  const std::string all = read_all(client);

  EXPECT_EQ(count(all, "200 OK"), 201U);
  EXPECT_LT(all.find("GET/0 "), all.find("GET/199 "));
}

TEST_F(HttpServer, AnswersRequestsThatShareATlsRecord) {
  const int port = start(echo, {}, tls_listen());
  const auto client = connect_tls(port);
  std::string wire;
  for (int i = 0; i < 200; ++i) {
    wire += get("/" + std::to_string(i));
  }
  ASSERT_LT(wire.size(), 16U * 1024U) << "one record";

  const std::string all = ask(client, wire, "GET/199 ");

  EXPECT_EQ(count(all, "200 OK"), 200U);
}

TEST_F(HttpServer, ReadsChunkedBodiesAndTellsTheClientToGoOn) {
  const int port = start(echo);
  const Descriptor client = testing::connect_to(port);

  send_text(client,
            "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(read_until(client, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  send_text(client, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");

  EXPECT_NE(read_until(client, "abcde").find("POST/c abcde"), std::string::npos);
}

TEST_F(HttpServer, LeavesTheBodyOutForHead) {
  const int port = start(echo);
  const Descriptor client = testing::connect_to(port);

  send_text(client, "HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string all = read_all(client);

  EXPECT_NE(all.find("Content-Length: 7\r\n"), std::string::npos) << all;
  EXPECT_EQ(all.substr(all.size() - 4), "\r\n\r\n") << all;
}

TEST_F(HttpServer, RefusesMalformedRequestsWithASentenceAndCloses) {
  ServerSettings settings;
  settings.max_body_bytes = 10;
  settings.refusal = [](int status, std::string sentence) {
    return json_reply(status, "{\"message\":\"" + sentence + "\"}");
  };
  const int port = start(echo, settings);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"nonsense\r\n\r\n", "400"},
      {get("/%zz"), "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET /" + std::string(300'000, 'a') + " HTTP/1.1\r\n", "414"},
      {"GET / HTTP/1.1\r\nA: " + std::string(40'000, 'a') + "\r\n", "431"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world", "413"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n",
       "413"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "400"},
  };
  for (const auto& [wire, status] : cases) {
    const Descriptor client = testing::connect_to(port);

    send_text(client, wire);
    const std::string all = read_all(client);

    EXPECT_EQ(all.rfind("HTTP/1.1 " + status + " ", 0), 0U) << wire.substr(0, 60) << "\n" << all;
    EXPECT_NE(all.find("{\"message\":\""), std::string::npos) << all;
    EXPECT_NE(all.find("Connection: close"), std::string::npos) << all;
  }
}

TEST_F(HttpServer, CutsAClientThatSendsItsRequestTooSlowly) {
  ServerSettings settings;
  settings.head_timeout = 150ms;
  settings.body_timeout = 150ms;
  const int port = start(echo, settings, {});
  for (const std::string begin :
       {"GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"}) {
    const Descriptor client = testing::connect_to(port);
    const auto started = std::chrono::steady_clock::now();
    CancelSource over;
    send_text(client, begin);
    Thread trickle("trickle", [&, token = over.token()] {
      while (!token.wait_for(20ms)) {
        send_text(client, "x");
      }
    });

    const std::string all = read_until(client, "ms");
    over.cancel();
    const auto took = std::chrono::steady_clock::now() - started;

    EXPECT_EQ(all.rfind("HTTP/1.1 408 ", 0), 0U) << all;
    EXPECT_NE(all.find("150 ms"), std::string::npos) << all;
    EXPECT_GE(took, 140ms);
    EXPECT_LT(took, 3s);
  }
}

TEST_F(HttpServer, ClosesConnectionsThatNeverBeginOrStayIdle) {
  ServerSettings settings;
  settings.head_timeout = 100ms;
  settings.idle_timeout = 100ms;
  const int port = start(echo, settings);
  const int tls_port = *server_->listen(tls_listen());

  const Descriptor silent = testing::connect_to(port);
  EXPECT_EQ(read_all(silent), "");
  const Descriptor no_handshake = testing::connect_to(tls_port);
  EXPECT_EQ(read_all(no_handshake), "");
  const Descriptor idle = testing::connect_to(port);
  send_text(idle, get("/a"));
  EXPECT_EQ(count(read_all(idle), "GET/a"), 1U);
}

TEST_F(HttpServer, CutsAClientThatDoesNotReadItsReply) {
  ServerSettings settings;
  settings.write_timeout = 100ms;
  const int port = start(
      [](const ServerRequest&) { return text_reply(200, std::string(64 * 1024 * 1024, 'x')); },
      settings);
  const Descriptor client = testing::connect_to(port);

  send_text(client, get("/"));
  while (server_->counts().connections == 0) {
  }
  while (server_->counts().connections > 0) {  // until it is cut
    static_cast<void>(CancelToken().wait_for(5ms));
  }

  EXPECT_EQ(server_->counts().requests, 1U);
}

TEST_F(HttpServer, AnswersWhateverTheHandlerThrows) {
  const int port = start([](const ServerRequest& request) -> Reply {
    if (request.segments.front() == "std") {
      throw std::runtime_error("secret detail");
    }
    throw 1;
  });
  for (const std::string path : {"/std", "/int"}) {
    const Descriptor client = testing::connect_to(port);

    send_text(client, get(path, "Connection: close\r\n"));
    const std::string all = read_all(client);

    EXPECT_EQ(all.rfind("HTTP/1.1 500 ", 0), 0U) << all;
    EXPECT_EQ(all.find("secret"), std::string::npos) << all;
  }
}

TEST_F(HttpServer, StartsWorkersOnDemandAndRefusesWhatIsTooMuch) {
  Latch hold;
  ServerSettings settings;
  settings.workers = 2;
  settings.max_waiting = 1;
  const int port = start(
      [&](const ServerRequest&) {
        hold.wait();
        return text_reply(200, "done");
      },
      settings);
  EXPECT_EQ(server_->counts().workers, 0U);
  std::vector<Descriptor> clients;
  for (std::size_t i = 1; i <= 3; ++i) {  // two are handled, one waits
    clients.push_back(testing::connect_to(port));
    send_text(clients.back(), get("/", "Connection: close\r\n"));
    while (server_->counts().requests < i) {
      static_cast<void>(CancelToken().wait_for(1ms));
    }
  }

  const Descriptor fourth = testing::connect_to(port);
  send_text(fourth, get("/"));
  const std::string refused = read_all(fourth);
  hold.open();

  EXPECT_EQ(refused.rfind("HTTP/1.1 503 ", 0), 0U) << refused;
  EXPECT_EQ(server_->counts().workers, 2U);
  EXPECT_EQ(server_->counts().refused, 1U);
  for (const Descriptor& client : clients) {
    EXPECT_NE(read_all(client).find("done"), std::string::npos);
  }
}

TEST_F(HttpServer, TellsConnectionsAboveTheLimitSo) {
  ServerSettings settings;
  settings.max_connections = 1;
  const int port = start(echo, settings);
  const Descriptor first = testing::connect_to(port);
  send_text(first, get("/a"));
  read_until(first, "GET/a");

  const Descriptor second = testing::connect_to(port);
  send_text(second, get("/b"));

  EXPECT_EQ(read_all(second).rfind("HTTP/1.1 503 ", 0), 0U);
  send_text(first, get("/c"));
  EXPECT_NE(read_until(first, "GET/c").find("200 OK"), std::string::npos);
}

TEST_F(HttpServer, CancelsTheRequestOfAClientThatLeft) {
  Latch entered;
  Latch cancelled_latch;
  const int port = start([&](const ServerRequest& request) {
    entered.open();
    if (request.cancel.wait_for(20s)) {
      cancelled_latch.open();
    }
    return text_reply(200, "nobody hears");
  });
  Descriptor client = testing::connect_to(port);
  send_text(client, get("/"));
  ASSERT_TRUE(entered.wait());

  client.reset();

  EXPECT_TRUE(cancelled_latch.wait());
}

TEST_F(HttpServer, ShowsTheHandlerTheCertificateAndItsWorth) {
  const int port = start(
      [](const ServerRequest& request) {
        if (!request.certificate) {
          return text_reply(200, "none.");
        }
        const PeerCertificate& peer = *request.certificate;
        return text_reply(200, (peer.verified ? "yes " : "no ") + peer.common_name + " " +
                                   (peer.organizations.empty() ? "" : peer.organizations.front()) +
                                   ".");
      },
      {}, tls_listen());
  const auto ours = authority_.issue(
      {.common_name = "api", .organizations = {"masters"}, .use = testing::CertificateUse::Client});
  const auto foreign = CertificateAuthority("other").issue(
      {.common_name = "mallory", .use = testing::CertificateUse::Client});

  EXPECT_NE(ask(connect_tls(port), get("/"), ".").find("none."), std::string::npos);
  const auto known =
      connect_tls(port, {.certificate_pem = ours.certificate_pem, .key_pem = ours.key_pem});
  EXPECT_NE(ask(known, get("/"), "s.").find("yes api masters."), std::string::npos);
  const auto unknown =
      connect_tls(port, {.certificate_pem = foreign.certificate_pem, .key_pem = foreign.key_pem});
  EXPECT_NE(ask(unknown, get("/"), "y .").find("no mallory ."), std::string::npos);
}

TEST_F(HttpServer, UsesNewCertificatesAndAuthoritiesAtOnce) {
  const Listen listen = tls_listen();
  const int port = start(
      [](const ServerRequest& request) {
        return text_reply(200,
                          request.certificate && request.certificate->verified ? "yes." : "no.");
      },
      {}, listen);
  const auto own = authority_.issue({.use = testing::CertificateUse::Client});
  const auto before =
      connect_tls(port, {.certificate_pem = own.certificate_pem, .key_pem = own.key_pem});
  ASSERT_NE(ask(before, get("/"), "s.").find("yes."), std::string::npos);

  const auto renewed = testing::issue_for_loopback(authority_);
  ASSERT_TRUE(listen.identity->replace({renewed.certificate_pem, renewed.key_pem}).is_ok());
  ASSERT_TRUE(listen.clients->replace(CertificateAuthority("other").certificate_pem()).is_ok());

  EXPECT_NE(ask(before, get("/"), "o.").find("no."), std::string::npos)
      << "the open connection is judged anew";
  const auto after = connect_tls(port);
  after->handshake();
  EXPECT_NE(after->peer_chain(), before->peer_chain());
}

TEST_F(HttpServer, GivesAConnectionToAStreamWithWhatArrivedEarly) {
  Latch over;
  const int port = start(
      [&](const ServerRequest&) {
        Reply reply;
        reply.stream = [&](StreamConnection& stream) {
          const auto until = Deadline::at(std::chrono::steady_clock::now() + 20s);
          char buffer[64];
          EXPECT_TRUE(stream.write_head(101, {{"Connection", "Upgrade"}}, until).is_ok());
          std::string all;
          while (all.size() < 9) {
            const auto got = stream.read(buffer, sizeof buffer, until);
            if (!got.is_ok() || *got == 0) {
              break;
            }
            all.append(buffer, *got);
          }
          EXPECT_TRUE(stream.write(all, until).is_ok());
          stream.finish(until);
          over.open();
        };
        return reply;
      },
      {}, tls_listen());
  const auto client = connect_tls(port);

  std::string all = ask(client, get("/exec") + "early", "\r\n\r\n");
  EXPECT_EQ(all, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n");
  all = ask(client, "late", "earlylate");

  EXPECT_EQ(all, "earlylate");
  client->close();
  EXPECT_TRUE(over.wait());
}

TEST_F(HttpServer, BoundsStreamsWhichHoldNoWorker) {
  ServerSettings settings;
  settings.workers = 1;
  settings.max_streams = 3;
  const int port = start(
      [](const ServerRequest& request) {
        if (request.segments.empty()) {
          return text_reply(200, "short");
        }
        Reply reply;
        reply.stream = [](StreamConnection& stream) {
          char byte = 0;
          static_cast<void>(stream.write("open", Deadline::never()));
          static_cast<void>(stream.read(&byte, 1, Deadline::never()));
        };
        return reply;
      },
      settings);
  std::vector<Descriptor> streams;
  for (int i = 0; i < 3; ++i) {
    streams.push_back(testing::connect_to(port));
    send_text(streams.back(), get("/stream"));
    EXPECT_EQ(read_until(streams.back(), "open"), "open");
  }

  const Descriptor over = testing::connect_to(port);
  send_text(over, get("/stream"));
  EXPECT_EQ(read_all(over).rfind("HTTP/1.1 503 ", 0), 0U);
  const Descriptor plain = testing::connect_to(port);
  send_text(plain, get("/", "Connection: close\r\n"));
  EXPECT_NE(read_all(plain).find("short"), std::string::npos);

  send_text(streams.front(), "x");
  EXPECT_EQ(read_all(streams.front()), "");
  while (server_->counts().streams == 3) {
    static_cast<void>(CancelToken().wait_for(1ms));
  }
  const Descriptor next = testing::connect_to(port);
  send_text(next, get("/stream"));
  EXPECT_EQ(read_until(next, "open"), "open") << "a place is free again";
}

TEST_F(HttpServer, StopsWithEverythingInFlight) {
  Latch entered;
  std::atomic<int> ended = 0;
  const int port = start([&](const ServerRequest& request) {
    if (request.segments.front() == "slow") {
      entered.open();
      static_cast<void>(request.cancel.wait_for(20s));
      ++ended;
      return text_reply(200, "late");
    }
    Reply reply;
    reply.stream = [&](StreamConnection& stream) {
      char byte = 0;
      static_cast<void>(stream.write("open", Deadline::never()));
      EXPECT_EQ(stream.read(&byte, 1, Deadline::never()).status().code(), StatusCode::Cancelled);
      EXPECT_TRUE(stream.cancel().is_cancelled());
      ++ended;
    };
    return reply;
  });
  const Descriptor idle = testing::connect_to(port);
  const Descriptor half = testing::connect_to(port);
  send_text(half, "GET / HT");
  const Descriptor slow = testing::connect_to(port);
  send_text(slow, get("/slow"));
  const Descriptor stream = testing::connect_to(port);
  send_text(stream, get("/stream"));
  read_until(stream, "open");
  ASSERT_TRUE(entered.wait());
  const auto started = std::chrono::steady_clock::now();

  Thread also("stopper", [&] { server_->stop(); });
  server_->stop();
  also.join();

  EXPECT_LT(std::chrono::steady_clock::now() - started, 5s);
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(read_all(stream), "");
  EXPECT_EQ(server_->listen({}).status().code(), StatusCode::Cancelled);
}

TEST_F(HttpServer, TakesNoConnectionsOnAPortThatWasGivenUp) {
  const int port = start(echo);
  const int second = *server_->listen({});
  const Descriptor open = testing::connect_to(second);
  send_text(open, get("/a"));
  read_until(open, "GET/a");

  server_->unlisten(second);
  // The loop has done so once it has answered here.
  const Descriptor client = testing::connect_to(port);
  send_text(client, get("/b"));
  read_until(client, "GET/b");

  EXPECT_ANY_THROW(testing::connect_to(second));
  send_text(open, get("/c"));
  EXPECT_NE(read_until(open, "GET/c").find("200"), std::string::npos);
}

TEST_F(HttpServer, ServesTheClientOfThisRoomFromManyThreads) {
  const int port = start(echo, {}, tls_listen());
  TransportSettings settings;
  settings.url = "https://127.0.0.1:" + std::to_string(port);
  settings.tls.ca_pem = authority_.certificate_pem();
  settings.max_connections = 4;
  const auto clock = std::make_shared<SystemClock>();
  const auto client = std::move(make_poco_transport(settings, clock)).value();
  std::atomic<int> right = 0;

  {
    std::vector<Thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back("asker", [&, t] {
        for (int i = 0; i < 50; ++i) {
          const std::string name = std::to_string(t) + "-" + std::to_string(i);
          const auto response =
              client->send({.method = "POST", .target = "/" + name, .body = std::string(5000, 'x')},
                           Deadline::after(*clock, 20s), {});
          right +=
              response.is_ok() && response->body == "POST/" + name + " " + std::string(5000, 'x')
                  ? 1
                  : 0;
        }
      });
    }
  }

  EXPECT_EQ(right, 400);
}

TEST_F(HttpServer, ReportsAnAddressItCannotHave) {
  const int port = start(echo);

  EXPECT_EQ(server_->listen({.port = port}).status().code(), StatusCode::Unavailable);
  EXPECT_EQ(server_->listen({.address = "nowhere"}).status().code(), StatusCode::InvalidArgument);
}

}  // namespace
}  // namespace vkhost::http
