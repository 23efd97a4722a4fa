// The material comes before the call: what it is made for, and what follows when it cannot be made.
#include "engine_fixture.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace vkhost::pods {
namespace {

using plugin::kChangedFiles;
using plugin::kChangedImage;
using plugin::kChangedPullCredentials;
using plugin::kChangedTokens;
using plugin::UpdateOutcome;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Status missing() {
  return failed_precondition("secret \"db\" not found in namespace default")
      .with_reason("CreateContainerConfigError");
}

Status account_fault() {
  return Status(StatusCode::Unauthenticated, "the key has expired").with_scope(Scope::Provider);
}

std::string files(const std::string& data) {
  return R"({"containers":{},"volumes":{"v":{"files":[{"path":"a","data":")" + data + R"("}]}}})";
}

class Readiness : public EngineFixture {
 protected:
  Readiness() {
    settings_.backoff = {seconds{1}, minutes{5}};
    provider_.shape.updates = kSpecParts | kChangedFiles | kChangedTokens | kChangedPullCredentials;
    material_.answer(files("MQ=="));
  }
  std::vector<std::uint64_t> updates(const std::string& uid) {
    std::vector<std::uint64_t> changed;
    for (const auto& call : provider_.calls(Kind::Update, uid)) {
      changed.push_back(call.changed);
    }
    return changed;
  }
};

// ---- Creates

TEST_F(Readiness, BlamesNoProviderThatWasNotAsked) {
  boot();
  const std::string uid = api_.create({});
  material_.fail(missing(), 3);

  pass(seconds{2});

  EXPECT_EQ(creates(uid), 0U);
  EXPECT_EQ(events_.count(uid, "ProviderCreateFailed"), 0);
  EXPECT_EQ(events_.count(uid, "FailedCreate"), 0);
  EXPECT_THAT(events_.story(uid),
              ::testing::Contains(HasSubstr("Failed: Error: secret \"db\" not found")));
  EXPECT_EQ(api_.status(uid, "containerStatuses.0.state.waiting.reason"),
            "CreateContainerConfigError");
  EXPECT_EQ(api_.condition(uid, "vkhost.io/Provider"), "");
}

TEST_F(Readiness, CreatesAtOnceWhenWhatWasMissingIsThere) {
  settings_.backoff = {minutes{5}, minutes{5}};
  boot();
  const std::string uid = api_.create({});
  material_.fail(missing());
  settle();
  ASSERT_EQ(creates(uid), 0U);

  engine_->material_changed(uid, 0);
  settle();

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(Readiness, CreatesAtOnceWhenItCameWhileItWasLookedFor) {
  settings_.backoff = {minutes{5}, minutes{5}};
  boot();
  const std::string uid = api_.create({});
  material_.fail(missing());
  material_.during_next([&] { engine_->material_changed(uid, 0); });

  settle();

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(Readiness, LooksForWhatIsMissingEveryMinuteAtLeast) {
  settings_.backoff = {minutes{30}, minutes{30}};
  boot();
  const std::string uid = api_.create({});
  material_.fail(missing());
  settle();

  pass(seconds{61});

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(Readiness, IsNoReasonToAskAProviderSoonerThatHasFailed) {
  settings_.backoff = {minutes{5}, minutes{5}};
  boot();
  const std::string uid = api_.create({});
  provider_.fail_create(uid, unavailable("no room"));
  settle();

  engine_->material_changed(uid, 0);
  pass(minutes{1});

  EXPECT_EQ(creates(uid), 1U);
}

TEST_F(Readiness, IsForgottenWithThePod) {
  boot();
  const std::string ended = given_running_pod({.name = "one", .restart_policy = "Never"});
  const std::string deleted = given_running_pod({.name = "two"});

  provider_.end(ended, "Succeeded", 0);
  pass(seconds{2});
  EXPECT_THAT(material_.forgotten(), ElementsAre(ended));
  api_.remove(deleted, seconds{1});
  settle();
  provider_.finish_delete(deleted);
  pass(seconds{5});

  EXPECT_THAT(material_.forgotten(), ::testing::Contains(deleted));
}

// ---- Slots

TEST_F(Readiness, TakesNoSlotWhileMaterialIsLookedFor) {
  provider_.shape.max_parallel_calls = 1;
  boot();
  const std::string slow = api_.create({.name = "slow"});
  std::string quick;
  material_.during_next([&] {
    quick = api_.create({.name = "quick"});
    api_.deliver();
    while (engine_->step_worker()) {
    }
    EXPECT_EQ(creates(quick), 1U);
  });

  settle();

  EXPECT_EQ(creates(slow), 1U);
}

TEST_F(Readiness, OfAProbeThatIsNotThereIsNoSignOfTheAccountsHealth) {
  settings_.backoff = {seconds{4}, minutes{1}};
  boot();
  const std::string uid = given_running_pod();
  const std::string other = api_.create({.name = "other"});
  provider_.fail_create(other, account_fault());
  settle();
  api_.remove(other, seconds{0});
  settle();
  provider_.finish_delete(other);
  ASSERT_THAT(faults_.faults(), SizeIs(1));
  const std::size_t asked = material_.asked().size();
  material_.fail(missing());

  engine_->material_changed(uid, kChangedTokens);
  settle();
  ASSERT_EQ(material_.asked().size(), asked);
  for (int i = 0; i < 100 && material_.asked().size() == asked; ++i) {
    pass(milliseconds{250});
  }

  EXPECT_EQ(material_.asked().size(), asked + 1);
  EXPECT_THAT(updates(uid), IsEmpty());
  EXPECT_THAT(faults_.faults(), SizeIs(1));
}

// ---- Updates

TEST_F(Readiness, IsAskedForByWhatChanged) {
  boot();
  const std::string uid = given_running_pod();
  EXPECT_THAT(material_.asked(), ElementsAre(std::nullopt));

  engine_->material_changed(uid, kChangedTokens);
  settle();

  EXPECT_THAT(material_.asked(),
              ElementsAre(std::nullopt, std::optional<std::uint64_t>(kChangedTokens)));
}

TEST_F(Readiness, PushesFilesOnceForEachContentAndWithoutAWord) {
  boot();
  const std::string uid = given_running_pod();

  engine_->material_changed(uid, kChangedFiles);
  pass(seconds{5});
  EXPECT_THAT(updates(uid), IsEmpty());
  material_.answer(files("Mg=="));
  engine_->material_changed(uid, kChangedFiles);
  pass(seconds{5});
  engine_->material_changed(uid, kChangedFiles);
  pass(seconds{5});

  EXPECT_THAT(updates(uid), ElementsAre(kChangedFiles));
  EXPECT_EQ(events_.count(uid, "ProviderUpdateSuccess"), 0);
}

TEST_F(Readiness, PushesNothingToAdoptedPodsThatHaveNoFiles) {
  provider_.shape.updates = kChangedFiles | kChangedPullCredentials;
  material_.answer(R"({"containers":{}})");
  boot();
  const std::string uid = given_running_pod();

  boot();
  pass(minutes{1});

  EXPECT_THAT(updates(uid), IsEmpty());
}

TEST_F(Readiness, PushesFilesAgainAfterARestart) {
  boot();
  const std::string uid = given_running_pod();

  boot();
  pass(minutes{1});

  ASSERT_EQ(updates(uid).size(), 1U);
  EXPECT_NE(updates(uid)[0] & kChangedFiles, 0U);
}

TEST_F(Readiness, TellsOnceThatAProviderWillNotHaveFiles) {
  boot();
  const std::string uid = given_running_pod();
  provider_.answer_update(UpdateOutcome::Unsupported, "files stay as they are");

  for (const char* data : {"Mg==", "Mw==", "NA=="}) {
    material_.answer(files(data));
    engine_->material_changed(uid, kChangedFiles);
    pass(seconds{5});
  }

  EXPECT_EQ(updates(uid).size(), 3U);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateRefused"), 1);
}

TEST_F(Readiness, TellsOnceWhatKeepsFilesFromAPod) {
  boot();
  const std::string uid = given_running_pod();
  material_.answer(files("Mg=="));
  material_.fail(missing(), 5);

  engine_->material_changed(uid, kChangedFiles);
  pass(minutes{3});

  EXPECT_THAT(updates(uid), ElementsAre(kChangedFiles));
  EXPECT_EQ(events_.count(uid, "Failed"), 1);
  EXPECT_EQ(events_.count(uid, "ProviderUpdateFailed"), 0);
  EXPECT_EQ(api_.condition(uid, "vkhost.io/Provider"), "");
}

TEST_F(Readiness, LetsFilesPassAnImageWhoseEnvironmentIsMissing) {
  boot();
  const std::string uid = given_running_pod();
  material_.answer(files("Mg=="));
  material_.fail(missing());

  api_.set_image(uid, "nginx:2");
  engine_->material_changed(uid, kChangedFiles);
  settle();
  ASSERT_FALSE(updates(uid).empty());
  EXPECT_EQ(updates(uid)[0], kChangedFiles);
  pass(minutes{2});

  EXPECT_THAT(updates(uid), ElementsAre(kChangedFiles, kChangedImage));
}

TEST_F(Readiness, PushesFilesThatShowThePodWhenItsLabelsChange) {
  boot();
  const std::string uid =
      given_running_pod({.spec_json = R"({"volumes":[{"name":"v","downwardAPI":{"items":[]}}]})"});
  const std::string other = given_running_pod({.name = "other"});
  material_.answer(files("Mg=="));

  api_.annotate(uid, "team", "blue");
  api_.annotate(other, "team", "blue");
  pass(seconds{10});

  EXPECT_THAT(updates(uid), ElementsAre(kChangedFiles));
  EXPECT_THAT(updates(other), IsEmpty());
}

TEST_F(Readiness, StaysQuietWhenOnlyTheHostsAnnotationsChange) {
  boot();
  const std::string uid =
      given_running_pod({.spec_json = R"({"volumes":[{"name":"v","downwardAPI":{"items":[]}}]})"});
  const std::size_t asked = material_.asked().size();

  api_.annotate(uid, "vkhost.io/handle", "h-2");
  pass(seconds{10});

  EXPECT_EQ(material_.asked().size(), asked);
}

}  // namespace
}  // namespace vkhost::pods
