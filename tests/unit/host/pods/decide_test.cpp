#include "pods/decide.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace vkhost::pods {
namespace {

using plugin::CreateReason;
using std::chrono::milliseconds;
using std::chrono::seconds;

const SteadyTime kNow{std::chrono::hours{5}};
const WallTime kWallNow{seconds{1'767'323'045}};

class Decide : public ::testing::Test {
 protected:
  Decide() { state_.pod = record_; }

  Action decided() const {
    return decide(
        state_, settings_,
        {kNow, kWallNow, plugin::kChangedImage | plugin::kChangedTokens, pushes_, false, admits_});
  }
  void given_deletion(seconds grace, seconds left) {
    record_->deletion_grace_seconds = grace.count();
    record_->deletion_timestamp = format_time(kWallNow + left);
  }

  std::shared_ptr<kube::PodRecord> record_ = std::make_shared<kube::PodRecord>();
  PodState state_;
  Settings settings_;
  bool pushes_ = true;
  bool admits_ = false;
};

TEST_F(Decide, DoesNothingWhileACallIsUnderWay) {
  for (const CallKind call : {CallKind::Create, CallKind::Update, CallKind::Delete}) {
    state_.call = call;
    state_.removed_from_api = true;

    EXPECT_EQ(decided().kind, ActionKind::Nothing);
  }
}

TEST_F(Decide, CreatesWhatIsNotThere) {
  state_.backend = Backend::None;
  EXPECT_EQ(decided().kind, ActionKind::Create);
  EXPECT_EQ(decided().create_reason, CreateReason::First);

  state_.create_attempted = true;
  EXPECT_EQ(decided().create_reason, CreateReason::Retry);

  state_.wanted_again = true;
  EXPECT_EQ(decided().create_reason, CreateReason::Lost);
}

TEST_F(Decide, AdmitsAPodBeforeItIsCreatedAndOnlyOnce) {
  admits_ = true;
  for (const Backend backend : {Backend::None, Backend::Wanted}) {
    state_.backend = backend;
    state_.admitted = false;
    EXPECT_EQ(decided().kind, ActionKind::Admit);

    state_.admitted = true;
    EXPECT_EQ(decided().kind, ActionKind::Create);
  }
}

TEST_F(Decide, AdmitsNoPodThatIsBeingDeleted) {
  admits_ = true;
  state_.backend = Backend::None;
  given_deletion(seconds{30}, seconds{30});

  EXPECT_NE(decided().kind, ActionKind::Admit);
}

TEST_F(Decide, LeavesARejectedPodAloneUnlessItMayHaveBegun) {
  admits_ = true;
  state_.backend = Backend::None;
  state_.rejected = true;
  state_.observed_final = true;
  EXPECT_EQ(decided().kind, ActionKind::Nothing);

  state_.create_attempted = true;
  EXPECT_EQ(decided().kind, ActionKind::Delete);
  EXPECT_EQ(decided().delete_reason, plugin::DeleteReason::Rejected);

  state_.backend = Backend::Gone;
  EXPECT_EQ(decided().kind, ActionKind::Nothing);
}

TEST_F(Decide, WaitsForTheBackOff) {
  state_.next_try = kNow + seconds{3};
  for (const Backend backend : {Backend::None, Backend::Wanted, Backend::Unknown}) {
    state_.backend = backend;

    EXPECT_EQ(decided().kind, ActionKind::Wait);
    EXPECT_EQ(decided().until, kNow + seconds{3});
  }
}

TEST_F(Decide, TriesARejectedPodOnlyWhenItChanged) {
  state_.backend = Backend::Wanted;
  state_.retry_when_changed = true;
  state_.next_try = kNow + seconds{3};
  EXPECT_EQ(decided().kind, ActionKind::Nothing);

  state_.metadata_hash = 1;
  EXPECT_EQ(decided().kind, ActionKind::Create);

  state_.metadata_hash = 0;
  record_->spec_hash = 1;
  EXPECT_EQ(decided().kind, ActionKind::Create);
}

TEST_F(Decide, AsksAboutWhatIsUnknown) {
  state_.backend = Backend::Unknown;

  EXPECT_EQ(decided().kind, ActionKind::Inspect);
}

TEST_F(Decide, LeavesAPodAloneThatHasEnded) {
  for (const Backend backend :
       {Backend::Unknown, Backend::None, Backend::Wanted, Backend::Present, Backend::Lost}) {
    state_.backend = backend;
    record_->phase = "Failed";
    EXPECT_EQ(decided().kind, ActionKind::Nothing);

    record_->phase = "Running";
    state_.observed_final = true;
    EXPECT_EQ(decided().kind, ActionKind::Nothing);
    state_.observed_final = false;
  }
}

TEST_F(Decide, UpdatesOnlyWhatTheProviderTakes) {
  state_.backend = Backend::Present;
  state_.told.accept(kPodParts, state_.parts());
  EXPECT_EQ(decided().kind, ActionKind::Nothing);

  state_.metadata_hash = 1;
  record_->parts.resources = 1;
  EXPECT_EQ(decided().kind, ActionKind::Nothing);

  record_->spec_hash = 1;  // a toleration, it may be
  EXPECT_EQ(decided().kind, ActionKind::Nothing);

  record_->parts.image = 1;
  EXPECT_EQ(decided().kind, ActionKind::Update);
  EXPECT_EQ(decided().changed, plugin::kChangedImage);

  state_.changed_material = plugin::kChangedTokens | plugin::kChangedFiles;
  EXPECT_EQ(decided().changed, plugin::kChangedImage | plugin::kChangedTokens);
}

TEST_F(Decide, LetsWhatIsNewNotWaitForWhatWasDeferred) {
  state_.backend = Backend::Present;
  state_.told.accept(kPodParts, state_.parts());
  state_.changed_material = plugin::kChangedTokens;
  state_.deferred = plugin::kChangedTokens;
  state_.deferred_until = kNow + seconds{3};
  EXPECT_EQ(decided().kind, ActionKind::Wait);
  EXPECT_EQ(decided().until, kNow + seconds{3});

  record_->parts.image = 1;
  EXPECT_EQ(decided().kind, ActionKind::Update);
  EXPECT_EQ(decided().changed, plugin::kChangedImage);

  state_.deferred_until = kNow;
  EXPECT_EQ(decided().changed, plugin::kChangedImage | plugin::kChangedTokens);
}

TEST_F(Decide, LeavesMaterialOfAnEarlierProcessForLater) {
  state_.backend = Backend::Present;
  state_.told.accept(kPodParts, state_.parts());
  state_.changed_material = plugin::kChangedTokens;
  state_.quiet_material = plugin::kChangedTokens;
  state_.quiet_until = kNow + seconds{3};
  EXPECT_EQ(decided().kind, ActionKind::Wait);
  EXPECT_EQ(decided().until, kNow + seconds{3});

  record_->parts.image = 1;
  EXPECT_EQ(decided().changed, plugin::kChangedImage);

  state_.quiet_until = kNow;
  EXPECT_EQ(decided().changed, plugin::kChangedImage | plugin::kChangedTokens);
}

// virtual-kubelet#978, #78, #689: A pod that its provider loses is Failed for good
TEST_F(Decide, FollowsThePolicyForALostPod) {
  state_.backend = Backend::Lost;
  state_.ever_started = true;
  record_->restart_policy = "Always";

  settings_.on_lost = OnLost::Fail;
  EXPECT_EQ(decided().kind, ActionKind::FailLost);
  settings_.on_lost = OnLost::Wait;
  EXPECT_EQ(decided().kind, ActionKind::ShowLost);
  settings_.on_lost = OnLost::Recreate;
  EXPECT_EQ(decided().kind, ActionKind::ShowLost);
  record_->restart_policy = "Never";
  EXPECT_EQ(decided().kind, ActionKind::FailLost);

  state_.loss_handled = true;
  EXPECT_EQ(decided().kind, ActionKind::Nothing);
  record_->restart_policy = "Always";
  EXPECT_EQ(decided().kind, ActionKind::Create);
  EXPECT_EQ(decided().create_reason, CreateReason::Lost);
  settings_.on_lost = OnLost::Wait;
  EXPECT_EQ(decided().kind, ActionKind::Nothing);
}

TEST_F(Decide, LetsThePodsOwnPolicyWin) {
  state_.backend = Backend::Lost;
  state_.ever_started = true;
  record_->restart_policy = "Always";
  settings_.on_lost = OnLost::Wait;
  state_.own_policy.on_lost = OnLost::Fail;
  EXPECT_EQ(decided().kind, ActionKind::FailLost);

  state_.loss_handled = true;
  state_.shows_loss = true;  // the policy was another one before
  EXPECT_EQ(decided().kind, ActionKind::FailLost);
  state_.shows_loss = false;
  EXPECT_EQ(decided().kind, ActionKind::Nothing);
}

TEST_F(Decide, DeletesWhatIsKeptOfAFinishedPodWhenItsTimeIsOver) {
  state_.backend = Backend::Present;
  record_->phase = "Succeeded";
  state_.finished_at = kNow - seconds{60};
  EXPECT_EQ(decided().kind, ActionKind::Nothing);

  settings_.keep_finished = seconds{90};
  EXPECT_EQ(decided().kind, ActionKind::Wait);
  EXPECT_EQ(decided().until, kNow + seconds{30});
  settings_.keep_finished = seconds{60};
  EXPECT_EQ(decided().kind, ActionKind::Delete);
  EXPECT_EQ(decided().delete_reason, plugin::DeleteReason::Finished);
  EXPECT_EQ(decided().grace, seconds{0});

  state_.backend = Backend::Gone;
  EXPECT_EQ(decided().kind, ActionKind::Nothing);
}

// ---- The end

TEST_F(Decide, DeletesWhereverSomethingMayBeLeft) {
  given_deletion(seconds{30}, seconds{20});
  struct Case {
    Backend backend;
    bool attempted;
    ActionKind kind;
  };
  for (const Case& c : {Case{Backend::Unknown, false, ActionKind::Delete},
                        Case{Backend::None, false, ActionKind::Conclude},
                        Case{Backend::None, true, ActionKind::Delete},
                        Case{Backend::Wanted, false, ActionKind::Conclude},
                        Case{Backend::Wanted, true, ActionKind::Delete},
                        Case{Backend::Present, true, ActionKind::Delete},
                        Case{Backend::Lost, true, ActionKind::Delete},
                        Case{Backend::Gone, true, ActionKind::Conclude}}) {
    state_.backend = c.backend;
    state_.create_attempted = c.attempted;

    EXPECT_EQ(decided().kind, c.kind) << static_cast<int>(c.backend) << c.attempted;
  }
}

TEST_F(Decide, GivesTheGraceThatIsLeft) {
  state_.backend = Backend::Present;
  given_deletion(seconds{30}, seconds{20});
  EXPECT_EQ(decided().grace, seconds{20});

  state_.removed_from_api = true;
  EXPECT_EQ(decided().grace, seconds{0});
}

TEST_F(Decide, TellsAShorterGraceOnlyWhenItWasAskedFor) {
  state_.backend = Backend::Present;
  state_.told_grace = seconds{30};
  state_.delete_accepted_at = kNow - seconds{15};
  given_deletion(seconds{30}, seconds{15});
  EXPECT_EQ(decided().kind, ActionKind::Wait);

  given_deletion(seconds{5}, seconds{5});
  EXPECT_EQ(decided().kind, ActionKind::Delete);
  EXPECT_EQ(decided().grace, seconds{5});
}

TEST_F(Decide, AsksAfterTheGraceAndDeletesAgainWhenOverdue) {
  state_.backend = Backend::Present;
  state_.told_grace = seconds{10};
  given_deletion(seconds{10}, seconds{0});

  state_.delete_accepted_at = kNow - seconds{14};
  EXPECT_EQ(decided().kind, ActionKind::Wait);
  state_.delete_accepted_at = kNow - seconds{16};
  EXPECT_EQ(decided().kind, ActionKind::Inspect);
  state_.delete_accepted_at = kNow - seconds{10} - settings_.deletion_slack;
  EXPECT_EQ(decided().kind, ActionKind::Delete);
  EXPECT_EQ(decided().grace, seconds{0});
}

TEST_F(Decide, AsksSoonerAboutADeletionThatNobodyWillPush) {
  pushes_ = false;
  state_.backend = Backend::Present;
  state_.told_grace = seconds{600};
  given_deletion(seconds{600}, seconds{590});
  state_.delete_accepted_at = kNow - seconds{3};

  EXPECT_EQ(decided().kind, ActionKind::Inspect);
}

TEST_F(Decide, RemovesOnlyWhatIsTerminal) {
  state_.backend = Backend::Gone;
  given_deletion(seconds{30}, seconds{20});
  EXPECT_EQ(decided().kind, ActionKind::Conclude);

  state_.observed_final = true;
  EXPECT_EQ(decided().kind, ActionKind::RemoveApi);
  state_.refused_status = std::hash<std::string>()(state_.observed_status);
  EXPECT_EQ(decided().kind, ActionKind::Conclude);
  state_.concluded = true;
  EXPECT_EQ(decided().kind, ActionKind::RemoveApi);
  state_.concluded = false;
  record_->phase = "Failed";
  EXPECT_EQ(decided().kind, ActionKind::RemoveApi);
}

TEST_F(Decide, GivesUpADeletionAtTheHardLimit) {
  state_.backend = Backend::Present;
  state_.told_grace = seconds{10};
  given_deletion(seconds{10}, seconds{0});
  state_.delete_accepted_at = kNow;
  state_.give_up_at = kNow + seconds{3};
  EXPECT_EQ(decided().kind, ActionKind::Wait);
  EXPECT_EQ(decided().until, kNow + seconds{3});

  state_.give_up_at = kNow;
  EXPECT_EQ(decided().kind, ActionKind::GiveUp);
  settings_.deletion_limit = seconds{0};
  EXPECT_EQ(decided().kind, ActionKind::Wait);
}

TEST_F(Decide, RemovesTheObjectOfADeletionThatWasGivenUpAndDeletesOn) {
  state_.backend = Backend::Present;
  state_.told_grace = seconds{0};
  given_deletion(seconds{10}, seconds{0});
  state_.give_up_at = kNow;
  state_.overdue = true;
  state_.concluded = true;
  state_.delete_accepted_at = kNow - settings_.deletion_slack;
  EXPECT_EQ(decided().kind, ActionKind::RemoveApi);

  state_.removal_sent_at = kNow;
  EXPECT_EQ(decided().kind, ActionKind::Delete);
  state_.overdue_deletes = 1;
  EXPECT_NE(decided().kind, ActionKind::Delete);
  state_.delete_accepted_at = kNow - 2 * settings_.deletion_slack;
  EXPECT_EQ(decided().kind, ActionKind::Delete);
  state_.overdue_deletes = 1000;
  state_.delete_accepted_at = kNow - settings_.backoff.cap;
  EXPECT_EQ(decided().kind, ActionKind::Delete);
}

TEST_F(Decide, LetsTheLastStatusGoFirstForAWhile) {
  state_.backend = Backend::Gone;
  state_.concluded = true;
  given_deletion(seconds{30}, seconds{20});
  state_.status_dirty = true;
  EXPECT_EQ(decided().kind, ActionKind::Nothing);
  state_.status_dirty = false;
  state_.status_writing = true;
  EXPECT_EQ(decided().kind, ActionKind::Nothing);
  state_.write_patience_ends = kNow + seconds{1};
  EXPECT_EQ(decided().kind, ActionKind::Wait);
  state_.write_patience_ends = kNow;
  EXPECT_EQ(decided().kind, ActionKind::RemoveApi);
}

TEST_F(Decide, RemovesAnObjectAgainThatStays) {
  state_.backend = Backend::Gone;
  state_.concluded = true;
  given_deletion(seconds{30}, seconds{20});
  state_.removal_sent_at = kNow - seconds{59};
  EXPECT_EQ(decided().kind, ActionKind::Wait);
  state_.removal_sent_at = kNow - seconds{60};
  EXPECT_EQ(decided().kind, ActionKind::RemoveApi);
}

TEST_F(Decide, ForgetsWhatIsGoneOnBothSides) {
  state_.backend = Backend::Gone;
  state_.removed_from_api = true;
  EXPECT_EQ(decided().kind, ActionKind::Forget);
}

TEST_F(Decide, DeletesAnOrphanWithoutADocument) {
  state_.pod = nullptr;
  state_.is_orphan = true;
  state_.removed_from_api = true;
  state_.backend = Backend::Present;

  EXPECT_EQ(decided().kind, ActionKind::Delete);
  EXPECT_EQ(decided().delete_reason, plugin::DeleteReason::Orphan);
  EXPECT_EQ(decided().grace, seconds{0});
}

TEST_F(Decide, CountsNoGraceThatNoClockCanCount) {
  record_->deletion_grace_seconds = INT64_MAX;
  record_->deletion_timestamp = "9999-12-31T23:59:59Z";
  EXPECT_GT(remaining_grace(*record_, kWallNow), std::chrono::hours{24});

  record_->deletion_timestamp = "0001-01-01T00:00:00Z";
  EXPECT_EQ(remaining_grace(*record_, kWallNow), seconds{0});

  record_->deletion_grace_seconds = -1;
  record_->deletion_timestamp = "tomorrow";
  EXPECT_EQ(remaining_grace(*record_, kWallNow), seconds{0});
}

}  // namespace
}  // namespace vkhost::pods
