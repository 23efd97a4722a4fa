// JSON text to a Value that knows the line of everything in it, for provider settings kept in JSON
// (the originals' --provider-config). Strict RFC 8259; a name that occurs twice is an error.
// [any-thread] [no-block]
#pragma once

#include "config/problem.hpp"
#include "config/value.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace vkhost::config {

// Nothing when a problem was reported (the first one only: nothing after it can be trusted).
std::optional<Value> read_json(std::string_view text,
                               std::shared_ptr<const Source> source,
                               Problems& problems);

}  // namespace vkhost::config
