#include "plugin/library_search.hpp"

#include "support/plugin_files.hpp"

#include <gmock/gmock.h>

#include <fstream>

namespace vkhost::plugin {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class LibrarySearch : public ::testing::Test {
 protected:
  vkhost::testing::PluginFiles first_;
  vkhost::testing::PluginFiles second_;
  std::vector<fs::path> folders_ = {"/nowhere/at/all", first_.folder(), second_.folder()};
};

TEST_F(LibrarySearch, FindsAPluginByNameInTheFirstFolderThatHasIt) {
  second_.fixture("minimal");
  EXPECT_EQ(*find_plugin("minimal", folders_), second_.folder() / "vkhost-minimal.so");

  first_.fixture("minimal");

  EXPECT_EQ(*find_plugin("minimal", folders_), first_.folder() / "vkhost-minimal.so");
}

TEST_F(LibrarySearch, SaysWhereItLookedAndWhatIsThere) {
  first_.fixture("minimal");

  const Status status = find_plugin("minimum", folders_).status();

  EXPECT_EQ(status.code(), StatusCode::NotFound);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("vkhost-minimum.so"), HasSubstr("/nowhere/at/all"),
                                      HasSubstr("there are: minimal")));
}

TEST_F(LibrarySearch, TakesNoPathForAName) {
  for (const char* name : {"", "../x", "a/b", "UPPER", "a.b"}) {
    EXPECT_EQ(find_plugin(name, folders_).status().code(), StatusCode::InvalidArgument) << name;
  }
}

TEST_F(LibrarySearch, ListsEachFileWithTheReasonWhyItIsNotLoaded) {
  first_.fixture("minimal");
  first_.fixture("wrong_major");
  std::ofstream(first_.folder() / "README.md") << "not a plugin";
  std::ofstream(first_.folder() / "vkhost-.so") << "no name";
  second_.fixture("minimal");

  const std::vector<FoundPlugin> found = list_plugins(folders_, Trust::AnyPath);

  ASSERT_THAT(found, SizeIs(3));
  EXPECT_EQ(found[0].name, "minimal");
  EXPECT_TRUE(found[0].status.is_ok()) << found[0].status.message();
  EXPECT_THAT(found[0].sha256, SizeIs(64));
  EXPECT_EQ(found[1].name, "wrong_major");
  EXPECT_EQ(found[1].head.abi_major, 1U);
  EXPECT_THAT(found[1].status.message(), HasSubstr("is built for provider ABI"));
  EXPECT_THAT(found[2].status.message(), HasSubstr("hidden by " + found[0].path.string()));
}

}  // namespace
}  // namespace vkhost::plugin
