#include "cli/command.hpp"
#include "cli/load_config.hpp"
#include "daemon/provider_libraries.hpp"
#include "observe/log.hpp"

#include <ostream>
#include <utility>

namespace vkhost::cli {

ExitCode check_config_command(const CommandLine& line, const Terminal& terminal) {
  if (line.words.size() > 1) {
    return usage_error(terminal, "check-config", "expected one file");
  }
  const std::string* named = line.words.empty() ? line.find("--config") : &line.words.front();
  const auto file = config_file(named, terminal);
  if (!file) {
    return usage_error(terminal, "check-config", "which file? none was named");
  }
  config::Value no_flags(config::Table{}, config::Place{});
  const config::Loaded loaded = load_config(file, std::move(no_flags), terminal);
  show_problems(loaded.problems, terminal);
  if (loaded.problems.has_errors()) {
    return ExitCode::Configuration;
  }
  if (!line.is_set("--without-plugins")) {
    const SystemClock clock;
    daemon::ProviderLibraries libraries(clock, observe::Logger());
    config::Problems problems;
    const Status status =
        libraries.load(loaded.config, terminal.executable, {terminal.environment, {}}, problems);
    show_problems(problems, terminal);
    if (!status.is_ok() && status.code() != StatusCode::InvalidArgument) {
      terminal.err << "vkhost: " << status.message()
                   << (status.message().ends_with('\n') ? "" : "\n");
    }
    if (!status.is_ok()) {
      return exit_code_of(status);
    }
  }
  terminal.out << file->string() << ": no errors\n";
  return ExitCode::Ok;
}

}  // namespace vkhost::cli
