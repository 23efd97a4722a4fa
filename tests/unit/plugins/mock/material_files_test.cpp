#include "mock/material_files.hpp"

#include "mock/material_hashes.hpp"
#include "sample_workloads.hpp"

#include <vkhost/provider.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>

namespace vkhost::mock {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class MaterialFilesTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return folder_.path() + name; }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] unsigned mode(const std::string& name) const {
    struct stat info{};
    EXPECT_EQ(::stat(path(name).c_str(), &info), 0) << name;
    return info.st_mode & 0777U;
  }
  [[nodiscard]] std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      names.insert(entry.path().string().substr(folder_.path().size()));
    }
    return names;
  }

  ScratchFolder folder_;
};

TEST_F(MaterialFilesTest, HoldTheLastDocumentAsItCame) {
  const MaterialFiles files(folder_.path(), KeepMaterial::All);

  EXPECT_EQ(files.put("u-1", R"({"a": 1})"), digest_of(R"({"a": 1})"));
  EXPECT_EQ(files.put("u-1", R"({"b":2})"), digest_of(R"({"b":2})"));

  EXPECT_EQ(text("/material/u-1.json"), R"({"b":2})");
}

TEST_F(MaterialFilesTest, AreForTheirOwnerAlone) {
  const mode_t before = ::umask(0);
  const MaterialFiles files(folder_.path(), KeepMaterial::All);
  static_cast<void>(files.put("u-1", "{}"));
  ::umask(before);

  EXPECT_EQ(mode("/material"), 0700U);
  EXPECT_EQ(mode("/material/u-1.json"), 0600U);
}

TEST_F(MaterialFilesTest, HoldDigestsIfThatIsEnough) {
  const MaterialFiles files(folder_.path(), KeepMaterial::Hashes);
  const std::string material = R"({"value":"sesame"})";

  EXPECT_EQ(files.put("u-1", material), digest_of(material));

  EXPECT_THAT(names(), ElementsAre("/material_hashes", "/material_hashes/u-1.json"));
  EXPECT_THAT(text("/material_hashes/u-1.json"), HasSubstr(digest_of("sesame")));
  EXPECT_THAT(text("/material_hashes/u-1.json"), Not(HasSubstr("sesame")));
}

TEST_F(MaterialFilesTest, AreNotThereUnlessTheyAreAskedFor) {
  const MaterialFiles files(folder_.path(), KeepMaterial::None);

  EXPECT_EQ(files.put("u-1", R"({"value":"sesame"})"), "");
  files.remove("u-1");
  files.keep_only([](const std::string&) { return true; });

  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(MaterialFilesTest, AreNotThereWithoutAFolder) {
  EXPECT_EQ(MaterialFiles("", KeepMaterial::All).put("u-1", "{}"), "");
}

TEST_F(MaterialFilesTest, GoWithTheSettingThatAskedForThem) {
  for (const auto& [before, after, folder] :
       {std::tuple(KeepMaterial::All, KeepMaterial::None, "/material"),
        std::tuple(KeepMaterial::All, KeepMaterial::Hashes, "/material"),
        std::tuple(KeepMaterial::Hashes, KeepMaterial::None, "/material_hashes")}) {
    static_cast<void>(MaterialFiles(folder_.path(), before).put("u-1", "{}"));
    EXPECT_TRUE(fs::exists(path(folder)));

    const MaterialFiles files(folder_.path(), after);

    EXPECT_FALSE(fs::exists(path(folder)));
  }
}

TEST_F(MaterialFilesTest, GoWithTheirPods) {
  const MaterialFiles files(folder_.path(), KeepMaterial::All);
  static_cast<void>(files.put("u-1", "{}"));
  static_cast<void>(files.put("u-2", "{}"));

  files.remove("u-1");
  files.remove("u-3");

  EXPECT_THAT(names(), ElementsAre("/material", "/material/u-2.json"));
}

TEST_F(MaterialFilesTest, AreTidiedOfPodsThatAreNotThere) {
  const MaterialFiles files(folder_.path(), KeepMaterial::All);
  static_cast<void>(files.put("there", "{}"));
  static_cast<void>(files.put("gone", "{}"));
  std::ofstream(path("/material/there.json.new")) << "half of";  // by a process that was killed

  files.keep_only([](const std::string& uid) { return uid == "there"; });

  EXPECT_THAT(names(), ElementsAre("/material", "/material/there.json"));
}

TEST_F(MaterialFilesTest, StayInTheirFolderWhateverTheUid) {
  const MaterialFiles files(folder_.path(), KeepMaterial::All);
  std::ofstream(path("/other.json")) << "theirs";

  for (const std::string& uid :
       {std::string("../other"), std::string("/tmp/x"), std::string(".."), std::string(),
        std::string("a/b"), std::string("a\0b", 3), std::string(201, 'a')}) {
    EXPECT_THROW(static_cast<void>(files.put(uid, "{}")), sdk::Error) << uid;
    files.remove(uid);
  }

  EXPECT_THAT(names(), ElementsAre("/material", "/other.json"));
}

TEST_F(MaterialFilesTest, FollowNoLinkThatSomebodyLeft) {
  const MaterialFiles files(folder_.path(), KeepMaterial::All);
  std::ofstream(path("/other")) << "theirs";
  fs::create_symlink(path("/other"), path("/material/u-1.json.new"));
  fs::create_symlink(path("/other"), path("/material/u-1.json"));

  static_cast<void>(files.put("u-1", "{}"));

  EXPECT_EQ(text("/other"), "theirs");
  EXPECT_EQ(text("/material/u-1.json"), "{}");
}

TEST_F(MaterialFilesTest, KeepWhatWasThereWhenWritingFails) {
  const MaterialFiles files(folder_.path(), KeepMaterial::All);
  static_cast<void>(files.put("u-1", "{}"));
  fs::create_directory(path("/material/u-1.json.new"));

  try {
    static_cast<void>(files.put("u-1", R"({"new":1})"));
    FAIL() << "nothing was thrown";
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), sdk::Code::Unavailable);
    EXPECT_EQ(error.effect(), sdk::Effect::None);
  }

  EXPECT_EQ(text("/material/u-1.json"), "{}");
}

TEST_F(MaterialFilesTest, SayWhyTheirFolderCannotBeUsed) {
  try {
    const MaterialFiles files(path("/not/there"), KeepMaterial::All);
    FAIL() << "nothing was thrown";
  } catch (const sdk::Error& error) {
    EXPECT_EQ(error.code(), sdk::Code::FailedPrecondition);
    EXPECT_THAT(error.what(), HasSubstr("/not/there/material"));
  }
}

}  // namespace
}  // namespace vkhost::mock
