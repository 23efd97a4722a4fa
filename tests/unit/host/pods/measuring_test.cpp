// What the engine measures on the way of a pod, on a clock that only moves where a test says so.
#include "engine_fixture.hpp"
#include "support/exposition.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace vkhost::pods {
namespace {

using std::chrono::seconds;
using testing::Labels;

class Measured : public EngineFixture {
 protected:
  Measured() { settings_.backoff = {seconds{1}, seconds{60}}; }

  double measured(std::string_view name, const Labels& labels = {}) {
    return testing::sum_of(testing::parse_exposition(metrics_.render()), name, labels);
  }
  double seconds_to_call(const char* call) {
    return measured("vkhost_pod_event_to_call_seconds_sum", {{"call", call}});
  }
  double calls_measured(const char* call) {
    return measured("vkhost_pod_event_to_call_seconds_count", {{"call", call}});
  }
  // The provider takes so long for its next call of that kind.
  void given_slow(Kind kind, seconds time) {
    provider_.during_next(kind, [this, time] { clock_->advance(time); });
  }
};

TEST_F(Measured, IsTheTimeFromTheEventToTheCall) {
  boot();
  api_.create({.name = "first"});
  api_.create({.name = "second"});
  given_slow(Kind::Create, seconds{2});

  settle();  // one after the other

  EXPECT_EQ(calls_measured("create"), 2);
  EXPECT_EQ(seconds_to_call("create"), 2);
}

TEST_F(Measured, IsTheTimeToTheCallOfADeletion) {
  boot();
  const std::string uid = given_running_pod();
  pass(seconds{10});

  api_.remove(uid, seconds{30});
  settle();

  EXPECT_EQ(calls_measured("delete"), 1);
  EXPECT_EQ(seconds_to_call("delete"), 0) << "counted from its own event";
}

TEST_F(Measured, IsNoTimeOfACallThatIsMadeAgain) {
  boot();
  provider_.fail_create("", unavailable("no capacity"));

  const std::string uid = given_pod();
  pass(seconds{10});

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_EQ(calls_measured("create"), 1);
  EXPECT_EQ(seconds_to_call("create"), 0);
  EXPECT_EQ(measured("vkhost_pod_retries_total", {{"code", "UNAVAILABLE"}}), 1);
}

TEST_F(Measured, IsNoTimeOfAPodThatWasThereBefore) {
  const std::string uid = api_.create({});

  boot();
  pass(seconds{10});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(calls_measured("create"), 0);
}

// The provider was not called for it: that Secret is the user's time.
TEST_F(Measured, IsNoTimeOfAPodThatWaitsForAnObject) {
  boot();
  material_.fail(not_found("secret \"key\" not found"));

  const std::string uid = given_pod();
  pass(seconds{30});

  EXPECT_EQ(creates(uid), 1U);
  EXPECT_EQ(calls_measured("create"), 0);
  EXPECT_EQ(measured("vkhost_pod_retries_total", {{"code", "NOT_FOUND"}}), 1);
}

TEST_F(Measured, IsTheTimeUntilTheFirstStatusIsWritten) {
  boot();
  const std::string uid = given_pod();
  clock_->advance(seconds{5});

  provider_.run(uid);
  settle();
  pass(seconds{60});
  provider_.end(uid, "Succeeded", 0);
  settle();

  EXPECT_EQ(measured("vkhost_pod_event_to_status_seconds_count"), 1);
  EXPECT_EQ(measured("vkhost_pod_event_to_status_seconds_sum"), 5);
}

TEST_F(Measured, IsTheTimeOfNewsUntilTheyAreWrittenWithTheTriesThatFailed) {
  boot();
  const std::string uid = given_pod();
  pass(seconds{1});
  api_.answer(Call::Patch, unavailable("the API server is away"));

  provider_.run(uid);
  pass(seconds{10});

  EXPECT_EQ(api_.phase(uid), "Running");
  EXPECT_EQ(measured("vkhost_status_write_retries_total", {{"code", "UNAVAILABLE"}}), 1);
  EXPECT_EQ(measured("vkhost_pod_news_to_status_seconds_count"), 1);
  EXPECT_GT(measured("vkhost_pod_news_to_status_seconds_sum"), 0);
}

TEST_F(Measured, CountsAnAccountAtFaultAsARetryAndShowsTheHold) {
  boot();
  EXPECT_FALSE(engine_->load().is_held);
  provider_.fail_create(
      "", Status(StatusCode::PermissionDenied, "the key has expired").with_scope(Scope::Provider));

  static_cast<void>(given_pod());

  EXPECT_TRUE(engine_->load().is_held);
  EXPECT_EQ(measured("vkhost_pod_retries_total", {{"code", "PERMISSION_DENIED"}}), 1);
}

TEST_F(Measured, ShowsWhatIsDueAndNotWhatWaitsForItsTime) {
  boot();
  provider_.fail_create("", unavailable("no capacity"));
  static_cast<void>(given_pod({.name = "backs-off"}));
  EXPECT_EQ(engine_->load().due, 0U);
  std::size_t due = 0;
  provider_.during_next(Kind::Create, [&] { due = engine_->load().due; });
  for (const char* name : {"one", "two", "three"}) {
    api_.create({.name = name});
  }

  settle();

  EXPECT_EQ(due, 2U);
  EXPECT_EQ(engine_->load().due, 0U);
}

TEST_F(Measured, CountsNothingWhereNobodyAsksForIt) {
  boot();
  engine_ = std::make_unique<PodEngine>(
      settings_, EngineParts{&provider_, &api_, &events_, &material_, &faults_, clock_,
                             std::make_shared<SeededRandom>(1), observe::Logger(log_)});
  listener_.attach(engine_.get());
  api_.listen(engine_.get());
  api_.list_again();
  ASSERT_TRUE(engine_->recover({}).is_ok());

  static_cast<void>(given_running_pod());

  EXPECT_EQ(calls_measured("create"), 0);
}

}  // namespace
}  // namespace vkhost::pods
