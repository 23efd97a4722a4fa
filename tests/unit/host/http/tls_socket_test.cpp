#include "http/tls_socket.hpp"

#include "base/cancel.hpp"
#include "base/thread.hpp"
#include "http/openssl_types.hpp"
#include "http/socket_exceptions.hpp"
#include "http/tls_context.hpp"
#include "support/certificates.hpp"
#include "support/loopback.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;
using testing::CertificateAuthority;
using testing::CertificateRequest;
using testing::CertificateUse;
using testing::IssuedCertificate;

using TlsPtr = std::shared_ptr<TlsSocketImpl>;
using ContextPtr = std::shared_ptr<const TlsContext>;

ContextPtr server_context(const IssuedCertificate& own) {
  auto made = TlsContext::for_server({own.certificate_pem, own.key_pem});
  EXPECT_TRUE(made.is_ok()) << made.status().to_string();
  return *made;
}

ContextPtr client_context(const ClientTls& settings) {
  auto made = TlsContext::for_client(settings);
  EXPECT_TRUE(made.is_ok()) << made.status().to_string();
  return *made;
}

struct Ends {
  TlsPtr client;
  TlsPtr server;
};

Ends make_ends(const ContextPtr& client, const ContextPtr& server, const std::string& name) {
  auto [near, far] = testing::connected_pair();
  Ends ends{TlsSocketImpl::connect_side(near.release(), client, name),
            TlsSocketImpl::accept_side(far.release(), server)};
  const auto until = Deadline::at(std::chrono::steady_clock::now() + 20s);
  ends.client->set_deadline(until);
  ends.server->set_deadline(until);
  return ends;
}

// The outcome of the client; what the server makes of it is its own affair.
Status shake(Ends& ends) {
  Thread other("server", [&] {
    try {
      ends.server->handshake();
    } catch (const Poco::Exception&) {
      ends.server->shutdown();
    }
  });
  try {
    ends.client->handshake();
    return Status::ok();
  } catch (...) {
    ends.client->shutdown();
    return status_of_current_exception();
  }
}

class TlsSocket : public ::testing::Test {
 protected:
  Ends connected() {
    Ends ends = make_ends(client_, server_, "127.0.0.1");
    const Status status = shake(ends);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return ends;
  }

  CertificateAuthority authority_;
  ContextPtr server_ = server_context(testing::issue_for_loopback(authority_));
  ContextPtr client_ = client_context({.ca_pem = authority_.certificate_pem()});
};

std::string receive_exactly(TlsPtr& from, std::size_t size) {
  std::string all(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const int got = from->receiveBytes(all.data() + have, static_cast<int>(size - have));
    if (got == 0) {
      break;
    }
    have += static_cast<std::size_t>(got);
  }
  all.resize(have);
  return all;
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  }
  return text;
}

TEST_F(TlsSocket, CarriesBothDirectionsAtOnceWithTwoThreadsOnEachEnd) {
  Ends ends = connected();
  const std::string text = pattern(3'000'000);
  const auto send = [&](TlsPtr& to) { to->sendBytes(text.data(), static_cast<int>(text.size())); };
  std::string at_server;
  std::string at_client;

  {
    Thread client_writes("writes", [&] { send(ends.client); });
    Thread server_writes("writes", [&] { send(ends.server); });
    Thread server_reads("reads", [&] { at_server = receive_exactly(ends.server, text.size()); });
    at_client = receive_exactly(ends.client, text.size());
  }

  EXPECT_TRUE(at_server == text);
  EXPECT_TRUE(at_client == text);
}

TEST_F(TlsSocket, CountsDecryptedBytesAsReadable) {
  Ends ends = connected();
  ends.server->sendBytes("0123456789", 10);
  char byte = 0;
  ASSERT_EQ(ends.client->receiveBytes(&byte, 1), 1);

  EXPECT_EQ(ends.client->available(), 9);
  EXPECT_TRUE(ends.client->poll(Poco::Timespan(0, 0), Poco::Net::SocketImpl::SELECT_READ));
  EXPECT_EQ(receive_exactly(ends.client, 9), "123456789");
  EXPECT_FALSE(ends.client->poll(Poco::Timespan(0, 0), Poco::Net::SocketImpl::SELECT_READ));
}

