// The tracker with a clock moved by hand: run(now) is all that the scheduler would do.
#include "mock/tracker.hpp"

#include "mock/json.hpp"
#include "sample_workloads.hpp"

#include <vkhost/support/fake_host.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::mock {
namespace {

class TrackerTest : public ::testing::Test {
 protected:
  void put(Workload workload) {
    Record record;
    record.workload = std::move(workload);
    backend_.apply(record, kAccepted, kAccepted);
  }
  // The pushes of one run.
  std::vector<sdk::FakeHost::Push> run(Millis now) {
    host_.forget_pushes();
    next_ = tracker_.run(now);
    return host_.pushes();
  }
  static std::string phase(const sdk::FakeHost::Push& push) {
    return Json::parse(push.status_json, "the status")["phase"].text();
  }

  sdk::FakeHost host_;
  Backend backend_{"", *parse_range("198.18.0.0/24"), 0, [](const auto&) {}};
  Tracker tracker_{sdk::Host(host_.raw()), backend_};
  std::optional<Millis> next_;
};

TEST_F(TrackerTest, PushesARunningPodOnceAndThenNothing) {
  put(make_workload());

  const auto pushes = run(kAccepted);

  ASSERT_EQ(pushes.size(), 1U);
  EXPECT_EQ(pushes[0].uid, "uid-1");
  EXPECT_EQ(phase(pushes[0]), "Running");
  EXPECT_FALSE(next_) << "nothing will change any more";
  EXPECT_TRUE(run(kAccepted + 100'000).empty());
}

TEST_F(TrackerTest, PushesWhenSomethingChangesAndOnlyThen) {
  Workload workload = make_workload();
  workload.course.start_delay = 2000;
  put(workload);

  EXPECT_EQ(phase(run(kAccepted).at(0)), "Pending");
  EXPECT_EQ(next_, kAccepted + 2000);
  EXPECT_TRUE(run(kAccepted + 1999).empty());
  EXPECT_EQ(phase(run(kAccepted + 2000).at(0)), "Running");
}

TEST_F(TrackerTest, PushesTheEndAndThenGone) {
  Workload workload = make_workload();
  workload.stop_at = kAccepted + 1000;
  put(workload);
  EXPECT_EQ(phase(run(kAccepted).at(0)), "Running");

  const auto pushes = run(kAccepted + 1000);

  ASSERT_EQ(pushes.size(), 2U);
  EXPECT_EQ(phase(pushes[0]), "Succeeded");
  EXPECT_FALSE(pushes[0].gone);
  EXPECT_TRUE(pushes[1].gone);
  EXPECT_GT(pushes[1].seq, pushes[0].seq);
  EXPECT_EQ(backend_.find("uid-1"), nullptr);
}

TEST_F(TrackerTest, PushesTheFaultOfAPodThatDoesNotStart) {
  Workload workload = make_workload();
  workload.course.start_fault =
      Fault{FailStage::Start, VKP_RESOURCE_EXHAUSTED, "Full", "no room", VKP_RETRY_AFTER, 250,
            VKP_EFFECT_NONE,  VKP_SCOPE_PROVIDER,     1};
  put(workload);

  const auto pushes = run(kAccepted);

  ASSERT_EQ(pushes.size(), 1U);
  ASSERT_TRUE(pushes[0].error);
  EXPECT_EQ(pushes[0].error->code, sdk::Code::ResourceExhausted);
  EXPECT_EQ(pushes[0].error->reason, "Full");
  EXPECT_EQ(pushes[0].error->retry_after, std::chrono::milliseconds(250));
  EXPECT_EQ(pushes[0].error->scope, sdk::Scope::Provider);
  EXPECT_EQ(backend_.find("uid-1"), nullptr);
  EXPECT_EQ(backend_.tries("uid-1"), 1);
}

TEST_F(TrackerTest, SaysNothingOfAPodThatVanishes) {
  Workload workload = make_workload();
  workload.course.vanish_after = 500;
  put(workload);
  EXPECT_EQ(run(kAccepted).size(), 1U);

  EXPECT_TRUE(run(kAccepted + 500).empty());
  EXPECT_EQ(backend_.find("uid-1"), nullptr);
}

TEST_F(TrackerTest, SaysGoneOfAPodThatVanishesWhileItIsDeleted) {
  Workload workload = make_workload();
  workload.course.vanish_after = 500;
  workload.stop_at = kAccepted + 1000;
  put(workload);

  const auto pushes = run(kAccepted + 500);

  ASSERT_EQ(pushes.size(), 1U);
  EXPECT_TRUE(pushes[0].gone);
}

// The host's table for evictions, which keeps what was asked.
struct AskedEvictions {
  static inline std::vector<std::string> asked;
  static vkp_code evict(const vkp_host* /*host*/, const vkp_evict_request* request) {
    asked.push_back(std::string(request->uid.data, request->uid.size) + " " +
                    std::string(request->reason.data, request->reason.size) + " " +
                    std::to_string(request->grace_ms));
    return VKP_OK;
  }
  static constexpr vkp_host_evict kTable{sizeof(vkp_host_evict), &evict};
};

TEST(Tracker, AsksForAnEvictionWhenItIsDue) {
  sdk::FakeHost host;
  host.offer(VKP_EXT_HOST_EVICT, &AskedEvictions::kTable);
  Backend backend("", *parse_range("198.18.0.0/24"), 0, [](const auto&) {});
  Tracker tracker(sdk::Host(host.raw()), backend);
  Record record;
  record.workload = make_workload();
  record.workload->course.evict = Evict{500, "Reclaimed", "go", std::nullopt};
  backend.apply(record, kAccepted, kAccepted);

  EXPECT_EQ(tracker.run(kAccepted), kAccepted + 500);
  EXPECT_TRUE(AskedEvictions::asked.empty());
  tracker.run(kAccepted + 500);
  EXPECT_EQ(AskedEvictions::asked, std::vector<std::string>{"uid-1 Reclaimed -1"});
  record.workload->stop_at = kAccepted + 9000;
  backend.apply(record, kAccepted + 600, kAccepted + 600);
  tracker.run(kAccepted + 600);

  EXPECT_EQ(AskedEvictions::asked.size(), 1U) << "it is on its way out";
}

TEST_F(TrackerTest, FollowsTheTruthWithSomethingOlderWhenItLies) {
  Workload workload = make_workload();
  workload.course.lie = Lie::OldSeq;
  put(workload);

  const auto pushes = run(kAccepted);

  ASSERT_EQ(pushes.size(), 2U);
  EXPECT_EQ(phase(pushes[0]), "Running");
  EXPECT_EQ(phase(pushes[1]), "Pending");
  EXPECT_LT(pushes[1].seq, pushes[0].seq);
}

TEST_F(TrackerTest, ShowsListPodsWhatItWouldPush) {
  Workload workload = make_workload();
  workload.course.vanish_after = 500;

  EXPECT_TRUE(Tracker::status_of(workload, kAccepted));
  EXPECT_FALSE(Tracker::status_of(workload, kAccepted + 500));
}

TEST(Tracker, TriesAgainWhenTheJournalCannotBeWritten) {
  const ScratchFolder folder;
  sdk::FakeHost host;
  Workload workload = make_workload();
  workload.stop_at = kAccepted;
  {
    Backend backend(folder.path(), *parse_range("198.18.0.0/24"), 0, [](const auto&) {});
    Record record;
    record.workload = workload;
    backend.apply(record, kAccepted, kAccepted);
  }
  // The next process finds the workload in the snapshot, and a log that is always full.
  {
    const Backend reopened(folder.path(), {0, 256}, 0, [](const auto&) {});
  }
  std::filesystem::remove(folder.path() + "/calls.log");
  std::filesystem::create_symlink("/dev/full", folder.path() + "/calls.log");
  Backend backend(folder.path(), *parse_range("198.18.0.0/24"), 0, [](const auto&) {});
  Tracker tracker(sdk::Host(host.raw()), backend);

  const auto next = tracker.run(kAccepted);

  EXPECT_EQ(next, kAccepted + 1000);
  ASSERT_EQ(host.logs().size(), 1U);
  EXPECT_EQ(host.logs()[0].level, sdk::LogLevel::Error);
  EXPECT_NE(backend.find("uid-1"), nullptr) << "nothing has changed";
}

}  // namespace
}  // namespace vkhost::mock
