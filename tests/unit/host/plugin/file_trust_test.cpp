#include "plugin/file_trust.hpp"

#include "support/plugin_files.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace vkhost::plugin {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class FileTrust : public ::testing::Test {
 protected:
  // A file with the text "abc" in a folder of its own.
  fs::path given_file() {
    const fs::path folder = files_.folder() / "plugins";
    fs::create_directory(folder);
    fs::permissions(folder, fs::perms::owner_all);
    const fs::path path = folder / "vkhost-x.so";
    std::ofstream(path) << "abc";
    fs::permissions(path, fs::perms::owner_read);
    return path;
  }

  static Status open(const fs::path& path, Trust trust = Trust::Checked, const char* pin = "") {
    return open_plugin_file(path, trust, pin).status();
  }

  vkhost::testing::PluginFiles files_;
};

constexpr const char* kHashOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST_F(FileTrust, OpensAFileOfOneself) {
  const auto file = open_plugin_file(given_file(), Trust::Checked, "");

  ASSERT_TRUE(file.is_ok()) << file.status().message();
  EXPECT_EQ(file->size, 3U);
  EXPECT_EQ(file->sha256, kHashOfAbc);
}

TEST_F(FileTrust, TakesThePinnedHashAlone) {
  const fs::path path = given_file();

  EXPECT_TRUE(open(path, Trust::Checked, kHashOfAbc).is_ok());
  EXPECT_TRUE(
      open(path, Trust::Checked, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD")
          .is_ok());
  const Status other = open(path, Trust::Checked, std::string(64, '0').c_str());
  EXPECT_EQ(other.code(), StatusCode::FailedPrecondition);
  EXPECT_THAT(other.message(), AllOf(HasSubstr(kHashOfAbc), HasSubstr("change the pin")));
}

TEST_F(FileTrust, RefusesAFileThatOthersMayWrite) {
  const fs::path path = given_file();
  for (const fs::perms more : {fs::perms::group_write, fs::perms::others_write}) {
    fs::permissions(path, fs::perms::owner_read | more);
    const Status status = open(path);
    EXPECT_EQ(status.code(), StatusCode::PermissionDenied);
    EXPECT_THAT(status.message(), AllOf(HasSubstr(path.string()), HasSubstr("chmod go-w")));
  }
}

TEST_F(FileTrust, RefusesAFolderOnTheWayThatOthersMayWrite) {
  const fs::path path = given_file();
  fs::permissions(path.parent_path(), fs::perms::owner_all | fs::perms::group_write);

  const Status status = open(path);

  EXPECT_EQ(status.code(), StatusCode::PermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr(path.parent_path().string() + " may be written"));
}

TEST_F(FileTrust, TakesAStickyFolderOnTheWay) {
  const fs::path path = given_file();
  fs::permissions(path.parent_path(), fs::perms::all | fs::perms::sticky_bit);

  EXPECT_TRUE(open(path).is_ok());
}

TEST_F(FileTrust, RefusesWhatBelongsToAnotherUser) {
  const fs::path path = given_file();
  if (chown(path.c_str(), 12345, 12345) != 0) {
    GTEST_SKIP() << "only root can give files away";
  }

  const Status status = open(path);

  EXPECT_EQ(status.code(), StatusCode::PermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("belongs to user 12345"));
}

TEST_F(FileTrust, RefusesAFolderOfAnotherUserBehindALink) {
  const fs::path path = given_file();
  const fs::path link = files_.folder() / "link.so";
  fs::create_symlink("plugins/vkhost-x.so", link);
  EXPECT_TRUE(open(link).is_ok()) << open(link).message();

  fs::permissions(path.parent_path(), fs::perms::all);

  EXPECT_THAT(open(link).message(), HasSubstr("plugins may be written"));
}

TEST_F(FileTrust, RefusesALinkOfAnotherUser) {
  const fs::path path = given_file();
  const fs::path link = files_.folder() / "link.so";
  fs::create_symlink(path, link);
  if (lchown(link.c_str(), 12345, 12345) != 0) {
    GTEST_SKIP() << "only root can give files away";
  }

  EXPECT_THAT(open(link).message(), HasSubstr("link.so belongs to user 12345"));
}

TEST_F(FileTrust, FollowsLinksButNotForEver) {
  const fs::path path = given_file();
  fs::create_directory_symlink(path.parent_path(), files_.folder() / "folder");
  EXPECT_TRUE(open(files_.folder() / "folder" / ".." / "folder" / "vkhost-x.so").is_ok());

  fs::create_symlink("loop", files_.folder() / "loop");

  EXPECT_THAT(open(files_.folder() / "loop").message(), HasSubstr("leads nowhere"));
}

TEST_F(FileTrust, SkipsTheChecksForDevelopers) {
  const fs::path path = given_file();
  fs::permissions(path, fs::perms::all);

  EXPECT_FALSE(open(path).is_ok());
  EXPECT_TRUE(open(path, Trust::AnyPath).is_ok());
}

TEST_F(FileTrust, RefusesWhatIsNoFile) {
  const fs::path pipe = files_.folder() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);

  EXPECT_THAT(open(pipe).message(), HasSubstr("not a regular file"));
  EXPECT_THAT(open(files_.folder()).message(), HasSubstr("not a regular file"));
  EXPECT_THAT(open("/dev/null", Trust::AnyPath).message(), HasSubstr("not a regular file"));
  EXPECT_EQ(open(files_.folder() / "absent").code(), StatusCode::NotFound);
  EXPECT_FALSE(open("").is_ok());
  EXPECT_FALSE(open(given_file() / "below").is_ok());
}

}  // namespace
}  // namespace vkhost::plugin
