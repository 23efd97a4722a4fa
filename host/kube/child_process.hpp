// run_child: runs a program to its end and brings back what it printed.
//
// By posix_spawn only; the child gets /dev/null as input, no descriptor of ours, default signals and
// a process group of its own, which is killed when the deadline passes, the call is cancelled, or the
// output grows over the limit. It is always reaped, and no other child is. [any-thread] [may-block]
#pragma once

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/status.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace vkhost::kube {

struct ChildCommand {
  std::string program;  // a path, or a name to be found in PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours, or in its place
  std::size_t max_output_bytes = std::size_t{1024} * 1024;
};

struct ChildOutcome {
  int exit_status = 0;  // or 128 and the signal, as a shell has it
  std::string output;
  std::string error_output;  // its first 4 KiB
};

// NOT_FOUND when there is no such program, else FAILED_PRECONDITION when it can't be started;
// DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED (too much output). Any exit status is a success
// here.
Result<ChildOutcome> run_child(const ChildCommand& command,
                               const Clock& clock,
                               Deadline deadline,
                               const CancelToken& cancel);

}  // namespace vkhost::kube
