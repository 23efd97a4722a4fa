#include "resolve/tokens.hpp"

#include "base/thread.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_token_source.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr seconds kLifetime{600};

class RecordingTokenUser final : public TokenUser {
 public:
  void token_renewed(const std::string& pod_uid) override { told.push_back(pod_uid); }
  std::vector<std::string> told;
};

class TokensTest : public ::testing::Test {
 protected:
  static kube::TokenRequest request_of(const std::string& uid,
                                       const std::string& audience = "",
                                       seconds lifetime = kLifetime) {
    return {"shop", "builder", "pod-of-" + uid, uid, audience, lifetime};
  }
  // What the pod gets; empty when it gets none.
  std::string token_of(const kube::TokenRequest& request) {
    const auto token = tokens_.token(request, &user_, {});
    return token.is_ok() ? (*token)->token.reveal() : std::string();
  }
  std::string token_of(const std::string& uid) { return token_of(request_of(uid)); }
  // Time goes by; what is due is renewed as a timer would have it.
  void pass(std::chrono::milliseconds time) {
    const SteadyTime until = clock_.steady_now() + time;
    while (clock_.steady_now() < until) {
      const auto next = tokens_.next_look();
      clock_.advance_to(std::min(next.value_or(until), until));
      while (tokens_.renew_one({})) {
      }
    }
  }

  testing::FakeClock clock_;
  SeededRandom random_{1};
  testing::FakeTokenSource source_{clock_};
  std::shared_ptr<testing::RecordingLogSink> log_ = std::make_shared<testing::RecordingLogSink>();
  std::vector<SteadyTime> looks_;
  RecordingTokenUser user_;
  Tokens tokens_{{source_, clock_, random_, observe::Logger(log_),
                  [this](SteadyTime when) { looks_.push_back(when); }}};
};

TEST_F(TokensTest, AreIssuedOnceForEachPodAudienceAndLifetime) {
  EXPECT_EQ(token_of(request_of("u-1")), "token-1");
  EXPECT_EQ(token_of(request_of("u-1")), "token-1");
  EXPECT_EQ(token_of(request_of("u-1", "vault")), "token-2");
  EXPECT_EQ(token_of(request_of("u-1", "", kLifetime * 2)), "token-3");
  EXPECT_EQ(token_of(request_of("u-2")), "token-4");

  EXPECT_EQ(tokens_.size(), 4U);
  EXPECT_EQ(source_.requests()[1].audience, "vault");
  EXPECT_EQ(source_.requests()[2].lifetime, kLifetime * 2);
  EXPECT_EQ(source_.requests()[3].pod_uid, "u-2");
}

TEST_F(TokensTest, AreRenewedBeforeEightyPercentOfTheirTimeAreOver) {
  token_of("u-1");

  pass(kLifetime * 75 / 100);
  EXPECT_THAT(user_.told, IsEmpty());
  pass(kLifetime * 5 / 100 + seconds{1});

  EXPECT_THAT(user_.told, ElementsAre("u-1"));
  EXPECT_EQ(token_of("u-1"), "token-2");
  EXPECT_EQ(source_.count(), 2U);
}

TEST_F(TokensTest, AreRenewedOnceADayHoweverLongTheyWouldBeValid) {
  token_of(request_of("u-1", "", hours{24 * 365}));

  pass(hours{22});
  EXPECT_EQ(source_.count(), 1U);
  pass(hours{2} + seconds{1});

  EXPECT_EQ(source_.count(), 2U);
}

TEST_F(TokensTest, CountTheTimeThatIsGrantedNotThatWhichIsAskedFor) {
  source_.grant(seconds{60});
  token_of("u-1");

  pass(seconds{49});

  EXPECT_THAT(user_.told, ElementsAre("u-1"));
}

TEST_F(TokensTest, ThatWereIssuedTogetherAreNotRenewedTogether) {
  for (int i = 0; i < 200; ++i) {
    token_of("u-" + std::to_string(i));
  }
  std::size_t most = 0;

  for (int second = 0; second < 480; ++second) {
    const std::size_t before = source_.count();
    pass(seconds{1});
    most = std::max(most, source_.count() - before);
  }

  EXPECT_EQ(source_.count(), 400U);
  EXPECT_LT(most, 30U);
}

