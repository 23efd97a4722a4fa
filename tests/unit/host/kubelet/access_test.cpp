#include "kubelet/access.hpp"

#include "support/fake_clock.hpp"
#include "support/fake_reviewer.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::kubelet {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

http::ServerRequest with_token(const std::string& header) {
  http::ServerRequest request;
  request.headers = {{"authorization", header}};
  return request;
}

http::ServerRequest with_certificate(bool verified, const std::string& name) {
  http::ServerRequest request;
  http::PeerCertificate certificate;
  certificate.verified = verified;
  certificate.problem = verified ? "" : "certificate has expired";
  certificate.common_name = name;
  certificate.organizations = {"system:masters"};
  certificate.sha256 = "abc";
  request.certificate = certificate;
  return request;
}

kube::UserInfo user(const std::string& name, Strings groups = {}) {
  kube::UserInfo info;
  info.username = name;
  info.groups = std::move(groups);
  return info;
}

Requester somebody(const std::string& name) { return {user(name), false}; }

const Route& pods_route() { return *find_route("GET", {"pods"}).route; }

class AccessTest : public ::testing::Test {
 protected:
  Access make(AccessSettings settings = {}) { return {std::move(settings), &reviewer_, clock_}; }
  Access standalone(AccessSettings settings) { return {std::move(settings), nullptr, clock_}; }

  std::shared_ptr<testing::FakeClock> clock_ = std::make_shared<testing::FakeClock>();
  testing::FakeReviewer reviewer_;
};

TEST_F(AccessTest, KnowsAClientByItsCertificate) {
  Access access = make();

  const auto who = access.authenticate(with_certificate(true, "api-server"));

  ASSERT_TRUE(who.is_ok()) << who.status().to_string();
  EXPECT_EQ(who->user.username, "api-server");
  EXPECT_EQ(who->user.groups, (Strings{"system:masters", "system:authenticated"}));
  EXPECT_EQ(who->user.extra.at("authentication.kubernetes.io/credential-id"),
            Strings{"X509SHA256=abc"});
  EXPECT_FALSE(who->is_owner);
}

TEST_F(AccessTest, KnowsAClientByATokenThatTheApiServerKnows) {
  reviewer_.know_token("t0ken", user("alice", {"dev"}));
  Access access = make();

  for (const std::string header : {"Bearer t0ken", "bearer t0ken", "BEARER   t0ken"}) {
    const auto who = access.authenticate(with_token(header));

    ASSERT_TRUE(who.is_ok()) << header;
    EXPECT_EQ(who->user.username, "alice");
    EXPECT_EQ(who->user.groups, (Strings{"dev", "system:authenticated"}));
  }
}

TEST_F(AccessTest, RefusesWhoeverShowsNothingOrWhatIsNotBelieved) {
  reviewer_.know_token("t0ken", user("alice"));
  Access access = make();
  const std::vector<http::ServerRequest> requests = {
      {},
      with_certificate(false, "api-server"),
      with_certificate(true, ""),
      with_token("Bearer wrong"),
      with_token("Bearer"),
      with_token("Bearer "),
      with_token("t0ken"),
      with_token("Basic t0ken"),
      with_token("Bearer t0ken t0ken"),
  };

  for (const http::ServerRequest& request : requests) {
    EXPECT_EQ(access.authenticate(request).status().code(), StatusCode::Unauthenticated);
  }
}

TEST_F(AccessTest, TakesATokenWhereTheCertificateIsNotBelieved) {
  reviewer_.know_token("t0ken", user("alice"));
  Access access = make();
  http::ServerRequest request = with_certificate(false, "mallory");
  request.headers = {{"Authorization", "Bearer t0ken"}};

  EXPECT_EQ(access.authenticate(request)->user.username, "alice");
}

