// Completion scripts for shells, written from the table of commands. Pure. [any-thread]
#pragma once

#include <string>

namespace vkhost::cli {

[[nodiscard]] std::string bash_completion();
[[nodiscard]] std::string zsh_completion();
[[nodiscard]] std::string fish_completion();

}  // namespace vkhost::cli