// With the shortest lifetime that there is, and an API server that is away for a while now and then.
TEST_F(TokensTest, AreNeverInAPodWhenTheyHaveRunOut) {
  constexpr int kPods = 50;
  std::map<std::string, WallTime> expires;  // of what the pod holds
  const auto give = [&](const std::string& uid) {
    const auto token = tokens_.token(request_of(uid), &user_, {});
    ASSERT_TRUE(token.is_ok());
    expires[uid] = (*token)->expires;
  };
  for (int i = 0; i < kPods; ++i) {
    give("u-" + std::to_string(i));
    pass(seconds{7});
  }

  for (int minute = 0; minute < 24 * 60; ++minute) {
    for (int second = 0; second < 60; second += 5) {
      const int at = minute * 60 + second;
      if (at % 1200 == 300) {
        source_.fail(unavailable("the API server is away"));
      } else if (at % 1200 == 400) {
        source_.heal();
      }
      pass(seconds{5});
      for (const std::string& uid : std::exchange(user_.told, {})) {
        give(uid);
      }
      for (const auto& [uid, end] : expires) {
        ASSERT_GT(end, clock_.wall_now()) << uid << " in minute " << minute;
      }
    }
  }

  // 24 h in turns of 456 to 480 s, and what failed: an absence draws those whose time it is together,
  // so that one in two meets nearly all of them.
  const std::size_t turns = 24 * 3600 / 480;
  EXPECT_GE(source_.count(), kPods * turns);
  EXPECT_LE(source_.count(), kPods * turns * 3);
}

TEST_F(TokensTest, StayAsLongAsTheyAreValidWhenRenewingThemFails) {
  token_of("u-1");
  source_.fail(unavailable("the API server is away"));

  pass(kLifetime - seconds{1});
  EXPECT_EQ(token_of("u-1"), "token-1");
  EXPECT_THAT(user_.told, IsEmpty());

  pass(seconds{1});
  EXPECT_EQ(tokens_.token(request_of("u-1"), &user_, {}).status().code(), StatusCode::Unavailable);
}

TEST_F(TokensTest, AreAskedForAgainAtGrowingDistances) {
  token_of("u-1");
  pass(seconds{449});
  source_.fail(unavailable("the API server is away"));

  pass(seconds{31});
  EXPECT_GE(source_.count(), 2U);
  EXPECT_LE(source_.count(), 8U);
  pass(seconds{30});
  EXPECT_LE(source_.count(), 12U);

  source_.heal();
  pass(seconds{31});
  EXPECT_THAT(user_.told, ElementsAre("u-1"));
}

TEST_F(TokensTest, AreAskedForWhenTheApiServerSaysSo) {
  token_of("u-1");
  pass(seconds{449});
  source_.fail(unavailable("too many requests").with_retry(Retry::After, seconds{100}));

  pass(seconds{75});

  EXPECT_EQ(source_.count(), 2U);
}

TEST_F(TokensTest, AreTalkedOfOnceWhenTheyAreAboutToRunOut) {
  token_of("u-1");
  source_.fail(unavailable("the API server is away"));
  pass(kLifetime * 89 / 100);
  EXPECT_THAT(log_->lines(), IsEmpty());

  pass(minutes{5});

  ASSERT_THAT(log_->lines(), SizeIs(1));
  EXPECT_THAT(log_->lines()[0], HasSubstr("shop/pod-of-u-1"));
  EXPECT_THAT(log_->lines()[0], Not(HasSubstr("token-1")));
}

TEST_F(TokensTest, AreRenewedWhenTheMachineSlept) {
  token_of("u-1");
  token_of("u-2");
  clock_.set_wall_by(hours{1});

  EXPECT_EQ(tokens_.due(), 2U);
  EXPECT_EQ(token_of("u-1"), "token-3");  // the old one is known to be worthless
  pass(seconds{1});

  EXPECT_THAT(user_.told, ElementsAre("u-2"));
}

TEST_F(TokensTest, AreRenewedInTimeWhenTheClockIsSetBack) {
  token_of("u-1");
  pass(seconds{60});
  clock_.set_wall_by(-hours{24});

  pass(seconds{421});

  EXPECT_THAT(user_.told, ElementsAre("u-1"));
  EXPECT_EQ(source_.count(), 2U);
}

