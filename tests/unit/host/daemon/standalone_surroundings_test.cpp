#include "daemon/surroundings.hpp"
#include "support/test_folder.hpp"

#include <gtest/gtest.h>

namespace vkhost::daemon {
namespace {

class StandaloneSurroundingsTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Surroundings>> open(const std::string& state) {
    config::Config config;
    config.standalone.enabled = true;
    config.standalone.manifests = (folder_.path() / "manifests").string();
    config.paths.state = state;
    return make_standalone_surroundings(
        config, {std::make_shared<SystemClock>(),
                 std::make_shared<SeededRandom>(SeededRandom::seed_from_system()),
                 {}});
  }

  testing::TestFolder folder_;
};

TEST_F(StandaloneSurroundingsTest, KeepTheirIdentityWithTheStateFolder) {
  const std::string first = *(*open(folder_.path() / "a"))->cluster_uid({});

  EXPECT_EQ(*(*open(folder_.path() / "a"))->cluster_uid({}), first);
  EXPECT_NE(*(*open(folder_.path() / "b"))->cluster_uid({}), first);
}

TEST_F(StandaloneSurroundingsTest, HaveNoApiServer) {
  EXPECT_EQ((*open(folder_.path() / "a"))->api(), nullptr);
}

TEST_F(StandaloneSurroundingsTest, NameAStateFolderThatCannotBeMade) {
  const auto file = folder_.write("file", "x");

  const auto opened = open(file / "state");

  ASSERT_FALSE(opened.is_ok());
  EXPECT_NE(opened.status().message().find("file/state"), std::string::npos);
}

}  // namespace
}  // namespace vkhost::daemon
