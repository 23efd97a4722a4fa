#include "cli/command.hpp"
#include "cli/load_config.hpp"
#include "cli/run_flags.hpp"
#include "daemon/run.hpp"
#include "observe/log_setup.hpp"

#include <memory>
#include <ostream>
#include <utility>

namespace vkhost::cli {
namespace {

observe::Level level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::Trace:
      return observe::Level::Trace;
    case config::LogLevel::Debug:
      return observe::Level::Debug;
    case config::LogLevel::Info:
      return observe::Level::Info;
    case config::LogLevel::Warn:
      return observe::Level::Warn;
    case config::LogLevel::Error:
      break;
  }
  return observe::Level::Error;
}

observe::LogFormat format_of(config::LogFormat format) {
  switch (format) {
    case config::LogFormat::Text:
      return observe::LogFormat::Text;
    case config::LogFormat::Json:
      return observe::LogFormat::Json;
    case config::LogFormat::Auto:
      break;
  }
  return observe::LogFormat::Auto;
}

// A default file belongs to a daemon that is configured by files: whoever names a provider on the
// command line runs it as the originals were run, without one.
std::optional<std::filesystem::path> file_of(const CommandLine& line, const Terminal& terminal) {
  const std::string* named = line.find("--config");
  if (named == nullptr && line.find("--provider") != nullptr &&
      !terminal.environment("VKHOST_CONFIG")) {
    return std::nullopt;
  }
  return config_file(named, terminal);
}

config::Loaded load_for_run(const CommandLine& line, const Terminal& terminal) {
  config::Problems of_flags;
  config::Value flags = settings_of_flags(line, of_flags);
  config::Loaded loaded = load_config(file_of(line, terminal), std::move(flags), terminal);
  for (const config::Problem& problem : of_flags.list()) {
    loaded.problems.add(problem);
  }
  loaded.problems.sort();
  return loaded;
}

}  // namespace

ExitCode run_command(const CommandLine& line, const Terminal& terminal) {
  const config::Loaded loaded = load_for_run(line, terminal);
  if (loaded.problems.has_errors()) {
    show_problems(loaded.problems, terminal);
    return ExitCode::Configuration;
  }
  observe::Log log({level_of(loaded.config.log.level), format_of(loaded.config.log.format),
                    terminal.environment("NO_COLOR").has_value()},
                   std::make_shared<SystemClock>());
  for (const config::Problem& problem : loaded.problems.list()) {
    log.logger().warn(problem.to_string());
  }

  daemon::RunOptions options;
  options.executable = terminal.executable;
  options.log = log.logger();
  options.outside.environment = terminal.environment;
  for (const auto& [name, value] : line.unknown) {
    if (!name.starts_with(kKlogPrefix)) {
      options.outside.flags[name] = value;
    }
  }
  options.load = [&] { return load_for_run(line, terminal); };
  options.set_log_level = [&log](config::LogLevel level) { log.set_level(level_of(level)); };
  const Status status = daemon::run(loaded.config, options);
  if (status.reason() == "UnknownFlag") {
    return usage_error(terminal, "run", status.message());
  }
  if (!status.is_ok()) {
    // The problems of a configuration are lines of their own.
    const bool is_whole = status.code() == StatusCode::InvalidArgument;
    terminal.err << (is_whole ? "" : "vkhost: ") << status.message()
                 << (status.message().ends_with('\n') ? "" : "\n");
  }
  return exit_code_of(status);
}

}  // namespace vkhost::cli
