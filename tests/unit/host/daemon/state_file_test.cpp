#include "daemon/state_file.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <string>

namespace vkhost::daemon {
namespace {

class StateFileTest : public ::testing::Test {
 protected:
  StateFileTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("vkhost-state-" + std::to_string(::getpid()) + "-" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::create_directories(folder_);
  }
  ~StateFileTest() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_;
};

TEST_F(StateFileTest, ReplacesTheWholeContent) {
  ASSERT_TRUE(write_state_file(folder_ / "f", "a longer text", Durability::PowerLoss).is_ok());
  ASSERT_TRUE(write_state_file(folder_ / "f", "short", Durability::Crash).is_ok());

  EXPECT_EQ(*read_state_file(folder_ / "f"), "short");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "f.new"));
}

TEST_F(StateFileTest, NamesWhatCouldNotBeWritten) {
  const Status status = write_state_file(folder_ / "none" / "f", "x", Durability::Crash);

  EXPECT_EQ(status.code(), StatusCode::NotFound);
  EXPECT_NE(status.message().find("none/f.new"), std::string::npos);
}

TEST_F(StateFileTest, IsNotFoundWhenThereIsNone) {
  EXPECT_EQ(read_state_file(folder_ / "f").status().code(), StatusCode::NotFound);
}

TEST_F(StateFileTest, DoesNotFollowALink) {
  ASSERT_TRUE(write_state_file(folder_ / "target", "x", Durability::Crash).is_ok());
  std::filesystem::create_symlink(folder_ / "target", folder_ / "link");

  EXPECT_FALSE(read_state_file(folder_ / "link").is_ok());
}

}  // namespace
}  // namespace vkhost::daemon
