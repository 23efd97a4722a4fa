#include "mock/journal.hpp"

#include "sample_workloads.hpp"

#include <vkhost/provider.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace vkhost::mock {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JournalTest : public ::testing::Test {
 protected:
  struct Replayed {
    std::vector<std::string> snapshots;
    std::vector<std::string> lines;
    std::vector<std::string> skipped;
  };
  static Replayed replay(Journal& journal) {
    Replayed replayed;
    journal.replay([&](const Json& json) { replayed.snapshots.push_back(json["v"].text()); },
                   [&](const Json& json) { replayed.lines.push_back(json["v"].text()); },
                   [&](const std::string& text) { replayed.skipped.push_back(text); });
    return replayed;
  }
  Replayed reopen() {
    Journal journal(folder_.path());
    return replay(journal);
  }
  void append_raw(const std::string& text) const {
    std::ofstream(folder_.path() + "/calls.log", std::ios::app) << text;
  }
  [[nodiscard]] std::string log() const {
    std::ifstream file(folder_.path() + "/calls.log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  ScratchFolder folder_;
};

TEST_F(JournalTest, ReplaysWhatWasAppended) {
  {
    Journal journal(folder_.path());
    journal.append(R"({"v":"a"})");
    journal.append(R"({"v":"b"})");
  }

  EXPECT_THAT(reopen().lines, ElementsAre("a", "b"));
}

TEST_F(JournalTest, MakesItsFolder) {
  const std::string folder = folder_.path() + "/not/there/yet";

  Journal(folder).append(R"({"v":"a"})");

  EXPECT_TRUE(std::filesystem::exists(folder + "/calls.log"));
}

TEST_F(JournalTest, SkipsATornLastLineAndGoesOnAfterIt) {
  append_raw("{\"v\":\"a\"}\n{\"v\":\"b\"}");  // whole as JSON, but not as a line
  {
    Journal journal(folder_.path());
    const Replayed replayed = replay(journal);
    EXPECT_THAT(replayed.lines, ElementsAre("a"));
    EXPECT_THAT(replayed.skipped, SizeIs(1));
    journal.append(R"({"v":"c"})");
    journal.append(R"({"v":"d"})");
  }

  EXPECT_EQ(log(), "{\"v\":\"a\"}\n{\"v\":\"b\"}\n{\"v\":\"c\"}\n{\"v\":\"d\"}\n");
}

TEST_F(JournalTest, SkipsALineThatIsNoJson) {
  append_raw("{\"v\":\"a\"}\n{\"v\":\n\n{\"v\":\"c\"}\n");

  const Replayed replayed = reopen();

  EXPECT_THAT(replayed.lines, ElementsAre("a", "c"));
  EXPECT_THAT(replayed.skipped, SizeIs(1));
}

TEST_F(JournalTest, ReadsOnlyTheLinesAfterTheSnapshot) {
  {
    Journal journal(folder_.path());
    journal.append(R"({"v":"a"})");
    journal.write_snapshot(R"("v":"all before")");
    journal.append(R"({"v":"b"})");
  }

  const Replayed replayed = reopen();

  EXPECT_THAT(replayed.snapshots, ElementsAre("all before"));
  EXPECT_THAT(replayed.lines, ElementsAre("b"));
}

TEST_F(JournalTest, ReadsAllLinesOfALogThatWasReplaced) {
  {
    Journal journal(folder_.path());
    journal.append(R"({"v":"a line that is longer than the log will be"})");
    journal.write_snapshot(R"("v":"all before")");
  }
  std::filesystem::remove(folder_.path() + "/calls.log");
  append_raw("{\"v\":\"new\"}\n");

  EXPECT_THAT(reopen().lines, ElementsAre("new"));
}

TEST_F(JournalTest, ReadsAllLinesWhenTheSnapshotCannotBeRead) {
  append_raw("{\"v\":\"a\"}\n");
  std::ofstream(folder_.path() + "/workloads.json") << "{\"log_size\":";

  const Replayed replayed = reopen();

  EXPECT_THAT(replayed.snapshots, IsEmpty());
  EXPECT_THAT(replayed.lines, ElementsAre("a"));
  EXPECT_THAT(replayed.skipped, SizeIs(1));
}

TEST_F(JournalTest, BelongsToOneAtATime) {
  const Journal journal(folder_.path());

  try {
    const Journal second(folder_.path());
    FAIL() << "nothing was thrown";
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), sdk::Code::FailedPrecondition);
    EXPECT_EQ(error.reason(), "StateFolderInUse");
  }
}

TEST_F(JournalTest, SaysWhyAFolderCannotBeUsed) {
  append_raw("");

  EXPECT_THROW(Journal(folder_.path() + "/calls.log/below"), sdk::Error);
}

TEST(Journal, KeepsNothingWithoutAFolder) {
  Journal journal("");

  journal.append("{}");
  journal.write_snapshot("");
  journal.replay([](const Json&) { FAIL(); }, [](const Json&) { FAIL(); }, [](const auto&) {});
}

TEST(Journal, FailsWhenTheDiskIsFull) {
  // The journal's file is a link to a device that is always full.
  ScratchFolder folder;
  std::filesystem::create_symlink("/dev/full", folder.path() + "/calls.log");
  Journal journal(folder.path());

  try {
    journal.append("{}");
    FAIL() << "nothing was thrown";
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), sdk::Code::Unavailable);
    EXPECT_EQ(error.effect(), sdk::Effect::None);
  }
}

}  // namespace
}  // namespace vkhost::mock
