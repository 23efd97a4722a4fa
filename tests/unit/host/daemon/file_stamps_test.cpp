#include "daemon/file_stamps.hpp"

#include "support/test_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace vkhost::daemon {
namespace {

class FileStampsTest : public ::testing::Test {
 protected:
  // Watched, and looked at once.
  void given(const std::filesystem::path& file) {
    stamps_.watch({file});
    static_cast<void>(stamps_.take_changes());
  }

  const testing::TestFolder folder_;
  FileStamps stamps_;
};

TEST_F(FileStampsTest, TakeAFileForChangedThatWasReadBeforeAnybodyLooked) {
  stamps_.watch({folder_.write("key", "a")});

  EXPECT_TRUE(stamps_.take_changes());
  EXPECT_FALSE(stamps_.take_changes());
}

TEST_F(FileStampsTest, NoticeAnotherContent) {
  given(folder_.write("key", "a"));

  static_cast<void>(folder_.write("key", "another"));

  EXPECT_TRUE(stamps_.take_changes());
  EXPECT_FALSE(stamps_.take_changes());
}

// As Kubernetes changes a mounted Secret: a link leads to another folder, with a file of the same size.
TEST_F(FileStampsTest, NoticeAnotherTargetOfALink) {
  std::filesystem::create_directories(folder_.path() / "one");
  std::filesystem::create_directories(folder_.path() / "two");
  static_cast<void>(folder_.write("one/key", "a"));
  static_cast<void>(folder_.write("two/key", "b"));
  std::filesystem::create_symlink("one", folder_.path() / "data");
  given(folder_.path() / "data" / "key");

  std::filesystem::create_symlink("two", folder_.path() / "next");
  std::filesystem::rename(folder_.path() / "next", folder_.path() / "data");

  EXPECT_TRUE(stamps_.take_changes());
}

TEST_F(FileStampsTest, NoticeThatAFileGoesAndComesBack) {
  const auto file = folder_.write("key", "a");
  given(file);

  std::filesystem::remove(file);
  EXPECT_TRUE(stamps_.take_changes());
  EXPECT_FALSE(stamps_.take_changes());
  static_cast<void>(folder_.write("key", "a"));
  EXPECT_TRUE(stamps_.take_changes());
}

TEST_F(FileStampsTest, KeepWhatTheyKnowOfFilesThatStay) {
  const auto file = folder_.write("key", "a");
  given(file);

  stamps_.watch({file});
  EXPECT_FALSE(stamps_.take_changes());
  stamps_.watch({});

  EXPECT_TRUE(stamps_.empty());
  EXPECT_FALSE(stamps_.take_changes());
}

}  // namespace
}  // namespace vkhost::daemon
