#include "support/mock_journal.hpp"

#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace vkhost::testing {
namespace {

using ::testing::ElementsAre;

TEST(MockJournal, TellsWhatAnUpdateChanged) {
  const TestFolder folder;
  std::filesystem::create_directory(folder.path() / "owner");
  static_cast<void>(folder.write(
      "owner/calls.log",
      R"({"call":"update_pod","uid":"u-1","outcome":"ok","changed":["files","tokens"],"material":"sha256:0"})"
      "\n"
      R"({"call":"update_pod","uid":"u-1","outcome":"ok"})"
      "\n"));

  const auto calls = MockJournal(folder.path()).calls();

  ASSERT_EQ(calls.size(), 2U);
  EXPECT_THAT(calls[0].changed, ElementsAre("files", "tokens"));
  EXPECT_EQ(calls[0].material, "sha256:0");
  EXPECT_TRUE(calls[1].changed.empty());
  EXPECT_EQ(calls[1].material, "");
}

TEST(MockJournal, ShowsTheMaterialOfAPodOfAnyNode) {
  const TestFolder folder;
  std::filesystem::create_directories(folder.path() / "one/material");
  std::filesystem::create_directories(folder.path() / "two/material_hashes");
  static_cast<void>(folder.write("one/material/u-1.json", "all of it"));
  static_cast<void>(folder.write("two/material_hashes/u-2.json", "digests"));
  const MockJournal journal(folder.path());

  EXPECT_EQ(journal.material("u-1"), "all of it");
  EXPECT_EQ(journal.material("u-2"), "");
  EXPECT_EQ(journal.material_hashes("u-2"), "digests");
}

}  // namespace
}  // namespace vkhost::testing
