#include "daemon/manifest_folder.hpp"

#include "base/mutex.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace vkhost::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ManifestFolderTest : public ::testing::Test {
 protected:
  ManifestFolderTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("vkhost-manifests-" + std::to_string(::getpid()) + "-" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~ManifestFolderTest() override {
    reader_.reset();
    std::filesystem::remove_all(folder_);
  }

  void given_file(const std::string& name, const std::string& pod) {
    write(name, "apiVersion: v1\nkind: Pod\nmetadata: {name: " + pod +
                    "}\nspec: {containers: [{name: main, image: x}]}\n");
  }
  // Renamed into place, as editors and `kubectl cp` do.
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / ".new") << text;
    std::filesystem::rename(folder_ / ".new", folder_ / name);
  }
  void start() {
    auto reader = ManifestFolder::create(folder_, "node", observe::Logger(log_));
    ASSERT_TRUE(reader.is_ok()) << reader.status().to_string();
    reader_ = std::move(*reader);
    reader_->start([this](Manifests manifests) {
      MutexLock lock(mutex_);
      manifests_ = std::move(manifests);
      changed_.notify_all();
    });
  }
  // The names of the pods once there are `count` of them.
  std::vector<std::string> names_when(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    MutexLock lock(mutex_);
    while (manifests_.pods.size() != count && changed_.wait_until(mutex_, deadline)) {
    }
    std::vector<std::string> names;
    for (const PodManifest& pod : manifests_.pods) {
      names.push_back(pod.name);
    }
    return names;
  }

  const std::filesystem::path folder_;
  std::shared_ptr<testing::RecordingLogSink> log_ = std::make_shared<testing::RecordingLogSink>();
  std::unique_ptr<ManifestFolder> reader_;
  Mutex mutex_;
  CondVar changed_;
  Manifests manifests_ VKHOST_GUARDED_BY(mutex_);
};

TEST_F(ManifestFolderTest, ReadsManifestsAndNothingElseAtStart) {
  given_file("a.yaml", "a");
  given_file("notes.txt", "no");
  given_file(".hidden.yaml", "no");

  start();

  EXPECT_THAT(names_when(1), ElementsAre("a"));
}

TEST_F(ManifestFolderTest, NoticesFilesThatComeAndGo) {
  start();

  given_file("a.yaml", "a");
  EXPECT_THAT(names_when(1), ElementsAre("a"));
  given_file("b.yml", "b");
  EXPECT_THAT(names_when(2), ElementsAre("a", "b"));
  std::filesystem::remove(folder_ / "a.yaml");
  EXPECT_THAT(names_when(1), ElementsAre("b"));
}

TEST_F(ManifestFolderTest, KeepsTheLastGoodContentOfAFileThatBroke) {
  given_file("a.yaml", "a");
  start();
  ASSERT_THAT(names_when(1), ElementsAre("a"));

  write("a.yaml", "kind: [");
  given_file("b.yaml", "b");

  EXPECT_THAT(names_when(2), ElementsAre("a", "b"));
  EXPECT_THAT(log_->lines(), ElementsAre(HasSubstr("a.yaml")));
}

TEST_F(ManifestFolderTest, NamesAFolderThatDoesNotExist) {
  const auto reader = ManifestFolder::create(folder_ / "none", "node", {});

  EXPECT_EQ(reader.status().code(), StatusCode::NotFound);
  EXPECT_THAT(reader.status().message(), HasSubstr("standalone.manifests"));
}

}  // namespace
}  // namespace vkhost::daemon
