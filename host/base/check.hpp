// VKHOST_CHECK: a broken invariant of our own ends the process, with the sentence on stderr. Pods
// survive that, a restart adopts them. Input, network, plugins and operators never lead here.
#pragma once

namespace vkhost {
[[noreturn]] void check_failed(const char* file,
                               int line,
                               const char* condition,
                               const char* sentence);
}  // namespace vkhost

#define VKHOST_CHECK(condition, sentence)                                 \
  do {                                                                    \
    if (!(condition)) {                                                   \
      ::vkhost::check_failed(__FILE__, __LINE__, #condition, (sentence)); \
    }                                                                     \
  } while (false)
