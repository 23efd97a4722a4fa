#include "support/run_records.hpp"

#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace vkhost::testing {
namespace {

namespace fs = std::filesystem;

using ::testing::UnorderedElementsAre;

class RunRecords : public ::testing::Test {
 protected:
  ~RunRecords() override { ::unsetenv("VKHOST_CLUSTER"); }

  void given_a_run() { ::setenv("VKHOST_CLUSTER", (folder_.path() / "cluster.json").c_str(), 1); }
  [[nodiscard]] std::vector<std::string> kept() const {
    std::vector<std::string> texts;
    std::error_code none;
    for (const auto& each : fs::directory_iterator(folder_.path() / "records", none)) {
      texts.push_back(each.path().filename().native().substr(0, 4) + ": " + read_file(each.path()));
    }
    return texts;
  }

  const TestFolder folder_;
};

TEST_F(RunRecords, StayWhenWhatTheyWereMadeOfGoes) {
  given_a_run();
  const fs::path log = folder_.write("daemon.log", "one");
  keep_file(log, "log-");
  static_cast<void>(folder_.write("daemon.log", "two"));
  keep_file(log, "log-");
  fs::remove(log);
  keep_file(log, "log-");
  keep_text("three", "text");

  EXPECT_THAT(kept(), UnorderedElementsAre("log-: one", "log-: two", "text: three"));
}

TEST_F(RunRecords, AreOfRunsOnly) {
  ::unsetenv("VKHOST_CLUSTER");

  keep_text("one", "text");

  EXPECT_TRUE(kept().empty());
  EXPECT_FALSE(fs::exists(folder_.path() / "records"));
}

}  // namespace
}  // namespace vkhost::testing
