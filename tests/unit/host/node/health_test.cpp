#include "node/health.hpp"

#include <gtest/gtest.h>

namespace vkhost::node {
namespace {

class HealthTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string reason() const { return health_.readiness().reason; }
  void be_ready() {
    health_.pods_ready();
    EXPECT_TRUE(health_.take_ping(Status::ok()));
    ASSERT_TRUE(health_.readiness().ready);
  }

  Health health_{2};
};

TEST_F(HealthTest, IsReadyOnceEverythingHasBeenSaid) {
  EXPECT_EQ(reason(), "PodsNotRecovered");
  EXPECT_FALSE(health_.is_settled());
  health_.pods_ready();
  EXPECT_EQ(reason(), "ProviderUnknown");
  EXPECT_FALSE(health_.is_settled());

  EXPECT_TRUE(health_.take_ping(Status::ok()));

  EXPECT_EQ(reason(), "KubeletReady");
  EXPECT_TRUE(health_.is_settled());
}

TEST_F(HealthTest, SaysThatItsDaemonLeavesWhateverElseIsTrue) {
  be_ready();

  health_.shut_down();

  EXPECT_EQ(reason(), "NodeShutdown");
  EXPECT_TRUE(health_.is_settled());
  EXPECT_TRUE(health_.take_ping(Status::ok()));
  EXPECT_FALSE(health_.readiness().ready);
}

TEST_F(HealthTest, SaysThatItsDaemonLeavesBeforeAnythingElseWasSaid) {
  health_.shut_down();

  EXPECT_TRUE(health_.is_settled());
  EXPECT_EQ(reason(), "NodeShutdown");
}

TEST_F(HealthTest, SaysWhatTheStartWaitsFor) {
  health_.start_failed(unavailable("the back end is away"));
  EXPECT_EQ(reason(), "ProviderNotStarted");
  EXPECT_EQ(health_.readiness().message, "the back end is away");
  health_.start_failed(Status::ok());
  EXPECT_EQ(reason(), "PodsNotRecovered");

  health_.start_refused(unavailable("never"));

  EXPECT_EQ(reason(), "ProviderRefused");

  health_.start_failed(unavailable("tried once more"));

  EXPECT_EQ(reason(), "ProviderNotStarted");
}

TEST_F(HealthTest, TakesTheProvidersOwnReason) {
  be_ready();

  EXPECT_TRUE(health_.take_ping(Status(StatusCode::Internal, "no").with_reason("BadKey")));

  EXPECT_EQ(reason(), "BadKey");
}

TEST_F(HealthTest, NeedsASecondMissedPing) {
  be_ready();

  EXPECT_FALSE(health_.take_ping(unavailable("a moment")));
  EXPECT_TRUE(health_.readiness().ready);
  EXPECT_TRUE(health_.take_ping(Status::ok()));
  EXPECT_FALSE(health_.take_ping(deadline_exceeded("a moment")));
  EXPECT_TRUE(health_.take_ping(unavailable("gone")));

  EXPECT_EQ(reason(), "ProviderUnreachable");
  EXPECT_EQ(health_.readiness().message, "gone");
}

TEST_F(HealthTest, DoesNotTakeTheFirstMissedPingOfADaemonForTheTruth) {
  health_.pods_ready();

  EXPECT_FALSE(health_.take_ping(unavailable("a moment")));
  EXPECT_FALSE(health_.is_settled());
  EXPECT_TRUE(health_.take_ping(Status::ok()));

  EXPECT_TRUE(health_.readiness().ready);
}

TEST_F(HealthTest, ComesBackWithTheSecondAnswerInARow) {
  be_ready();
  EXPECT_TRUE(health_.take_ping(Status(StatusCode::Internal, "no").with_reason("BadKey")));

  EXPECT_FALSE(health_.take_ping(Status::ok()));
  EXPECT_TRUE(health_.take_ping(Status(StatusCode::Internal, "no").with_reason("BadKey")));
  EXPECT_FALSE(health_.take_ping(Status::ok()));
  EXPECT_EQ(reason(), "BadKey");
  EXPECT_TRUE(health_.take_ping(Status::ok()));

  EXPECT_TRUE(health_.readiness().ready);
}

TEST_F(HealthTest, CountsThrottlingAsReachable) {
  be_ready();

  EXPECT_TRUE(health_.take_ping(Status(StatusCode::ResourceExhausted, "slow down")));

  EXPECT_TRUE(health_.readiness().ready);
}

TEST_F(HealthTest, StaysReadyForWhatRunsWhileTheProviderTakesNothingNew) {
  be_ready();

  health_.take_fault(Status(StatusCode::ResourceExhausted, "the quota is used up"));

  EXPECT_TRUE(health_.readiness().ready);
  EXPECT_NE(health_.readiness().message.find("the quota is used up"), std::string::npos);
}

TEST_F(HealthTest, ShowsAFaultAndAnAddressThatNobodyReaches) {
  be_ready();

  health_.take_self_check(unavailable("nobody there"));
  EXPECT_EQ(reason(), "KubeletUnreachable");
  health_.take_fault(unavailable("out of credit"));
  EXPECT_EQ(reason(), "ProviderFault");
  health_.take_fault(Status::ok());
  health_.take_self_check(Status::ok());

  EXPECT_TRUE(health_.readiness().ready);
}

}  // namespace
}  // namespace vkhost::node
