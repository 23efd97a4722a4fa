// Environment variables of virtual-kubelet and its providers, as settings. They stand below the
// file and the flags: what they set is a default, as it was there. [startup] [no-block]
#pragma once

#include "config/problem.hpp"
#include "config/value.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vkhost::config {

// How the environment is read; empty variables count as unset. Tests pass one of their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

struct EnvironmentVariable {
  std::string_view name;
  std::string_view key;  // "kubelet.listen"; empty: known, but without effect
  std::string_view text;
};
// In the order of precedence, weakest first.
const std::vector<EnvironmentVariable>& environment_variables();

// A table of settings. Variables that no longer have an effect are warnings.
Value environment_settings(const Environment& environment, Problems& problems);

}  // namespace vkhost::config
