// The whole program behind main(): which command is meant, its arguments read, and run. [startup] on
// the main thread, before any other thread exists.
#pragma once

#include "cli/exit_code.hpp"
#include "cli/terminal.hpp"

#include <span>
#include <string>

namespace vkhost::cli {

int main_cli(int argc, char** argv);

// `arguments` begins with the name that the program was called by.
[[nodiscard]] ExitCode run_cli(std::span<const std::string> arguments, const Terminal& terminal);

}  // namespace vkhost::cli
