#include "daemon/token_renewal.hpp"

#include "support/fake_token_source.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>

namespace vkhost::daemon {
namespace {

using std::chrono::seconds;

class WaitingTokenUser final : public resolve::TokenUser {
 public:
  void token_renewed(const std::string& /*pod_uid*/) override {
    const MutexLock lock(mutex_);
    ++told_;
    changed_.notify_all();
  }
  [[nodiscard]] bool wait_until_told(std::size_t times) {
    const SteadyTime until = std::chrono::steady_clock::now() + seconds{30};
    const MutexLock lock(mutex_);
    while (told_ < times && changed_.wait_until(mutex_, until)) {
    }
    return told_ >= times;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::size_t told_ VKHOST_GUARDED_BY(mutex_) = 0;
};

class TokenRenewalTest : public ::testing::Test {
 protected:
  TokenRenewalTest() { source_.grant(seconds{1}); }
  void given_token(const std::string& uid) {
    EXPECT_TRUE(renewal_.tokens()
                    .token({"shop", "builder", "web", uid, "", seconds{600}}, &user_, {})
                    .is_ok());
  }

  SystemClock clock_;
  SeededRandom random_{1};
  testing::FakeTokenSource source_{clock_};
  WaitingTokenUser user_;
  Timers timers_{clock_};
  Executor executor_{"test", TokenRenewal::kAtOnce, clock_};
  TokenRenewal renewal_{{source_, clock_, random_, timers_, executor_}};
};

TEST_F(TokenRenewalTest, RenewsTokensAgainAndAgain) {
  given_token("u-1");
  given_token("u-2");

  EXPECT_TRUE(user_.wait_until_told(4));
}

// Issues one token, which is due soon, and answers nobody any more.
class SilentTokenSource final : public resolve::TokenSource {
 public:
  Result<kube::BoundToken> issue(const kube::TokenRequest& /*request*/,
                                 const CancelToken& cancel) override {
    if (!was_asked_.exchange(true)) {
      kube::BoundToken token;
      token.lifetime = seconds{1};
      return token;
    }
    is_renewing.cancel();
    static_cast<void>(cancel.wait_for(seconds{30}));
    has_left = true;
    return cancelled("the renewal was cancelled");
  }

  CancelSource is_renewing;
  std::atomic<bool> has_left = false;

 private:
  std::atomic<bool> was_asked_ = false;
};

TEST_F(TokenRenewalTest, EndsWhatIsUnderWayWhenItIsStopped) {
  SilentTokenSource silent;
  TokenRenewal renewal({silent, clock_, random_, timers_, executor_});
  EXPECT_TRUE(renewal.tokens()
                  .token({"shop", "builder", "web", "u-1", "", seconds{600}}, &user_, {})
                  .is_ok());
  ASSERT_TRUE(silent.is_renewing.token().wait_for(seconds{30}));

  renewal.stop();

  EXPECT_TRUE(silent.has_left);
}

}  // namespace
}  // namespace vkhost::daemon
