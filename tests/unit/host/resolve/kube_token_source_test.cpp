#include "resolve/kube_token_source.hpp"

#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::resolve {
namespace {

// Issues one token over and over.
class IssuingClient final : public kube::Client {
 public:
  Result<std::string> create(std::string_view path,
                             std::string /*body*/,
                             const kube::CallOptions& options) override {
    asked = path;
    last = options;
    return std::string(R"({"spec":{"audiences":["vault"],"expirationSeconds":600},"status":{)"
                       R"("token":"t0k3n","expirationTimestamp":"2026-01-02T03:14:05Z"}})");
  }
  Result<std::string> get(std::string_view /*path*/,
                          const kube::Query& /*query*/,
                          const kube::CallOptions& /*options*/) override {
    return unimplemented("only tokens are expected");
  }
  Result<std::string> update(std::string_view /*path*/,
                             std::string /*body*/,
                             const kube::CallOptions& /*options*/) override {
    return unimplemented("only tokens are expected");
  }
  Result<std::string> patch(std::string_view /*path*/,
                            kube::PatchType /*type*/,
                            std::string /*body*/,
                            const kube::CallOptions& /*options*/) override {
    return unimplemented("only tokens are expected");
  }
  Result<std::string> remove(std::string_view /*path*/,
                             std::string /*body*/,
                             const kube::CallOptions& /*options*/) override {
    return unimplemented("only tokens are expected");
  }
  Result<std::unique_ptr<kube::WatchStream>> watch(std::string_view /*path*/,
                                                   const kube::Query& /*query*/,
                                                   const kube::CallOptions& /*options*/) override {
    return unimplemented("only tokens are expected");
  }

  std::string asked;
  kube::CallOptions last;
};

TEST(KubeTokenSource, AsksTheApiServerInBoundedTimeAndPassesTheCancellationOn) {
  IssuingClient client;
  const testing::FakeClock clock;
  KubeTokenSource source(client, clock, std::chrono::seconds{3});
  CancelSource cancel;

  const auto token = source.issue({"shop", "builder", "web-0", "u-1", "vault"}, cancel.token());
  cancel.cancel();

  ASSERT_TRUE(token.is_ok()) << token.status().to_string();
  EXPECT_EQ(token->token.reveal(), "t0k3n");
  EXPECT_EQ(client.asked, "/api/v1/namespaces/shop/serviceaccounts/builder/token");
  EXPECT_EQ(client.last.deadline.remaining(clock.steady_now()), std::chrono::seconds{3});
  EXPECT_TRUE(client.last.cancel.is_cancelled());
}

}  // namespace
}  // namespace vkhost::resolve
