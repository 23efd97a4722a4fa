#include "cli/load_config.hpp"

#include <algorithm>
#include <ostream>
#include <system_error>
#include <utility>

namespace vkhost::cli {

namespace fs = std::filesystem;

std::optional<fs::path> config_file(const std::string* named, const Terminal& terminal) {
  if (named != nullptr) {
    return *named;
  }
  if (const auto variable = terminal.environment("VKHOST_CONFIG")) {
    return *variable;
  }
  std::error_code error;
  const auto xdg = terminal.environment("XDG_CONFIG_HOME");
  const auto home = terminal.environment("HOME");
  const fs::path folder = xdg ? fs::path(*xdg) : home ? fs::path(*home) / ".config" : fs::path();
  if (folder.is_absolute() && fs::exists(folder / "vkhost/vkhost.toml", error)) {
    return folder / "vkhost/vkhost.toml";
  }
  if (fs::exists("/etc/vkhost/vkhost.toml", error)) {
    return "/etc/vkhost/vkhost.toml";
  }
  return std::nullopt;
}

config::Loaded load_config(const std::optional<fs::path>& file,
                           config::Value flags,
                           const Terminal& terminal) {
  return config::load({file, terminal.environment, std::move(flags), terminal.is_root});
}

void show_problems(const config::Problems& problems, const Terminal& terminal) {
  terminal.err << problems.to_string();
  const auto errors = std::count_if(
      problems.list().begin(), problems.list().end(),
      [](const config::Problem& problem) { return problem.severity == config::Severity::Error; });
  if (errors > 0) {
    terminal.err << "vkhost: the configuration has " << errors
                 << (errors == 1 ? " error\n" : " errors\n");
  }
}

}  // namespace vkhost::cli
