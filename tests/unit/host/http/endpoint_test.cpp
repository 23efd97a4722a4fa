#include "http/endpoint.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace vkhost::http {
namespace {

struct EndpointCase {
  std::string url;
  bool tls;
  std::string host;
  int port;
  std::string base_path;
  std::string authority;
};

TEST(EndpointUrl, NamesSchemeHostPortAndBasePath) {
  const std::vector<EndpointCase> cases = {
      {"https://api.example", true, "api.example", 443, "", "api.example"},
      {"http://api.example/", false, "api.example", 80, "", "api.example"},
      {"https://api.example:6443/k8s/clusters/c-1/", true, "api.example", 6443, "/k8s/clusters/c-1",
       "api.example:6443"},
      {"https://[::1]:6443", true, "::1", 6443, "", "[::1]:6443"},
      {"https://[2001:db8::1]", true, "2001:db8::1", 443, "", "[2001:db8::1]"},
      {"HTTPS://10.0.0.1", true, "10.0.0.1", 443, "", "10.0.0.1"},
  };

  for (const EndpointCase& c : cases) {
    const auto parsed = parse_endpoint(c.url, "server");

    ASSERT_TRUE(parsed.is_ok()) << c.url << ": " << parsed.status().to_string();
    EXPECT_EQ(parsed->tls, c.tls) << c.url;
    EXPECT_EQ(parsed->host, c.host) << c.url;
    EXPECT_EQ(parsed->port, c.port) << c.url;
    EXPECT_EQ(parsed->base_path, c.base_path) << c.url;
    EXPECT_EQ(parsed->authority(), c.authority) << c.url;
  }
}

TEST(EndpointUrl, ThatIsUnusableIsRefusedWithTheNameOfTheSetting) {
  for (const std::string url :
       {"", "api.example", "ftp://api.example", "https://", "https://:1", "https://h:port",
        "https://h?a=b", "https://h#f", "https://user:secret@h", "https://h:99999"}) {
    const auto parsed = parse_endpoint(url, "server");

    ASSERT_FALSE(parsed.is_ok()) << url;
    EXPECT_EQ(parsed.status().code(), StatusCode::InvalidArgument) << url;
    EXPECT_EQ(parsed.status().message().rfind("server: ", 0), 0U) << parsed.status().message();
    EXPECT_EQ(parsed.status().message().find("secret"), std::string::npos);
  }
}

TEST(ProxyUrl, MayHoldCredentialsAndNothingElse) {
  const auto parsed = parse_proxy("http://me:p%40ss@proxy.example:3128", "proxy");

  ASSERT_TRUE(parsed.is_ok()) << parsed.status().to_string();
  EXPECT_EQ(parsed->user_info, "me:p@ss");
  EXPECT_EQ(parsed->authority_with_port(), "proxy.example:3128");
  for (const std::string url :
       {"https://proxy.example", "socks5://proxy.example", "http://proxy.example/path"}) {
    EXPECT_EQ(parse_proxy(url, "proxy").status().code(), StatusCode::InvalidArgument) << url;
  }
}

TEST(Resolver, TakesAddressesAsTheyAre) {
  Resolver four("127.0.0.1", 80);
  Resolver six("::1", 80);

  ASSERT_TRUE(four.resolve(Deadline::never(), {}).is_ok());
  EXPECT_EQ(four.resolve(Deadline::never(), {})->front().toString(), "127.0.0.1:80");
  EXPECT_EQ(six.resolve(Deadline::never(), {})->front().toString(), "[::1]:80");
}

TEST(Resolver, LooksNamesUpAgainEachTime) {
  Resolver resolver("localhost", 80);

  for (int i = 0; i < 3; ++i) {
    const auto found = resolver.resolve(Deadline::never(), {});

    ASSERT_TRUE(found.is_ok()) << found.status().to_string();
    EXPECT_FALSE(found->empty());
  }
}

TEST(Resolver, DoesNotOutwaitItsCaller) {
  CancelSource cancelled_already;
  cancelled_already.cancel();
  Resolver resolver("localhost", 80);

  const auto found = resolver.resolve(Deadline::never(), cancelled_already.token());

  // Either the answer was there at once, or the caller was not kept.
  if (!found.is_ok()) {
    EXPECT_EQ(found.status().code(), StatusCode::Cancelled);
  }
}

}  // namespace
}  // namespace vkhost::http
