#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace vkhost {

void check_failed(const char* file, int line, const char* condition, const char* sentence) {
  static_cast<void>(
      std::fprintf(stderr, "vkhost: %s:%d: %s (%s)\n", file, line, sentence, condition));
  std::abort();
}

}  // namespace vkhost
