// TOML text to a Value. The only file of the host that sees the TOML library is the .cpp.
// A syntax error ends the reading of that text, so it is the only problem reported of it.
// [any-thread] [no-block]
#pragma once

#include "config/problem.hpp"
#include "config/value.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace vkhost::config {

// Always a table; nothing when a problem was reported.
std::optional<Value> read_toml(std::string_view text,
                               const std::shared_ptr<const Source>& source,
                               Problems& problems);

}  // namespace vkhost::config
