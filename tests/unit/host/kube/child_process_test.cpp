#include "kube/child_process.hpp"

#include "base/thread.hpp"
#include "support/test_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>

namespace vkhost::kube {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using vkhost::testing::TestFolder;

struct RunChildTest : ::testing::Test {
  Result<ChildOutcome> run(const std::string& script, Deadline deadline) {
    ChildCommand command;
    command.program = "sh";
    command.arguments = {"-c", script, "sh", "an argument"};
    command.environment = {{"OWN", "1"}, {"HOME", "/other"}};
    command.max_output_bytes = 100'000;
    return run_child(command, clock, deadline, source.token());
  }
  Result<ChildOutcome> run(const std::string& script) {
    return run(script, Deadline::after(clock, seconds{20}));
  }
  // No child of this process may be left, running or as a zombie.
  void TearDown() override { EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1); }

  SystemClock clock;
  CancelSource source;
};

TEST_F(RunChildTest, BringsBackWhatItPrintedAndHowItEnded) {
  const auto outcome = run("echo \"$1 $OWN $HOME\"; echo oops >&2; exit 3");

  ASSERT_TRUE(outcome.is_ok()) << outcome.status().to_string();
  EXPECT_EQ(outcome->output, "an argument 1 /other\n");
  EXPECT_EQ(outcome->error_output, "oops\n");
  EXPECT_EQ(outcome->exit_status, 3);
  EXPECT_EQ(run("kill -9 $$")->exit_status, 128 + SIGKILL);
}

TEST_F(RunChildTest, GivesTheChildNothingOfOurs) {
  const int leaked = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  static_cast<void>(::signal(SIGPIPE, SIG_IGN));

  const auto outcome = run("cat; ls /proc/self/fd | wc -l; grep SigIgn /proc/self/status");

  ::close(leaked);
  // 0, 1, 2 and the folder that ls has open.
  EXPECT_THAT(outcome->output, StartsWith("4\nSigIgn:"));
  const std::string mask = outcome->output.substr(outcome->output.find('\t') + 1);
  EXPECT_EQ(std::stoull(mask, nullptr, 16) & (1ULL << (SIGPIPE - 1)), 0U);
}

TEST_F(RunChildTest, TakesLargeOutputUpToTheLimit) {
  EXPECT_EQ(run("head -c 100000 /dev/zero")->output.size(), 100'000U);
  EXPECT_EQ(run("head -c 100001 /dev/zero").status().code(), StatusCode::ResourceExhausted);
  EXPECT_EQ(run("yes").status().code(), StatusCode::ResourceExhausted);
  EXPECT_EQ(run("head -c 1000000 /dev/zero >&2")->error_output.size(), 4096U);
}

TEST_F(RunChildTest, KillsWhatDoesNotEndInTime) {
  for (const char* script :
       {"sleep 1000", "trap '' TERM INT; sleep 1000", "yes >&2", "sleep 1000 & wait"}) {
    EXPECT_EQ(run(script, Deadline::after(clock, milliseconds{50})).status().code(),
              StatusCode::DeadlineExceeded)
        << script;
  }
}

TEST_F(RunChildTest, KillsWhatIsCancelled) {
  const TestFolder folder;
  const auto fifo = folder.path() / "started";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  Thread canceller("canceller", [&] {
    const int end = ::open(fifo.c_str(), O_RDONLY);  // returns once the child has opened it too
    ::close(end);
    source.cancel();
  });

  const auto outcome = run("exec 3>" + fifo.string() + "; sleep 1000");

  EXPECT_EQ(outcome.status().code(), StatusCode::Cancelled);
  canceller.join();
  EXPECT_EQ(run("echo").status().code(), StatusCode::Cancelled);
}

TEST_F(RunChildTest, DoesNotWaitForGrandchildrenThatHoldThePipe) {
  const auto outcome = run("sleep 5 & echo $!");

  ASSERT_TRUE(outcome.is_ok());
  ::kill(std::stoi(outcome->output), SIGKILL);
}

TEST_F(RunChildTest, SaysThatThereIsNoSuchProgram) {
  ChildCommand command;
  command.program = "no-such-program-anywhere";

  const Status status = run_child(command, clock, Deadline::never(), {}).status();

  EXPECT_EQ(status.code(), StatusCode::NotFound);
  EXPECT_THAT(status.message(), HasSubstr("no-such-program-anywhere"));
  command.program = "/";
  EXPECT_EQ(run_child(command, clock, Deadline::never(), {}).status().code(),
            StatusCode::FailedPrecondition);
}

}  // namespace
}  // namespace vkhost::kube
