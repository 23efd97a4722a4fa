// What users see of a call that failed: the condition vkhost.io/Provider with the next try.
#include "engine_fixture.hpp"

#include <chrono>
#include <string>

namespace vkhost::pods {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ProviderCondition : public EngineFixture {
 protected:
  ProviderCondition() { settings_.backoff = {seconds{4}, minutes{1}}; }

  std::string member(const std::string& uid, const std::string& name) {
    for (int i = 0; i < 10; ++i) {
      const std::string place = "conditions." + std::to_string(i) + ".";
      if (api_.status(uid, place + "type") == "vkhost.io/Provider") {
        return api_.status(uid, place + name);
      }
    }
    return "no such condition";
  }
};

TEST_F(ProviderCondition, IsNotThereWhenNothingFails) {
  boot();
  const std::string uid = given_running_pod();
  provider_.end(uid, "Succeeded", 0);
  settle();

  EXPECT_EQ(member(uid, "status"), "no such condition");
}

// virtual-kubelet#773, azure-aci#132, #135: A pod that fails and is retried does not say so
TEST_F(ProviderCondition, ShowsWhatFailedAndTheNextTry) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("no capacity in eu-1").with_reason("NoCapacity"));
  settle();
  EXPECT_EQ(member(uid, "status"), "False");
  EXPECT_EQ(member(uid, "reason"), "NoCapacity");
  EXPECT_EQ(member(uid, "message"),
            "no capacity in eu-1; next try at " + format_time(*view(uid).next_try));
  EXPECT_EQ(api_.patch_count(uid), 1U);

  pass(seconds{5});

  EXPECT_EQ(member(uid, "status"), "True");
  EXPECT_EQ(member(uid, "reason"), "Recovered");
  EXPECT_EQ(member(uid, "message"), "");
}

TEST_F(ProviderCondition, SaysWhenThereIsNoNextTry) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, invalid_argument("two containers").with_retry(Retry::Never));

  settle();

  EXPECT_EQ(member(uid, "reason"), "ProviderFailed");
  EXPECT_EQ(member(uid, "message"), "two containers; not tried again before the pod changes");
}

TEST_F(ProviderCondition, ShowsAFailedUpdateOfAPodThatRuns) {
  provider_.shape.updates = plugin::kChangedImage;
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_update(uid, unavailable("busy"));

  api_.set_image(uid, "nginx:2");
  settle();
  EXPECT_THAT(member(uid, "message"), StartsWith("busy; next try at "));
  EXPECT_EQ(api_.condition(uid, "Ready"), "True");
  pass(seconds{5});

  EXPECT_EQ(member(uid, "status"), "True");
}

TEST_F(ProviderCondition, ShowsADeletionThatFails) {
  boot();
  const std::string uid = given_running_pod();
  provider_.fail_delete(uid, unavailable("the cloud is busy"), 100);

  api_.remove(uid, seconds{30});
  settle();

  EXPECT_THAT(member(uid, "message"), StartsWith("the cloud is busy; next try at "));
}

TEST_F(ProviderCondition, IsNotPutOnEveryPodForAFaultOfTheAccount) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(
      uid, Status(StatusCode::Unauthenticated, "the key has expired").with_scope(Scope::Provider));

  settle();

  EXPECT_EQ(member(uid, "status"), "no such condition");
}

TEST_F(ProviderCondition, OfAnEarlierProcessIsTakenBack) {
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("away"), 100);
  settle();
  provider_.stop_failing();

  boot();
  settle();

  EXPECT_EQ(creates(uid), 2U);
  EXPECT_EQ(member(uid, "status"), "True");
}

TEST_F(ProviderCondition, KeepsAMessageShortWithoutCuttingACharacter) {
  boot();
  const std::string uid = api_.create({});
  std::string message;
  while (message.size() < 10'000) {
    message += "ä€";
  }
  provider_.fail_create(uid, unavailable(message));

  settle();

  EXPECT_LE(member(uid, "message").size(), 4096U);
  EXPECT_THAT(member(uid, "message"), HasSubstr("; next try at "));
  EXPECT_THAT(member(uid, "message"), Not(HasSubstr("\xEF\xBF\xBD")));
  EXPECT_TRUE(api_.has(uid));
}

}  // namespace
}  // namespace vkhost::pods