TEST_F(AccessTest, LetsStrangersInOnlyBySettingAndOnlyThoseWhoShowNothing) {
  Access access = make({.insecure_anonymous_auth = true});

  const auto who = access.authenticate({});

  ASSERT_TRUE(who.is_ok());
  EXPECT_EQ(who->user.username, "system:anonymous");
  EXPECT_EQ(who->user.groups, Strings{"system:unauthenticated"});
  EXPECT_EQ(access.authorize(*who, pods_route(), "node-1", {}).code(), StatusCode::PermissionDenied)
      << "still authorised like anybody";
  EXPECT_FALSE(access.authenticate(with_token("Bearer wrong")).is_ok());
  EXPECT_FALSE(access.authenticate(with_certificate(false, "mallory")).is_ok());
}

TEST_F(AccessTest, SaysThatNobodyCouldBeAskedRatherThanNo) {
  reviewer_.go_away();
  Access access = make();

  EXPECT_EQ(access.authenticate(with_token("Bearer t0ken")).status().code(),
            StatusCode::Unavailable);
  EXPECT_EQ(access.authorize(somebody("alice"), pods_route(), "node-1", {}).code(),
            StatusCode::Unavailable);
}

TEST_F(AccessTest, AsksAboutATokenOnceInItsLifetime) {
  reviewer_.know_token("t0ken", user("alice"));
  Access access = make({.token_lifetime = 2min});
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(access.authenticate(with_token("Bearer t0ken")).is_ok());
    EXPECT_FALSE(access.authenticate(with_token("Bearer wrong")).is_ok());
  }
  EXPECT_EQ(reviewer_.token_reviews(), 2);

  reviewer_.forget_tokens();
  clock_->advance(2min);

  EXPECT_FALSE(access.authenticate(with_token("Bearer t0ken")).is_ok());
}

TEST_F(AccessTest, DoesNotRememberThatNobodyAnswered) {
  reviewer_.go_away();
  Access access = make();
  for (int i = 0; i < 3; ++i) {
    static_cast<void>(access.authenticate(with_token("Bearer t0ken")));
    static_cast<void>(access.authorize(somebody("alice"), pods_route(), "node-1", {}));
  }

  EXPECT_EQ(reviewer_.token_reviews(), 3);
  EXPECT_EQ(reviewer_.access_reviews(), 3);
}

TEST_F(AccessTest, GrantsWhatAnyOfTheSubresourcesAllows) {
  reviewer_.allow("fine get nodes/pods node-1");
  reviewer_.allow("coarse get nodes/proxy node-1");
  Access access = make();

  EXPECT_TRUE(access.authorize(somebody("fine"), pods_route(), "node-1", {}).is_ok());
  EXPECT_TRUE(access.authorize(somebody("coarse"), pods_route(), "node-1", {}).is_ok());
  EXPECT_EQ(reviewer_.last_question().version, "v1");
  EXPECT_EQ(access.authorize(somebody("fine"), pods_route(), "node-2", {}).code(),
            StatusCode::PermissionDenied)
      << "another node is another right";
}

TEST_F(AccessTest, RefusesInTheWordsOfTheKubelet) {
  Access access = make();

  const Status status = access.authorize(somebody("alice"), pods_route(), "node-1", {});

  EXPECT_EQ(status.code(), StatusCode::PermissionDenied);
  EXPECT_EQ(status.message(),
            "Forbidden (user=alice, verb=get, resource=nodes, subresource(s)=[pods proxy])");
}

TEST_F(AccessTest, HeedsAnExpressDenial) {
  reviewer_.allow("alice get nodes/pods node-1");
  reviewer_.deny_expressly();
  Access access = make();

  EXPECT_FALSE(access.authorize(somebody("alice"), pods_route(), "node-1", {}).is_ok());
}