TEST_F(TokensTest, AreNotRenewedAllTheTimeOnceTheClockWasSetForward) {
  token_of("u-1");
  clock_.set_wall_by(hours{24});

  pass(minutes{5});

  EXPECT_EQ(source_.count(), 2U);
}

TEST_F(TokensTest, AreDroppedWithTheirPod) {
  token_of("u-1");
  token_of(request_of("u-1", "vault"));
  token_of("u-10");

  tokens_.forget("u-1");

  EXPECT_EQ(tokens_.size(), 1U);
  pass(kLifetime);
  EXPECT_THAT(user_.told, ElementsAre("u-10"));
}

TEST_F(TokensTest, AreDroppedWithTheirPodWhileTheyAreBeingRenewed) {
  token_of("u-1");
  source_.during_next([&] { tokens_.forget("u-1"); });

  pass(kLifetime);

  EXPECT_EQ(source_.count(), 2U);
  EXPECT_EQ(tokens_.size(), 0U);
  EXPECT_THAT(user_.told, IsEmpty());
}

TEST_F(TokensTest, AreIssuedOnlyWhenAskedForWhereNobodyHearsOfThem) {
  const auto ask = [&] { return (*tokens_.token(request_of("u-1"), nullptr, {}))->token.reveal(); };
  EXPECT_EQ(ask(), "token-1");
  EXPECT_EQ(tokens_.next_look(), std::nullopt);
  clock_.advance(kLifetime * 3 / 4);
  EXPECT_EQ(ask(), "token-1");
  clock_.advance(kLifetime / 10);

  source_.fail(unavailable("the API server is away"));
  EXPECT_EQ(ask(), "token-1");
  EXPECT_EQ(ask(), "token-1");
  EXPECT_EQ(source_.count(), 2U);  // not at each question
  source_.heal();
  clock_.advance(seconds{30});

  EXPECT_EQ(ask(), "token-2");
}

TEST_F(TokensTest, AreRenewedForNobodyWhoHasLeft) {
  RecordingTokenUser other;
  EXPECT_TRUE(tokens_.token(request_of("u-1"), &other, {}).is_ok());
  token_of("u-2");

  tokens_.leave(other);
  pass(kLifetime);

  EXPECT_THAT(other.told, IsEmpty());
  EXPECT_THAT(user_.told, ElementsAre("u-2"));
}

TEST_F(TokensTest, SayWhenToLookForThem) {
  EXPECT_EQ(tokens_.next_look(), std::nullopt);

  token_of("u-1");

  // Not as late as it is due: the machine may sleep meanwhile.
  ASSERT_THAT(looks_, ElementsAre(clock_.steady_now() + minutes{1}));
  EXPECT_EQ(tokens_.next_look(), looks_[0]);
  clock_.advance(seconds{449});
  EXPECT_LE(*tokens_.next_look(), clock_.steady_now() + seconds{31});
}

TEST_F(TokensTest, AreNotRenewedOnceThatIsCancelled) {
  token_of("u-1");
  clock_.advance(kLifetime);
  CancelSource cancel;
  cancel.cancel();

  EXPECT_FALSE(tokens_.renew_one(cancel.token()));
  EXPECT_EQ(source_.count(), 1U);
}

class CountingTokenUser final : public TokenUser {
 public:
  void token_renewed(const std::string& /*pod_uid*/) override { ++told; }
  std::atomic<std::size_t> told = 0;
};

TEST_F(TokensTest, AreRenewedBySeveralThreadsOnceEach) {
  constexpr std::size_t kPods = 200;
  CountingTokenUser user;
  for (std::size_t i = 0; i < kPods; ++i) {
    EXPECT_TRUE(tokens_.token(request_of("u-" + std::to_string(i)), &user, {}).is_ok());
  }
  clock_.advance(kLifetime * 9 / 10);

  {
    std::vector<Thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back("renewal", [&] {
        while (tokens_.renew_one({})) {
        }
      });
    }
    tokens_.forget("u-0");
  }

  EXPECT_GE(user.told, kPods - 1);
  EXPECT_LE(source_.count(), 2 * kPods);
  EXPECT_EQ(tokens_.size(), kPods - 1);
  EXPECT_EQ(tokens_.due(), 0U);
}

}  // namespace
}  // namespace vkhost::resolve
