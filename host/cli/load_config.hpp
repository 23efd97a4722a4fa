// Which configuration a sub-command is about, and how its problems are shown. [startup]
#pragma once

#include "cli/terminal.hpp"
#include "config/load.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace vkhost::cli {

// The file named, else $VKHOST_CONFIG, else the user's or the system's if it exists.
[[nodiscard]] std::optional<std::filesystem::path> config_file(const std::string* named,
                                                               const Terminal& terminal);

[[nodiscard]] config::Loaded load_config(const std::optional<std::filesystem::path>& file,
                                         config::Value flags,
                                         const Terminal& terminal);

// All of them, on the error stream.
void show_problems(const config::Problems& problems, const Terminal& terminal);

}  // namespace vkhost::cli
