#include "cli/main_cli.hpp"

#include "base/suggest.hpp"
#include "cli/command.hpp"
#include "cli/run_flags.hpp"

#include <unistd.h>

#include <exception>
#include <filesystem>
#include <iostream>
#include <string_view>
#include <system_error>
#include <vector>

namespace vkhost::cli {
namespace {

ExitCode run(const Command& command,
             std::span<const std::string> arguments,
             const Terminal& terminal) {
  const CommandLine line =
      read_command_line(arguments, flags_of(command), command.unknown,
                        command.unknown == UnknownFlags::Kept ? kKlogPrefix : std::string_view());
  if (line.wants_help) {
    terminal.out << help_text(command);
    return ExitCode::Ok;
  }
  if (!line.errors.empty()) {
    for (std::size_t i = 0; i + 1 < line.errors.size(); ++i) {
      terminal.err << "vkhost: " << line.errors[i] << '\n';
    }
    return usage_error(terminal, command.name, line.errors.back());
  }
  if (command.words.empty() && !line.words.empty()) {
    return usage_error(terminal, command.name, "unexpected \"" + line.words.front() + "\"");
  }
  return command.run(line, terminal);
}

ExitCode unknown_command(const std::string& word, const Terminal& terminal) {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) {
    names.push_back(command.name);
  }
  return usage_error(terminal, "",
                     "there is no command \"" + word + '"' + did_you_mean(word, names));
}

}  // namespace

ExitCode run_cli(std::span<const std::string> arguments, const Terminal& terminal) {
  const bool called_as_original =
      !arguments.empty() && std::filesystem::path(arguments[0]).filename() == "virtual-kubelet";
  const auto rest = arguments.empty() ? arguments : arguments.subspan(1);
  const Command& run_itself = *find_command("run");
  if (rest.empty()) {
    if (called_as_original) {
      return run(run_itself, rest, terminal);
    }
    terminal.out << help_text();
    return ExitCode::Ok;
  }
  if (const Command* command = find_command(rest[0])) {
    return run(*command, rest.subspan(1), terminal);
  }
  if (rest[0] == "--version") {
    return run(*find_command("version"), rest.subspan(1), terminal);
  }
  if (!called_as_original && (rest[0] == "--help" || rest[0] == "-h")) {
    terminal.out << help_text();
    return ExitCode::Ok;
  }
  if (rest[0].starts_with('-')) {
    return run(run_itself, rest, terminal);
  }
  return unknown_command(rest[0], terminal);
}

int main_cli(int argc, char** argv) {
  const std::vector<std::string> arguments(argv, argv + argc);
  std::error_code error;
  const Terminal terminal{std::cout, std::cerr, config::process_environment(),
                          std::filesystem::read_symlink("/proc/self/exe", error), ::geteuid() == 0};
  try {
    const ExitCode code = run_cli(arguments, terminal);
    // An answer that could not be written was not given.
    std::cout.flush();
    return static_cast<int>(code == ExitCode::Ok && !std::cout ? ExitCode::Failure : code);
  } catch (const std::exception& problem) {
    std::cerr << "vkhost: " << problem.what() << '\n';
  }
  return static_cast<int>(ExitCode::Failure);
}

}  // namespace vkhost::cli
