// Where the secrets of pods are written down: nowhere, unless the mock is told to.
#include "cluster/pod_material.hpp"
#include "support/material.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::testing {
namespace {

namespace fs = std::filesystem;

using ::testing::IsEmpty;
using ::testing::StartsWith;

// Files of the daemon, which is stopped, and of the mock's back end in which the text stands.
std::vector<fs::path> files_with(NodeUnderTest& node, std::string_view text) {
  EXPECT_TRUE(node.daemon().stop());
  std::vector<fs::path> found;
  for (const fs::path& folder : {node.daemon().folder(), node.journal().state_dir()}) {
    for (const auto& file : fs::recursive_directory_iterator(folder)) {
      if (file.is_regular_file() && read_file(file.path()).find(text) != std::string::npos) {
        found.push_back(file.path());
      }
    }
  }
  return found;
}

class SecretsOfPods : public PodMaterial {
 protected:
  std::string given_pod_with_a_secret(const std::string& keep) {
    given_node(asking_for_env(keep));
    given_object("secrets",
                 R"({"metadata":{"name":"keys"},"stringData":{"PASSWORD":"open-sesame"}})");
    const std::string uid = create_main(
        R"j("envFrom":[{"secretRef":{"name":"keys"}}],"args":["--password=$(PASSWORD)"])j");
    node_->wait_until_running("web");
    return uid;
  }
};

TEST_F(SecretsOfPods, AreInNoFileUnlessThatIsAskedFor) {
  const std::string uid = given_pod_with_a_secret("none");

  EXPECT_THAT(files_with(*node_, "open-sesame"), IsEmpty());
  EXPECT_EQ(node_->journal().material(uid), "");
}

TEST_F(SecretsOfPods, AreKnownByTheirDigestsIfThatIsEnough) {
  const std::string uid = given_pod_with_a_secret("hashes");

  EXPECT_THAT(files_with(*node_, "open-sesame"), IsEmpty());
  const Material material = parse_material(node_->journal().material_hashes(uid));
  const MaterialVariable* const password = material.containers.at("main").find("PASSWORD");
  ASSERT_NE(password, nullptr);
  EXPECT_THAT(password->value, StartsWith("sha256:"));
  EXPECT_TRUE(password->secret);
}

TEST_F(SecretsOfPods, AreInOnePrivateFileWhenThatIsAskedFor) {
  const std::string uid = given_pod_with_a_secret("all");

  const std::vector<fs::path> files = files_with(*node_, "open-sesame");

  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].filename(), uid + ".json");
  EXPECT_EQ(fs::status(files[0]).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace
}  // namespace vkhost::testing
