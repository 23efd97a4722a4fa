// What a sub-command talks to: its two streams and the environment. main_cli gives it the process's
// own, tests give it theirs. One thread.
#pragma once

#include "config/environment.hpp"

#include <filesystem>
#include <iosfwd>

namespace vkhost::cli {

struct Terminal {
  std::ostream& out;  // what was asked for
  std::ostream& err;  // what went wrong
  config::Environment environment;
  std::filesystem::path executable;  // of this process; plugins are found beside it
  bool is_root = false;
};

}  // namespace vkhost::cli
