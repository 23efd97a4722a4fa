// What the process's exit code says. Documented in docs/command-line.md; never renumbered.
#pragma once

#include "base/status.hpp"

#include <span>
#include <string_view>

namespace vkhost::cli {

enum class ExitCode : int {
  Ok = 0,
  Failure = 1,
  Usage = 2,
  Configuration = 3,
  Plugin = 4,
  Unreachable = 5,
};

struct ExitCodeMeaning {
  ExitCode code;
  std::string_view meaning;
};
[[nodiscard]] std::span<const ExitCodeMeaning> exit_code_meanings();

// Of a failure that daemon or a plugin reported.
[[nodiscard]] ExitCode exit_code_of(const Status& status);

}  // namespace vkhost::cli
