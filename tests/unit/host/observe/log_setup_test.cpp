#include "observe/log_setup.hpp"

#include "base/thread.hpp"
#include "support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace vkhost::observe {
namespace {

// A log that ends in a pipe.
class LogToPipe : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe2(pipe_.data(), O_CLOEXEC), 0); }
  void TearDown() override {
    ::close(pipe_[0]);
    if (pipe_[1] >= 0) {
      ::close(pipe_[1]);
    }
  }
  Log open(Level level, LogFormat format = LogFormat::Auto) {
    return Log({level, format, false, pipe_[1]}, std::make_shared<testing::FakeClock>());
  }
  std::string written() {
    ::close(pipe_[1]);
    pipe_[1] = -1;
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::read(pipe_[0], buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  std::array<int, 2> pipe_{-1, -1};
};

TEST_F(LogToPipe, WritesJsonWhereThereIsNoTerminal) {
  const Log log = open(Level::Info);

  log.logger().info("started {}", {{"node", "web"}});

  EXPECT_EQ(written(), R"({"time":"2026-01-02T03:04:05.000000Z","level":"info",)"
                       R"("message":"started {}","node":"web"})"
                       "\n");
}

TEST_F(LogToPipe, WritesTextOnRequestWithoutColour) {
  const Log log = open(Level::Info, LogFormat::Text);

  log.logger().warn("slow");

  EXPECT_TRUE(written().ends_with(" WARN  slow\n"));
}

TEST_F(LogToPipe, LeavesOutWhatIsBelowTheLevel) {
  Log log = open(Level::Warn);
  const Logger logger = log.logger();

  logger.info("one");
  log.set_level(Level::Debug);
  logger.debug("two");
  log.set_level(Level::Off);
  logger.error("three");

  const std::string text = written();
  EXPECT_EQ(text.find("one"), std::string::npos);
  EXPECT_NE(text.find("two"), std::string::npos);
  EXPECT_EQ(text.find("three"), std::string::npos);
}

TEST_F(LogToPipe, KeepsLinesWholeWhenManyThreadsWrite) {
  Log log = open(Level::Info);
  std::string text;
  {
    std::vector<Thread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back("writer", [logger = log.logger()] {
        for (int line = 0; line < 50; ++line) {
          logger.info("a line of some length", {{"pod", "default/web"}});
        }
      });
    }
    log.set_level(Level::Debug);
  }
  text = written();

  std::size_t lines = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    EXPECT_EQ(text.compare(at, 9, R"({"time":")"), 0);
    ++lines;
  }
  EXPECT_EQ(lines, 200U);
}

TEST_F(LogToPipe, LosesLinesThatNobodyCanTake) {
  const Log log = open(Level::Info);
  ::close(std::exchange(pipe_[1], -1));

  log.logger().info("nobody reads this");
}

}  // namespace
}  // namespace vkhost::observe
