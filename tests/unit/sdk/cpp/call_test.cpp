#include <vkhost/cpp/call.hpp>
#include <vkhost/support/fake_host.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace vkhost::sdk {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(Call, TellsWhatIsLeftUntilTheDeadline) {
  const FakeCall fake(milliseconds(60'000));
  const Call call(fake.raw());

  ASSERT_TRUE(call.remaining());
  EXPECT_LE(*call.remaining(), milliseconds(60'000));
  EXPECT_GT(*call.remaining(), milliseconds(30'000));
}

TEST(Call, HasNothingLeftAfterTheDeadline) {
  const FakeCall fake(milliseconds(0));

  EXPECT_EQ(Call(fake.raw()).remaining(), milliseconds(0));
}

TEST(Call, HasNoDeadlineWhenItIsAStream) {
  const FakeCall fake(milliseconds(-1));

  EXPECT_FALSE(Call(fake.raw()).remaining());
}

TEST(Call, ThrowsWithTheEffectOnceItIsCancelled) {
  FakeCall fake;
  const Call call(fake.raw());
  EXPECT_NO_THROW(call.throw_if_cancelled(Effect::None));

  fake.cancel();

  try {
    call.throw_if_cancelled(Effect::Happened);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::Cancelled);
    EXPECT_EQ(error.effect(), Effect::Happened);
  }
}

TEST(Call, WaitsForTheTimeWhenNobodyCancels) {
  const FakeCall fake;

  EXPECT_FALSE(Call(fake.raw()).wait_for(milliseconds(1)));
}

TEST(Call, StopsWaitingWhenItIsCancelled) {
  FakeCall fake;
  std::thread canceller([&] {
    EXPECT_TRUE(fake.wait_for_registration());
    fake.cancel();
  });

  EXPECT_TRUE(Call(fake.raw()).wait_for(hours(1)));

  canceller.join();
  EXPECT_EQ(fake.registrations(), 0U);
}

TEST(Call, DoesNotWaitWhenItIsCancelledAlready) {
  FakeCall fake;
  fake.cancel();

  EXPECT_TRUE(Call(fake.raw()).wait_for(hours(1)));
}

TEST(OnCancel, RunsOnce) {
  FakeCall fake;
  const Call call(fake.raw());
  int runs = 0;
  const OnCancel registration(call, [&] { ++runs; });

  fake.cancel();
  fake.cancel();

  EXPECT_EQ(runs, 1);
}

TEST(OnCancel, RunsAtOnceWhenTheCallIsCancelledAlready) {
  FakeCall fake;
  fake.cancel();
  int runs = 0;

  const OnCancel registration(Call(fake.raw()), [&] { ++runs; });

  EXPECT_EQ(runs, 1);
}

TEST(OnCancel, DoesNotRunAfterItsEnd) {
  FakeCall fake;
  int runs = 0;
  {
    const OnCancel registration(Call(fake.raw()), [&] { ++runs; });
  }

  fake.cancel();

  EXPECT_EQ(runs, 0);
}

TEST(OnCancel, LetsNoExceptionOutIntoTheHost) {
  FakeCall fake;
  const Call call(fake.raw());
  const OnCancel registration(call, [] { throw std::runtime_error("nobody may see this"); });

  EXPECT_NO_THROW(fake.cancel());
}

}  // namespace
}  // namespace vkhost::sdk