TEST_F(TlsSocket, GivesUpAtTheReceiveTimeoutAndNotLater) {
  Ends ends = connected();
  ends.client->setReceiveTimeout(Poco::Timespan(0, 250'000));
  char byte = 0;

  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(ends.client->receiveBytes(&byte, 1), DeadlineException);
  const auto took = std::chrono::steady_clock::now() - start;

  EXPECT_GE(took, 250ms);
  EXPECT_LT(took, 490ms) << "a doubled timeout";
}

TEST_F(TlsSocket, EndsAHandshakeWithASilentServerAtTheDeadline) {
  auto [near, far] = testing::connected_pair();
  TlsPtr client = TlsSocketImpl::connect_side(near.release(), client_, "127.0.0.1");
  client->set_deadline(Deadline::at(std::chrono::steady_clock::now() + 50ms));

  EXPECT_THROW(client->handshake(), DeadlineException);
}

TEST_F(TlsSocket, StopsWaitingWhenAnotherThreadShutsItDown) {
  Ends ends = connected();
  Thread canceller("canceller", [&] {
    static_cast<void>(CancelToken().wait_for(20ms));
    ends.client->shutdown();
  });
  char byte = 0;

  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(ends.client->receiveBytes(&byte, 1), CancelledException);

  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
}

TEST_F(TlsSocket, TellsAGoodbyeFromACutConnection) {
  char byte = 0;
  Ends clean = connected();
  clean.server->close();
  EXPECT_EQ(clean.client->receiveBytes(&byte, 1), 0);
  EXPECT_TRUE(clean.client->ended_cleanly());

  Ends cut = connected();
  cut.server->shutdown();
  EXPECT_EQ(cut.client->receiveBytes(&byte, 1), 0);
  EXPECT_FALSE(cut.client->ended_cleanly());
  EXPECT_EQ(cut.client->receiveBytes(&byte, 1), 0) << "the end stays the end";
}

TEST_F(TlsSocket, HalfClosesAndStillReceives) {
  Ends ends = connected();
  ends.client->shutdownSend();
  char byte = 0;

  EXPECT_EQ(ends.server->receiveBytes(&byte, 1), 0);
  ends.server->sendBytes("late", 4);
  EXPECT_EQ(receive_exactly(ends.client, 4), "late");
}

TEST_F(TlsSocket, SaysGoodbyeOnlyInItsOwnConnection) {
  // Each closed number is taken again at once by the next connection; a goodbye written late would
  // break that one.
  std::vector<std::unique_ptr<Thread>> workers;
  for (int worker = 0; worker < 4; ++worker) {
    workers.push_back(std::make_unique<Thread>("worker", [this] {
      for (int i = 0; i < 25; ++i) {
        Ends ends = connected();
        ends.client->sendBytes("ping", 4);
        EXPECT_EQ(receive_exactly(ends.server, 4), "ping");
        ends.server->sendBytes("pong", 4);
        EXPECT_EQ(receive_exactly(ends.client, 4), "pong");
      }
    }));
  }
}

TEST_F(TlsSocket, ReportsAnEndDuringTheHandshake) {
  auto [near, far] = testing::connected_pair();
  TlsPtr client = TlsSocketImpl::connect_side(near.release(), client_, "127.0.0.1");
  far.reset();

  EXPECT_THROW(client->handshake(), Poco::Net::NetException);
}

TEST_F(TlsSocket, ReportsAnAnswerThatIsNotTls) {
  auto [near, far] = testing::connected_pair();
  TlsPtr client = TlsSocketImpl::connect_side(near.release(), client_, "127.0.0.1");
  ASSERT_GT(::send(far.get(), "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0), 0);

  EXPECT_THROW(client->handshake(), TlsException);
}

struct NameCase {
  std::string what;
  CertificateRequest certificate;
  std::string name;
  bool accepted;
};

TEST_F(TlsSocket, AcceptsACertificateOnlyForTheNameItWasIssuedFor) {
  const std::vector<NameCase> cases = {
      {"DNS name", {.dns_names = {"api.example"}}, "api.example", true},
      {"other DNS name", {.dns_names = {"api.example"}}, "web.example", false},
      {"wildcard", {.dns_names = {"*.web.example"}}, "api.web.example", true},
      {"part of a label as wildcard", {.dns_names = {"a*.web.example"}}, "api.web.example", false},
      {"common name only", {.common_name = "api.example"}, "api.example", false},
      {"IP address", {.ip_addresses = {"127.0.0.1"}}, "127.0.0.1", true},
      {"IPv6 address", {.ip_addresses = {"::1"}}, "::1", true},
      {"other IP address", {.ip_addresses = {"127.0.0.2"}}, "127.0.0.1", false},
      {"IP address written as DNS name", {.dns_names = {"127.0.0.1"}}, "127.0.0.1", false},
      {"localhost is no exception", {.dns_names = {"api.example"}}, "localhost", false},
      {"expired", {.dns_names = {"api.example"}, .ends = -60s}, "api.example", false},
      {"not valid yet", {.dns_names = {"api.example"}, .starts = 3600s}, "api.example", false},
      {"for clients only",
       {.dns_names = {"api.example"}, .use = CertificateUse::Client},
       "api.example",
       false},
  };

  for (const NameCase& c : cases) {
    Ends ends = make_ends(client_, server_context(authority_.issue(c.certificate)), c.name);

    const Status status = shake(ends);

    EXPECT_EQ(status.code(), c.accepted ? StatusCode::Ok : StatusCode::Unauthenticated)
        << c.what << ": " << status.to_string();
  }
}

TEST_F(TlsSocket, RefusesAnAuthorityItDoesNotKnow) {
  const CertificateAuthority other("other");
  Ends ends = make_ends(client_context({.ca_pem = other.certificate_pem()}), server_, "127.0.0.1");

  const Status status = shake(ends);

  EXPECT_EQ(status.code(), StatusCode::Unauthenticated);
  EXPECT_NE(status.message().find("127.0.0.1"), std::string::npos) << status.message();
}

TEST_F(TlsSocket, TrustsAnIntermediateAuthorityGivenAlone) {
  const auto middle = authority_.intermediate("middle");
  Ends ends = make_ends(client_context({.ca_pem = middle.certificate_pem()}),
                        server_context(testing::issue_for_loopback(middle)), "127.0.0.1");

  EXPECT_TRUE(shake(ends).is_ok());
}

TEST_F(TlsSocket, AcceptsAnythingOnlyWhenToldToSkipVerification) {
  Ends ends =
      make_ends(client_context({.insecure_skip_verify = true}), server_, "elsewhere.example");

  EXPECT_TRUE(shake(ends).is_ok());
}

TEST_F(TlsSocket, SendsTheNameOfTheServerButNeverAnAddress) {
  for (const auto& [name, expected] :
       {std::pair<std::string, std::string>{"localhost", "localhost"}, {"127.0.0.1", ""}}) {
    auto [near, far] = testing::connected_pair();
    TlsPtr client = TlsSocketImpl::connect_side(near.release(), client_, name);
    std::string asked = "none";
    Thread server("server", [&asked, this, descriptor = far.get()] {
      const SslPtr ssl(SSL_new(server_->native()));
      SSL_set_fd(ssl.get(), descriptor);
      ASSERT_EQ(SSL_accept(ssl.get()), 1);
      const char* sent = SSL_get_servername(ssl.get(), TLSEXT_NAMETYPE_host_name);
      asked = sent == nullptr ? "" : sent;
    });
    client->handshake();
    server.join();

    EXPECT_EQ(asked, expected);
  }
}

TEST_F(TlsSocket, LetsAClientInWhateverCertificateItShows) {
  const CertificateAuthority stranger("stranger");
  const auto middle = authority_.intermediate("middle");
  const CertificateRequest someone{.common_name = "someone", .use = CertificateUse::Client};
  struct Case {
    std::string what;
    IssuedCertificate shown;
    std::size_t chain;
  };
  const std::vector<Case> cases = {
      {"none", {}, 0},
      {"own", authority_.issue(someone), 1},
      {"with an intermediate one", middle.issue(someone), 2},
      {"of a stranger", stranger.issue(someone), 1},
      {"expired", authority_.issue({.common_name = "old", .ends = -60s}), 1},
      {"RSA", authority_.issue({.common_name = "rsa", .key = testing::KeyType::Rsa2048}), 1},
  };

  for (const Case& c : cases) {
    Ends ends = make_ends(client_context({.ca_pem = authority_.certificate_pem(),
                                          .certificate_pem = c.shown.certificate_pem,
                                          .key_pem = c.shown.key_pem}),
                          server_, "127.0.0.1");
    ASSERT_TRUE(shake(ends).is_ok()) << c.what;
    ends.client->sendBytes("x", 1);
    ASSERT_EQ(receive_exactly(ends.server, 1), "x") << c.what;

    EXPECT_EQ(ends.server->peer_chain().size(), c.chain) << c.what;
  }
}

TEST_F(TlsSocket, ShowsTheServersChainToTheClient) {
  Ends ends = connected();

  EXPECT_EQ(ends.client->peer_chain().size(), 1U);
}

TEST_F(TlsSocket, CannotBeConnectedAround) {
  Ends ends = connected();

  EXPECT_THROW(ends.client->connect(Poco::Net::SocketAddress()), Poco::InvalidAccessException);
}

}  // namespace
}  // namespace vkhost::http
