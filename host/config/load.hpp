// load(): from file, environment and flags to a Config, with every problem at once. A flag wins over
// the file, the file over the environment, that over the built-in default. [startup] [may-block] on
// the file system only.
#pragma once

#include "config/config.hpp"
#include "config/environment.hpp"
#include "config/problem.hpp"
#include "config/section.hpp"
#include "config/value.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::config {

struct Sources {
  std::optional<std::filesystem::path> file;
  Environment environment = process_environment();
  Value flags{Table{}, Place{}};  // made with put_setting
  bool is_root = false;           // picks the default folders
};

struct Loaded {
  Config config;  // not to be used when there are errors
  Problems problems;
  Value given{Table{}, Place{}};  // all that was given, with its places
};

Loaded load(const Sources& sources);

// Settings in a file of their own, TOML or JSON after its name or first character: a table, or
// nothing when a problem was reported.
std::optional<Value> read_settings_file(const std::filesystem::path& file, Problems& problems);

// The text of a file of at most 4 MiB, or nothing when a problem was reported.
std::optional<std::string> read_text_file(const std::filesystem::path& file, Problems& problems);

// What differs, by key; whether it takes a restart.
std::vector<Change> difference(const Config& before, const Config& after);
// The same, with the places in `after`.
std::vector<Change> difference(const Config& before, const Loaded& after);

// `running` with those of the changes in `wanted` that need no restart: what a daemon runs with after it
// has taken them.
Config with_live_changes(const Config& running, const Config& wanted);

}  // namespace vkhost::config
