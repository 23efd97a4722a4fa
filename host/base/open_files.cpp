#include "base/open_files.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace vkhost {

std::uint64_t allow_open_files(std::uint64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 0;
  }
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::max(before, std::min<rlim_t>(wanted, limit.rlim_max));
  const bool is_set = limit.rlim_cur == before || ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
  return is_set ? limit.rlim_cur : before;
}

}  // namespace vkhost
