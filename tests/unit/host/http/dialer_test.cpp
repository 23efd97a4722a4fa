#include "http/dialer.hpp"

#include "base/thread.hpp"
#include "http/tls_context.hpp"
#include "support/certificates.hpp"
#include "support/loopback.hpp"
#include "support/raw_server.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;
using testing::RawPeer;
using testing::RawServer;

Deadline soon(std::chrono::milliseconds after = 20s) {
  return Deadline::at(std::chrono::steady_clock::now() + after);
}

Endpoint loopback(int port, bool tls = false) {
  Endpoint endpoint;
  endpoint.tls = tls;
  endpoint.host = "127.0.0.1";
  endpoint.port = port;
  return endpoint;
}

// A listener that takes no more: its kernel does not answer further attempts to connect.
class DeafServer {
 public:
  DeafServer() : listener_(testing::listen_on_loopback(0)) {
    for (int i = 0; i < 4; ++i) {
      testing::Descriptor waiting(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(static_cast<std::uint16_t>(listener_.port));
      static_cast<void>(
          ::connect(waiting.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
      waiting_.push_back(std::move(waiting));
    }
  }
  [[nodiscard]] int port() const { return listener_.port; }

 private:
  testing::Listener listener_;
  std::vector<testing::Descriptor> waiting_;
};

TEST(Dialer, ReportsThatNobodyListens) {
  const int port = testing::listen_on_loopback().port;  // closed again
  Dialer dialer(loopback(port), {}, nullptr, "");

  const auto socket = dialer.dial(soon(), {});

  ASSERT_FALSE(socket.is_ok());
  EXPECT_EQ(socket.status().code(), StatusCode::Unavailable);
  EXPECT_NE(socket.status().message().find(std::to_string(port)), std::string::npos);
}

TEST(Dialer, GivesUpAtTheDeadline) {
  const DeafServer server;
  Dialer dialer(loopback(server.port()), {}, nullptr, "");

  const auto socket = dialer.dial(soon(100ms), {});

  EXPECT_EQ(socket.status().code(), StatusCode::DeadlineExceeded);
}

TEST(Dialer, StopsConnectingWhenCancelled) {
  const DeafServer server;
  Dialer dialer(loopback(server.port()), {}, nullptr, "");
  CancelSource source;
  Thread canceller("canceller", [&] {
    static_cast<void>(CancelToken().wait_for(30ms));
    source.cancel();
  });

  const auto start = std::chrono::steady_clock::now();
  const auto socket = dialer.dial(soon(), source.token());

  EXPECT_EQ(socket.status().code(), StatusCode::Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST(Dialer, StopsAHandshakeWhenCancelled) {
  const RawServer server([](RawPeer& peer) { peer.wait_for_end(); });
  const auto tls = TlsContext::for_client({});
  ASSERT_TRUE(tls.is_ok());
  Dialer dialer(loopback(server.port(), true), {}, *tls, "127.0.0.1");
  CancelSource source;
  Thread canceller("canceller", [&] {
    static_cast<void>(CancelToken().wait_for(30ms));
    source.cancel();
  });

  EXPECT_EQ(dialer.dial(soon(), source.token()).status().code(), StatusCode::Cancelled);
}

TEST(Dialer, AsksTheProxyWithCredentialsAndThenSpeaksTlsToTheServer) {
  const testing::CertificateAuthority authority;
  const auto own = authority.issue({.dns_names = {"api.example"}});
  std::string asked;
  const RawServer tls_keeper([](RawPeer&) {}, own);
  const RawServer proxy([&](RawPeer& peer) {
    asked = peer.read_request();
    peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
    peer.start_tls(tls_keeper.tls());
    peer.send("hello");
    peer.wait_for_end();
  });
  const auto tls = TlsContext::for_client({.ca_pem = authority.certificate_pem()});
  ASSERT_TRUE(tls.is_ok());
  Endpoint server = loopback(6443, true);
  server.host = "api.example";
  Endpoint through = loopback(proxy.port());
  through.user_info = "me:p@ss";
  Dialer dialer(server, through, *tls, "api.example");

  auto socket = dialer.dial(soon(), {});

  ASSERT_TRUE(socket.is_ok()) << socket.status().to_string();
  char buffer[8];
  EXPECT_EQ((*socket)->receiveBytes(buffer, sizeof buffer), 5);
  EXPECT_EQ(asked.rfind("CONNECT api.example:6443 HTTP/1.1\r\n", 0), 0U) << asked;
  EXPECT_NE(asked.find("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"), std::string::npos) << asked;
}

TEST(Dialer, ReportsThatTheProxyRefusesWithoutShowingThePassword) {
  const RawServer proxy([](RawPeer& peer) {
    peer.read_request();
    peer.answer(407, "");
  });
  const auto tls = TlsContext::for_client({});
  Endpoint through = loopback(proxy.port());
  through.user_info = "me:secret";
  Dialer dialer(loopback(6443, true), through, *tls, "127.0.0.1");

  const Status status = dialer.dial(soon(), {}).status();

  EXPECT_EQ(status.code(), StatusCode::Unavailable);
  EXPECT_NE(status.message().find("407"), std::string::npos) << status.message();
  EXPECT_EQ(status.message().find("secret"), std::string::npos) << status.message();
}

TEST(Dialer, TriesTheNextAddressOfAName) {
  // localhost is ::1 and 127.0.0.1 on most machines, and this server listens on the latter only.
  const RawServer server([](RawPeer& peer) { peer.wait_for_end(); });
  Endpoint endpoint = loopback(server.port());
  endpoint.host = "localhost";
  Dialer dialer(endpoint, {}, nullptr, "");

  const auto socket = dialer.dial(soon(), {});

  EXPECT_TRUE(socket.is_ok()) << socket.status().to_string();
}

TEST(BasicCredentials, AreEncodedOnOneLine) {
  EXPECT_EQ(basic_credentials("me:p@ss"), "Basic bWU6cEBzcw==");
  EXPECT_EQ(basic_credentials(std::string(90, 'a')).find('\n'), std::string::npos);
}

}  // namespace
}  // namespace vkhost::http
