#include "support/child_process.hpp"

#include "support/test_folder.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <signal.h>

#include <chrono>
#include <string>
#include <system_error>

namespace vkhost::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto kSoon = 10s;

TEST(ChildProcess, GivesTheStatusAndBothStreamsOfACommand) {
  const CommandResult result = run_command({.argv = {"sh", "-c", "cat; echo $WORD >&2; exit 3"},
                                            .input = "in,",
                                            .environment = {{"WORD", "out"}}});

  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.output, "in,out\n");
}

TEST(ChildProcess, KillsACommandThatTakesTooLong) {
  EXPECT_EQ(run_command({.argv = {"sleep", "60"}}, 50ms).status, 128 + SIGKILL);
}

TEST(ChildProcess, SaysThatAProgramIsMissing) {
  EXPECT_EQ(run_command({.argv = {"/nowhere/program"}}).status, 127);
}

TEST(ChildProcess, WaitsForOutputAndTakesSignals) {
  const TestFolder folder;
  ChildProcess child(
      {.argv = {"sh", "-c",
                "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.01; done"},
       .log = folder.path() / "log"});
  EXPECT_TRUE(child.wait_for_output("hello", kSoon));
  EXPECT_FALSE(child.wait_for_output("never", 20ms));

  child.send_signal(SIGTERM);

  EXPECT_EQ(child.wait(kSoon), 0);
  EXPECT_EQ(child.output(), "hello\nbye\n");
  EXPECT_EQ(read_file(folder.path() / "log"), "hello\nbye\n");
}

TEST(ChildProcess, IsKilledWithItsOwnerEvenWhenAGrandchildKeepsThePipe) {
  Descriptor process;
  {
    const ChildProcess child({.argv = {"sh", "-c", "sleep 2 & echo started; wait"}});
    ASSERT_TRUE(child.wait_for_output("started", kSoon));
    process = open_pidfd(child.pid());
  }

  EXPECT_NE(wait_for_fd(process.get(), POLLIN, {.until = std::chrono::steady_clock::now()}),
            Io::TimedOut);
}

}  // namespace
}  // namespace vkhost::testing
