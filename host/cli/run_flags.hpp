// The flags of `vkhost run`: its own, and every flag of virtual-kubelet and its providers, each one
// either a key of the configuration or named in a warning. [startup]
#pragma once

#include "cli/command_line.hpp"
#include "config/problem.hpp"
#include "config/value.hpp"

#include <span>
#include <string_view>

namespace vkhost::cli {

struct RunFlag {
  Flag flag;
  std::string_view key;      // "log.level"; empty: no key of the configuration takes it
  std::string_view instead;  // why there is none, for the warning
};

[[nodiscard]] std::span<const RunFlag> run_flags();
// The same, as the parser wants them.
[[nodiscard]] std::span<const Flag> run_flag_table();
inline constexpr std::string_view kKlogPrefix = "--klog.";

// The settings that flags stand for, to be merged over those of the file. What has no effect is a
// warning. --provider-config reads its file.
config::Value settings_of_flags(const CommandLine& line, config::Problems& problems);

}  // namespace vkhost::cli
