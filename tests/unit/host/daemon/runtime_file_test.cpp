#include "daemon/runtime_file.hpp"

#include "daemon/state_file.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace vkhost::daemon {
namespace {

class RuntimeFileTest : public ::testing::Test {
 protected:
  RuntimeFileTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("vkhost-runtime-" + std::to_string(::getpid()) + "-" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {}
  ~RuntimeFileTest() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_;
};

TEST_F(RuntimeFileTest, IsReadAsItWasWritten) {
  RuntimeFile file;
  file.pid = 7;
  file.token = Secret("t");
  file.certificate_pem = "-----BEGIN";
  file.nodes = {{"virtual", "127.0.0.1", 10250}};
  ASSERT_TRUE(write_runtime_file(folder_, file).is_ok());

  const auto read = read_runtime_file(folder_);

  ASSERT_TRUE(read.is_ok()) << read.status().to_string();
  EXPECT_EQ(read->pid, 7);
  EXPECT_EQ(read->token.reveal(), "t");
  EXPECT_EQ(read->certificate_pem, "-----BEGIN");
  ASSERT_EQ(read->nodes.size(), 1U);
  EXPECT_EQ(read->nodes[0].port, 10250);
}

TEST_F(RuntimeFileTest, IsReadableByItsUserOnly) {
  ASSERT_TRUE(write_runtime_file(folder_, {}).is_ok());

  struct stat facts{};
  ASSERT_EQ(::stat(runtime_file_path(folder_).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(folder_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0700U);
}

TEST_F(RuntimeFileTest, IsNotFoundWhereNoDaemonRuns) {
  EXPECT_EQ(read_runtime_file(folder_).status().code(), StatusCode::NotFound);
}

TEST_F(RuntimeFileTest, IsRefusedWhenItIsSomethingElse) {
  std::filesystem::create_directories(folder_);
  for (const char* text :
       {"", "[]", "{}", R"({"pid":1,"token":"t","certificate":"c","nodes":[5]})"}) {
    ASSERT_TRUE(write_state_file(runtime_file_path(folder_), text, Durability::Crash).is_ok());
    EXPECT_EQ(read_runtime_file(folder_).status().code(), StatusCode::InvalidArgument) << text;
  }
}

}  // namespace
}  // namespace vkhost::daemon
