// ChildProcess: a program started by a test, and run_command() for those that end by themselves.
//
// The child dies with the thread that started it (PR_SET_PDEATHSIG through setpriv), so an aborted
// test leaves nothing behind; start it from the main thread, or from one that outlives it. What it
// prints, on both streams, is gathered by a thread. The destructor kills and joins. Failure to start
// throws std::system_error. One owner; the const methods and send_signal() are [any-thread].
#pragma once

#include "base/mutex.hpp"
#include "base/thread.hpp"
#include "support/tls_stream.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::testing {

struct Command {
  std::vector<std::string> argv = {};  // the program by path, or found in PATH
  std::string input = {};
  std::vector<std::pair<std::string, std::string>> environment = {};  // added to ours
  std::filesystem::path log = {};  // where the output goes as well; empty: nowhere
};

// How a process ended: its exit status, or 128 and the number of the signal, as a shell has it.
using ExitStatus = int;

class ChildProcess {
 public:
  explicit ChildProcess(const Command& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void send_signal(int signal) const;
  // Nothing when it still runs after that time. The output is complete then. [may-block]
  std::optional<ExitStatus> wait(std::chrono::milliseconds within);
  [[nodiscard]] std::string output() const;
  // False when it did not print that within the time, or ended without. [may-block]
  [[nodiscard]] bool wait_for_output(std::string_view text, std::chrono::milliseconds within) const;

 private:
  void gather(Descriptor pipe, const std::filesystem::path& log);

  pid_t pid_ = -1;
  Descriptor pidfd_;
  WakeFd stop_gathering_;
  std::optional<ExitStatus> status_;
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::string output_ VKHOST_GUARDED_BY(mutex_);
  bool complete_ VKHOST_GUARDED_BY(mutex_) = false;
  Thread gatherer_;
};

// Readable once that process has ended; -1 inside when there is none.
[[nodiscard]] Descriptor open_pidfd(pid_t pid);

struct CommandResult {
  ExitStatus status = -1;
  std::string output = {};  // both streams
};

// Runs to its end; one that takes longer than `within` is killed. [may-block]
[[nodiscard]] CommandResult run_command(const Command& command,
                                        std::chrono::milliseconds within = std::chrono::seconds{
                                            60});

}  // namespace vkhost::testing
