// Settings and the provider's own configuration change under an engine that runs.
#include "engine_fixture.hpp"

#include <chrono>
#include <string>

namespace vkhost::pods {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::Not;

Status expired() {
  return Status(StatusCode::Unauthenticated, "the key has expired")
      .with_reason("KeyExpired")
      .with_scope(Scope::Provider)
      .with_retry(Retry::Never);
}

class ChangedSettings : public EngineFixture {
 protected:
  void change() { engine_->change_settings(settings_); }
};

TEST_F(ChangedSettings, OfLostPodsCountFromTheNextLossOn) {
  settings_.on_lost = OnLost::Fail;
  boot();
  const std::string uid = given_running_pod();

  settings_.on_lost = OnLost::Recreate;
  change();
  provider_.lose(uid);
  settle();

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_NE(api_.phase(uid), "Failed");
}

TEST_F(ChangedSettings, ReachAPodThatWaitsUnderTheOldOnes) {
  settings_.on_lost = OnLost::Wait;
  boot();
  const std::string uid = given_running_pod();
  provider_.lose(uid);
  settle();
  ASSERT_EQ(api_.phase(uid), "Running");

  settings_.on_lost = OnLost::Fail;
  change();
  settle();

  EXPECT_EQ(api_.phase(uid), "Failed");
}

TEST_F(ChangedSettings, OfTheBackOffCountFromTheNextFailureOn) {
  settings_.backoff = {1h, 1h};
  boot();
  settings_.backoff = {100ms, 100ms};
  change();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("away"));
  settle();
  ASSERT_EQ(creates(uid), 1U);

  pass(1s);

  EXPECT_EQ(creates(uid), 2U);
}

TEST_F(ChangedSettings, OfFinishedPodsReachThoseThatHaveFinished) {
  boot();
  const std::string uid = given_running_pod();
  provider_.end(uid, "Succeeded", 0);
  settle();
  ASSERT_EQ(deletes(uid), 0U);

  settings_.keep_finished = 1s;
  change();
  pass(2s);

  EXPECT_EQ(deletes(uid), 1U);
}

TEST_F(ChangedSettings, OfOrphansCountFromTheNextSweepOn) {
  settings_.orphans = Orphans::Report;
  boot();
  provider_.plant({"default", "left-behind", "uid-orphan", "h-1"});
  list_all();
  ASSERT_TRUE(provider_.has("uid-orphan"));

  settings_.orphans = Orphans::Delete;
  change();
  pass(11min);
  list_all();

  EXPECT_EQ(deletes("uid-orphan"), 1U);
}

TEST_F(ChangedSettings, LeaveAlonePodsThatAreWell) {
  boot();
  const std::string uid = given_running_pod();
  const auto calls = provider_.count(Kind::Create) + provider_.count(Kind::Update);

  settings_.on_lost = OnLost::Recreate;
  change();
  settle();

  EXPECT_EQ(provider_.count(Kind::Create) + provider_.count(Kind::Update), calls);
  EXPECT_EQ(api_.phase(uid), "Running");
}

class ReconfiguredProvider : public EngineFixture {};

TEST_F(ReconfiguredProvider, EndsTheHoldOfItsAccount) {
  settings_.backoff = {1h, 1h};
  boot();
  const std::string first = api_.create({});
  provider_.fail_create(first, expired());
  settle();
  const std::string second = given_pod({.name = "second"});
  ASSERT_FALSE(provider_.has(first));
  ASSERT_FALSE(provider_.has(second));
  ASSERT_THAT(faults_.faults(), Not(IsEmpty()));
  ASSERT_NE(faults_.faults().back(), "OK");

  engine_->provider_reconfigured();
  settle();

  EXPECT_TRUE(provider_.has(first));
  EXPECT_TRUE(provider_.has(second));
  EXPECT_EQ(faults_.faults().back(), "OK");
}

TEST_F(ReconfiguredProvider, IsAskedAgainForWhatItHadRefused) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, invalid_argument("no such instance type").with_retry(Retry::Never));
  settle();
  pass(1h);
  ASSERT_EQ(creates(uid), 1U);

  engine_->provider_reconfigured();
  settle();

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_TRUE(provider_.has(uid));
}

TEST_F(ReconfiguredProvider, StillHasTheTimeThatItAskedForAPod) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("busy").with_retry(Retry::After, 10min));
  settle();

  engine_->provider_reconfigured();
  settle();

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(ReconfiguredProvider, IsNotHeldByACallThatBeganBefore) {
  settings_.backoff = {1h, 1h};
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, expired());
  provider_.during_next(Kind::Create, [this] { engine_->provider_reconfigured(); });

  settle();

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_TRUE(provider_.has(uid));
  EXPECT_TRUE(view(uid).last_error.is_ok());
}

}  // namespace
}  // namespace vkhost::pods
