// Tokens of service accounts whose time goes by: they are renewed before it is over, also while the API
// server issues none for a while.
#include "cluster/pod_tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(PodTokens, ThatAreNotIssuedKeepThePodWaitingAndAreIssuedLater) {
  proxy_ = Cluster::instance().proxy();
  proxy_->answer(403, {.label = "create serviceaccounts/token"});
  NodeOptions options = asking_for_tokens();
  options.proxy = proxy_.get();
  given_node(std::move(options));
  const std::string uid = given_pod();

  const std::string pod = wait_for_pod([](const std::string& object) {
    return json_at(object, kWaitingMessage).find("failed to fetch token") != std::string::npos;
  });
  EXPECT_EQ(json_at(pod, kWaitingReason), "ContainerCreating");
  EXPECT_TRUE(wait_for_warning(uid, "failed to fetch token"));
  EXPECT_EQ(node_->journal().count("create_pod", uid), 0U);

  proxy_->clear();

  EXPECT_TRUE(is_authentic(token_of(uid), "vault"));
}

class RenewedTokens : public PodTokens {
 protected:
  // The API server issues tokens for 600 s; the daemon is told that they are good for so many.
  void given_node_whose_tokens_last(int seconds) {
    proxy_ = Cluster::instance().proxy();
    proxy_->replace(R"("expirationSeconds":600)",
                    R"("expirationSeconds":)" + std::to_string(seconds), {.label = kRequest});
    NodeOptions options = asking_for_tokens();
    options.proxy = proxy_.get();
    given_node(std::move(options));
  }
  // So many that run, each with a token for "vault"; their UIDs.
  std::vector<std::string> given_pods(std::size_t count) {
    std::vector<std::string> uids;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string created = node_->cluster().create(
          node_->pods_path(), R"({"metadata":{"name":"web-)" + std::to_string(i) +
                                  R"("},"spec":{"nodeName":")" + node_->name() + "\"," +
                                  spec_with_token("vault", 600) + "}}");
      uids.push_back(json_at(created, "/metadata/uid"));
    }
    EXPECT_TRUE(node_->book().wait_until_running(count, kLong)) << node_->book().summary();
    return uids;
  }
  // How long ago the API server issued what that pod holds.
  static std::chrono::seconds age_of_token(const MockJournal& journal, const std::string& uid) {
    const Material material = parse_material(journal.material(uid));
    const std::string claims = claims_of(material.volumes.at("v").at("t").data);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now) -
           std::chrono::seconds{std::stoll(json_at(claims, "/iat"))};
  }
  // Requests that failed since there is no such pod, or it is another one.
  std::ptrdiff_t refusals() {
    const std::vector<SeenRequest> seen = proxy_->traffic().requests();
    return std::count_if(seen.begin(), seen.end(), [](const SeenRequest& request) {
      return request.request.label() == kRequest &&
             (request.status == 404 || request.status == 409);
    });
  }

  static constexpr const char* kRequest = "create serviceaccounts/token";
};

TEST_F(RenewedTokens, ReachTheProvider) {
  given_node_whose_tokens_last(10);
  const std::string uid = given_pod();
  const std::string first = token_of(uid);

  ASSERT_TRUE(wait_until(
      [&](const MockJournal& journal) { return journal.count("update_pod", uid, "ok") >= 2; }));

  const std::string token = token_of(uid);
  EXPECT_NE(token, first);
  EXPECT_TRUE(is_authentic(token, "vault"));
  for (const MockCall& call : node_->journal().calls()) {
    if (call.call == "update_pod") {
      EXPECT_THAT(call.changed, ElementsAre("tokens"));
    }
  }
  EXPECT_EQ(node_->journal().count("create_pod", uid), 1U);
}

// What happens to pods in 600 s, in 40: at each look the tokens are those that the pods hold then.
TEST_F(RenewedTokens, ComeBeforeThoseThatThePodsHoldHaveRunOut) {
  constexpr std::size_t kPods = 5;
  constexpr std::size_t kRenewals = 2;
  constexpr int kLifetime_s = kSanitized ? 80 : 40;
  given_node_whose_tokens_last(kLifetime_s);
  const std::vector<std::string> uids = given_pods(kPods);
  // The first tries to renew them fail.
  proxy_->answer(503, {.label = kRequest, .times = kPods});

  std::chrono::seconds oldest{0};
  std::size_t looks = 0;
  const bool are_renewed = node_->journal().wait_until(
      [&](const MockJournal& journal) {
        bool is_done = true;
        for (const std::string& uid : uids) {
          oldest = std::max(oldest, age_of_token(journal, uid));
          ++looks;
          is_done = is_done && journal.count("update_pod", uid, "ok") >= kRenewals;
        }
        return is_done;
      },
      2 * kLong);

  EXPECT_TRUE(are_renewed);
  EXPECT_TRUE(proxy_->traffic().wait_for_answers(503, kPods, kLong)) << "or nothing was made hard";
  EXPECT_GT(oldest, std::chrono::seconds{kLifetime_s / 2}) << "or they were not looked at";
  EXPECT_LT(oldest, std::chrono::seconds{kLifetime_s});
  std::cout << looks << " looks, the oldest token was " << oldest.count() << " s old\n";
}

TEST_F(RenewedTokens, AreAskedForNoMoreOnceThePodIsGone) {
  given_node_whose_tokens_last(4);
  const std::string uid = given_pod();
  node_->wait_until_running("web");
  node_->cluster().remove(node_->pod_path("web"));
  ASSERT_TRUE(
      wait_until([&](const MockJournal& journal) { return journal.count("gone", uid) == 1; }));
  node_->cluster().wait_until_gone(node_->pod_path("web"), kLong);

  // A namesake's tokens are renewed meanwhile.
  const std::string other = given_pod();
  node_->wait_until_running("web");
  const std::ptrdiff_t refused = refusals();
  ASSERT_TRUE(wait_until(
      [&](const MockJournal& journal) { return journal.count("update_pod", other, "ok") >= 3; }));

  EXPECT_EQ(refusals(), refused);
}

TEST_F(RenewedTokens, AreNoOthersWhileTheApiServerIssuesNone) {
  given_node_whose_tokens_last(10);
  const std::string uid = given_pod();
  const std::string first = token_of(uid);

  const std::uint64_t before = proxy_->traffic().count(kRequest);
  proxy_->answer(503, {.label = kRequest});
  ASSERT_TRUE(proxy_->traffic().wait_for(kRequest, before + 2, kLong));
  EXPECT_EQ(node_->journal().count("update_pod", uid), 0U);
  EXPECT_EQ(token_of(uid), first);

  proxy_->clear();
  EXPECT_TRUE(wait_until(
      [&](const MockJournal& journal) { return journal.count("update_pod", uid, "ok") >= 1; }));
}

TEST_F(RenewedTokens, AreInNoLogAndNoEvent) {
  given_node_whose_tokens_last(10);
  const std::string uid = given_pod();
  const std::string first = token_of(uid);
  ASSERT_TRUE(wait_until(
      [&](const MockJournal& journal) { return journal.count("update_pod", uid, "ok") >= 1; }));

  const std::string events =
      node_->cluster().get("/api/v1/namespaces/" + node_->space() + "/events");

  constexpr const char* kJwt = "eyJ";
  ASSERT_THAT(first, HasSubstr(kJwt));
  EXPECT_THAT(node_->daemon().log(), Not(HasSubstr(kJwt)));
  EXPECT_THAT(events, Not(HasSubstr(kJwt)));
  EXPECT_THAT(events, Not(HasSubstr("ProviderUpdateSuccess")));
}

}  // namespace
}  // namespace vkhost::testing
