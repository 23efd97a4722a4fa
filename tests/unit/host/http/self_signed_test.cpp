#include "http/self_signed.hpp"

#include "base/thread.hpp"
#include "http/socket_exceptions.hpp"
#include "http/tls_identity.hpp"
#include "http/tls_socket.hpp"
#include "support/loopback.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::http {
namespace {

using namespace std::chrono_literals;

// What a client that trusts the certificate itself makes of it under that name.
Status greet(const ServerIdentity& identity, const std::string& name) {
  const auto server = TlsContext::for_server(identity);
  const auto client = TlsContext::for_client({.ca_pem = identity.certificate_pem});
  EXPECT_TRUE(server.is_ok() && client.is_ok());
  auto [near, far] = testing::connected_pair();
  auto asking = TlsSocketImpl::connect_side(near.release(), *client, name);
  auto asked = TlsSocketImpl::accept_side(far.release(), *server);
  const auto until = Deadline::at(std::chrono::steady_clock::now() + 20s);
  asking->set_deadline(until);
  asked->set_deadline(until);
  Thread other("server", [&] {
    try {
      asked->handshake();
    } catch (const Poco::Exception&) {
      asked->shutdown();
    }
  });
  try {
    asking->handshake();
    return Status::ok();
  } catch (...) {
    asking->shutdown();
    return status_of_current_exception();
  }
}

SelfSignedRequest request() {
  SelfSignedRequest made;
  made.common_name = "node-1";
  made.names = {"node-1", "127.0.0.1", "::1"};
  made.not_before = std::chrono::system_clock::now();
  return made;
}

TEST(SelfSigned, IsGoodForItsNamesAndNoOther) {
  const auto identity = make_self_signed(request());
  ASSERT_TRUE(identity.is_ok()) << identity.status().to_string();

  for (const char* name : {"node-1", "127.0.0.1", "::1"}) {
    EXPECT_TRUE(greet(*identity, name).is_ok()) << name;
  }
  EXPECT_EQ(greet(*identity, "node-2").code(), StatusCode::Unauthenticated);
}

TEST(SelfSigned, ExpiresAfterItsLifetime) {
  SelfSignedRequest old = request();
  old.not_before -= std::chrono::hours{48};
  old.lifetime = std::chrono::hours{24};

  EXPECT_EQ(greet(*make_self_signed(old), "node-1").code(), StatusCode::Unauthenticated);
}

TEST(SelfSigned, TakesLongNodeNames) {
  SelfSignedRequest made = request();
  made.common_name = std::string(200, 'n');

  EXPECT_TRUE(make_self_signed(made).is_ok());
}

TEST(SelfSigned, RefusesNamesThatWouldSmuggleOthersIn) {
  for (const std::string name : {"", "a,DNS:b", "a b", "a\nb", "*.x"}) {
    SelfSignedRequest made = request();
    made.names = {name};

    EXPECT_EQ(make_self_signed(made).status().code(), StatusCode::InvalidArgument) << name;
  }
}

}  // namespace
}  // namespace vkhost::http
