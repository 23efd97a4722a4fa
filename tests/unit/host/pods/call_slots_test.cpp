#include "pods/call_slots.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vkhost::pods {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const SteadyTime kNow{std::chrono::hours{5}};

Status fault() {
  return Status(StatusCode::Unauthenticated, "expired").with_scope(Scope::Provider);
}

class CallSlotsTest : public ::testing::Test {
 protected:
  void finish(const CallSlots::Permit& permit, const Status& outcome, SteadyTime now = kNow) {
    slots_.finish(permit, outcome, now, random_);
  }
  SteadyTime held_until(const std::string& key = "asker") {
    const auto permit = slots_.ask(key, kNow);
    EXPECT_FALSE(permit.granted);
    return permit.until.value_or(kNow);
  }

  SeededRandom random_{1};
  CallSlots slots_{2, {seconds{4}, minutes{1}}};
};

TEST_F(CallSlotsTest, GrantsUpToTheLimit) {
  EXPECT_TRUE(slots_.ask("a", kNow).granted);
  EXPECT_TRUE(slots_.ask("b", kNow).granted);
  const auto third = slots_.ask("c", kNow);

  EXPECT_FALSE(third.granted);
  EXPECT_FALSE(third.until.has_value());
  EXPECT_THAT(slots_.wake(), IsEmpty());
}

TEST_F(CallSlotsTest, LetAFewGetReadyBeyondTheLimit) {
  for (const char* key : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(slots_.reserve(key, kNow).granted) << key;
  }

  EXPECT_FALSE(slots_.reserve("e", kNow).granted);
  slots_.withdraw("a");
  slots_.withdraw("b");
  slots_.withdraw("c");
  EXPECT_THAT(slots_.wake(), ElementsAre("e"));
}

TEST_F(CallSlotsTest, KeepNoSlotForWhoIsNotReady) {
  EXPECT_TRUE(slots_.reserve("slow", kNow).granted);

  EXPECT_TRUE(slots_.ask("a", kNow).granted);
  EXPECT_TRUE(slots_.ask("b", kNow).granted);

  EXPECT_FALSE(slots_.ask("slow", kNow).granted);
  EXPECT_FALSE(slots_.reserve("late", kNow).granted);
}

TEST_F(CallSlotsTest, LetOnlyTheProbeGetReadyWhileAllAreHeld) {
  slots_.note_fault(fault(), kNow, random_);
  EXPECT_TRUE(slots_.reserve("a", kNow).until.has_value());
  const SteadyTime later = kNow + minutes{2};

  EXPECT_TRUE(slots_.reserve("a", later).granted);
  EXPECT_FALSE(slots_.reserve("b", later).granted);

  const auto probe = slots_.ask("a", later);
  EXPECT_TRUE(probe.granted);
  EXPECT_TRUE(probe.is_probe);
}

TEST_F(CallSlotsTest, ForgetThatSomebodyWaitedOnceItHasASlot) {
  const auto a = slots_.ask("a", kNow);
  EXPECT_TRUE(slots_.ask("b", kNow).granted);
  EXPECT_FALSE(slots_.ask("c", kNow).granted);
  finish(a, Status::ok());
  EXPECT_TRUE(slots_.ask("c", kNow).granted);

  EXPECT_EQ(slots_.waiting(), 0U);
  EXPECT_THAT(slots_.wake(), IsEmpty());
}

TEST_F(CallSlotsTest, WakesWhoWaitsInOrderAsSlotsBecomeFree) {
  const auto a = slots_.ask("a", kNow);
  const auto b = slots_.ask("b", kNow);
  for (const char* key : {"c", "d", "c", "e"}) {
    EXPECT_FALSE(slots_.ask(key, kNow).granted);
  }

  finish(a, Status::ok());
  EXPECT_THAT(slots_.wake(), ElementsAre("c"));
  EXPECT_THAT(slots_.wake(), IsEmpty());
  finish(b, Status::ok());
  EXPECT_THAT(slots_.wake(), ElementsAre("d"));
}

TEST_F(CallSlotsTest, PassesOnWhatTheWokenOneDoesNotUse) {
  const auto a = slots_.ask("a", kNow);
  static_cast<void>(slots_.ask("b", kNow));
  static_cast<void>(slots_.ask("c", kNow));
  static_cast<void>(slots_.ask("d", kNow));
  finish(a, Status::ok());
  ASSERT_THAT(slots_.wake(), ElementsAre("c"));

  slots_.withdraw("c");

  EXPECT_THAT(slots_.wake(), ElementsAre("d"));
}

TEST_F(CallSlotsTest, HoldsEverybodyDuringAFaultAndLetsOneProbe) {
  finish(slots_.ask("a", kNow), fault());
  EXPECT_FALSE(slots_.fault().is_ok());
  const SteadyTime until = held_until();
  EXPECT_GT(until, kNow);

  const auto probe = slots_.ask("a", until);
  EXPECT_TRUE(probe.granted);
  EXPECT_TRUE(probe.is_probe);
  EXPECT_FALSE(slots_.ask("b", until).granted);
  finish(probe, Status::ok(), until);

  EXPECT_TRUE(slots_.fault().is_ok());
  EXPECT_THAT(slots_.wake(), ElementsAre("b"));
}

