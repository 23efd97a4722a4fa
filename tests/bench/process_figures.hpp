// ProcessFigures: memory, CPU time and context switches of a running process, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace vkhost::bench {

struct ProcessFigures {
  double rss_mib = 0;
  double anonymous_mib = 0;
  double cpu_seconds = 0;
  std::uint64_t context_switches = 0;  // of all threads
  std::uint64_t threads = 0;
};

ProcessFigures read_process(pid_t pid);

}  // namespace vkhost::bench