TEST_F(AccessTest, RemembersAYesForLongerThanANo) {
  Access access = make({.allowed_lifetime = 5min, .denied_lifetime = 30s});
  const auto may = [&] {
    return access.authorize(somebody("alice"), pods_route(), "node-1", {}).is_ok();
  };
  EXPECT_FALSE(may());
  reviewer_.allow("alice get nodes/pods node-1");
  clock_->advance(29s);
  EXPECT_FALSE(may());
  clock_->advance(1s);
  EXPECT_TRUE(may());

  const int asked = reviewer_.access_reviews();
  clock_->advance(4min);
  EXPECT_TRUE(may());
  EXPECT_EQ(reviewer_.access_reviews(), asked);
}

TEST_F(AccessTest, NeverTakesOneIdentityForAnotherWithTheSameLetters) {
  const std::string nul("\0", 1);
  reviewer_.allow("a get nodes/pods node-1");
  Access access = make();
  Requester allowed{user("a", {"b", "c"}), false};
  ASSERT_TRUE(access.authorize(allowed, pods_route(), "node-1", {}).is_ok());
  const int asked = reviewer_.access_reviews();

  kube::UserInfo with_extra = user("a");
  with_extra.extra["b"] = {"c"};
  const std::vector<kube::UserInfo> others = {user("a", {"b" + nul + "c"}), user("a", {"bc"}),
                                              user("a", {"b", "c", ""}), with_extra};
  for (const kube::UserInfo& other : others) {
    static_cast<void>(access.authorize({other, false}, pods_route(), "node-1", {}));
  }

  EXPECT_EQ(reviewer_.access_reviews(), asked + static_cast<int>(others.size()));
}

TEST_F(AccessTest, AsksAnewAboutIdentitiesTooLongToRemember) {
  reviewer_.allow("a get nodes/pods node-1");
  Access access = make();
  const Requester long_one{user("a", {std::string(20'000, 'g')}), false};

  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(access.authorize(long_one, pods_route(), "node-1", {}).is_ok());
  }

  EXPECT_EQ(reviewer_.access_reviews(), 2);
}

TEST_F(AccessTest, LetsTheOwnerDoEverythingAndNobodyElseWithoutAnApiServer) {
  Access access = standalone({.owner_token = Secret("owner's")});

  const auto owner = access.authenticate(with_token("Bearer owner's"));
  ASSERT_TRUE(owner.is_ok()) << owner.status().to_string();
  EXPECT_TRUE(owner->is_owner);
  EXPECT_TRUE(access.authorize(*owner, pods_route(), "node-1", {}).is_ok());

  EXPECT_FALSE(access.authenticate(with_token("Bearer owner'")).is_ok());
  EXPECT_FALSE(access.authenticate(with_token("Bearer owner'x")).is_ok());
  EXPECT_FALSE(access.authenticate({}).is_ok());
  const auto other = access.authenticate(with_certificate(true, "api-server"));
  ASSERT_TRUE(other.is_ok());
  EXPECT_FALSE(access.authorize(*other, pods_route(), "node-1", {}).is_ok());
}

TEST_F(AccessTest, HasNoOwnerWithoutAnOwnersToken) {
  Access access = standalone({});

  EXPECT_FALSE(access.authenticate(with_token("Bearer ")).is_ok());
  EXPECT_FALSE(access.authenticate(with_token("Bearer x")).is_ok());
}

TEST_F(AccessTest, AllowsEverybodyKnownWhenAuthorizationIsOff) {
  Access access = make({.insecure_no_authorization = true});

  EXPECT_TRUE(access.authorize(somebody("alice"), pods_route(), "node-1", {}).is_ok());
  EXPECT_EQ(reviewer_.access_reviews(), 0);
  EXPECT_FALSE(access.authenticate({}).is_ok()) << "still not strangers";
}

TEST_F(AccessTest, NeverShowsATokenInAMessage) {
  Access access = make();

  EXPECT_EQ(access.authenticate(with_token("Bearer s3cret")).status().to_string().find("s3cret"),
            std::string::npos);
}

}  // namespace
}  // namespace vkhost::kubelet