TEST_F(CallSlotsTest, CountsAFaultThatManyCallsMetOnce) {
  const auto a = slots_.ask("a", kNow);
  const auto b = slots_.ask("b", kNow);
  finish(a, fault());
  const SteadyTime until = held_until();

  finish(b, fault());

  EXPECT_EQ(held_until(), until);
}

TEST_F(CallSlotsTest, LearnsNothingFromCallsThatBeganBeforeTheFault) {
  const auto a = slots_.ask("a", kNow);
  const auto b = slots_.ask("b", kNow);
  finish(a, fault());

  finish(b, Status::ok());

  EXPECT_FALSE(slots_.fault().is_ok());
}

TEST_F(CallSlotsTest, LearnsNothingFromAProbeThatWasCutShort) {
  finish(slots_.ask("a", kNow), fault());
  const SteadyTime until = held_until();

  finish(slots_.ask("a", until), cancelled("deleted"), until);

  EXPECT_FALSE(slots_.fault().is_ok());
  EXPECT_TRUE(slots_.ask("b", until).is_probe);
}

TEST_F(CallSlotsTest, TakesAnErrorOfThePodForHealthOfTheAccount) {
  finish(slots_.ask("a", kNow), fault());
  const SteadyTime until = held_until();

  finish(slots_.ask("a", until), invalid_argument("no such image"), until);

  EXPECT_TRUE(slots_.fault().is_ok());
}

TEST_F(CallSlotsTest, BacksOffWhenProbesFail) {
  finish(slots_.ask("a", kNow), fault());
  SteadyTime now = held_until();
  auto last = now - kNow;
  for (int i = 0; i < 3; ++i) {
    finish(slots_.ask("a", now), fault(), now);
    const SteadyTime until = *slots_.ask("a", now).until;
    EXPECT_GE((until - now) * 2, last);
    EXPECT_LE(until - now, minutes{1});
    last = until - now;
    now = until;
  }
  EXPECT_GE(last, seconds{16});
}

TEST_F(CallSlotsTest, HoldsAsLongAsTheLongestAdvice) {
  const auto a = slots_.ask("a", kNow);
  const auto b = slots_.ask("b", kNow);
  finish(a, fault().with_retry(Retry::After, seconds{30}));
  finish(b, fault().with_retry(Retry::After, seconds{20}));

  EXPECT_EQ(held_until(), kNow + seconds{30});
}

TEST_F(CallSlotsTest, EndsAHoldThatNobodyIsLeftToProbe) {
  finish(slots_.ask("a", kNow), fault());
  const SteadyTime until = held_until("a");
  slots_.note_health(until);
  EXPECT_FALSE(slots_.fault().is_ok()) << "a comes back to probe";

  slots_.withdraw("a");
  slots_.note_health(until - seconds{1});
  EXPECT_FALSE(slots_.fault().is_ok()) << "too early";
  slots_.note_health(until);

  EXPECT_TRUE(slots_.fault().is_ok());
}

TEST_F(CallSlotsTest, IsQuietOnlyWhereTheProviderNamedATime) {
  finish(slots_.ask("a", kNow), fault());
  EXPECT_LE(slots_.quiet_until(), kNow);

  slots_.note_fault(fault().with_retry(Retry::After, seconds{30}), kNow, random_);
  slots_.note_fault(fault().with_retry(Retry::After, seconds{10}), kNow, random_);

  EXPECT_EQ(slots_.quiet_until(), kNow + seconds{30});
}

TEST_F(CallSlotsTest, ProbesAFaultThatNeedsAHumanAtTheLongestDistance) {
  finish(slots_.ask("a", kNow), fault().with_retry(Retry::Never));

  EXPECT_EQ(held_until(), kNow + minutes{1});
}

TEST_F(CallSlotsTest, HoldsNothingAnyMoreOnceTheReasonIsGone) {
  const auto permit = slots_.ask("a", kNow);
  finish(permit, Status(StatusCode::Unauthenticated, "the key has expired")
                     .with_scope(Scope::Provider)
                     .with_retry(Retry::After, minutes{5}));
  ASSERT_FALSE(slots_.ask("b", kNow).granted);

  slots_.forgive();

  EXPECT_TRUE(slots_.ask("b", kNow).granted);
  EXPECT_TRUE(slots_.fault().is_ok());
  EXPECT_LE(slots_.quiet_until(), kNow);
}

TEST_F(CallSlotsTest, BelievesNoFaultOfACallThatBeganBeforeThat) {
  const auto before = slots_.ask("a", kNow);
  slots_.forgive();
  const auto after = slots_.ask("b", kNow);

  finish(before,
         Status(StatusCode::Unauthenticated, "the key has expired").with_scope(Scope::Provider));

  EXPECT_TRUE(slots_.is_outdated(before));
  EXPECT_FALSE(slots_.is_outdated(after));
  EXPECT_TRUE(slots_.fault().is_ok());
  EXPECT_TRUE(slots_.ask("c", kNow).granted);  // in the place of the first
}

TEST_F(CallSlotsTest, HoldsByTheBackOffThatItWasGivenLast) {
  slots_.set_backoff({seconds{40}, seconds{40}});
  finish(slots_.ask("a", kNow), unavailable("away").with_scope(Scope::Provider));

  EXPECT_GE(held_until() - kNow, seconds{20});
}

}  // namespace
}  // namespace vkhost::pods
