// The one table of all settings of the daemon. [any-thread] [no-block]
#pragma once

#include "config/config.hpp"
#include "config/section.hpp"

namespace vkhost::config {

// Built at the first call.
const Section<Config>& all_keys();

}  // namespace vkhost::config
