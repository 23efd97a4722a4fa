#include "kube/token_request.hpp"

#include "support/fake_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::kube {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using vkhost::testing::client_on;
using vkhost::testing::FakeServer;

struct TokenRequestTest : ::testing::Test {
  static std::string answer(const std::string& spec, const std::string& status) {
    return R"({"kind":"TokenRequest","spec":)" + spec + R"(,"status":)" + status + "}";
  }

  std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
  std::unique_ptr<Client> client = client_on(server);
  TokenRequest request{"shop", "builder", "web-0", "u-1", "vault", std::chrono::seconds{600}};
};

constexpr const char* kGranted =
    R"({"token":"t0k3n","expirationTimestamp":"2026-01-02T03:14:05Z"})";

// PD-11: neither audience nor expiry is the host's to choose.
TEST_F(TokenRequestTest, AsksForTheAudienceAndExpiryOfThePodAndBindsTheTokenToIt) {
  server->answer(201, answer(R"({"audiences":["vault"],"expirationSeconds":600})", kGranted));

  const auto token = request_token(*client, request, {});

  ASSERT_TRUE(token.is_ok()) << token.status().to_string();
  EXPECT_EQ(token->token.reveal(), "t0k3n");
  EXPECT_EQ(token->audience, "vault");
  EXPECT_EQ(token->lifetime, std::chrono::seconds{600});
  EXPECT_EQ(format_time(token->expires), "2026-01-02T03:14:05Z");
  ASSERT_EQ(server->requests().size(), 1U);
  EXPECT_EQ(server->requests()[0].target, "/api/v1/namespaces/shop/serviceaccounts/builder/token");
  EXPECT_EQ(server->requests()[0].body,
            R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest",)"
            R"("spec":{"audiences":["vault"],"expirationSeconds":600,)"
            R"("boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"web-0","uid":"u-1"}}})");
}

// A node may name no audience that its pod does not name.
TEST_F(TokenRequestTest, NamesNoAudienceForThatOfTheApiServerAndSaysWhichItIs) {
  request.audience = "";
  server->answer(201,
                 answer(R"({"audiences":["https://api","b"],"expirationSeconds":600})", kGranted));

  const auto token = request_token(*client, request, {});

  EXPECT_EQ(token->audience, "https://api");
  EXPECT_THAT(server->requests()[0].body, HasSubstr(R"("audiences":[],)"));
}

TEST_F(TokenRequestTest, CountsWithTheLifetimeThatIsGranted) {
  server->answer(201, answer(R"({"audiences":["vault"],"expirationSeconds":300})", kGranted));
  EXPECT_EQ(request_token(*client, request, {})->lifetime, std::chrono::seconds{300});

  server->answer(201, answer(R"({"audiences":["vault"]})", kGranted));
  EXPECT_EQ(request_token(*client, request, {})->lifetime, request.lifetime);
}

TEST_F(TokenRequestTest, AsksAgainWhenTheConnectionIsLost) {
  server->fail(unavailable("connection lost").with_effect(Effect::Unknown));
  server->answer(201, answer(R"({"expirationSeconds":600})", kGranted));

  EXPECT_TRUE(request_token(*client, request, {}).is_ok());
}

TEST_F(TokenRequestTest, TellsWhyThereIsNone) {
  server->answer(403, R"({"kind":"Status","status":"Failure","reason":"Forbidden",)"
                      R"("message":"audience \"vault\" not found in pod spec volume","code":403})");

  const auto token = request_token(*client, request, {});

  EXPECT_EQ(token.status().code(), StatusCode::PermissionDenied);
  EXPECT_THAT(token.status().message(), HasSubstr("not found in pod spec volume"));
}

TEST_F(TokenRequestTest, RefusesAnswersThatItDoesNotUnderstandAndShowsNothingOfThem) {
  const std::string spec = R"({"expirationSeconds":600})";
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), answer(spec, "{}"),
        answer(spec, R"({"token":"","expirationTimestamp":"2026-01-02T03:14:05Z"})"),
        answer(spec, R"({"token":7,"expirationTimestamp":"2026-01-02T03:14:05Z"})"),
        answer(spec, R"({"token":"t0k3n","expirationTimestamp":"soon"})"),
        answer(spec, R"({"token":"t0k3n"})"), answer(R"({"expirationSeconds":0})", kGranted),
        answer(R"({"expirationSeconds":-1})", kGranted),
        answer(R"({"expirationSeconds":4294967297})", kGranted),
        answer(R"({"audiences":"vault"})", kGranted), answer(R"({"audiences":[7]})", kGranted),
        answer("7", kGranted)}) {
    server->answer(201, text);

    const auto token = request_token(*client, request, {});

    EXPECT_EQ(token.status().code(), StatusCode::Unavailable) << text;
    EXPECT_THAT(token.status().to_string(), Not(HasSubstr("t0k3n")));
  }
}

}  // namespace
}  // namespace vkhost::kube
