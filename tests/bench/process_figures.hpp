// ProcessFigures: memory, CPU time and context switches of a running process, from /proc. A process
// that is gone has zeros.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>

namespace vkhost::bench {

struct ThreadFigures {
  std::string name;
  double cpu_seconds = 0;
  std::uint64_t voluntary_switches = 0;    // it waited for something
  std::uint64_t involuntary_switches = 0;  // another one was let run
};

struct ProcessFigures {
  double rss_mib = 0;
  double anonymous_mib = 0;
  double cpu_seconds = 0;
  std::map<pid_t, ThreadFigures> threads = {};
};

[[nodiscard]] ProcessFigures read_process(pid_t pid);

// What the threads of one name did between two readings; "status-0" and "status-1" are both of
// "status-*". One that began and ended in between is not seen.
struct ThreadGroup {
  int threads = 0;
  double cpu_seconds = 0;
  std::uint64_t voluntary_switches = 0;
  std::uint64_t involuntary_switches = 0;
};

[[nodiscard]] std::map<std::string, ThreadGroup> threads_by_name(const ProcessFigures& before,
                                                                 const ProcessFigures& after);

}  // namespace vkhost::bench
