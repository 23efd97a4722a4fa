#include "doctor/file_checks.hpp"

#include "findings.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

namespace vkhost::doctor {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct FileChecks : ::testing::Test {
  Finding look_at_folder(const fs::path& path) const {
    Report report;
    check_folder({"paths", "state folder", "Things are kept."}, path, "paths.state", report);
    return only(report);
  }
  Finding look_at_secret(const fs::path& path) const {
    Report report;
    check_secret_file({"paths", "key", "It is secret."}, path, report);
    return only(report);
  }

  const testing::TestFolder folder;
};

TEST_F(FileChecks, AreContentWithAFolderOfOnesOwn) {
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);

  EXPECT_EQ(look_at_folder(folder.path()).verdict, Verdict::Ok);
}

TEST_F(FileChecks, AreContentWithAFolderThatCanBeMadeAndMakeNone) {
  const fs::path path = folder.path() / "a" / "b";

  EXPECT_EQ(look_at_folder(path).verdict, Verdict::Ok);
  EXPECT_FALSE(fs::exists(folder.path() / "a"));
}

TEST_F(FileChecks, NameWhatIsNoFolder) {
  const fs::path file = folder.write("file", "");

  EXPECT_THAT(look_at_folder(file).found, HasSubstr("is no folder"));
  EXPECT_EQ(look_at_folder(file).verdict, Verdict::Problem);
  EXPECT_EQ(look_at_folder(file / "below").verdict, Verdict::Problem);
  EXPECT_THAT(look_at_folder(file).advice, HasSubstr("paths.state"));
}

TEST_F(FileChecks, NameAFolderThatOthersMayWrite) {
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);

  const Finding finding = look_at_folder(folder.path());

  EXPECT_EQ(finding.verdict, Verdict::Problem);
  EXPECT_THAT(finding.found, HasSubstr("(mode 0777)"));
  EXPECT_THAT(finding.advice, HasSubstr("chmod go-w"));
  ASSERT_EQ(::chmod(folder.path().c_str(), 0700), 0);
}

TEST_F(FileChecks, NameASecretThatIsMissingOrOpenToEverybody) {
  const fs::path file = folder.write("key", "k");

  EXPECT_EQ(look_at_secret(file).verdict, Verdict::Ok);
  EXPECT_EQ(look_at_secret(folder.path() / "none").verdict, Verdict::Problem);
  ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
  EXPECT_EQ(look_at_secret(file).verdict, Verdict::Warning);
  EXPECT_THAT(look_at_secret(file).found, HasSubstr("(mode 0644)"));
}

}  // namespace
}  // namespace vkhost::doctor
