// What no single key can say: defaults that depend on other keys or on the machine, and the checks
// that look at several keys at once. [startup] [no-block]
#pragma once

#include "config/config.hpp"
#include "config/load.hpp"
#include "config/problem.hpp"
#include "config/value.hpp"

namespace vkhost::config {

// `root` tells where a key was given.
void complete(Config& config, const Value& root, const Sources& sources, Problems& problems);

}  // namespace vkhost::config
