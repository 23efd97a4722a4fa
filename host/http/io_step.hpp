// IoStep: outcome of one attempt on a connection that does not wait. [any-thread]
#pragma once

#include <cstddef>

namespace vkhost::http {

enum class Want { Nothing, Read, Write };

// Some bytes, or the end of the stream, or what to wait for (a TLS read may want to write, and the
// other way round).
struct IoStep {
  std::size_t bytes = 0;
  Want want = Want::Nothing;
  bool end = false;
};

}  // namespace vkhost::http
