#include "mock/backend.hpp"

#include "sample_workloads.hpp"

#include <vkhost/provider.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

namespace vkhost::mock {
namespace {

using ::testing::SizeIs;

class BackendTest : public ::testing::Test {
 protected:
  BackendTest() { open(); }
  // As after a kill: what is not on disk is lost.
  void open() {
    backend_.reset();
    backend_ = std::make_unique<Backend>(folder_.path(), *parse_range("198.18.0.0/29"), 0,
                                         [this](const auto&) { ++warnings_; });
  }
  void put(const std::string& uid, Millis due = 0) {
    Record record;
    record.call = "create_pod";
    record.uid = uid;
    record.outcome = "ok";
    record.workload = make_workload();
    record.workload->uid = uid;
    record.workload->ip = backend_->take_address();
    backend_->apply(record, kAccepted, due);
  }
  void remove(const std::string& uid) {
    Record record;
    record.call = "gone";
    record.uid = uid;
    record.removed = true;
    backend_->apply(record, kAccepted);
  }

  ScratchFolder folder_;
  int warnings_ = 0;
  std::unique_ptr<Backend> backend_;
};

TEST_F(BackendTest, FindsWhatWasPut) {
  put("a");

  ASSERT_NE(backend_->find("a"), nullptr);
  EXPECT_EQ(backend_->find("a")->name, "web");
  EXPECT_EQ(backend_->find("b"), nullptr);
  EXPECT_THAT(backend_->all(), SizeIs(1));
}

TEST_F(BackendTest, HoldsAfterAKillWhatItHeldBefore) {
  put("a");
  put("b");
  remove("a");

  open();

  EXPECT_EQ(backend_->find("a"), nullptr);
  ASSERT_NE(backend_->find("b"), nullptr);
  EXPECT_EQ(backend_->find("b")->accepted, kAccepted) << "startTime stays";
}

TEST_F(BackendTest, HoldsAfterManyKillsWhatItHeldBefore) {
  put("a");
  open();
  put("b");
  open();
  open();

  EXPECT_THAT(backend_->all(), SizeIs(2));
  EXPECT_EQ(warnings_, 0);
}

TEST_F(BackendTest, HoldsNothingOfALineThatWasNotWritten) {
  put("a");
  backend_.reset();
  std::ofstream(folder_.path() + "/calls.log", std::ios::app)
      << R"({"call":"create_pod","uid":"b","workload":{"uid":"b")";

  open();

  EXPECT_THAT(backend_->all(), SizeIs(1));
  EXPECT_EQ(warnings_, 1);
}

TEST_F(BackendTest, CountsTriesAlsoOverAKill) {
  Record record;
  record.call = "create_pod";
  record.uid = "a";
  record.tries = 2;
  backend_->apply(record, kAccepted);

  open();
  EXPECT_EQ(backend_->tries("a"), 2);
  open();
  EXPECT_EQ(backend_->tries("a"), 2) << "from the snapshot";

  remove("a");
  EXPECT_EQ(backend_->tries("a"), 0);
}

TEST_F(BackendTest, GivesNoAddressTwiceAlsoAfterAKill) {
  put("a");
  const std::string taken = backend_->find("a")->ip;

  open();

  for (int i = 0; i < 5; ++i) {
    EXPECT_NE(backend_->take_address(), taken);
  }
  EXPECT_THROW(static_cast<void>(backend_->take_address()), sdk::Error) << "six in all";
}

TEST_F(BackendTest, GivesTheAddressOfARemovedWorkloadAgain) {
  for (const char* uid : {"a", "b", "c", "d", "e", "f"}) {
    put(uid);
  }
  remove("c");

  EXPECT_NO_THROW(static_cast<void>(backend_->take_address()));
}

TEST_F(BackendTest, HandsOutWhatIsDueOnce) {
  put("a", 100);
  put("b", 200);

  EXPECT_EQ(backend_->next_due(), 100);
  const auto due = backend_->take_due(150);
  ASSERT_THAT(due, SizeIs(1));
  EXPECT_EQ(due[0]->uid, "a");
  EXPECT_THAT(backend_->take_due(150), SizeIs(0));
  EXPECT_EQ(backend_->next_due(), 200);
}

TEST_F(BackendTest, ForgetsTheTimeOfWhatWasReplaced) {
  put("a", 100);
  const WorkloadPtr first = backend_->find("a");
  put("a", 300);

  EXPECT_THAT(backend_->take_due(200), SizeIs(0));
  backend_->set_due(first, 150);
  EXPECT_THAT(backend_->take_due(200), SizeIs(0)) << "it is another one now";
  EXPECT_THAT(backend_->take_due(300), SizeIs(1));
}

TEST_F(BackendTest, HasEverythingDueAfterAKill) {
  put("a", 1'000'000);

  open();

  EXPECT_THAT(backend_->take_due(0), SizeIs(1));
}

TEST_F(BackendTest, SaysWhenSomethingWillBeDue) {
  Millis due = 0;
  backend_->on_due([&](Millis instant) { due = instant; });

  put("a", 4711);

  EXPECT_EQ(due, 4711);
}

TEST(Backend, KeepsTheMaterialOfWhatItHoldsAlsoAfterAKill) {
  ScratchFolder folder;
  const auto open = [&] {
    return std::make_unique<Backend>(
        folder.path(), *parse_range("198.18.0.0/29"), 0, [](const auto&) {}, KeepMaterial::All);
  };
  auto backend = open();
  for (const char* uid : {"a", "b"}) {
    Record record;
    record.uid = uid;
    record.material = "{}";
    record.workload = make_workload();
    record.workload->uid = uid;
    backend->apply(record, kAccepted);
  }
  backend.reset();
  std::ofstream(folder.path() + "/calls.log", std::ios::app)
      << R"({"uid":"a","removed":true})" << '\n';

  backend = open();

  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/material/a.json"));
  EXPECT_TRUE(std::filesystem::exists(folder.path() + "/material/b.json"));
}

TEST(Backend, ChangesNothingThatItCouldNotWrite) {
  ScratchFolder folder;
  std::filesystem::create_symlink("/dev/full", folder.path() + "/calls.log");
  Backend backend(folder.path(), *parse_range("198.18.0.0/29"), 0, [](const auto&) {});
  Record record;
  record.workload = make_workload();

  EXPECT_THROW(backend.apply(record, 0), sdk::Error);

  EXPECT_THAT(backend.all(), SizeIs(0));
}

}  // namespace
}  // namespace vkhost::mock
