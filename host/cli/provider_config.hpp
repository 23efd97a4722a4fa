// The file of --provider-config: TOML, JSON or YAML, told apart by its name, else by what it holds.
// [startup] [may-block] on the file
#pragma once

#include "config/problem.hpp"
#include "config/value.hpp"

#include <filesystem>
#include <optional>

namespace vkhost::cli {

// A table, or nothing when a problem was reported. Problems in YAML name the file only, beyond its
// syntax.
std::optional<config::Value> read_provider_config(const std::filesystem::path& file,
                                                  config::Problems& problems);

}  // namespace vkhost::cli
