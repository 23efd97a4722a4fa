// The table of sub-commands: dispatch, help, shell completion and the reference page follow from it.
// [startup]
#pragma once

#include "cli/command_line.hpp"
#include "cli/exit_code.hpp"
#include "cli/terminal.hpp"

#include <span>
#include <string>
#include <string_view>

namespace vkhost::cli {

struct Command {
  std::string_view name;
  std::string_view alias;    // or empty
  std::string_view words;    // "pods|nodes", for help and completion; a name in capitals is free
  std::string_view summary;  // a sentence; empty: not shown
  std::string_view text;     // more of it, lines of at most 100 characters
  std::span<const Flag> flags;
  UnknownFlags unknown = UnknownFlags::Refused;
  ExitCode (*run)(const CommandLine& line, const Terminal& terminal);
};

[[nodiscard]] std::span<const Command> commands();
[[nodiscard]] const Command* find_command(std::string_view name);
[[nodiscard]] std::span<const Flag> flags_of(const Command& command);

// What `vkhost --help` and `vkhost COMMAND --help` show.
[[nodiscard]] std::string help_text();
[[nodiscard]] std::string help_text(const Command& command);
// docs/command-line.md.
[[nodiscard]] std::string command_reference();

ExitCode run_command(const CommandLine& line, const Terminal& terminal);
ExitCode check_config_command(const CommandLine& line, const Terminal& terminal);
ExitCode doctor_command(const CommandLine& line, const Terminal& terminal);
ExitCode explain_command(const CommandLine& line, const Terminal& terminal);
ExitCode plugins_command(const CommandLine& line, const Terminal& terminal);
ExitCode get_command(const CommandLine& line, const Terminal& terminal);
ExitCode version_command(const CommandLine& line, const Terminal& terminal);
ExitCode completion_command(const CommandLine& line, const Terminal& terminal);
ExitCode help_command(const CommandLine& line, const Terminal& terminal);
ExitCode reference_command(const CommandLine& line, const Terminal& terminal);

// "vkhost: …" on the error stream, with a hint at the help of the command.
ExitCode usage_error(const Terminal& terminal, std::string_view command, std::string_view text);

}  // namespace vkhost::cli
